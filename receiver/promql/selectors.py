"""What an expression reads: its selectors with their matchers, and the labels of its clauses. Parses no expression (`tree` does).

A selector is a metric name, a `{...}`, or both; everything else that looks like a name is a function, an operator or a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from receiver.errors import ConfigError
from receiver.promql.quoting import unquoted
from receiver.promql.tokens import Kind, Token, closing, words

OPERATORS = frozenset({"=", "!=", "=~", "!~"})
CLAUSES = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_BETWEEN = frozenset({"and", "or", "unless", "atan2", "bool"})  # stand between two operands, so a { after one begins a selector
_OPERATORS = frozenset({"offset", "inf", "nan", "start", "end", *_BETWEEN, *CLAUSES})
MAX_PATTERN = 1000  # characters of a regular expression that is tried
_NESTED_REPEAT = re.compile(r"[+*}]\)[+*{]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One matcher of a selector: `label`, `operator` (=, !=, =~, !~) and `value` as written, with its quotes."""

    label: str
    operator: str
    value: str

    @property
    def text(self) -> str:
        """The matcher as PromQL."""
        return f"{self.label}{self.operator}{self.value}"

    @property
    def wanted(self) -> str:
        """The value without its quotes: a text, or a regular expression that must match the whole value."""
        return unquoted(self.value)

    def lets_through(self, value: str) -> bool:
        """Whether a series whose label has this value is selected. A pattern that only RE2 can read lets everything through."""
        if self.operator in ("=", "!="):
            return (self.wanted == value) is (self.operator == "=")
        if len(self.wanted) > MAX_PATTERN or _NESTED_REPEAT.search(self.wanted):
            return True  # RE2 takes it in linear time, Python may not
        try:
            return (re.fullmatch(self.wanted, value) is not None) is (self.operator == "=~")
        except re.error:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One selector. `names` are its metrics: several when `__name__=~"a|b"`, none when it has no name at all.

    `start` and `end` enclose the name and its braces; `window` is the range (`5m`), empty for an instant one.
    """

    names: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    window: str
    start: int
    end: int

    def matched(self, label: str) -> bool:
        """Whether a matcher speaks of the label."""
        return any(matcher.label == label for matcher in self.matchers)


def selectors(expr: str) -> tuple[Selector, ...]:
    """Every selector of the expression, in order."""
    return tuple(_selectors(words(expr)))


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """`job="kubelet", namespace!~"kube-.*"` as matchers. ConfigError for anything else: it goes into every selector."""
    try:
        found = words(text)
    except ConfigError as exc:
        raise ConfigError(f'expected matchers such as job="kubelet", found {text!r}') from exc
    matchers = []
    for index in range(0, len(found), 4):
        part = found[index : index + 4]
        is_matcher = len(part) >= 3 and part[0].kind is Kind.NAME and part[1].text in OPERATORS and part[2].kind is Kind.STRING
        if not is_matcher or (len(part) == 4 and part[3].text != ",") or ":" in part[0].text or part[0].text == "__name__":
            raise ConfigError(f'expected matchers such as job="kubelet", found {text!r}')
        matchers.append(Matcher(label=part[0].text, operator=part[1].text, value=part[2].text))
    return tuple(matchers)


def clause_labels(expr: str) -> Iterator[Token]:
    """The labels that `by`, `on` and the other clauses name."""
    found = words(expr)
    for index, token in enumerate(found):
        if token.text.lower() in CLAUSES and index + 1 < len(found) and found[index + 1].text == "(":
            for inner in found[index + 2 : closing(found, index + 1)]:
                if inner.kind is Kind.NAME:
                    yield inner


def _selectors(found: tuple[Token, ...]) -> Iterator[Selector]:
    index = 0
    while index < len(found):
        token = found[index]
        after = found[index + 1].text if index + 1 < len(found) else ""
        if token.text.lower() in CLAUSES and after == "(":
            index = closing(found, index + 1) + 1
        elif token.text == "{" or (token.kind is Kind.NAME and after == "{" and token.text.lower() not in _BETWEEN):
            opening = index if token.text == "{" else index + 1
            index = closing(found, opening) + 1
            yield _selector(found, token if token.kind is Kind.NAME else None, opening, index)
        elif token.kind is Kind.NAME and after != "(" and token.text.lower() not in _OPERATORS and not _is_aggregation(found, index):
            index += 1
            yield _selector(found, token, index, index)
        else:
            index += 1


def _is_aggregation(found: tuple[Token, ...], index: int) -> bool:
    """`sum by (...) (...)`: a name before its clause."""
    return index + 1 < len(found) and found[index + 1].text.lower() in ("by", "without")


def _selector(found: tuple[Token, ...], name: Token | None, opening: int, end: int) -> Selector:
    """The selector whose braces are found[opening:end]; they may be empty."""
    inside = found[opening + 1 : end - 1]
    matchers = tuple(
        Matcher(label=inside[i].text, operator=inside[i + 1].text, value=inside[i + 2].text)
        for i in range(0, len(inside) - 2)
        if inside[i].kind is Kind.NAME and inside[i + 2].kind is Kind.STRING
    )
    listed = tuple(m.wanted for m in matchers if m.label == "__name__" and m.operator in ("=", "=~"))
    window = found[end + 1].text if end + 1 < len(found) and found[end].text == "[" else ""
    last = found[end - 1] if end > opening else name
    first = name or found[opening]
    return Selector(
        names=(name.text,) if name else tuple(part for text in listed for part in text.split("|")),
        matchers=tuple(m for m in matchers if m.label != "__name__"),
        window=window, start=first.start, end=(last or first).end,
    )  # fmt: skip
