"""Traces of kills become kills."""

from __future__ import annotations

from receiver.rulepack.backtest.kills import COUNTED, DATED, DEAD, PROCESS, PastKill, fold


def seen(trace: str, *times_s: float, container: str = "cart", cluster: str = "") -> list[PastKill]:
    return [
        PastKill(cluster=cluster, namespace="shop", pod="cart-0", container=container, at_s=at_s, is_exact=trace == DATED, traces=(trace,))
        for at_s in times_s
    ]


def test_one_kill_seen_four_ways_is_one() -> None:
    """It keeps the exact time, and says what told of it."""
    kills = fold({DATED: seen(DATED, 1000.0), COUNTED: seen(COUNTED, 1030), DEAD: seen(DEAD, 1060), PROCESS: seen(PROCESS, 930)})

    assert [(kill.at_s, kill.is_exact, kill.traces) for kill in kills] == [(1000.0, True, (DATED, COUNTED, DEAD, PROCESS))]


def test_two_deaths_a_minute_apart_are_two() -> None:
    """Exact times and restarts are a kill each; only other traces of the same one fold."""
    assert len(fold({DATED: seen(DATED, 1000.0, 1060.0), PROCESS: seen(PROCESS, 1000, 1060)})) == 2
    assert len(fold({COUNTED: seen(COUNTED, 1000, 1060)})) == 2


def test_the_same_death_from_two_exporters_is_one() -> None:
    """kube-state-metrics in two replicas, or while it rolls."""
    assert len(fold({DATED: [*seen(DATED, 1000.0), *seen(DATED, 1000.0)]})) == 1


def test_a_dying_worker_in_a_living_container_is_a_kill_of_its_own() -> None:
    """Only the OOM counter tells; kills within three minutes cannot be told apart by it."""
    kills = fold({DATED: seen(DATED, 1000.0), PROCESS: seen(PROCESS, 5000, 5060, 9000)})

    assert [(kill.at_s, kill.is_process) for kill in kills] == [(1000.0, False), (5000, True), (9000, True)]


def test_containers_and_clusters_are_told_apart() -> None:
    """The same second in two places is two kills."""
    traces = {DATED: [*seen(DATED, 1000.0), *seen(DATED, 1000.0, container="proxy"), *seen(DATED, 1000.0, cluster="eu")]}

    assert len(fold(traces)) == 3


def test_a_worker_killed_every_minute_of_a_week() -> None:
    """Ten thousand points of one counter are kills more than three minutes apart."""
    kills = fold({PROCESS: seen(PROCESS, *range(0, 604_800, 60))})

    assert 2_500 < len(kills) < 2_600
