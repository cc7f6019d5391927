"""How memory climbs in one life: what speaks for growth that lasts, piece by piece, and its log-odds.

The life is cut into bins; the minimum of a bin is what is left when garbage and requests have gone; eight epochs of bins
give a floor each. No test refuses alone: each piece has a strength and a weight (`odds.LIFE`), and the weights add up.
The last eighth of a life that has ended is not looked at, nor how long it stood at its highest level: a heap at its
ceiling, and the fight of the last minutes, say nothing against the climb before.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate, pairwise

from receiver.diagnosis.memory import odds, stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.prepare import Columns

TAIL = 3 / 8  # of a climb: its end, which must still rise


class Doubt(Enum):
    """What speaks most against growth that lasts."""

    HARDLY_GROWS = auto()
    FOLLOWS_RATE = auto()
    NOT_STEADY = auto()
    ONE_STEP = auto()
    LEVELLED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One part of a stretch that has rows: its middle, least and mean memory in use, the mean request rate."""

    at_s: float
    low: float
    mean: float
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """What was measured in one stretch. `strengths`: of the pieces of `odds.LIFE`, each -1 to 1."""

    start_s: float
    end_s: float
    floors: tuple[float, ...]
    growth: float  # bytes of lasting growth
    slope: float  # bytes a second
    tau: float  # Kendall's, of the floors
    tail: float  # growth in the last 3/8, as a share of what a steady rise would add there
    strengths: tuple[float, ...]
    odds: float  # log-odds of a leak by this stretch alone, within +-MAX_ODDS
    doubt: Doubt

    @property
    def length_s(self) -> float:
        """The stretch that was measured: without start-up."""
        return self.end_s - self.start_s

    @property
    def rises(self) -> bool:
        """Whether it is likelier that this is growth that lasts than that it is not."""
        return self.odds > 0

    @property
    def is_settled(self) -> bool:
        """Whether it came to a level."""
        return not self.rises and self.doubt in (Doubt.HARDLY_GROWS, Doubt.LEVELLED, Doubt.ONE_STEP)

    @property
    def floor_end(self) -> float:
        """The floor of the last epoch, bytes."""
        return self.floors[-1]


