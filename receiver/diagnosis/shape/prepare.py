"""From samples to columns: what is known at `now`, in order, and which memory counts.

"Memory in use" here is what the kernel cannot take back at will: the process's own (anonymous) memory where it was
scraped, and at least the working set without its file cache. A working set that rises while this stays flat is file
cache, except in memory-backed volumes: `shape.cache` tells those apart by their kills.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from receiver.diagnosis import thresholds
from receiver.domain.facts import MemoryHistory, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A history as parallel lists, oldest first. `limit` is in force at that time, carried over rows that lack it."""

    t: list[float]
    working_set: list[float]
    in_use: list[float]
    limit: list[float | None]
    rate: list[float | None]
    restarts: list[float | None]
    oom_kills: list[float | None]
    cache: list[float | None]
    has_own_memory: bool  # rss or cache was scraped; else in_use is the working set
    step_s: float
    now_s: float

    @property
    def limit_now(self) -> float | None:
        """The limit of the newest row."""
        return self.limit[-1] if self.limit else None

    def with_working_set(self) -> Columns:
        """The same, with the working set as the memory that counts."""
        return replace(self, in_use=self.working_set)


def columns_of(history: MemoryHistory, now_s: float | None) -> Columns:
    """What is known at `now_s` (None: everything). Rows that are no numbers are left out, rows of one time are merged."""
    rows = [s for s in history.samples if _is_number(s.t_s) and _is_number(s.working_set_bytes) and s.working_set_bytes >= 0]
    if now_s is not None:
        rows = [s for s in rows if s.t_s <= now_s]
    if any(a.t_s >= b.t_s for a, b in pairwise(rows)):
        rows = _ordered(rows)
    has_rss = thresholds.RSS_MIN_SHARE * len(rows) <= sum(s.rss_bytes is not None for s in rows)
    t = [s.t_s for s in rows]
    limit: list[float | None] = []
    known: float | None = None
    for s in rows:
        if s.limit_bytes is not None and _is_number(s.limit_bytes):
            known = s.limit_bytes if s.limit_bytes > 0 else None
        limit.append(known)
    first_limit = next((x for x in limit if x is not None), None)
    return Columns(
        t=t,
        working_set=[s.working_set_bytes for s in rows],
        in_use=_in_use(rows, has_rss),
        limit=[first_limit if x is None else x for x in limit] if rows and limit[-1] is not None else limit,
        rate=[s.request_rate if s.request_rate is not None and _is_number(s.request_rate) else None for s in rows],
        restarts=[s.restarts for s in rows],
        oom_kills=[s.oom_kills for s in rows],
        cache=[s.cache_bytes for s in rows],
        has_own_memory=has_rss or any(s.cache_bytes is not None for s in rows),
        step_s=_typical_step(t) or history.step_s or 60.0,
        now_s=now_s if now_s is not None else (t[-1] if t else 0.0),
    )


def _in_use(rows: list[Sample], has_rss: bool) -> list[float]:
    """Per row the lower bound of what the kernel could not take back, from the columns that are there.

    Between scrapes of the process's own memory its distance to the working set is carried on.
    """
    if not has_rss:
        return [s.working_set_bytes if s.cache_bytes is None else max(s.working_set_bytes - s.cache_bytes, 0.0) for s in rows]
    gap = next((s.working_set_bytes - s.rss_bytes for s in rows if s.rss_bytes is not None), 0.0)
    used = []
    for s in rows:
        if s.rss_bytes is None:
            own = min(max(s.working_set_bytes - gap, 0.0), s.working_set_bytes)
        else:
            own = s.rss_bytes
            gap = s.working_set_bytes - own
        used.append(own if s.cache_bytes is None else max(own, s.working_set_bytes - s.cache_bytes))
    return used


def _ordered(rows: list[Sample]) -> list[Sample]:
    merged: dict[float, Sample] = {}
    for s in sorted(rows, key=lambda s: (s.t_s, s.working_set_bytes)):
        merged[s.t_s] = s  # of two rows of one time the higher stays: max by, never sum
    return list(merged.values())


def _typical_step(t: list[float]) -> float | None:
    """The interval of scrapes: a low quartile of the gaps, because lost scrapes only lengthen them."""
    gaps = sorted(b - a for a, b in pairwise(t))
    return gaps[len(gaps) // 4] if gaps else None


def _is_number(value: float) -> bool:
    return math.isfinite(value)
