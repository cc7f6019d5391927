"""Whether memory ramps in one stretch of time: rises steadily, goes on rising, not in one step, not with the traffic.

The stretch is cut into bins; the minimum of a bin is what is left when garbage and requests have gone; eight epochs
of bins give a floor each. Literature: Kendall's tau and Sen's slope (Mann-Kendall), which alone find "any trend" and
need an effect size, a tail test and a step test beside them (docs/diagnosis.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape import stats
from receiver.diagnosis.shape.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One part of a stretch that has rows: its middle, the least and most memory in use, the mean request rate."""

    at_s: float
    low: float
    high: float
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """What the tests said about one stretch. `refused` names the first test that failed; empty: it is a ramp."""

    start_s: float
    end_s: float
    refused: str
    floor_start: float = 0.0
    floor_end: float = 0.0
    growth: float = 0.0  # bytes over the stretch, robust
    slope: float = 0.0  # bytes a second
    tau: float = 0.0
    tail: float = 0.0  # growth in the last 3/8, as a share of what a steady rise would add
    step: float = 0.0  # the largest step between epochs, as a share of the rise
    left_after_rate: float | None = None
    peak: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def is_ramp(self) -> bool:
        return not self.refused


def bins_of(c: Columns, first: int, last: int, start_s: float, end_s: float, count: int = th.BINS) -> list[Bin]:
    """Rows `first` to `last` in at most `count` bins between the two times; empty bins are left out."""
    n = last - first + 1
    if n <= 0 or end_s <= start_s:
        return []
    count = max(1, min(count, max(n // 2, min(n, 16))))
    width = (end_s - start_s) / count
    lows: list[float | None] = [None] * count
    highs = [0.0] * count
    rate_sums, rate_counts = [0.0] * count, [0] * count
    t, used, rate = c.t, c.in_use, c.rate
    for i in range(first, last + 1):
        b = min(int((t[i] - start_s) / width), count - 1)
        value = used[i]
        low = lows[b]
        if low is None or value < low:
            lows[b] = value
        if value > highs[b]:
            highs[b] = value
        r = rate[i]
        if r is not None:
            rate_sums[b] += r
            rate_counts[b] += 1
    return [
        Bin(at_s=start_s + (b + 0.5) * width, low=low, high=highs[b], rate=rate_sums[b] / rate_counts[b] if rate_counts[b] else None)
        for b, low in enumerate(lows)
        if low is not None
    ]


def epoch_floors(bins: Sequence[Bin], start_s: float, end_s: float, epochs: int = th.EPOCHS) -> tuple[list[float], list[float]]:
    """Middle times and floors of the epochs that have bins."""
    width = (end_s - start_s) / epochs
    groups: list[list[float]] = [[] for _ in range(epochs)]
    for b in bins:
        groups[min(int((b.at_s - start_s) / width), epochs - 1)].append(b.low)
    times = [start_s + (i + 0.5) * width for i, g in enumerate(groups) if g]
    return times, [stats.quantile(g, th.FLOOR_QUANTILE) for g in groups if g]


def ramp_of(
    bins: Sequence[Bin], start_s: float, end_s: float, scale: float, *, tau_min: float = th.RAMP_TAU, growth_min: float = th.RAMP_GROWTH
) -> Ramp:
    """The tests on one stretch of bins; `scale` is the limit in bytes, or what stands in for it."""
    span = end_s - start_s
    if len(bins) < th.MIN_BINS or span <= 0:
        return Ramp(start_s=start_s, end_s=end_s, refused="too short")
    times, floors = epoch_floors(bins, start_s, end_s)
    if len(floors) < th.EPOCHS - 2:
        return Ramp(start_s=start_s, end_s=end_s, refused="too many gaps")
    slope = stats.theil_sen(times, floors)
    rise = floors[-1] - floors[0]
    growth = min(slope * (times[-1] - times[0]), rise)
    tau = stats.kendall_tau(floors, noise=0.0005 * scale)
    tail_index = next(i for i, at in enumerate(times) if at >= start_s + span * 9 / 16)
    tail_rise = floors[-1] - floors[tail_index - 1] if tail_index else rise
    tail_from = times[tail_index - 1] if tail_index else times[0]
    expected = rise * _share_of_work(bins, times[0], tail_from, times[-1])
    tail = tail_rise / expected if expected > 0 else 0.0
    step = max(b - a for a, b in zip(floors, floors[1:], strict=False)) / rise if rise > 0 else 1.0
    left = _left_after_rate(bins, rise)
    refused = ""
    if growth < growth_min * scale:
        refused = "grows too little"
    elif tau < tau_min:
        refused = "not steady"
    elif step > th.RAMP_STEP:
        refused = "one step"
    elif tail < th.RAMP_TAIL or tail_rise < th.RAMP_TAIL_GROWTH * scale:
        refused = "levelled off"
    elif left is not None and left < th.EXPLAINED_BY_RATE:
        refused = "follows the request rate"
    return Ramp(
        start_s=start_s, end_s=end_s, refused=refused, floor_start=floors[0], floor_end=floors[-1], growth=growth,
        slope=slope, tau=tau, tail=tail, step=step, left_after_rate=left, peak=max(b.high for b in bins),
    )  # fmt: skip


def _share_of_work(bins: Sequence[Bin], start_s: float, tail_s: float, end_s: float) -> float:
    """How much of the rise a steady leak would put into the tail: by time or, if less, by requests above the lowest rate."""
    by_time = (end_s - tail_s) / (end_s - start_s)
    if any(b.rate is None for b in bins):
        return by_time
    rates = [b.rate or 0.0 for b in bins]
    base = min(rates)
    inside = [(b.at_s, r - base) for b, r in zip(bins, rates, strict=True) if start_s <= b.at_s <= end_s]
    work = sum(r for _, r in inside)
    if work <= 0:
        return by_time
    return max(min(by_time, sum(r for at, r in inside if at >= tail_s) / work), 0.05)


def _left_after_rate(bins: Sequence[Bin], rise: float) -> float | None:
    """The share of the rise that stays when the request rate of the same moment is taken out; None: no rate to take out."""
    if rise <= 0 or any(b.rate is None for b in bins):
        return None
    rates = [b.rate or 0.0 for b in bins]
    ats = [b.at_s for b in bins]
    lows = [b.low for b in bins]
    level = stats.least_squares((rates,), lows)
    both = stats.least_squares((rates, ats), lows)
    if level is None or both is None or level[0][1] <= 0 or both[0][1] <= 0:
        return None
    return both[0][2] * (ats[-1] - ats[0]) / rise
