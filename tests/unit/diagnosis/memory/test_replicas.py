"""The workload's other pods as witnesses: what is said, and how far it moves the verdict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from receiver.diagnosis.memory.replicas import replica_witnesses
from receiver.diagnosis.memory.shape import shape_of
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.facts import Revision
from receiver.domain.replicas import ReplicaLife, Replicas
from receiver.domain.report import CauseName
from receiver.domain.units import MIB
from tests.support import NOW
from tests.unit.diagnosis.memory.kit import drawn

END = NOW.timestamp()
LIMIT = 100 * MIB
OLD, NEW = "api-5c6b7d8f9c", "api-6d5f7c8b9d"
REVISIONS = (
    Revision(name=NEW, revision=2, created_at=NOW - timedelta(hours=10), images={"api": "api:2"}),
    Revision(name=OLD, revision=1, created_at=NOW - timedelta(days=6), images={"api": "api:1"}),
)


def life(
    pod: str, hours: float, level: Callable[[float], float], *, ended_h: float = 0.0, is_start_known: bool = True, step_s: float = 300.0
) -> ReplicaLife:
    """One life of a pod that ended so many hours ago; `level`: MiB at an age in hours."""
    end = END - ended_h * 3600
    start = end - hours * 3600
    points = tuple((start + i * step_s, level(i * step_s / 3600) * MIB) for i in range(1, int(hours * 3600 / step_s) + 1))
    revision = next((r for r in (OLD, NEW) if pod.startswith(r)), "")
    return ReplicaLife(pod=pod, floors=points, start_s=start if is_start_known else None, revision=revision)


def leak(mib_per_h: float, base: float = 20.0) -> Callable[[float], float]:
    return lambda age: base + mib_per_h * age


def warm_up(age: float) -> float:
    """Most of the rise in the first two hours."""
    return 20 + 40 * (1 - 2 ** (-age / 0.7))


def flat(age: float) -> float:
    return 30.0


def witnesses(*lives: ReplicaLife, **over: object) -> tuple[Witness, ...]:
    """What the others say about the first of these pods."""
    replicas = Replicas(lives=lives, **over)  # type: ignore[arg-type]
    return replica_witnesses(replicas, pod=lives[0].pod, container="api", scale=LIMIT, revisions=REVISIONS)


def codes(found: tuple[Witness, ...]) -> list[str]:
    return [w.told.code for w in found]


def pods(n: int, hours: float, level: Callable[[float], float], revision: str = NEW, **over: float) -> list[ReplicaLife]:
    return [life(f"{revision}-b{i}", hours, level, **over) for i in range(n)]  # type: ignore[arg-type]


def test_replicas_that_all_grow_alike_speak_for_a_leak():
    (found,) = witnesses(life(f"{NEW}-a", 6, leak(5)), *pods(3, 6, leak(5.5)))

    assert found.told.code == "replicas.grow_alike"
    assert (found.told["growing"], found.told["compared"]) == (3, 3)
    assert found.speaks_for(CauseName.LEAK) > 0
    assert found.told["growth_bytes_per_h"] == pytest.approx((5 * MIB, 5.5 * MIB), rel=0.05)


@pytest.mark.parametrize(("others_rate", "code"), [(20.0, "replicas.grow_alike_per_request"), (10.0, "replicas.grow_alike")])
def test_growth_is_compared_per_request_where_each_pods_rate_is_known(others_rate, code):
    """Twice the growth at twice the traffic is the same leak; at the same traffic it is not."""
    mine, others = f"{NEW}-a", pods(2, 6, leak(8))
    rates = {mine: 10.0, **{o.pod: others_rate for o in others}}

    assert codes(witnesses(life(mine, 6, leak(4)), *others, rates=rates)) == [code]


def test_one_replica_that_grows_alone_is_told_with_its_share_of_the_traffic():
    others = pods(3, 6, flat)
    (found,) = witnesses(life(f"{NEW}-a", 6, leak(6)), *others, rates={f"{NEW}-a": 40.0, **{o.pod: 10.0 for o in others}})

    assert found.told.code == "replicas.busier_alone"
    assert found.told["busier_ratio"] == 4
    assert found.speaks_for(CauseName.LEAK) < 0
    assert found.advice == ("find_hot_replica",)


@pytest.mark.parametrize(
    "others",
    [
        [],  # one replica
        pods(3, 0.4, flat),  # crash loops: too short for a shape
        pods(1, 6, flat),  # one that differs is luck
        [life(f"{NEW}-b{i}", 20, flat, is_start_known=False) for i in range(3)],  # old ones: settled long ago
    ],
)
def test_what_cannot_be_compared_says_nothing(others):
    assert witnesses(life(f"{NEW}-a", 6, leak(6)), *others) == ()


def test_a_young_replica_is_compared_at_its_age():
    """What an old replica does now is no measure for a young one; what it did at that age is."""
    found = witnesses(life(f"{NEW}-a", 3, warm_up), *pods(2, 20, warm_up))

    assert codes(found) == ["replicas.grow_alike", "replicas.older_levelled"]
    assert found[1].speaks_for(CauseName.LEAK) < 0


def test_an_older_replica_that_still_grows_rules_out_a_warm_up():
    found = witnesses(life(f"{NEW}-a", 4, leak(4)), *pods(2, 14, leak(4)))

    assert codes(found) == ["replicas.grow_alike", "replicas.older_grow_on"]
    assert found[1].is_past_warm_up


def test_growth_of_the_new_rollout_alone_names_both_images():
    """The old pods had the same age and did not grow."""
    found = witnesses(life(f"{NEW}-a", 8, leak(5)), *pods(2, 8, leak(5)), *pods(2, 30, flat, OLD, ended_h=9))

    regression = found[-1]
    assert regression.told.code == "replicas.new_image_grows"
    assert (regression.told["image"], regression.told["image_before"]) == ("api:2", "api:1")
    assert (regression.told["new"], regression.told["old"]) == (3, 2)
    assert regression.advice == ("compare_revisions",)


@pytest.mark.parametrize(("level", "is_told"), [(flat, True), (lambda age: 58.0, False)])
def test_an_old_rollout_of_unknown_age_counts_once_it_is_surpassed(level, is_told):
    """A settled old pod was as young once: only memory that it never had tells."""
    old = [life(f"{OLD}-c", 60, level, ended_h=9, is_start_known=False, step_s=1800)]
    found = witnesses(life(f"{NEW}-a", 8, leak(5)), *old)

    assert codes(found) == (["replicas.new_image_grows"] if is_told else [])


def test_a_leak_that_the_rollout_before_had_too_is_no_regression():
    found = witnesses(life(f"{NEW}-a", 8, leak(5)), *pods(2, 12, leak(5), OLD, ended_h=9))

    assert codes(found) == []


def test_replicas_that_peak_together_share_their_traffic():
    def peaks(shift: int = 0) -> tuple[tuple[float, float], ...]:
        return tuple((END - (96 - i) * 900, (90 if (i + shift) % 24 < 2 else 30) * MIB) for i in range(96))

    mine = f"{NEW}-a"
    steady = [life(mine, 20, flat), life(f"{NEW}-b", 20, flat)]
    together = witnesses(*steady, peaks={mine: peaks(), "b": peaks(), "c": peaks()})
    apart = witnesses(*steady, peaks={mine: peaks(), "b": peaks(7), "c": peaks(13)})

    assert codes(together) == ["replicas.peak_together"]
    assert together[0].speaks_for(CauseName.SPIKE) > 0 > together[0].speaks_for(CauseName.LEAK)
    assert apart == ()


def test_a_first_life_is_surer_where_older_replicas_grow_on():
    """Alone it could be a warm-up; the pieces are told in the thread and weighed for -v."""
    h = drawn(5, lambda m: 20 + m / 60 * 8)
    found = witnesses(life(f"{NEW}-a", 5, leak(8)), *pods(3, 9, leak(8, base=10)))
    alone, witnessed = shape_of(h), shape_of(h, witnesses=found)

    assert (alone.cause, witnessed.cause) == (CauseName.LEAK, CauseName.LEAK)
    assert alone.confidence == 0.5 < witnessed.confidence <= 0.7
    assert {"replicas.grow_alike", "replicas.older_grow_on"} <= {r.code for r in witnessed.because}
    assert "memory.leak_or_warm_up" not in {r.code for r in witnessed.because}
    assert {"memory.piece.replicas_alike", "memory.piece.replicas_older_grow"} <= {
        r["what"].code for r in witnessed.evidence if r.code == "memory.evidence"
    }


def test_what_speaks_against_the_verdict_is_told_as_that():
    h = drawn(5, lambda m: 20 + m / 60 * 12)
    shape = shape_of(h, witnesses=witnesses(life(f"{NEW}-a", 5, leak(12)), *pods(3, 5, flat)))

    assert shape.cause is CauseName.LEAK
    assert "replicas.alone" in {r.code for r in shape.against}
