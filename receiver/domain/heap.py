"""What a program's runtime tells of its own memory, beside what the kernel sees of it."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.domain.replicas import Points

FEW_VALUES = 3  # a size after collection that changed less often tells of no collection


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapSeries:
    """One metric over the last day. `part`: live (the heap after a collection), used, held (taken from the kernel for it), max,
    native (beside the heap), tasks (a count: goroutines), stuck (a count: objects that cannot be collected).

    `points`: the least of each step, bytes or a count; of max and stuck the most.
    """

    part: str
    metric: str
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """The metrics of one container. `maker`: the library that exports them."""

    runtime: str
    maker: str
    series: tuple[HeapSeries, ...]

    def of(self, part: str) -> HeapSeries | None:
        """The metric of a part."""
        return next((s for s in self.series if s.part == part), None)

    @property
    def floor(self) -> HeapSeries | None:
        """What is left when garbage is gone: the size after collections where that moves, else the least of the heap in use."""
        live = self.of("live")
        moves = live is not None and len({v for _, v in live.points}) >= FEW_VALUES
        return live if moves else self.of("used") or live
