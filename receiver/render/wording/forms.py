"""How the facts of a reason are written into its sentence: `{limit_bytes:size}`, `{life_s:span}`, `{share:percent}`.

A sentence is a text with places for facts, or a function of the facts where a text alone would not read well.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from receiver.domain.reason import Fact
from receiver.domain.units import format_quantity, human_bytes, human_duration, human_percent

Facts: TypeAlias = Mapping[str, Fact]
Sentence: TypeAlias = "str | Callable[[Facts], str]"


class SentenceFormatter(string.Formatter):
    """Fills a sentence. The form after the colon is one of `FORMS`, `count:NOUN`, or Python's own (`.1f`)."""

    def __init__(self, say_inner: Callable[[Any], str]) -> None:
        """`say_inner`: how a reason inside a reason is said."""
        self._say_inner = say_inner

    def format_field(self, value: Any, format_spec: str) -> Any:
        """One fact in the form that its place asks for."""
        if format_spec.startswith("count:"):
            return counted(value, format_spec.removeprefix("count:"))
        if format_spec == "reason":
            return self._say_inner(value)
        if format_spec == "reasons":
            return "; ".join(self._say_inner(v) for v in value)
        form = FORMS.get(format_spec)
        return form(value) if form is not None else super().format_field(value, format_spec)


def counted(n: int, noun: str) -> str:
    """`1 restart`, `3 restarts`; `NOUN/NOUNS` where the plural is no plain s."""
    one, _, many = noun.partition("/")
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def times(n: int) -> str:
    """`once`, `twice`, `5 times`."""
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")


def listed(values: Sequence[Any]) -> str:
    """`a, b, c`."""
    return ", ".join(str(v) for v in values)


def clock(at: datetime) -> str:
    """`03:40 UTC`."""
    return f"{at.astimezone(UTC):%H:%M} UTC"


FORMS: Mapping[str, Callable[[Any], str]] = {
    "size": human_bytes,  # 80 MiB
    "quantity": format_quantity,  # 80Mi, to paste
    "percent": human_percent,  # of a ratio 0-1
    "span": human_duration,  # of seconds
    "times": times,
    "list": listed,
    "clock": clock,
}
