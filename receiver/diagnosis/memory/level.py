"""Level: how much of the time memory is near its limit, how high it peaks, and whether it follows the request rate."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.lives import LifeSpan, Lives
from receiver.diagnosis.memory.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLevel:
    """Shares of the limit over settled time (start-ups left out). Everything None or 0 without a limit."""

    settled_s: float  # from the first to the last settled row
    stood_s: float  # since the newest life was last clearly below
    median: float
    median_bytes: float
    recent_median: float
    p10_later: float
    p10_recent: float
    high_share: float
    high_share_later: float
    high_share_recent: float
    peak: float  # after start-up, however long that takes
    peak_settled: float  # of all settled rows
    reach: float  # highest - p5
    excursions: int  # times above HIGH_RATIO after having been below, start-ups left out
    is_high_now: bool
    recent_swing: float  # p95 - p5 of the newest part
    rate_correlation: float | None
    rate_pairs: int


def level_of(c: Columns, lives: Lives) -> MemoryLevel | None:
    """None when no settled row has a limit."""
    limits = _in_force(c.limit, c.limit_now)
    rows = [i for i in _settled(c, lives, th.STARTUP_SKIP_S) if limits[i]]
    if not rows:
        return None
    at, used, values = [c.t[i] for i in rows], [c.in_use[i] for i in rows], _ratios(c, limits, rows)
    start_s, end_s = c.t[0], c.t[-1]
    later = values[bisect_left(at, (start_s + end_s) / 2) :] or values
    # A peak of start-up that was survived is no spike, and some start-ups take longer than STARTUP_SKIP_S.
    past_startup = _ratios(c, limits, _settled(c, lives, th.STARTUP_UPTIME_S))
    excursions = _excursions(past_startup)
    # A level that came back from above before may do so again: then a quarter of the history must stay high.
    window_s = th.RECENT_MIN_S if excursions <= 1 else max(th.RECENT_MIN_S, th.RECENT_SHARE * (end_s - start_s))
    recent = sorted(values[bisect_left(at, end_s - window_s) :] or values)
    ordered = sorted(values)
    low = stats.quantile(ordered, 0.05)
    correlation, pairs = _rate_correlation([c.rate[i] for i in rows], used)
    return MemoryLevel(
        settled_s=at[-1] - at[0],
        stood_s=_stood(c, lives.spans[-1]),
        median=stats.quantile(ordered, 0.5),
        median_bytes=stats.median(used),
        recent_median=stats.quantile(recent, 0.5),
        p10_later=stats.quantile(later, 0.1),
        p10_recent=stats.quantile(recent, 0.1),
        high_share=_share_high(values),
        high_share_later=_share_high(later),
        high_share_recent=_share_high(recent),
        peak=max(past_startup, default=0.0),
        peak_settled=ordered[-1],
        reach=ordered[-1] - low,
        excursions=excursions,
        is_high_now=values[-1] >= th.HIGH_RATIO,
        recent_swing=stats.quantile(recent, 0.95) - stats.quantile(recent, 0.05),
        rate_correlation=correlation,
        rate_pairs=pairs,
    )


def _stood(c: Columns, newest: LifeSpan) -> float:
    limit = c.limit_now
    if not limit:
        return 0.0
    below = next((i for i in range(newest.last, newest.first - 1, -1) if c.in_use[i] < th.HIGH_P10 * limit), newest.first)
    return c.t[newest.last] - c.t[below]


def room_at_kills(c: Columns, lives: Lives, scale: float) -> float | None:
    """How far below the limit memory was in the last part of the killed lives, before the last moments: the mean of the
    shares of the limit; None without such lives. Spikes come from below, leaks do not.
    """
    rooms = []
    for span in lives.spans:
        if not span.is_killed:
            continue
        length_s = c.t[span.last] - c.t[span.first]
        since_s = c.t[span.last] - max(min(1800.0, length_s / 4), length_s / 8, 2 * c.step_s)
        last_part = c.in_use[bisect_left(c.t, since_s, span.first, span.last + 1) : span.last + 1]
        rooms.append(1 - stats.quantile(last_part, 0.25) / (c.limit[span.last] or scale))
    return sum(rooms) / len(rooms) if rooms else None


def has_early_plateau(c: Columns, lives: Lives) -> bool:
    """Whether a life came to a high level by starting, and stayed: what a short history can show of a low limit."""
    return any(_starts_to_plateau(c, span) for span in lives.spans)


def _starts_to_plateau(c: Columns, span: LifeSpan) -> bool:
    """Whether the life climbed from its start to a high level. The newest minutes decide: the climb may have gone on above it."""
    ratios = [(c.t[i], c.in_use[i] / limit) for i in range(span.first, span.last + 1) if (limit := c.limit[i])]
    reached_s = next((t for t, r in ratios if r >= th.HIGH_P10), math.inf)
    took_s = reached_s - (c.t[span.first] if span.start_s is None else span.start_s)
    stood_s = c.t[span.last] - reached_s
    if took_s > th.MIN_HISTORY_S or stood_s < th.PLATEAU_S:
        return False
    before = sorted(r for t, r in ratios if t < reached_s)
    if took_s > th.LONG_CLIMB_S and stats.quantile(before, 0.75) - stats.quantile(before, 0.25) < th.CLIMB_SPREAD:
        return False
    newest = [r for t, r in ratios if t >= c.t[span.last] - max(th.PLATEAU_S, stood_s / 2)]
    half = len(newest) // 2
    if half < 1 or min(newest) < th.HIGH_P10 or stats.median(newest) < th.PLATEAU_MEDIAN:
        return False
    return abs(stats.median(newest[half:]) - stats.median(newest[:half])) <= th.PLATEAU_DRIFT


def _settled(c: Columns, lives: Lives, skip_s: float) -> list[int]:
    """The rows that are not within `skip_s` of a start."""
    rows: list[int] = []
    for span in lives.spans:
        first = span.first if span.start_s is None else bisect_left(c.t, span.start_s + skip_s, span.first, span.last + 1)
        rows += range(first, span.last + 1)
    return rows


def _ratios(c: Columns, limits: Sequence[float | None], rows: Iterable[int]) -> list[float]:
    """Memory in use as a share of the limit, of the rows that have one."""
    return [c.in_use[i] / limit for i in rows if (limit := limits[i])]


def _in_force(limits: list[float | None], now: float | None) -> list[float | None]:
    """The limits, lowered to today's where that is lower: a level that a lowered limit has come down to was there before."""
    if now is None or not limits or limits.count(now) == len(limits):
        return limits
    return [now if limit is None or limit > now else limit for limit in limits]


def _excursions(values: list[float]) -> int:
    """How often the level came up to HIGH_RATIO from below LOW_MEDIAN."""
    count, above = 0, False
    for value in values:
        if value >= th.HIGH_RATIO and not above:
            count, above = count + 1, True
        elif value < th.LOW_MEDIAN:
            above = False
    return count


def _share_high(values: list[float]) -> float:
    return sum(v >= th.HIGH_RATIO for v in values) / len(values)


def _rate_correlation(rates: list[float | None], used: list[float]) -> tuple[float | None, int]:
    """Correlation over means of some neighbouring rows (the rate of one scrape is noise, of several it is load); rows used."""
    pairs = [(r, u) for r, u in zip(rates, used, strict=True) if r is not None]
    if len(pairs) < th.MIN_RATE_ROWS:
        return None, len(pairs)
    size = max(1, len(pairs) // th.BINS)
    groups = [pairs[i : i + size] for i in range(0, len(pairs), size)]
    mean_rates = [sum(r for r, _ in g) / len(g) for g in groups]
    return stats.pearson(mean_rates, [sum(u for _, u in g) / len(g) for g in groups]), len(pairs)
