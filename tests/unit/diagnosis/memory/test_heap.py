"""The runtime's heap metrics as witnesses, one family of programs a test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.diagnosis.memory.heap import heap_witnesses
from receiver.diagnosis.memory.shape import shape_of
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.heap import Heap, HeapSeries
from receiver.domain.report import CauseName
from receiver.domain.units import MIB
from tests.unit.diagnosis.memory.kit import drawn, lives

LIMIT = 100 * MIB
Level = Callable[[float], float]  # MiB at an hour


def metric(part: str, name: str, level: Level, hours: float = 6.0, *, unit: float = MIB) -> HeapSeries:
    """One metric every five minutes."""
    return HeapSeries(part=part, metric=name, points=tuple((i * 300.0, level(i / 12) * unit) for i in range(int(hours * 12) + 1)))


def seen(memory: Level, *series: HeapSeries, runtime: str = "jvm", hours: float = 6.0) -> tuple[Witness, ...]:
    """What the metrics say beside a memory of that course, in a container with 100 MiB."""
    heap = Heap(runtime=runtime, maker="x", series=series)
    return heap_witnesses(heap, drawn(hours, lambda minute: memory(minute / 60)), scale=LIMIT)


def growing(mib_per_h: float, base: float) -> Level:
    return lambda hour: base + mib_per_h * hour


def sawtooth(floor: Level, height: float) -> Level:
    """What a collector that runs every three quarters of an hour leaves."""
    return lambda hour: floor(hour) + height * ((hour * 4 / 3) % 1)


def flat(level: float) -> Level:
    return lambda hour: level


def codes(found: tuple[Witness, ...]) -> list[str]:
    return [w.told.code for w in found]


def test_a_java_cache_that_grows_after_collection_is_a_leak_in_the_heap():
    """The size after collection moves: it is used, and says so."""
    (found,) = seen(
        growing(8, 30),
        metric("live", "jvm_memory_pool_collection_used_bytes", growing(8, 10)),
        metric("used", "jvm_memory_used_bytes", sawtooth(growing(8, 10), 15)),
        metric("held", "jvm_memory_committed_bytes", growing(8, 30)),
    )

    assert found.told.code == "heap.grows_after_gc"
    assert found.told["metric"] == "jvm_memory_pool_collection_used_bytes"
    assert found.told["growth_bytes_per_h"] == pytest.approx(8 * MIB, rel=0.05)
    assert found.speaks_for(CauseName.LEAK) > 1


def test_a_size_after_collection_that_never_moves_is_no_witness():
    """No full collection ran: the floor of what is in use tells."""
    (found,) = seen(
        growing(8, 30),
        metric("live", "jvm_gc_live_data_size_bytes", flat(12)),
        metric("used", "jvm_memory_used_bytes", sawtooth(growing(8, 10), 15)),
    )

    assert (found.told.code, found.told["metric"]) == ("heap.floor_grows", "jvm_memory_used_bytes")


def test_a_java_heap_that_only_takes_room_is_no_leak():
    """Memory climbs to -Xmx with what is left after collection flat: garbage that nothing forces out."""
    (found,) = seen(
        growing(8, 30),
        metric("live", "jvm_memory_used_after_last_gc_bytes", sawtooth(flat(18), 0.5)),
        metric("held", "jvm_memory_committed_bytes", growing(8, 32)),
    )

    assert found.told.code == "heap.garbage"
    assert found.speaks_for(CauseName.LEAK) < -0.7
    assert found.advice == ("bound_heap",)


def test_direct_buffers_are_named():
    (found,) = seen(
        growing(8, 30),
        metric("used", "jvm_memory_used_bytes", sawtooth(flat(15), 10)),
        metric("held", "jvm_memory_committed_bytes", flat(26)),
        metric("native", "jvm_buffer_memory_used_bytes", growing(7, 1)),
    )

    assert (found.told.code, found.told["native_metric"]) == ("heap.native_grows", "jvm_buffer_memory_used_bytes")
    assert found.advice == ("native_memory",)


def test_a_node_program_that_leaks_outside_its_heap():
    """An addon that does not free: V8's heap and what it knows outside are flat."""
    (found,) = seen(
        growing(8, 40),
        metric("used", "nodejs_heap_size_used_bytes", sawtooth(flat(20), 8)),
        metric("held", "nodejs_heap_size_total_bytes", flat(30)),
        metric("native", "nodejs_external_memory_bytes", flat(2)),
        runtime="node",
    )

    assert found.told.code == "heap.flat"
    assert found.advice == ("native_memory",)
    assert -0.5 < found.speaks_for(CauseName.LEAK) < 0


