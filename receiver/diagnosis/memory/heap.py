"""The runtime's own heap metrics as witnesses: what is left after a collection says more about a leak than the process's memory does.

A heap that grows after collection leaks, or caches, in the program's own objects. A flat one under growing memory means that what
grows is not in it: native memory or fragmentation; or that the heap only takes the room it may have and fills it with garbage.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Climb
from receiver.diagnosis.memory.lives import lives_of
from receiver.diagnosis.memory.pace import climb_of_points, pace_of
from receiver.diagnosis.memory.prepare import columns_of
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.facts import MemoryHistory
from receiver.domain.heap import Heap, HeapSeries
from receiver.domain.reason import Fact, Reason, reason
from receiver.domain.replicas import Points
from receiver.domain.report import CauseName

LEAK, SPIKE, LIMIT, UNKNOWN = CauseName.LEAK, CauseName.SPIKE, CauseName.LIMIT_TOO_LOW, CauseName.UNKNOWN

IN_HEAP, OUTSIDE = 0.5, 0.15  # of the growth of memory: the heap's doing; not the heap's
FULL, BELOW_LIMIT = 0.85, 0.95  # of its own maximum; of the container's limit
MORE_TASKS, LEAST_TASKS = 1.5, 100.0  # x at the end; more of them: a few hundred goroutines come and go with traffic
STEADY = 0.5  # Kendall's tau of the floors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """The stretch that is looked at, start-up left out, and how memory grew in it."""

    since_s: float
    until_s: float
    growth: float  # bytes
    end_bytes: float
    scale: float

    def part(self, series: HeapSeries | None) -> Points:
        """The points of a metric in it; none where they are too few to tell."""
        if series is None:
            return ()
        points = series.points[bisect_left(series.points, (self.since_s,)) : bisect_left(series.points, (self.until_s,))]
        return points if len(points) >= th.MIN_BINS and points[-1][0] - points[0][0] >= (self.until_s - self.since_s) / 2 else ()

    def growth_of(self, series: HeapSeries | None) -> float:
        """How much the floor of a metric grew, in its unit."""
        points = self.part(series)
        return pace_of(points, self.since_s, self.until_s) * (self.until_s - self.since_s) if points else 0.0

    def climb_of(self, series: HeapSeries | None, scale: float) -> Climb | None:
        """How it climbs."""
        return climb_of_points(self.part(series), scale)


def heap_witnesses(heap: Heap | None, history: MemoryHistory, *, scale: float) -> tuple[Witness, ...]:
    """What the metrics say about the longest life that they cover; nothing where they cover none."""
    life = _life(heap, history, scale) if heap is not None and scale > 0 else None
    if heap is None or life is None:
        return ()
    return (*_heap(heap, life), *_full(heap, life), *_counts(heap, life))


def _life(heap: Heap, history: MemoryHistory, scale: float) -> _Life | None:
    c = columns_of(history, None)
    told = max((s.points for s in heap.series), key=len, default=())
    found: list[tuple[float, float, float, int, int]] = []
    for span in lives_of(c, history).spans if told else ():
        skip_s = th.STARTUP_SKIP_S if span.start_s is not None else 0.0
        since_s = max(c.t[span.first] + skip_s, told[0][0])
        until_s = min(c.t[span.last], told[-1][0])
        found.append((until_s - since_s, since_s, until_s, span.first, span.last))
    length_s, since_s, until_s, first, last = max(found, default=(0.0, 0.0, 0.0, 0, 0))
    if length_s < th.MIN_CLIMBED_S:
        return None
    own = tuple(zip(c.t[first : last + 1], c.in_use[first : last + 1], strict=True))
    growth = pace_of(own, since_s, until_s) * length_s
    return _Life(since_s=since_s, until_s=until_s, growth=growth, end_bytes=c.in_use[last], scale=scale)


def _heap(heap: Heap, life: _Life) -> tuple[Witness, ...]:
    """Where growth is, if there is any."""
    floor = heap.floor
    climb = life.climb_of(floor, life.scale)
    if floor is None or climb is None or life.growth < th.FIRST_GROWTH * life.scale:
        return ()
    heap_growth = life.growth_of(floor)
    share = heap_growth / life.growth
    hours = (life.until_s - life.since_s) / 3600
    facts: dict[str, Fact] = {
        "metric": floor.metric, "growth_bytes_per_h": heap_growth / hours, "memory_bytes_per_h": life.growth / hours,
        "share_ratio": min(share, 1.0), "heap_bytes": climb.floor_end, "is_after_gc": floor.part == "live",
    }  # fmt: skip
    if share >= IN_HEAP and climb.slope > 0 and climb.tau >= STEADY:
        weights = {LEAK: 1.3 if floor.part == "live" else 1.0, SPIKE: -0.6, LIMIT: -0.3}
        told = reason("heap.grows_after_gc", **facts) if floor.part == "live" else reason("heap.floor_grows", **facts)
        return (_witness(reason("memory.piece.heap_grows", **facts), told, stats.share(share, 0.3, 0.8), weights),)
    if share > OUTSIDE:
        return ()
    return (_outside(heap, life, facts),)


def _outside(heap: Heap, life: _Life, facts: Mapping[str, Fact]) -> Witness:
    """The heap is flat: known native parts grow, or the heap takes room for garbage, or something else does."""
    native = max((s for s in heap.series if s.part == "native"), key=life.growth_of, default=None)
    if native is not None and life.growth_of(native) >= IN_HEAP * life.growth:
        grown = {**facts, "native_metric": native.metric, "native_growth_bytes": life.growth_of(native)}
        told = reason("heap.native_grows", **grown)
        return _witness(reason("memory.piece.heap_native", **grown), told, 1.0, {LEAK: 0.6, SPIKE: -0.3}, "native_memory")
    held = heap.of("held")
    held_points = life.part(held)
    takes_room = bool(held_points) and (held_points[-1][1] >= life.end_bytes or life.growth_of(held) >= IN_HEAP * life.growth)
    if takes_room and held is not None:
        taken = {**facts, "held_bytes": held_points[-1][1], "held_metric": held.metric}
        told = reason("heap.garbage", **taken)
        return _witness(reason("memory.piece.heap_garbage", **taken), told, 1.0, {LEAK: -1.0, LIMIT: 0.3}, "bound_heap")
    told = reason("heap.flat", **facts)
    return _witness(
        reason("memory.piece.heap_flat", **facts), told, 1.0 if held_points else 0.6, {LEAK: -0.3, UNKNOWN: 0.1}, "native_memory"
    )


def _full(heap: Heap, life: _Life) -> tuple[Witness, ...]:
    """A heap that is full after collection, at a maximum of its own below the limit: a higher limit gives it nothing."""
    floor, most = heap.floor, life.part(heap.of("max"))
    points = life.part(floor)
    if floor is None or not points or not most:
        return ()
    level = min(v for _, v in points[-th.MIN_BINS :])
    if level < FULL * most[-1][1] or most[-1][1] > BELOW_LIMIT * life.scale:
        return ()
    facts: dict[str, Fact] = {"metric": floor.metric, "heap_bytes": level, "max_bytes": most[-1][1]}
    return (_witness(reason("memory.piece.heap_full", **facts), reason("heap.full", **facts), 1.0, {LIMIT: 0.4, SPIKE: -0.3}),)


def _counts(heap: Heap, life: _Life) -> tuple[Witness, ...]:
    """Goroutines, and objects that cannot be collected, that grow without end."""
    found = []
    tasks, stuck = heap.of("tasks"), heap.of("stuck")
    for series in (s for s in (tasks, stuck) if s is not None):
        points = life.part(series)
        climb = life.climb_of(series, max((v for _, v in points), default=1.0) or 1.0)
        if climb is None:
            continue
        first, last = climb.floors[0], climb.floor_end
        if last < MORE_TASKS * first or last - first < LEAST_TASKS or climb.tau < STEADY:
            continue
        facts: dict[str, Fact] = {"metric": series.metric, "first": round(first), "last": round(last)}
        if series is tasks:
            told, weights, advice = reason("heap.goroutines", **facts), {LEAK: 1.0, SPIKE: -0.3}, "goroutine_leak"
        else:
            told, weights, advice = reason("heap.uncollectable", **facts), {LEAK: 0.4}, "uncollectable"
        found.append(_witness(reason("memory.piece.count_grows", **facts), told, 1.0, weights, advice))
    return tuple(found)


def _witness(piece: Reason, told: Reason, strength: float, weights: Mapping[CauseName, float], *advice: str) -> Witness:
    return Witness(piece=piece, told=told, strength=strength, weights=weights, advice=advice)
