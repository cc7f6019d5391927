"""Changing an expression where it stands: its layout and its comments stay, only what is named is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from receiver.errors import ConfigError
from receiver.promql.tokens import Kind, Matcher, Selector, Token, clause_labels, selectors, words
from receiver.promql.tree import Aggregation, Call, Text, parse, walk

MATCHES = frozenset({"=", "!=", "=~", "!~"})
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
LABEL_IN_TEXT = re.compile(r"(?P<before>(?:\$labels|\.Labels)\.)(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)")


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


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """`job="kubelet", namespace!~"kube-.*"` as matchers. ConfigError for anything else: it goes into every selector."""
    try:
        found = words(text)
    except ConfigError as exc:
        raise ConfigError(f'expected matchers such as job="kubelet", found {text!r}') from exc
    matchers = []
    for index in range(0, len(found), 4):
        part = found[index : index + 4]
        is_matcher = len(part) >= 3 and part[0].kind is Kind.NAME and part[1].text in MATCHES and part[2].kind is Kind.STRING
        if not is_matcher or (len(part) == 4 and part[3].text != ",") or ":" in part[0].text or part[0].text == "__name__":
            raise ConfigError(f'expected matchers such as job="kubelet", found {text!r}')
        matchers.append(Matcher(label=part[0].text, operator=part[1].text, value=part[2].text))
    return tuple(matchers)


def quoted(value: str) -> str:
    """Text as a PromQL string: nothing in it can end the string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


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


def used_labels(expr: str, texts: Iterable[str] = ()) -> frozenset[str]:
    """Labels that the expression, and templates beside it, name."""
    found = {name for _, name in _label_tokens(expr)}
    return frozenset(found | {match["label"] for text in texts for match in LABEL_IN_TEXT.finditer(text)}) - {"__name__"}


def rename_edits(expr: str, names: Mapping[str, str]) -> Iterator[Edit]:
    """What renames labels in matchers, clauses and the functions that take a label's name."""
    for token, name in _label_tokens(expr):
        if name in names:
            text = names[name] if token.kind is Kind.NAME else f'"{names[name]}"'
            yield Edit(start=token.start, end=token.end, text=text)


def renamed_text(text: str, names: Mapping[str, str]) -> str:
    """An annotation with the labels that its template reads renamed."""
    return LABEL_IN_TEXT.sub(lambda match: match["before"] + names.get(match["label"], match["label"]), text)


def _label_tokens(expr: str) -> Iterator[tuple[Token, str]]:
    found = words(expr)
    for index in range(len(found) - 2):
        if found[index].kind is Kind.NAME and found[index + 1].text in MATCHES and found[index + 2].kind is Kind.STRING:
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
