"""Heap metrics and replicas in a whole diagnosis: what the message rests on, and what it advises."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.diagnose import diagnose
from receiver.domain.facts import Facts, Revision, SiblingFact, WorkloadFacts
from receiver.domain.heap import Heap, HeapSeries
from receiver.domain.identity import Workload
from receiver.domain.replicas import ReplicaLife, Replicas
from receiver.domain.report import CauseName
from receiver.domain.units import MIB
from receiver.render.wording import say_all
from tests.unit.diagnosis.facts_kit import DIED, ago, codes, container, death, facts, history

LIMIT = 96 * MIB
HOURS = 6
SINCE = DIED.timestamp() - HOURS * 3600
OWN = "orders-api-655779759d-jst99"
GROWING = tuple(0.3 + 0.69 * i / (HOURS * 60) for i in range(HOURS * 60 + 1))


def life(pod: str, growth_ratio: float, revision: str = "") -> ReplicaLife:
    """Six hours until the kill, every five minutes."""
    points = tuple((SINCE + i * 300.0, (0.3 + growth_ratio * i / (HOURS * 12)) * LIMIT) for i in range(1, HOURS * 12))
    return ReplicaLife(pod=pod, floors=points, start_s=SINCE, revision=revision)


def killed(replicas: Replicas | None = None, heap: Heap | None = None, **owner: object) -> Facts:
    """orders-api, killed after six hours of growth; three other replicas live."""
    siblings = tuple(SiblingFact(pod=f"orders-api-655779759d-b{i}", is_running=True, created_at=ago(HOURS * 3600)) for i in range(3))
    dead = death(lived_s=HOURS * 3600, at=DIED)
    workload = WorkloadFacts(workload=Workload(kind="Deployment", name="orders-api"), replicas_desired=4, siblings=siblings)
    found = facts(container(dead=dead, limit=LIMIT), history=history(*GROWING, limit=LIMIT), replicas=replicas, heap=heap)
    return replace(found, workload=replace(workload, **owner))  # type: ignore[arg-type]


def others(growth_ratio: float) -> Replicas:
    return Replicas(lives=(life(OWN, 0.69), *(life(f"orders-api-655779759d-b{i}", growth_ratio) for i in range(3))))


def test_replicas_that_live_speak_against_a_leak_unless_they_grow_as_well():
    """That they were not killed yet is no comfort then."""
    silent, alike = diagnose(killed()), diagnose(killed(others(0.6)))

    assert silent.cause.name is alike.cause.name is CauseName.LEAK
    assert "growing.other_replicas_live" in codes(silent.cause.against)
    assert "growing.other_replicas_live" not in codes(alike.cause.against)
    assert "replicas.grow_alike" in codes(alike.cause.because)
    assert silent.cause.confidence <= alike.cause.confidence


def test_one_replica_that_grows_alone_is_told_once_with_its_own_advice():
    report = diagnose(killed(others(0.0)))

    assert [c for c in codes(report.cause.against) if "replica" in c] == ["replicas.alone"]
    assert report.cause.confidence <= 0.8
    assert "find_hot_replica" in {entry.id for entry in report.long_term}


def test_a_regression_names_the_way_back():
    revisions = (
        Revision(name="orders-api-655779759d", revision=2, created_at=ago(HOURS * 3600 + 60), images={"orders-api": "orders:2"}),
        Revision(name="orders-api-5c6b7d8f9c", revision=1, created_at=ago(9 * 86_400), images={"orders-api": "orders:1"}),
    )
    old = replace(life("orders-api-5c6b7d8f9c-x", 0.0, "orders-api-5c6b7d8f9c"), start_s=None)
    replicas = Replicas(
        lives=(replace(old, floors=tuple((t - HOURS * 3600, v) for t, v in old.floors)), life(OWN, 0.69, "orders-api-655779759d"))
    )
    report = diagnose(killed(replicas, revisions=revisions))

    (back,) = (entry for entry in report.long_term if entry.id == "compare_revisions")
    assert "replicas.new_image_grows" in codes(report.cause.because)
    assert back.commands == ("kubectl -n shop rollout undo deployment/orders-api",)


def test_hostile_names_of_rollouts_build_no_command():
    """The workload's name is the API's word, or an alert's."""
    revisions = (
        Revision(name="a", revision=2, created_at=ago(HOURS * 3600), images={"orders-api": "<!channel> $(x)"}),
        Revision(name="b", revision=1, created_at=ago(9 * 86_400), images={"orders-api": "`x`"}),
    )
    replicas = Replicas(lives=(life("old", 0.0, "b"), life(OWN, 0.69, "a")))
    report = diagnose(killed(replicas, revisions=revisions, workload=Workload(kind="Deployment", name="x; rm -rf /")))

    assert "replicas.new_image_grows" in codes(report.cause.because)
    assert all(entry.commands == () for entry in report.long_term if entry.id == "compare_revisions")


def test_a_flat_heap_sends_the_reader_outside_it():
    """The runtime is known by its metrics, and its tools are named."""
    times = [SINCE + i * 300.0 for i in range(HOURS * 12)]
    heap = Heap(
        runtime="jvm",
        maker="Micrometer",
        series=(
            HeapSeries(
                part="used", metric="jvm_memory_used_bytes", points=tuple((t, 20.0 * MIB + (i % 9) * MIB) for i, t in enumerate(times))
            ),
            HeapSeries(part="held", metric="jvm_memory_committed_bytes", points=tuple((t, 30.0 * MIB) for t in times)),
        ),
    )
    report = diagnose(killed(heap=heap))
    native = next(entry for entry in report.long_term if entry.id == "native_memory")

    assert report.runtime == "jvm"
    assert "heap.flat" in codes((*report.cause.because, *report.cause.against))
    assert any("VM.native_memory" in command for command in native.commands)
    assert any("jvm_memory_used_bytes" in text for text in say_all((*report.cause.because, *report.cause.against)))
