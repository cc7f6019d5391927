"""How the facts of a reason are written into its sentence: `{limit_bytes:size}`, `{life_s:span}`, `{share:percent}`.

A form may take several facts: `{used_bytes/limit_bytes:of_limit}`. A sentence is a text with places for facts, or a function of the facts where a text alone would not read well.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from receiver.domain.units import MIB, format_quantity, format_time, human_bytes, human_duration, human_percent

Facts: TypeAlias = Mapping[str, Any]
Sentence: TypeAlias = "str | Callable[[Facts], str]"


class SentenceFormatter(string.Formatter):
    """Fills a sentence. After the colon stands a form of `FORMS`, `count:NOUN`, `or:TEXT` (for an empty fact), or one of Python's own (`.1f`);
    of reasons `reason`, `Reason` (as a sentence begins), `sentence` (with its full stop), `reasons` or `reason_list`.

    """

    def __init__(self, say_inner: Callable[[Any], str]) -> None:
        """`say_inner`: how a reason inside a reason is said."""
        self._say_inner = say_inner

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        """The fact of that name, or a tuple of the facts that `/` joins."""
        names = field_name.split("/")
        facts = tuple(kwargs[name] for name in names)
        return (facts[0] if len(names) == 1 else facts), names[0]

    def format_field(self, value: Any, format_spec: str) -> Any:
        """One fact in the form that its place asks for."""
        if format_spec.startswith("count:"):
            return counted(value, format_spec.removeprefix("count:"))
        if format_spec.startswith("or:"):
            return format_spec.removeprefix("or:") if value in (None, "") else str(value)
        match format_spec:
            case "reason":
                return self._say_inner(value)
            case "Reason":
                return upper_first(self._say_inner(value))
            case "sentence":
                text = self._say_inner(value)
                return text if text.endswith(("?", "!")) else f"{text}."
            case "reasons":
                return "; ".join(self._say_inner(v) for v in value)
            case "reason_list":
                return ", ".join(self._say_inner(v) for v in value)
            case _:
                return FORMS[format_spec](value) if format_spec in FORMS else super().format_field(value, format_spec)


def counted(n: int, noun: str) -> str:
    """`1 restart`, `3 restarts`; `NOUN/NOUNS` where the plural is no plain s."""
    one, _, many = noun.partition("/")
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def upper_first(text: str) -> str:
    """As a sentence begins: `running` as `Running`; what follows stays."""
    return text[:1].upper() + text[1:]


def times(n: int) -> str:
    """`once`, `twice`, `5 times`."""
    return {1: "once", 2: "twice"}.get(n, f"{n:,} times")


def of_times(counts: tuple[int, int]) -> str:
    """`3 of 5 times`; `once` where one is all."""
    return f"{counts[0]} of {counts[1]} times" if counts[1] > 1 else "once"


def in_lives(counts: tuple[int, int]) -> str:
    """`in 2 of 3 lives seen`, `in the one life seen`."""
    return f"in {counts[0]} of {counts[1]} lives seen" if counts[1] > 1 else "in the one life seen"


def log_odds(of_causes: tuple[tuple[str, float], ...]) -> str:
    """`leak +1.20, spike -0.30`."""
    return ", ".join(f"{cause.replace('_', ' ')} {odds:+.2f}" for cause, odds in of_causes)


def of_limit(used: tuple[float, float | None]) -> str:
    """Bytes and a limit: `85 MiB (88 % of the limit)`; the bytes alone where no limit is known."""
    n_bytes, limit_bytes = used
    return f"{human_bytes(n_bytes)} ({human_percent(n_bytes / limit_bytes)} of the limit)" if limit_bytes else human_bytes(n_bytes)


def at_least(seen: tuple[float, bool]) -> str:
    """`at least 99 MiB` where a kill hides what is above, else `99 MiB`."""
    return f"at least {human_bytes(seen[0])}" if seen[1] else human_bytes(seen[0])


def growth(bytes_per_h: float | tuple[float, float]) -> str:
    """Growth, or its range over several lives, as people say it: `20-21 MiB/h`, `3 MiB/day` when it is slow."""
    low, high = bytes_per_h if isinstance(bytes_per_h, tuple) else (bytes_per_h, bytes_per_h)
    unit, factor = ("h", 1) if high >= MIB else ("day", 24)
    low_text, high_text = human_bytes(low * factor), human_bytes(high * factor)
    if low_text == high_text:
        return f"{low_text}/{unit}"
    if low_text.split()[1] == high_text.split()[1]:
        return f"{low_text.split()[0]}-{high_text}/{unit}"
    return f"{low_text} to {high_text}/{unit}"


def listed(values: Sequence[Any]) -> str:
    """`a, b, c`."""
    return ", ".join(str(v) for v in values)


def spans(seconds: Sequence[float]) -> str:
    """`13 s`, `13 s to 2 min`: of the shortest to the longest."""
    low, high = human_duration(min(seconds)), human_duration(max(seconds))
    return low if low == high else f"{low} to {high}"


def clock(at: datetime) -> str:
    """`03:40 UTC`."""
    return f"{at.astimezone(UTC):%H:%M} UTC"


def by(name: object) -> str:
    """` by Ines`; nothing when nobody gave a name."""
    return f" by {name}" if name else ""


FORMS: Mapping[str, Callable[[Any], str]] = {
    "size": human_bytes,  # 80 MiB
    "quantity": format_quantity,  # 80Mi, to paste
    "percent": human_percent,  # of a ratio 0-1
    "span": human_duration,  # of seconds
    "spans": spans,  # of several
    "times": times,
    "of_times": of_times,
    "in_lives": in_lives,
    "of_limit": of_limit,
    "at_least": at_least,
    "growth": growth,  # of bytes an hour, or of a range of them
    "First": upper_first,
    "time": format_time,  # RFC 3339
    "list": listed,
    "clock": clock,
    "by": by,  # of who did it
    "log_odds": log_odds,
}
