"""The `log` answer as lines."""

from __future__ import annotations

import re
from datetime import datetime

from receiver.case.access import get, text
from receiver.domain.facts import LogFacts
from receiver.domain.units import parse_time

# `timestamps=true` puts one before each line; a program's own time rarely stands there in this form.
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.DOTALL)


def log_facts(answer: object) -> LogFacts | None:
    """The lines without the kubelet's stamps, which stand in `times` beside them; None when there was no log."""
    container = text(answer, "container")
    if not container:
        return None
    stamped = [split_stamp(line) for line in text(answer, "text").splitlines()]
    while stamped and not stamped[-1][1].strip():
        stamped.pop()
    return LogFacts(
        container=container,
        lines=tuple(line for _, line in stamped),
        times=tuple(at for at, _ in stamped),
        is_previous=get(answer, "previous") is True,
        is_current=get(answer, "of_running_instance") is True,
        is_truncated=get(answer, "truncated") is True,
    )


def split_stamp(line: str) -> tuple[datetime | None, str]:
    """A line's kubelet time and its text; None for a line without one (the first after a cut)."""
    match = _STAMP.fullmatch(line)
    if match is None:
        return None, line
    return parse_time(match[1]), match[2]