def test_goroutines_that_never_end_are_named():
    found = seen(
        growing(8, 20),
        metric("used", "go_memstats_heap_alloc_bytes", sawtooth(growing(6, 8), 4)),
        metric("tasks", "go_goroutines", growing(900, 40), unit=1),
        runtime="go",
    )

    assert codes(found) == ["heap.floor_grows", "heap.goroutines"]
    assert (found[1].told["metric"], found[1].advice) == ("go_goroutines", ("goroutine_leak",))
    assert found[1].told["last"] > 4000  # type: ignore[operator]


@pytest.mark.parametrize("tasks", [flat(4000), lambda hour: 300 + 250 * (int(hour * 2) % 2), growing(8, 20)])
def test_goroutines_that_come_and_go_are_not(tasks):
    found = seen(growing(8, 20), metric("tasks", "go_goroutines", tasks, unit=1), runtime="go")

    assert found == ()


def test_a_dotnet_heap_that_grows():
    (found,) = seen(growing(8, 30), metric("live", "dotnet_gc_last_collection_heap_size_bytes", growing(7, 12)), runtime="dotnet")

    assert found.told.code == "heap.grows_after_gc"


def test_python_tells_of_objects_that_cannot_be_collected():
    """Its client exports no heap size: nothing is said about one."""
    found = seen(growing(8, 30), metric("stuck", "python_gc_objects_uncollectable_total", growing(100, 0), unit=1), runtime="python")

    assert codes(found) == ["heap.uncollectable"]


def test_a_full_heap_below_the_limit_gains_nothing_by_a_higher_one():
    (found,) = seen(
        flat(80),
        metric("live", "jvm_memory_pool_collection_used_bytes", sawtooth(flat(58), 1)),
        metric("max", "jvm_memory_max_bytes", flat(64)),
    )

    assert found.told.code == "heap.full"
    assert found.told["max_bytes"] == 64 * MIB
    assert found.speaks_for(CauseName.LIMIT_TOO_LOW) > 0


@pytest.mark.parametrize(
    "series",
    [
        (),
        (metric("used", "go_memstats_heap_alloc_bytes", growing(8, 5), hours=0.5),),  # it began to be scraped just now
        (metric("used", "go_memstats_heap_alloc_bytes", growing(2.5, 5)),),  # a part of the growth: neither in nor out
        (metric("max", "jvm_memory_max_bytes", flat(64)),),
    ],
)
def test_what_does_not_tell_says_nothing(series):
    assert seen(growing(8, 30), *series) == ()
    assert heap_witnesses(None, drawn(6, lambda m: 30), scale=LIMIT) == ()


def test_lives_are_not_mixed():
    """Three lives of an hour and a half that each fill: the heap of one of them is looked at, not the fall between."""

    def level(hour: float) -> float:
        return 10 + 40 * (hour % (91 / 60)) / 1.5

    heap = Heap(runtime="go", maker="x", series=(metric("used", "go_memstats_heap_alloc_bytes", level, hours=4.5),))
    (found,) = heap_witnesses(heap, lives(3, 90, lambda up: 20 + up * 0.5), scale=LIMIT)

    assert found.told.code == "heap.floor_grows"


def test_the_verdict_hears_of_it():
    """A first life that climbs by garbage is said less surely than one whose heap grows after collection."""
    h = drawn(6, lambda m: 30 + m / 60 * 8)
    leaking = heap_witnesses(
        Heap(runtime="jvm", maker="x", series=(metric("live", "jvm_memory_pool_collection_used_bytes", growing(8, 10)),)), h, scale=LIMIT
    )
    filling = heap_witnesses(
        Heap(runtime="jvm", maker="x", series=(metric("used", "jvm_memory_used_bytes", sawtooth(flat(18), 9)), metric("held", "jvm_memory_committed_bytes", growing(8, 32)))),
        h, scale=LIMIT,
    )  # fmt: skip
    shapes = [shape_of(h, witnesses=w) for w in (leaking, filling)]

    assert "heap.grows_after_gc" in {r.code for r in shapes[0].because}
    assert "heap.garbage" in {r.code for r in (*shapes[1].because, *shapes[1].against)}
    assert all("memory.piece" in r["what"].code for s in shapes for r in s.evidence if r.code == "memory.evidence")
