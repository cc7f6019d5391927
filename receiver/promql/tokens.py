"""PromQL as far as editing rules needs it: words, selectors and the labels of clauses. Parses no expression; promtool does.

A selector is a metric name, a `{...}`, or both; everything else that looks like a name is a function, an operator or a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from receiver.errors import ConfigError


class Kind(StrEnum):
    """What a word is. SPACE and COMMENT are kept, so that the words joined are the expression again."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    DURATION = "duration"
    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word, and where it begins (characters from the start of the expression)."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next word begins."""
        return self.start + len(self.text)


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


_WORDS = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>\#[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `[^`]*`)
      | (?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![\w.]))
      | (?P<number>0x[0-9a-fA-F]+ | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[a-zA-Z_][a-zA-Z0-9_:]*)
      | (?P<sign>==|!=|=~|!~|>=|<=|[-+*/%^@<>=(){}\[\],:])""",
    re.VERBOSE | re.DOTALL,
)
CLAUSES = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_BETWEEN = frozenset({"and", "or", "unless", "atan2", "bool"})  # stand between two operands, so a { after one begins a selector
_OPERATORS = frozenset({"offset", "inf", "nan", "start", "end", *_BETWEEN, *CLAUSES})


def tokens(expr: str) -> tuple[Token, ...]:
    """Every word of the expression. ConfigError where one cannot be read."""
    found, at = [], 0
    while at < len(expr):
        match = _WORDS.match(expr, at)
        if match is None:
            raise ConfigError(f"not PromQL at {expr[at : at + 20]!r}")
        found.append(Token(kind=Kind(str(match.lastgroup)), text=match[0], start=at))
        at = match.end()
    return tuple(found)


def words(expr: str) -> tuple[Token, ...]:
    """The words that mean something: no space and no comment."""
    return tuple(token for token in tokens(expr) if token.kind not in (Kind.SPACE, Kind.COMMENT))


def selectors(expr: str) -> tuple[Selector, ...]:
    """Every selector of the expression, in order."""
    return tuple(_selectors(words(expr)))


def clause_labels(expr: str) -> Iterator[Token]:
    """The labels that `by`, `on` and the other clauses name."""
    found = words(expr)
    for index, token in enumerate(found):
        if token.text.lower() in CLAUSES and index + 1 < len(found) and found[index + 1].text == "(":
            for inner in found[index + 2 : _closing(found, index + 1)]:
                if inner.kind is Kind.NAME:
                    yield inner


def _selectors(found: tuple[Token, ...]) -> Iterator[Selector]:
    index = 0
    while index < len(found):
        token = found[index]
        after = found[index + 1].text if index + 1 < len(found) else ""
        if token.text.lower() in CLAUSES and after == "(":
            index = _closing(found, index + 1) + 1
        elif token.text == "{" or (token.kind is Kind.NAME and after == "{" and token.text.lower() not in _BETWEEN):
            opening = index if token.text == "{" else index + 1
            index = _closing(found, opening) + 1
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
    listed = tuple(m.value[1:-1] for m in matchers if m.label == "__name__" and m.operator in ("=", "=~"))
    window = found[end + 1].text if end + 1 < len(found) and found[end].text == "[" else ""
    last = found[end - 1] if end > opening else name
    first = name or found[opening]
    return Selector(
        names=(name.text,) if name else tuple(part for text in listed for part in text.split("|")),
        matchers=tuple(m for m in matchers if m.label != "__name__"),
        window=window, start=first.start, end=(last or first).end,
    )  # fmt: skip


def _closing(found: tuple[Token, ...], opening: int) -> int:
    """Index of the bracket that closes the one at `opening`. ConfigError when there is none."""
    depth = 0
    for index in range(opening, len(found)):
        if found[index].text in ("(", "{", "["):
            depth += 1
        elif found[index].text in (")", "}", "]"):
            depth -= 1
            if depth == 0:
                return index
    raise ConfigError(f"not PromQL: a {found[opening].text!r} is not closed")
