"""From samples to columns: what is known at `now`, in order, and which memory counts.

"Memory in use" here is what the kernel cannot take back at will: the process's own (anonymous) memory where it was
scraped, and at least the working set without its file cache. A working set that rises while this stays flat is file
cache, except in memory-backed volumes: `shape.cache` tells those apart by their kills.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace

from receiver.diagnosis.memory import thresholds as th
from receiver.domain.facts import MemoryHistory, Sample

_INF = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A history as parallel lists, oldest first. `limit` is in force at that time, carried over rows that lack it."""

    t: list[float]
    working_set: list[float]
    in_use: list[float]  # what counts for the verdict
    own: list[float]  # what the kernel surely cannot take back; the same, except where files in memory count too
    limit: list[float | None]
    rate: list[float | None]
    restarts: list[float | None]
    oom_kills: list[float | None]
    has_own_memory: bool  # rss or cache was scraped; else in_use is the working set
    step_s: float
    now_s: float  # infinity: everything that is known
    is_limit_assumed: bool = False

    @property
    def limit_now(self) -> float | None:
        """The limit of the newest row."""
        return self.limit[-1] if self.limit else None

    def with_working_set(self) -> Columns:
        """The same, with the working set as the memory that counts."""
        return replace(self, in_use=self.working_set)

    def with_limit(self, limit_bytes: float) -> Columns:
        """The same, with a limit that was concluded and not scraped."""
        return replace(self, limit=[limit_bytes] * len(self.t), is_limit_assumed=True)


def columns_of(history: MemoryHistory, now_s: float | None) -> Columns:
    """What is known at `now_s` (None: everything). Rows that are no numbers are left out, rows of one time are merged."""
    until_s = _INF if now_s is None else now_s
    rows = _known_rows(history, until_s)
    t = [s.t_s for s in rows]
    rss = [s.rss_bytes for s in rows]
    cache = [s.cache_bytes for s in rows]
    has_rss = (len(rss) - rss.count(None)) >= th.RSS_MIN_SHARE * len(rss)
    own = _in_use([s.working_set_bytes for s in rows], rss if has_rss else None, cache)
    return Columns(
        t=t,
        working_set=[s.working_set_bytes for s in rows],
        in_use=own,
        own=own,
        limit=_limits([s.limit_bytes for s in rows]),
        rate=[r if r is not None and -_INF < r < _INF else None for r in [s.request_rate for s in rows]],
        restarts=[s.restarts for s in rows],
        oom_kills=[s.oom_kills for s in rows],
        has_own_memory=has_rss or cache.count(None) < len(cache),
        step_s=_typical_step(t) or history.step_s or 60.0,
        now_s=until_s,
    )


def _known_rows(history: MemoryHistory, until_s: float) -> list[Sample]:
    """The samples that are numbers, in order, one for each time."""
    rows = [s for s in history.samples if 0.0 <= s.working_set_bytes < _INF and -_INF < s.t_s <= until_s and s.t_s != _INF]
    t = [s.t_s for s in rows]
    if not any(map(operator.ge, t, t[1:])):
        return rows
    rows.sort(key=lambda s: (s.t_s, s.working_set_bytes))
    return list({s.t_s: s for s in rows}.values())  # of two rows of one time the higher stays: max by, never sum


def _limits(scraped: list[float | None]) -> list[float | None]:
    """The limit in force at each row: carried on over rows that lack it, and back to the first ones. 0 is "none"."""
    if scraped and scraped.count(scraped[0]) == len(scraped):
        return scraped if scraped[0] and th.NO_LIMIT_BYTES < scraped[0] < _INF else [None] * len(scraped)
    limits: list[float | None] = []
    known: float | None = None
    for value in scraped:
        if value is not None and -_INF < value < _INF:
            known = value if value > th.NO_LIMIT_BYTES else None
        limits.append(known)
    if not limits or limits[-1] is None:
        return limits
    first = next(x for x in limits if x is not None)
    return [first if x is None else x for x in limits]


def _in_use(working_set: list[float], rss: list[float | None] | None, cache: list[float | None]) -> list[float]:
    """Per row the lower bound of what the kernel could not take back, from the columns that are there.

    Between scrapes of the process's own memory its distance to the working set is carried on.
    """
    if rss is None:
        return [w if c is None else max(w - c, 0.0) for w, c in zip(working_set, cache, strict=True)]
    gap = next((w - r for w, r in zip(working_set, rss, strict=True) if r is not None), 0.0)
    used = []
    for w, r, c in zip(working_set, rss, cache, strict=True):
        if r is None:
            own = w - gap
            own = 0.0 if own < 0 else min(own, w)
        else:
            own = r
            gap = w - r
        used.append(w - c if c is not None and w - c > own else own)
    return used


def _typical_step(t: list[float]) -> float | None:
    """The interval of scrapes: a low quartile of the gaps, because lost scrapes only lengthen them."""
    gaps = sorted(map(operator.sub, t[1:], t))
    return gaps[len(gaps) // 4] if gaps else None
