"""The numbers of an expression that people may change: each is marked by a comment of one word at the end of its line.

    ratio > 0.80  # threshold

The word names the last number or duration before it on that line. Other comments are comments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.errors import ConfigError
from receiver.promql.edits import Edit
from receiver.promql.tokens import Kind, Token, tokens
from receiver.rulepack.files import Rule

MARK = re.compile(r"#\s*(?P<word>[a-z][a-z0-9_]*)\s*")
# Prometheus' durations: each unit once, the larger first.
DURATION = re.compile(r"(?:(?P<y>\d+)y)?(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?(?:(?P<ms>\d+)ms)?")
UNIT_MS = {"y": 365 * 86_400_000, "w": 7 * 86_400_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}

Value = float | str  # a number, or a duration such as 10m


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One marked number of an expression."""

    word: str
    token: Token

    @property
    def is_duration(self) -> bool:
        """A duration such as 10m, not a number."""
        return self.token.kind is Kind.DURATION

    @property
    def value(self) -> Value:
        """As values.yaml holds it."""
        if self.is_duration:
            return self.token.text
        number = float(int(self.token.text, 16) if self.token.text.lower().startswith("0x") else self.token.text)
        return int(number) if number.is_integer() else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value and every place that takes it. `alert` is empty for one that recording rules share."""

    alert: str
    word: str
    places: tuple[tuple[Rule, Mark], ...]

    @property
    def key(self) -> str:
        """Where values.yaml holds it."""
        return f"alerts.{self.alert}.{self.word}" if self.alert else f"parameters.{self.word}"

    @property
    def is_duration(self) -> bool:
        """A duration such as 10m, not a number."""
        return self.places[0][1].is_duration

    @property
    def value(self) -> Value:
        """As the rule files carry it, in the first of its places."""
        return self.places[0][1].value

    @property
    def disagreeing(self) -> tuple[tuple[Rule, Mark], ...]:
        """Places that carry another value than the first."""
        return tuple((rule, mark) for rule, mark in self.places if not same(mark.value, self.value))


def marks(expr: str) -> Iterator[Mark]:
    """Every marked number, in order. A word on a line without a number marks nothing (see `stray_words`)."""
    for _, word, token in _marked(expr):
        if token is not None:
            yield Mark(word=word, token=token)


def stray_words(expr: str) -> tuple[str, ...]:
    """Words that look like marks on lines that hold no number."""
    return tuple(word for _, word, token in _marked(expr) if token is None)


def parameters(rules: Iterator[Rule] | tuple[Rule, ...]) -> dict[str, Parameter]:
    """All parameters of the rules, by their key in values.yaml."""
    places: dict[tuple[str, str], list[tuple[Rule, Mark]]] = {}
    for rule in rules:
        for mark in marks(rule.expr):
            places.setdefault((rule.alert, mark.word), []).append((rule, mark))
    found = [Parameter(alert=alert, word=word, places=tuple(at)) for (alert, word), at in places.items()]
    return {parameter.key: parameter for parameter in found}


def mark_edits(expr: str, values: Mapping[str, Value], above: str) -> Iterator[Edit]:
    """What puts `values` (by word) into the expression. ConfigError, beginning with `above`, for a value of the wrong kind."""
    for mark in marks(expr):
        value = values.get(mark.word)
        if value is None or same(mark.value, value):
            continue
        if isinstance(value, str) is not mark.is_duration:
            kind = "a duration such as 10m" if mark.is_duration else "a number"
            raise ConfigError(f"{above}{mark.word}: expected {kind} like {mark.token.text} in the rule, found {value!r}")
        yield Edit(start=mark.token.start, end=mark.token.end, text=value if isinstance(value, str) else number_text(value))


def same(one: Value, other: Value) -> bool:
    """Whether both say the same: 0.8 and 0.80, 1h and 60m."""
    if isinstance(one, str) and isinstance(other, str):
        return duration_ms(one) == duration_ms(other)
    return one == other


def duration_ms(text: str) -> int:
    """A Prometheus duration in milliseconds. ConfigError when it is none."""
    found = DURATION.fullmatch(text)
    if text == "0":
        return 0
    if not text or found is None:
        raise ConfigError(f"{text!r} is no duration such as 30s, 5m or 1h30m")
    return sum(int(number) * UNIT_MS[unit] for unit, number in found.groupdict().items() if number is not None)


def number_text(value: float) -> str:
    """A number as PromQL reads it, with every digit. ConfigError for infinity and NaN."""
    if not math.isfinite(value):
        raise ConfigError(f"{value} is no number to compare with")
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _marked(expr: str) -> Iterator[tuple[Token, str, Token | None]]:
    last: Token | None = None
    for token in tokens(expr):
        found = MARK.fullmatch(token.text) if token.kind is Kind.COMMENT else None
        if found:
            yield token, found["word"], last
        if token.kind in (Kind.NUMBER, Kind.DURATION):
            last = token
        elif "\n" in token.text:
            last = None
