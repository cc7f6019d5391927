"""Time labels: the two ends, and at most two round times between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from receiver.domain.units import from_epoch
from receiver.render.chart.textwidth import width_px

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
STEPS_S = (
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 30, 90, 365)),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_BETWEEN = 2
CLEAR_PX = 22.0
LONG_S = 48 * HOUR  # from here on days matter and hours do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label. `anchor` as in SVG: start, middle or end of the text stands at `x`."""

    x: float
    text: str
    anchor: str


def labels(start_s: float, end_s: float, left: float, right: float, size_px: float) -> tuple[Label, ...]:
    """The labels of a chart from `left` to `right` pixels, in UTC; only the last says so."""
    is_long = end_s - start_s > LONG_S
    first = Label(x=left, text=_date(start_s) if is_long else _clock(start_s), anchor="start")
    last = Label(x=right, text=f"{_date(end_s) if is_long else _clock(end_s)} UTC", anchor="end")
    free_from = left + width_px(first.text, size_px) + CLEAR_PX
    free_to = right - width_px(last.text, size_px) - CLEAR_PX
    for step in STEPS_S:
        between = _round_times(start_s, end_s, left, right, step, is_long=is_long)
        if len(between) > 4 * MOST_BETWEEN:
            continue
        half = max((width_px(label.text, size_px) / 2 for label in between), default=0.0)
        fitting = [label for label in between if free_from <= label.x - half and label.x + half <= free_to]
        if len(fitting) <= MOST_BETWEEN:
            return (first, *fitting, last)
    return (first, last)


def date_text(at: datetime) -> str:
    """`23 Nov`, in UTC and English whatever the locale."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]}"


def _round_times(start_s: float, end_s: float, left: float, right: float, step: float, *, is_long: bool) -> list[Label]:
    if (end_s - start_s) / step > 4 * MOST_BETWEEN + 2:
        return [Label(x=left, text="", anchor="middle")] * (4 * MOST_BETWEEN + 1)  # far too many to be listed
    found = []
    t = math.floor(start_s / step + 1) * step
    while t < end_s:
        is_midnight = t % DAY == 0 and end_s - start_s > 20 * HOUR
        if not is_long or t % DAY == 0:
            x = left + (t - start_s) / (end_s - start_s) * (right - left)
            found.append(Label(x=x, text=_date(t) if is_midnight else _clock(t), anchor="middle"))
        t += step
    return found


def _clock(t_s: float) -> str:
    return from_epoch(t_s).astimezone(UTC).strftime("%H:%M")


def _date(t_s: float) -> str:
    return date_text(from_epoch(t_s))
