"""Text as a PromQL string and back. The one place that quotes: nothing in a value can end its string."""

from __future__ import annotations

import json
import re

_ESCAPE = re.compile(
    r"""\\(?:(?P<sign>[abfnrtv\\'"])|x(?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))"""
)
_SIGNS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def quoted(text: str) -> str:
    """A PromQL string in double quotes. It is one for Go too, so Alertmanager's matchers take it."""
    return json.dumps(text, ensure_ascii=False)  # JSON's escapes are among Go's


def unquoted(literal: str) -> str:
    """What a string as written (in double or single quotes, or in backticks, where nothing is escaped) means."""
    inside = literal[1:-1]
    return inside if literal.startswith("`") else _ESCAPE.sub(_meant, inside)


def as_replacement(literal: str) -> str:
    """A string as written, as the replacement of label_replace: there `$` would name a group."""
    return literal.replace("$", "$$")


def _meant(escape: re.Match[str]) -> str:
    if escape["sign"]:
        return _SIGNS.get(escape["sign"], escape["sign"])
    code = int(escape["octal"], 8) if escape["octal"] else int(escape["hex"] or escape["short"] or escape["long"], 16)
    return chr(code) if code <= 0x10FFFF else escape[0]
