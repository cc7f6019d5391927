"""Level: how much of the time memory is near its limit, how high it peaks, and whether it follows the request rate."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape import stats
from receiver.diagnosis.shape.lives import Lives
from receiver.diagnosis.shape.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Shares of the limit over settled time (start-ups left out). Everything None or 0 without a limit."""

    settled_s: float
    rows: int
    median: float
    recent_median: float
    p10_later: float
    p10_recent: float
    high_share: float
    high_share_later: float
    high_share_recent: float
    peak: float
    swing: float  # p95 - p5
    excursions: int  # times above HIGH_RATIO after having been below
    is_high_now: bool
    rate_correlation: float | None
    rate_pairs: int


def level_of(c: Columns, lives: Lives) -> Level | None:
    """None when no settled row has a limit."""
    rows = _settled_rows(c, lives)
    ratios = [(c.t[i], c.in_use[i] / limit) for i in rows if (limit := c.limit[i])]
    if not ratios:
        return None
    values = [r for _, r in ratios]
    start_s, end_s = c.t[0], c.t[-1]
    later = [r for t, r in ratios if t >= (start_s + end_s) / 2] or values
    recent_s = max(th.RECENT_MIN_S, th.RECENT_SHARE * (end_s - start_s))
    recent = [r for t, r in ratios if t >= end_s - recent_s] or values
    ordered = sorted(values)
    pairs = [(c.rate[i] or 0.0, c.in_use[i]) for i in rows if c.rate[i] is not None]
    excursions, above = 0, False
    for value in values:
        if value >= th.HIGH_RATIO and not above:
            excursions, above = excursions + 1, True
        elif value < th.LOW_MEDIAN:
            above = False
    return Level(
        settled_s=ratios[-1][0] - ratios[0][0],
        rows=len(ratios),
        median=stats.quantile_of_sorted(ordered, 0.5),
        recent_median=stats.median(recent),
        p10_later=stats.quantile(later, 0.1),
        p10_recent=stats.quantile(recent, 0.1),
        high_share=_share_high(values),
        high_share_later=_share_high(later),
        high_share_recent=_share_high(recent),
        peak=ordered[-1],
        swing=stats.quantile_of_sorted(ordered, 0.95) - stats.quantile_of_sorted(ordered, 0.05),
        excursions=excursions,
        is_high_now=values[-1] >= th.HIGH_RATIO,
        rate_correlation=stats.pearson(*zip(*_binned(pairs), strict=True)) if len(pairs) >= 20 else None,
        rate_pairs=len(pairs),
    )


def _settled_rows(c: Columns, lives: Lives) -> list[int]:
    rows = []
    for span in lives.spans:
        ready = span.start_s + th.STARTUP_SKIP_S if span.start_s is not None else c.t[span.first]
        rows += [i for i in range(span.first, span.last + 1) if c.t[i] >= ready]
    return rows


def _share_high(values: list[float]) -> float:
    return sum(v >= th.HIGH_RATIO for v in values) / len(values)


def _binned(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of some neighbouring rows: the rate of one scrape is noise, of several it is load."""
    size = max(1, len(pairs) // th.BINS)
    groups = [pairs[i : i + size] for i in range(0, len(pairs), size)]
    return [(sum(r for r, _ in g) / len(g), sum(m for _, m in g) / len(g)) for g in groups]
