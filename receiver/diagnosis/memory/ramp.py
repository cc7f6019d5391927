"""Whether memory ramps in one stretch of time: rises steadily, goes on rising, not in one step, not with the traffic.

The stretch is cut into bins; the minimum of a bin is what is left when garbage and requests have gone; eight epochs
of bins give a floor each. Literature: Kendall's tau and Sen's slope (Mann-Kendall), which alone find "any trend" and
need an effect size, a tail test and a step test beside them (docs/diagnosis.md).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate, pairwise

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.prepare import Columns

TAIL = 3 / 8  # of a stretch: its end, which must still rise


class Refusal(Enum):
    """The test that a stretch failed first, in the order in which they are made."""

    TOO_SHORT = auto()
    TOO_LITTLE = auto()
    NOT_STEADY = auto()
    ONE_STEP = auto()
    LEVELLED = auto()
    FOLLOWS_RATE = auto()
    LEVELLING = auto()


SETTLED = (Refusal.LEVELLED, Refusal.LEVELLING, Refusal.TOO_LITTLE, Refusal.ONE_STEP)  # of a life that came to a level


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One part of a stretch that has rows: its middle, least, mean and most memory in use, the mean request rate."""

    at_s: float
    low: float
    mean: float
    high: float
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """What the tests said about one stretch. `refused`: the first test that failed; None: it is a ramp."""

    start_s: float
    end_s: float
    refused: Refusal | None
    floors: tuple[float, ...] = ()
    growth: float = 0.0  # bytes over the stretch: the smaller of the robust and the plain estimate
    slope: float = 0.0  # bytes a second
    tau: float = 0.0
    tail: float = 0.0  # growth in the last 3/8, as a share of what a steady rise would add there
    step: float = 0.0  # the largest step between neighbouring epochs, as a share of the rise
    noise: float = 0.0  # bytes: the median distance of the bins from the straight line
    bend_s: float | None = None  # where it begins to level off, or begins to rise
    peak: float = 0.0

    @property
    def is_ramp(self) -> bool:
        """Whether every test was passed."""
        return self.refused is None

    @property
    def is_clean(self) -> bool:
        """Whether the rise is close to a straight line all along: hardly anything but a leak or a filling cache does that."""
        return self.is_ramp and self.tau >= th.CLEAN_TAU and self.step <= th.CLEAN_STEP and self.tail >= th.CLEAN_TAIL

    @property
    def floor_start(self) -> float:
        """The floor of the first epoch, bytes."""
        return self.floors[0] if self.floors else 0.0

    @property
    def floor_end(self) -> float:
        """The floor of the last epoch, bytes."""
        return self.floors[-1] if self.floors else 0.0


