"""What the watch concludes from two pulses, and how many kills it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from receiver.domain.pulse import MOST_PODS, ContainerPulse, WatchMemory
from receiver.pipeline.changes import DEATH, LIMIT, PODS, PROCESSES, READY, changes, settled, with_kills

AT = datetime(2024, 11, 10, 9, 0, tzinfo=UTC)
POD, OTHER = "orders-api-655779759d-jst99", "orders-api-655779759d-k8s2x"
ROLLED_OUT = "orders-api-7c9d8f6b5-x2x4z"
QUIET = ContainerPulse(restarts=3, died_at=AT - timedelta(hours=1), reason="OOMKilled", limit_bytes=96, is_ready=True, was_ready=True)


def after(**over: object) -> ContainerPulse:
    """The quiet container after something has happened to it."""
    return replace(QUIET, **over)  # type: ignore[arg-type]


def found(before: dict[str, ContainerPulse] | None, now: dict[str, ContainerPulse], *, looked: datetime = AT) -> frozenset[str]:
    """What a round finds."""
    return changes(before, settled(before, now), pod=POD, looked_at=looked)


def test_nothing_happened() -> None:
    """The same numbers, more replicas of the same template, and an exporter that is away for a moment."""
    assert found({POD: QUIET}, {POD: QUIET}) == frozenset()
    assert found({POD: QUIET}, {POD: QUIET, OTHER: after(restarts=0, died_at=None, reason="")}) == frozenset()
    assert found({POD: QUIET}, {POD: ContainerPulse(oom_events=0)}) == frozenset()
    assert found({"nightly-28000000-bcdfg": QUIET}, {"nightly-28000000-bcdfg": QUIET, "nightly-28000060-bcdfg": QUIET}) == frozenset()


def test_a_death_since_the_round_before() -> None:
    """By the restart count, or by its time while it still waits to be started again."""
    later = AT + timedelta(minutes=1)

    assert found({POD: QUIET}, {POD: after(restarts=4, died_at=later)}) == {DEATH}
    assert found({POD: QUIET}, {POD: after(died_at=later)}) == {DEATH}
    assert found({POD: replace(QUIET, died_at=None)}, {POD: after(restarts=4, died_at=None)}) == {DEATH}
    assert found({POD: QUIET}, {POD: after(restarts=3, is_ended=True, died_at=later)}) == {DEATH}


def test_a_death_that_the_newest_look_has_seen_is_none() -> None:
    """Metrics tell it up to a scrape later than the API did."""
    died_at = AT - timedelta(seconds=20)

    assert found({POD: QUIET}, {POD: after(restarts=4, died_at=died_at)}) == frozenset()
    assert found(None, {POD: after(restarts=4, died_at=died_at)}) == frozenset()
    assert found(None, {POD: after(restarts=5, died_at=AT + timedelta(seconds=20))}) == {DEATH}


def test_a_normal_end_is_no_death() -> None:
    """A Job that is done."""
    done = ContainerPulse(restarts=0, died_at=AT + timedelta(seconds=5), reason="Completed", is_ended=True)

    assert found({POD: ContainerPulse(restarts=0)}, {POD: done}) == frozenset()


def test_processes_killed_in_a_container_that_lives_on() -> None:
    """The kernel's counter rises; a new container's begins at 0 and is no fall that means anything."""
    assert found({POD: after(oom_events=13)}, {POD: after(oom_events=77)}) == {PROCESSES}
    assert found({POD: after(oom_events=13)}, {POD: after(oom_events=0)}) == frozenset()


def test_another_limit_in_place_and_by_a_rollout() -> None:
    """In the same pod, or in those of a new template."""
    assert found({POD: QUIET}, {POD: after(limit_bytes=200)}) == {LIMIT}
    assert found({POD: QUIET}, {ROLLED_OUT: ContainerPulse(restarts=0, limit_bytes=200)}) == {LIMIT, PODS}


def test_replaced_pods() -> None:
    """The incident's own is gone, another template's came, or a StatefulSet's namesake."""
    fresh = ContainerPulse(restarts=0, limit_bytes=96)

    assert found({POD: QUIET, OTHER: QUIET}, {OTHER: QUIET}) == {PODS}
    assert found({POD: QUIET}, {}) == {PODS}
    assert found({POD: QUIET}, {POD: QUIET, ROLLED_OUT: fresh}) == {PODS}
    assert changes({"db-0": QUIET}, {"db-0": fresh}, pod="db-0", looked_at=AT) == {PODS}


