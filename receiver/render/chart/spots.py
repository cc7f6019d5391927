"""The values of a chart moment by moment: what a reader finds under the pointer, and the same as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.units import from_epoch, human_bytes
from receiver.render import words
from receiver.render.chart.legend import rate_text
from receiver.render.chart.plot import Plot

MOST_SPOTS = 60  # one for twelve pixels of the chart's width: a pointer hits it, and a table of them can be read
PHONE_SPOTS = 30  # fingers are wider
FEWEST_SPOTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What is known from `start` to `end`: the highest memory and rate, the limit at its end. Empty: not known.

    `used_bytes`: the same memory as a number. `marks`: kills and rollouts, in words.
    """

    start: datetime
    end: datetime
    memory: str = ""
    limit: str = ""
    rate: str = ""
    marks: tuple[str, ...] = ()
    used_bytes: float | None = None


def spots_of(plot: Plot, most: int = MOST_SPOTS) -> tuple[Spot, ...]:
    """The moments of a chart, oldest first, up to its newest sample: not many more than it has samples, or most would be empty."""
    most = max(FEWEST_SPOTS, min(most, sum(len(piece) for piece in plot.pieces)))
    step_s = (plot.end_s - plot.start_s) / most
    newest_s = max((p.t_s for piece in plot.pieces for p in piece), default=plot.start_s)
    return tuple(_spot(plot, plot.start_s + n * step_s, step_s) for n in range(most) if plot.start_s + n * step_s <= newest_s)


def _spot(plot: Plot, start_s: float, step_s: float) -> Spot:
    end_s = start_s + step_s

    def is_in(t_s: float) -> bool:
        return start_s <= t_s < end_s or (end_s >= plot.end_s and t_s == plot.end_s)

    used = max((p.total_bytes for piece in plot.pieces for p in piece if is_in(p.t_s)), default=None)
    rate = max((r for run in plot.rates for t, r in run if is_in(t)), default=None)
    limit = plot.limit_at(end_s)
    return Spot(
        start=from_epoch(start_s),
        end=from_epoch(end_s),
        memory=human_bytes(used) if used is not None else "",
        limit=human_bytes(limit) if limit else "",
        rate=rate_text(rate) if rate is not None else "",
        marks=tuple(_marks(sum(1 for k in plot.kills_s if is_in(k)), [r.tag for r in plot.rollouts if is_in(r.t_s)])),
        used_bytes=used,
    )


def _marks(kills: int, tags: list[str]) -> Iterator[str]:
    if kills:
        yield words.counted(kills, "OOM kill")
    for tag in tags:
        yield f"rollout {tag}".rstrip()
