"""The numbers that words and charts quote, worked out once: everything a reader sees comes from here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.findings import MemoryFindings


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Bytes; growth in bytes an hour; None where it does not apply or is not known."""

    limit: float | None  # scraped or concluded
    peak: float  # highest working set
    median: float  # of memory in use, start-ups left out
    own_at_peak: float
    own_at_kill: float | None
    last_seen_before_kill: float | None
    growth: float | None
    growth_range: tuple[float, float] | None
    time_to_limit_s: float | None
    kill_count: int
    missing_s: float

    @property
    def cache_at_peak(self) -> float:
        """What the highest working set held beside memory in use."""
        return max(self.peak - self.own_at_peak, 0.0)


def measures_of(findings: MemoryFindings) -> Measures:
    """All of them."""
    c, level = findings.columns, findings.level
    highest = c.working_set.index(max(c.working_set))
    killed = [span for span in findings.lives.spans if span.is_killed]
    growth, growth_range = _growth(findings)
    return Measures(
        limit=c.limit_now,
        peak=c.working_set[highest],
        median=level.median_bytes if level is not None else stats.median(c.in_use),
        own_at_peak=c.in_use[highest],
        own_at_kill=max((c.own[span.last] for span in killed), default=None),
        last_seen_before_kill=max((c.working_set[span.last] for span in killed), default=None),
        growth=growth,
        growth_range=growth_range,
        time_to_limit_s=_time_to_limit(findings, growth),
        kill_count=len(findings.lives.kills),
        missing_s=_missing(findings),
    )


def _growth(findings: MemoryFindings) -> tuple[float | None, tuple[float, float] | None]:
    """Of the lives that climb: the median and the range; else of a newest life that rises steadily, if not enough to say more."""
    slopes = sorted(x.climb.slope * 3600 for x in findings.leak.climbing)
    if slopes:
        return stats.median(slopes), (slopes[0], slopes[-1])
    newest = findings.leak.newest
    is_steady = newest is not None and newest.tau >= th.STEADY_TAU and newest.tail >= th.SLOWING_TAIL
    if newest is not None and is_steady and newest.slope > 0 and newest.growth >= th.SLOW_GROWTH * findings.scale:
        return newest.slope * 3600, None
    return None, None


def _time_to_limit(findings: MemoryFindings, growth: float | None) -> float | None:
    c = findings.columns
    if not growth or c.limit_now is None or findings.lives.spans[-1].is_over:
        return None
    return max(0.0, (c.limit_now - c.in_use[-1]) / growth * 3600)


def _missing(findings: MemoryFindings) -> float:
    """Time without rows, beyond the usual interval."""
    c = findings.columns
    return sum(b - a - c.step_s for a, b in pairwise(c.t) if b - a > th.GAP_STEPS * c.step_s)