def test_readiness_counts_when_it_lasts_for_two_rounds() -> None:
    """A crash loop is ready and not ready all the time."""
    down = settled({POD: QUIET}, {POD: after(is_ready=False)})
    still_down = settled(down, {POD: after(is_ready=False)})

    assert changes({POD: QUIET}, down, pod=POD, looked_at=AT) == frozenset()
    assert changes(down, settled(down, {POD: QUIET}), pod=POD, looked_at=AT) == frozenset()
    assert changes(down, still_down, pod=POD, looked_at=AT) == {READY}


def counted(*rounds: dict[str, ContainerPulse], known: int = 0) -> dict[str, int]:
    """The kills after several rounds, of which the first is what there was."""
    watch = WatchMemory()
    for pods in rounds:
        now = settled(watch.pods, pods)
        watch = replace(with_kills(watch, now, known={POD: known}), pods=now)
    return dict(watch.kills)


def test_kills_are_counted_once_however_many_sources_tell_them() -> None:
    """A look has counted four by the API; the metrics still say three, then four."""
    at = [AT + timedelta(minutes=m) for m in range(4)]

    assert counted({POD: QUIET}, {POD: after(restarts=4, died_at=at[0])}, known=4) == {POD: 4}
    assert counted({POD: QUIET}, {POD: after(died_at=at[0])}, {POD: after(restarts=4, died_at=at[0])}, known=3) == {POD: 4}
    assert counted({POD: QUIET}, {POD: after(restarts=7, died_at=at[1])}, {POD: after(restarts=10, died_at=at[2])}, known=3) == {POD: 10}


def test_the_end_of_a_run_counts_once() -> None:
    """A Job's pod that is never started again; and an end that is told for minutes after the restart."""
    began, at = ContainerPulse(restarts=0), AT + timedelta(minutes=1)
    ended = ContainerPulse(restarts=0, reason="OOMKilled", is_ended=True)

    assert counted({POD: began}, {POD: ended}, {POD: ended}) == {POD: 1}
    assert counted({POD: began}, {POD: replace(ended, died_at=at)}, {POD: replace(ended, restarts=1, died_at=at)}) == {POD: 1}


def test_only_kills_are_counted_as_such() -> None:
    """Old ones are the looks' to count, and a crash is none."""
    later = AT + timedelta(minutes=1)

    assert counted({POD: QUIET}) == {}
    assert counted({POD: QUIET}, {POD: after(restarts=4, died_at=later, reason="Error")}) == {}
    assert counted({POD: QUIET}, {POD: after(restarts=4, died_at=later)}) == {POD: 1}  # the three before it may have been anything


def test_kills_of_replaced_pods_stay() -> None:
    """Those of the pod that is gone, and all of one that came and died."""
    killed = after(restarts=5, died_at=AT + timedelta(minutes=1))
    fresh = ContainerPulse(restarts=2, died_at=AT + timedelta(minutes=3), reason="OOMKilled")

    assert counted({POD: QUIET}, {POD: killed}, {ROLLED_OUT: fresh}, known=3) == {POD: 5, ROLLED_OUT: 2}


def test_who_was_left_out_of_a_large_workload_is_not_new() -> None:
    """Only the pods with most restarts are remembered: one that comes among them has a past."""
    many = {f"checkout-655779759d-bbb{i:02d}": QUIET for i in range(MOST_PODS)}

    assert counted(many, {**many, POD: after(restarts=4, died_at=AT + timedelta(minutes=1))}) == {POD: 1}
