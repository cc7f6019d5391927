"""How fast a series of points grows, and whether it climbs as memory that leaks does."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Climb, bins_of, climb_of, has_floors
from receiver.diagnosis.memory.prepare import columns_of
from receiver.domain.facts import MemoryHistory, Sample
from receiver.domain.replicas import Points


def pace_of(points: Points, since_s: float, until_s: float) -> float:
    """Growth between two moments, a second: the slope of the floors of eight parts."""
    width = (until_s - since_s) / th.EPOCHS
    edges = [bisect_left(points, (since_s + i * width,)) for i in range(th.EPOCHS + 1)]
    floors = [(i * width, min(v for _, v in points[a:b])) for i, (a, b) in enumerate(pairwise(edges)) if a < b]
    return stats.theil_sen([t for t, _ in floors], [v for _, v in floors])


def climb_of_points(points: Points, scale: float) -> Climb | None:
    """How they climb, as one life; None for too few. `scale`: the limit, or what stands in for it, in their unit."""
    if len(points) < th.MIN_BINS or points[-1][0] - points[0][0] < th.MIN_CLIMBED_S:
        return None
    c = columns_of(MemoryHistory(samples=tuple(Sample(t_s=t, working_set_bytes=v) for t, v in points), step_s=0.0), None)
    bins = bins_of(c, 0, len(c.t) - 1)
    return climb_of(bins, scale) if has_floors(bins) else None