def bins_of(c: Columns, first: int, last: int) -> list[Bin]:
    """Rows `first` to `last` in at most BINS parts of equal length; parts without rows are left out."""
    n = last - first + 1
    t, used, rate = c.t, c.in_use, c.rate
    if n < 2 or t[last] <= t[first]:
        return []
    count = max(1, min(th.BINS, max(n // 2, min(n, 16))))
    start_s, width = t[first], (t[last] - t[first]) / count
    # A little early, so that a row on an edge falls on the same side whatever the time base is.
    edges = [bisect_left(t, start_s + (b - 1e-3) * width, first, last + 1) for b in range(count)] + [last + 1]
    bins = []
    for b in range(count):
        values = used[edges[b] : edges[b + 1]]
        if values:
            rates = [r for r in rate[edges[b] : edges[b + 1]] if r is not None]
            bins.append(
                Bin(
                    at_s=start_s + (b + 0.5) * width, low=min(values), mean=sum(values) / len(values),
                    rate=sum(rates) / len(rates) if rates else None,
                )
            )  # fmt: skip
    return bins


def has_floors(bins: Sequence[Bin]) -> bool:
    """Whether there are enough of them to see a climb."""
    return len(bins) >= th.MIN_BINS and len(_floors(bins, th.EPOCHS)[1]) >= th.EPOCHS - 2


def climb_of(bins: Sequence[Bin], scale: float, *, is_over: bool = False, is_killed: bool = False, may_follow: bool = True) -> Climb:
    """What the bins show, which have floors. `scale`: the limit in bytes, or what stands in for it. `may_follow`: the request rate."""
    times, floors = _floors(bins, th.EPOCHS)
    seen = slice(0, len(floors) - 1 if is_over else len(floors))
    ats, levels = times[seen], floors[seen]
    start, growth = levels[0], levels[-1] - levels[0]
    rise = max(levels) - start
    width = (bins[-1].at_s - bins[0].at_s) / th.EPOCHS
    steps = [(b - a) / max(1.0, round((t1 - t0) / width)) for (a, b), (t0, t1) in zip(pairwise(levels), pairwise(ats), strict=True)]
    step = max(steps) / rise if rise > th.LEAST_RISE * scale else 1.0
    tail = _tail(bins, ats, levels)
    tau = stats.kendall_tau(levels, noise=th.FLOOR_NOISE * scale)
    room = growth / max(scale - start, 0.05 * scale)
    share_of_time, way_tail, straight = _way_up(bins, scale, is_over=is_over)
    follows = may_follow and follows_rate(bins)
    own = 0.0 if follows else 1.0  # what goes with the traffic of the moment is no growth of its own
    strengths = (
        own * stats.share(room, 0.0, 0.6),
        own * _signed(growth / scale, 0.02, 0.05),
        own * _signed(tau, 0.5, 0.5),
        own * stats.share(way_tail, 0.0, 1.0),
        own * stats.share(straight, 0.6, 0.95),
        stats.share(share_of_time, 0.15, 0.65),
        _signed(math.log2(max(bins[-1].at_s - bins[0].at_s, 1.0) / 1800), 0.0, 4.0),
        0.0 if is_over else own * stats.share(tail, 0.0, 1.0),
        float(is_over),
        float(is_killed),
        stats.share(step, 0.3, 0.8),
        stats.share(way_tail, 1.2, 1.8),
        0.0 if is_over else stats.share(0.7 - tail, 0.0, 0.7),
    )
    total = odds.LIFE_BASE + sum(w * s for w, s in zip(odds.LIFE.values(), strengths, strict=True))
    return Climb(
        start_s=bins[0].at_s, end_s=bins[-1].at_s, floors=tuple(floors), growth=growth, slope=stats.theil_sen(ats, levels),
        tau=tau, tail=tail, strengths=strengths, odds=min(max(total, -th.MAX_ODDS), th.MAX_ODDS),
        doubt=_doubt(growth / scale, dict(zip(odds.LIFE, strengths, strict=True)), follows=follows),
    )  # fmt: skip


def rising_end(bins: Sequence[Bin], scale: float, *, is_over: bool, is_killed: bool, may_follow: bool) -> Climb | None:
    """The end of a life that climbs best, if it takes memory where it has not been before and is not the slow end of a curve.

    A cache that fills ever more slowly has a nearly straight last half too; but its stretch before that was steeper.
    """
    found: Climb | None = None
    for eighths in (2, 3, 4, 5, 6):
        begin = len(bins) * eighths // 8
        part = bins[begin:]
        if not has_floors(part) or part[-1].at_s - part[0].at_s < th.MIN_CLIMB_S:
            continue
        climb = climb_of(part, scale, is_over=is_over, is_killed=is_killed, may_follow=may_follow)
        if climb.slope <= 0 or (found is not None and climb.odds <= found.odds):
            continue
        earlier = bins[max(0, begin - len(part)) : begin]
        before = stats.theil_sen([b.at_s for b in earlier], [b.low for b in earlier])
        new_ground = climb.floor_end - max(b.low for b in bins[:begin])
        if before < th.SLOWING * climb.slope and new_ground >= th.NEW_GROUND * max(climb.growth, 0.01 * scale):
            found = climb
    return found


def _signed(value: float, middle: float, width: float) -> float:
    """How far the value is from the middle, in widths, -1 to 1."""
    return min(max((value - middle) / width, -1.0), 1.0)


def _way_up(bins: Sequence[Bin], scale: float, *, is_over: bool) -> tuple[float, float, float]:
    """How memory came to its highest level: the share of time it took, growth in the end of it, R2 of a straight line."""
    times, floors = _floors(bins, th.FINE_EPOCHS)
    times, floors = times[1:], floors[1:]  # the first may hold the end of a start-up
    low, top = stats.median(floors[:3]), stats.quantile(floors, 0.95)
    mark = low + 0.9 * (top - low)
    reached = next((i for i, floor in enumerate(floors) if floor >= mark), len(floors) - 1)
    seen = len(floors) - len(floors) // th.EPOCHS if is_over else len(floors)
    tail = 0.0
    if reached >= 4 and top - low > 0.02 * scale:
        since = max(0, int((reached + 1) * (1 - TAIL)) - 1)
        time_share = (times[reached] - times[since]) / (times[reached] - times[0])
        tail = (floors[reached] - floors[since]) / (floors[reached] - low) / time_share
    length = bins[-1].at_s - bins[0].at_s
    return (times[reached] - bins[0].at_s) / length, tail, stats.explained(times[:seen], floors[:seen])


def _doubt(growth: float, strengths: dict[str, float], *, follows: bool) -> Doubt:
    """What costs most of what a clean climb would have."""
    if follows:
        return Doubt.FOLLOWS_RATE
    if growth < th.HARDLY:
        return Doubt.HARDLY_GROWS
    missing = {name: odds.LIFE[name] * (1 - s) if odds.LIFE[name] > 0 else -odds.LIFE[name] * s for name, s in strengths.items()}
    costs = {
        Doubt.NOT_STEADY: missing["steady"] + missing["straight"],
        Doubt.ONE_STEP: missing["one_step"] + missing["late"],
        Doubt.LEVELLED: missing["way_goes_on"] + missing["slowed"] + (missing["goes_on"] if not strengths["ended"] else 0.0),
        Doubt.HARDLY_GROWS: missing["room_eaten"] + missing["growth"],
    }
    return max(costs, key=costs.__getitem__)


def _floors(bins: Sequence[Bin], epochs: int) -> tuple[list[float], list[float]]:
    """Middle times and floors of the epochs that have bins."""
    start_s = bins[0].at_s
    width = (bins[-1].at_s - start_s) / epochs or 1.0
    groups: list[list[float]] = [[] for _ in range(epochs)]
    for b in bins:
        groups[min(int((b.at_s - start_s) / width + 1e-3), epochs - 1)].append(b.low)
    filled = [i for i, g in enumerate(groups) if g]
    return [start_s + (i + 0.5) * width for i in filled], [stats.quantile(groups[i], th.FLOOR_QUANTILE) for i in filled]


def _tail(bins: Sequence[Bin], times: Sequence[float], floors: Sequence[float]) -> float:
    """Growth in the last 3/8, as a share of what a steady rise would add there."""
    since = len(floors) - 1 - max(1, round(len(floors) * TAIL))
    expected = (floors[-1] - floors[0]) * _share_of_work(bins, times[0], times[since], times[-1])
    return (floors[-1] - floors[since]) / expected if expected > 0 else 0.0


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


def follows_rate(bins: Sequence[Bin]) -> bool:
    """Whether the request rate of the moment explains the rise better than time or the requests served so far do.

    Invariant when a constant is added to the rate: only differences of rates are used.
    """
    known = [(b.at_s, b.mean, b.rate) for b in bins if b.rate is not None]
    if len(known) < th.MIN_RATE_BINS or len(known) < 0.8 * len(bins):
        return False
    size = max(1, len(known) // th.FINE_EPOCHS)
    groups = [known[i : i + size] for i in range(0, len(known) - size + 1, size)]
    ats, used, rates = ([sum(row[column] for row in group) / size for group in groups] for column in range(3))
    by_level, base = stats.explained(rates, used), min(rates)
    if by_level < th.RATE_R2:
        return False
    best = max(stats.explained(ats, used), stats.explained(list(accumulate(r - base for r in rates)), used))
    return 1 - by_level < (th.RATE_NO_WORSE if by_level >= th.RATE_R2_HIGH else th.RATE_BETTER) * (1 - best)
