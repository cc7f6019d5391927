"""PromQL as words, nothing lost: the words joined are the expression again."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


_WORDS = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\[^\n])*" | '(?:[^'\\\n]|\\[^\n])*' | `[^`]*`)
      | (?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![\w.]))
      | (?P<number>0x[0-9a-fA-F]+ | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[a-zA-Z_][a-zA-Z0-9_:]*)
      | (?P<sign>==|!=|=~|!~|>=|<=|[-+*/%^@<>=(){}\[\],:])""",
    re.VERBOSE,
)


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


def closing(found: Sequence[Token], opening: int) -> int:
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
