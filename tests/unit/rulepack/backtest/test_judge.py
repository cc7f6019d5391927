"""Firings beside kills."""

from __future__ import annotations

import pytest

from receiver.rulepack.backtest.judge import LATE_S, REOPEN_S, Firing, How, Outcome, incidents, judge, whom
from receiver.rulepack.backtest.kills import PastKill
from receiver.rulepack.backtest.plan import AlertRule
from receiver.rulepack.backtest.states import Span

HOUR_S = 3600
END_S = 100 * HOUR_S
RULE = AlertRule(name="HighMemoryUsage", severity="warning", expr="x", interval_s=60, for_s=300, keep_s=0, labels={})


def firing(from_s: int, until_s: int, *, pod: str = "cart-0", container: str = "cart", is_open: bool = False, **more: str) -> Firing:
    labels = {"alertname": "HighMemoryUsage", "namespace": "shop", "pod": pod, "container": container, **more}
    kept = tuple(sorted((k, v) for k, v in labels.items() if v))
    return Firing(labels=kept, span=Span(from_s=from_s, until_s=until_s, is_open=is_open))


def kill(at_s: float, *, pod: str = "cart-0", container: str = "cart", cluster: str = "") -> PastKill:
    return PastKill(cluster=cluster, namespace="shop", pod=pod, container=container, at_s=at_s, is_exact=True)


def judged(firings: list[Firing], kills: list[PastKill], rule: AlertRule = RULE) -> Outcome:
    return judge(rule, firings, kills, windows=((0, END_S),), end_s=END_S, within_s=HOUR_S)


@pytest.mark.parametrize(
    ("span", "at_s", "how", "seconds"),
    [
        ((1000, 5000), 4000, How.BEFORE, 3000),
        ((1000, 5000), 5000, None, 0),
        ((1000, 5000), 1000, How.AFTER, 0),
        ((1000, 5000), 400, How.AFTER, 600),
        ((1000, 5000), 1000 - LATE_S, How.AFTER, LATE_S),
        ((1000, 5000), 1000 - LATE_S - 1, None, 0),
    ],
    ids=["while it fired", "as it ended", "the same second", "ten minutes before", "just in time", "too long before"],
)
def test_a_kill_is_caught_before_or_soon_after(span: tuple[int, int], at_s: float, how: How | None, seconds: float) -> None:
    """While the alert fires a kill was warned of; one shortly before it began was reported; another was missed."""
    result = judged([firing(*span)], [kill(at_s)])

    assert [(one.how, one.seconds) for one in result.caught] == ([(how, seconds)] if how else [])
    assert len(result.missed) == (how is None)


def test_the_second_kill_of_a_crash_loop_was_not_warned_of() -> None:
    """An alert that fires because of one kill and is still firing at the next has given no lead time."""
    result = judged([firing(1000, 5000)], [kill(900), kill(1500)])

    assert [one.how for one in result.caught] == [How.AFTER, How.DURING]
    assert result.median_of(How.BEFORE) is None


def test_other_containers_are_not_meant() -> None:
    """Another pod, another container of the pod, another cluster: not caught. An alert without a container means the pod."""
    others = [kill(2000, pod="cart-1"), kill(2000, container="proxy")]

    assert judged([firing(1000, 5000)], others).caught == ()
    assert len(judged([firing(1000, 5000, container="")], others).caught) == 1
    assert judged([firing(1000, 5000, cluster="eu")], [kill(2000, cluster="us")]).caught == ()
    assert len(judged([firing(1000, 5000, cluster="eu")], [kill(2000)]).caught) == 1


def test_a_firing_near_the_end_may_still_be_followed() -> None:
    """With a kill, without one, and too late to say are three answers."""
    result = judged([firing(1000, 2000), firing(50_000, 51_000), firing(END_S - 500, END_S, is_open=True)], [kill(2000 + HOUR_S)])

    assert (result.followed, result.without_kill, result.undecided) == (1, 1, 1)


def test_a_kill_at_the_very_end_is_not_called_missed() -> None:
    """The alert may speak of it after the range; if it did in time, it counts."""
    late = kill(END_S - 60)

    assert judged([], [late]).missed == ()
    assert len(judged([firing(END_S - 30, END_S)], [late]).caught) == 1


def test_only_kills_in_the_evaluated_time_are_held_against_an_alert() -> None:
    """Of a range of which a part could not be evaluated."""
    result = judge(RULE, [], [kill(10_000), kill(90_000)], windows=((0, 50_000),), end_s=END_S, within_s=HOUR_S, missing="503")

    assert [one.at_s for one in result.missed] == [10_000]


def test_an_alert_about_nodes_is_not_held_against_kills() -> None:
    """Neither caught nor missed, also when it never fired."""
    rule = AlertRule(name="N", severity="critical", expr="x", interval_s=60, for_s=0, keep_s=0, labels={}, names_pods=False)

    assert judged([], [kill(1000)], rule).kills is None


def test_replicas_are_one_workload_and_one_thread() -> None:
    """Fifty pods of a Deployment are named once; they open one thread, and another after a day of quiet."""
    pods = [f"orders-api-655779759d-bcd{i:02d}" for i in range(50)]
    first = [firing(1000 + i, 5000 + i, pod=pod) for i, pod in enumerate(pods)]
    later = [firing(5000 + 49 + REOPEN_S + 1, 200_000, pod=pods[7])]

    assert {whom(one) for one in first} == {"shop/orders-api (cart)"}
    assert (incidents(first), incidents([*first, *later])) == (1, 2)
