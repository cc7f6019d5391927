"""Changing an expression where it stands: its layout and its comments stay, only what is named is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from receiver.promql.quoting import quoted
from receiver.promql.selectors import OPERATORS, Matcher, Selector, clause_labels, selectors
from receiver.promql.tokens import Kind, Token, words
from receiver.promql.tree import Aggregation, Call, Text, parse, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Put `text` in the place of expr[start:end]."""

    start: int
    end: int
    text: str


def edited(expr: str, edits: Iterable[Edit]) -> str:
    """The expression with all edits, which may not overlap."""
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        expr = expr[: edit.start] + edit.text + expr[edit.end :]
    return expr


def matcher_edits(expr: str, more: Callable[[Selector], Iterable[Matcher]]) -> Iterator[Edit]:
    """What adds matchers to the selectors of the expression; `more` tells which. One that is there already is not repeated."""
    for selector in selectors(expr):
        new = [matcher.text for matcher in more(selector) if matcher not in selector.matchers]
        if not new:
            continue
        if expr[selector.end - 1] != "}":
            yield Edit(start=selector.end, end=selector.end, text="{" + ", ".join(new) + "}")
            continue
        before = expr[selector.start : selector.end - 1].rstrip()
        comma = "" if before.endswith("{") else " " if before.endswith(",") else ", "
        at = selector.start + len(before)
        yield Edit(start=at, end=at, text=comma + ", ".join(new))


def used_labels(expr: str) -> frozenset[str]:
    """Labels that the expression names."""
    return frozenset(name for _, name in _label_tokens(expr)) - {"__name__"}


def rename_edits(expr: str, names: Mapping[str, str]) -> Iterator[Edit]:
    """What renames labels in matchers, clauses and the functions that take a label's name."""
    for token, name in _label_tokens(expr):
        if name in names:
            text = names[name] if token.kind is Kind.NAME else quoted(names[name])
            yield Edit(start=token.start, end=token.end, text=text)


def _label_tokens(expr: str) -> Iterator[tuple[Token, str]]:
    found = words(expr)
    for index in range(len(found) - 2):
        if found[index].kind is Kind.NAME and found[index + 1].text in OPERATORS and found[index + 2].kind is Kind.STRING:
            yield found[index], found[index].text
    for token in clause_labels(expr):
        yield token, token.text
    for node in walk(parse(expr)):
        match node:
            case Call(name="label_replace", arguments=arguments):
                given = arguments[1::2][:2]
            case Call(name="label_join", arguments=arguments):
                given = (*arguments[1:2], *arguments[3:])
            case Aggregation(name="count_values", arguments=arguments):
                given = arguments[:1]
            case _:
                continue
        for argument in given:
            if isinstance(argument, Text) and argument.value:
                yield argument.token, argument.value
