"""Takes secrets out of text before it leaves the process, and counts them by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.errors import ConfigError
from receiver.evidence.redaction.blocks import redact_key_blocks
from receiver.evidence.redaction.names import PRIVATE_KEY
from receiver.evidence.redaction.pairs import redact_pairs
from receiver.evidence.redaction.rules import CARD_RULE, EMAIL_RULE, RULES, Rule

MAX_PATTERN_LINE = 8192  # characters of a line that a user's pattern sees at once

_PATTERN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")
# A repeat inside a group that is repeated itself, (a+)+: exponential on a text that almost matches.
_NESTED_REPEAT = re.compile(r"(?:(?<!\\)[+*]|\{\d{0,9},\d{0,9}\})\??\)(?:[+*](?!\+)|\{\d{1,9},)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionConfig:
    """What is taken out beside what always is. `patterns`: (name, regular expression), the name stands in the mark.

    Of a pattern with a group named `secret` only that group is replaced.
    """

    patterns: tuple[tuple[str, str], ...] = ()
    emails: bool = False
    cards: bool = False


class Redactor:
    """Redaction with one configuration. Thread-safe: it keeps no state."""

    def __init__(self, config: RedactionConfig | None = None) -> None:
        """ConfigError names the user pattern that is no regular expression, matches nothing at all, or would hang."""
        config = config or RedactionConfig()
        self._patterns = tuple(_compile(name, pattern) for name, pattern in config.patterns)
        self._rules = RULES + ((EMAIL_RULE,) if config.emails else ()) + ((CARD_RULE,) if config.cards else ())

    def redact(self, text: str) -> tuple[str, Mapping[str, int]]:
        """The text with each secret as `[redacted KIND]`, and how many of each kind. Give whole logs: keys span lines."""
        counts: Counter[str] = Counter()
        for rule in self._patterns:
            text = "".join(_apply(rule, piece, counts) for piece in _pieces(text))
        text, keys = redact_key_blocks(text)
        if keys:
            counts[PRIVATE_KEY] += keys
        lowered = text.lower()
        for rule in self._rules:
            if not rule.hints or any(hint in lowered for hint in rule.hints):
                text = _apply(rule, text, counts)

        def found(kind: str) -> None:
            counts[kind] += 1

        return redact_pairs(text, found), dict(counts)


def _pieces(text: str) -> list[str]:
    """The lines of a text, long ones cut: a user's pattern may be slow, so it never sees much at once."""
    return [line[i : i + MAX_PATTERN_LINE] for line in text.splitlines(keepends=True) for i in range(0, len(line), MAX_PATTERN_LINE)]


def _apply(rule: Rule, text: str, counts: Counter[str]) -> str:
    group: str | int = "secret" if "secret" in rule.regex.groupindex else 0

    def replace(match: re.Match[str]) -> str:
        start, end = match.span(group)
        if start == end or (rule.accepts is not None and not rule.accepts(match)):
            return match[0]
        counts[rule.kind] += 1
        return f"{match.string[match.start() : start]}[redacted {rule.kind}]{match.string[end : match.end()]}"

    return rule.regex.sub(replace, text)


def _compile(name: str, pattern: str) -> Rule:
    where = f"redaction pattern {name[:60]!r}"
    if not _PATTERN_NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name is at most 40 letters, digits, blanks, - and _")
    try:
        regex = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ConfigError(f"{where} is no regular expression: {exc}") from exc
    if regex.search("") is not None:
        raise ConfigError(f"{where} matches the empty text: it would match everywhere")
    if _NESTED_REPEAT.search(pattern):
        raise ConfigError(
            f"{where} repeats a group that ends in a repeat, as (a+)+ does: it can take for ever; write it without the inner or outer one"
        )
    return Rule(kind=name, hints=(), regex=regex)