def bins_of(c: Columns, first: int, last: int) -> list[Bin]:
    """Rows `first` to `last` in at most BINS parts of equal length; parts without rows are left out."""
    n = last - first + 1
    t, used, rate = c.t, c.in_use, c.rate
    if n < 2 or t[last] <= t[first]:
        return []
    count = max(1, min(th.BINS, max(n // 2, min(n, 16))))
    start_s, width = t[first], (t[last] - t[first]) / count
    edges = [bisect_left(t, start_s + b * width, first, last + 1) for b in range(count)] + [last + 1]
    bins = []
    for b in range(count):
        values = used[edges[b] : edges[b + 1]]
        if values:
            rates = [r for r in rate[edges[b] : edges[b + 1]] if r is not None]
            bins.append(
                Bin(
                    at_s=start_s + (b + 0.5) * width, low=min(values), mean=sum(values) / len(values), high=max(values),
                    rate=sum(rates) / len(rates) if rates else None,
                )
            )  # fmt: skip
    return bins


def ramp_of(bins: Sequence[Bin], scale: float, *, is_part: bool = False) -> Ramp:
    """The tests on a stretch of bins. `scale`: the limit in bytes, or what stands in for it.

    `is_part`: the stretch was chosen within a life, so it must show a cleaner ramp.
    """
    if len(bins) < th.MIN_BINS:
        return Ramp(start_s=bins[0].at_s if bins else 0.0, end_s=bins[-1].at_s if bins else 0.0, refused=Refusal.TOO_SHORT)
    start_s, end_s = bins[0].at_s, bins[-1].at_s
    times, floors, gaps = _floors(bins, th.EPOCHS)
    if len(floors) < th.EPOCHS - 2:
        return Ramp(start_s=start_s, end_s=end_s, refused=Refusal.TOO_SHORT)
    slope = stats.theil_sen(times, floors)
    rise = floors[-1] - floors[0]
    growth = min(slope * (times[-1] - times[0]), rise)
    tau = stats.kendall_tau(floors, noise=th.FLOOR_NOISE * scale)
    tail, tail_rise = _tail(bins, times, floors)
    steps = [(b - a) / g / rise for (a, b), g in zip(pairwise(floors), gaps, strict=True)] if rise > 0 else [1.0]
    step = max(steps)
    noise = stats.median([abs(b.low - (stats.median(floors) + slope * (b.at_s - stats.median(times)))) for b in bins])
    growth_min = th.PART_GROWTH if is_part else th.RAMP_GROWTH
    if _is_straight(steps, noise, growth):
        growth_min = th.STRAIGHT_GROWTH
    bend = None
    refused: Refusal | None = None
    if growth < growth_min * scale:
        refused = Refusal.TOO_LITTLE
    elif tau < (th.PART_TAU if is_part else th.RAMP_TAU):
        refused = Refusal.NOT_STEADY
    elif step > th.RAMP_STEP:
        refused = Refusal.ONE_STEP
    elif tail < th.RAMP_TAIL or tail_rise < th.RAMP_TAIL_GROWTH * scale:
        refused = Refusal.LEVELLED
    elif follows_rate(bins):
        refused = Refusal.FOLLOWS_RATE
    elif (bend := _levelling_bend(bins, slope, scale)) is not None:
        refused = Refusal.LEVELLING
    return Ramp(
        start_s=start_s, end_s=end_s, refused=refused, floors=tuple(floors), growth=growth, slope=slope, tau=tau, tail=tail,
        step=step, noise=noise, bend_s=bend, peak=max(b.high for b in bins),
    )  # fmt: skip


def rising_since(bins: Sequence[Bin]) -> int | None:
    """The first bin after a knee from which memory rises faster than before it; None: there is no such knee."""
    times, floors, _ = _floors(bins, th.FINE_EPOCHS)
    bend = stats.best_bend(times, floors)
    if bend is None or bend.after <= max(0.0, bend.before):
        return None
    return next((i for i, b in enumerate(bins) if b.at_s >= bend.knee), None)


def follows_rate(bins: Sequence[Bin]) -> bool:
    """Whether the request rate of the moment explains the rise better than time or the requests served so far do.

    Invariant when a constant is added to the rate: only differences of rates are used.
    """
    known = [(b.at_s, b.mean, b.rate) for b in bins if b.rate is not None]
    if len(known) < th.MIN_RATE_BINS or len(known) < 0.8 * len(bins):
        return False
    ats, used, rates = _group_means(known, max(1, len(known) // th.FINE_EPOCHS))
    by_level = stats.least_squares((rates,), used)
    if by_level is None or by_level[0][1] <= 0 or by_level[1] < th.RATE_R2:
        return False
    base = min(rates)
    work = list(accumulate(r - base for r in rates))
    fits = (stats.least_squares((ats,), used), stats.least_squares((work,), used))
    best = max((fit[1] for fit in fits if fit is not None), default=1.0)
    unexplained = (1 - by_level[1]) / (1 - best) if best < 1 else 0.0
    if unexplained < th.RATE_BETTER or (by_level[1] >= th.RATE_R2_HIGH and unexplained < th.RATE_NO_WORSE):
        return True
    return _jumps_with_rate(known)


def _group_means(rows: Sequence[tuple[float, float, float]], size: int) -> tuple[list[float], list[float], list[float]]:
    """Times, use and rates, each as the means of `size` neighbours; what is left over at the end is left out."""
    groups = [rows[i : i + size] for i in range(0, len(rows) - size + 1, size)]
    ats, used, rates = ([sum(row[column] for row in group) / size for group in groups] for column in range(3))
    return ats, used, rates


def _jumps_with_rate(known: Sequence[tuple[float, float, float]]) -> bool:
    """Whether memory moves with the rate within minutes, and little of the rise is left when that is taken out."""
    ats, used, rates = ([k[i] for k in known] for i in range(3))
    by_time, both = stats.least_squares((ats,), used), stats.least_squares((ats, rates), used)
    if by_time is None or both is None or by_time[0][1] <= 0 or both[0][2] <= 0:
        return False
    explained = (both[1] - by_time[1]) / (1 - by_time[1]) if by_time[1] < 1 else 0.0
    return explained >= th.RATE_PARTIAL_R2 and both[0][1] < th.LEFT_AFTER_RATE * by_time[0][1]


def _is_straight(steps: Sequence[float], noise: float, growth: float) -> bool:
    """Whether every epoch adds about the same and the bins keep to the line: then even a small rise is no accident."""
    even = 1 / len(steps)
    return (
        growth > 0
        and noise <= th.STRAIGHT_NOISE * growth
        and min(steps) >= th.STRAIGHT_STEPS[0] * even
        and max(steps) <= th.STRAIGHT_STEPS[1] * even
    )


def _floors(bins: Sequence[Bin], epochs: int) -> tuple[list[float], list[float], list[int]]:
    """Middle times and floors of the epochs that have bins, and how many epochs each is after the one before it."""
    start_s = bins[0].at_s
    width = (bins[-1].at_s - start_s) / epochs or 1.0
    groups: list[list[float]] = [[] for _ in range(epochs)]
    for b in bins:
        groups[min(int((b.at_s - start_s) / width), epochs - 1)].append(b.low)
    filled = [i for i, g in enumerate(groups) if g]
    floors = [stats.quantile(groups[i], th.FLOOR_QUANTILE) for i in filled]
    return [start_s + (i + 0.5) * width for i in filled], floors, [b - a for a, b in pairwise(filled)]


def _tail(bins: Sequence[Bin], times: Sequence[float], floors: Sequence[float]) -> tuple[float, float]:
    """Growth in the last 3/8, as a share of what a steady rise would add there, and in bytes."""
    rise = floors[-1] - floors[0]
    since = max(i for i, at in enumerate(times) if i == 0 or at <= times[-1] - TAIL * (times[-1] - times[0]))
    tail_rise = floors[-1] - floors[since]
    expected = rise * _share_of_work(bins, times[0], times[since], times[-1])
    return (tail_rise / expected if expected > 0 else 0.0), tail_rise


def _share_of_work(bins: Sequence[Bin], start_s: float, tail_s: float, end_s: float) -> float:
    """How much of the rise a steady leak would put into the tail: by time or, if less, by requests above the lowest rate."""
    by_time = (end_s - tail_s) / (end_s - start_s)
    inside = [(b.at_s, b.rate) for b in bins if b.rate is not None and start_s <= b.at_s <= end_s]
    if len(inside) < 0.8 * len(bins):
        return by_time
    base = min(r for _, r in inside)
    work = sum(r - base for _, r in inside)
    if work <= 0:
        return by_time
    return max(min(by_time, sum(r - base for at, r in inside if at >= tail_s) / work), 0.1)


def _levelling_bend(bins: Sequence[Bin], slope: float, scale: float) -> float | None:
    """When the rise bends down to a small part of `slope`, seen against time and, where known, against requests served."""
    times, floors, _ = _floors(bins, th.FINE_EPOCHS)
    bend = stats.best_bend(times, floors)
    if bend is None or bend.gain < th.BEND_GAIN or bend.after > th.BEND_SLOPE * slope:
        return None
    if floors[-1] >= th.KILL_LEVEL * scale:
        return None  # at the limit nothing can rise: the kernel reclaims what it can and then kills
    known = [(b.low, b.rate) for b in bins if b.rate is not None]
    if len(known) >= th.MIN_RATE_BINS:
        base = min(r for _, r in known)
        against_work = stats.best_bend(list(accumulate(r - base for _, r in known)), [low for low, _ in known])
        if against_work is None or against_work.after > th.BEND_SLOPE * against_work.before:
            return None
    return bend.knee
