"""Backtests on a Prometheus that has one series and stops when the test says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from receiver.rulepack.backtest import Asker, Backtest, Limits, Range, RuleSet, Runner
from receiver.rulepack.backtest.plan import AlertRule
from receiver.transport import Http, HttpConfig
from tests.fakes.ranges import RangePrometheus

DAY_S = 86_400
RANGE = Range(start_s=0, end_s=7 * DAY_S)


@pytest.fixture
def prometheus() -> Iterator[RangePrometheus]:
    with RangePrometheus() as running:
        yield running


def rules(*, for_s: float, expr: str = "container_x > 1") -> RuleSet:
    alert = AlertRule(name="A", severity="warning", expr=expr, interval_s=60, for_s=for_s, keep_s=300, labels={"severity": "warning"})
    return RuleSet(alerts=(alert,), records=())


def backtest(prometheus: RangePrometheus, rule_set: RuleSet, *, max_queries: int = 500) -> Backtest:
    http = Http(HttpConfig(base_url=prometheus.url, name="Prometheus", tries=1))
    return Runner(Asker(http, limits=Limits(max_queries=max_queries), sleep=lambda _: None), RANGE).run(rule_set)


@pytest.mark.parametrize("for_s", [0, 300], ids=["evaluated at once", "looked for first"])
def test_what_still_fires_where_the_budget_ends_is_open(prometheus: RangePrometheus, for_s: int) -> None:
    """Nothing is known of the time after: the firing is not called over, nor the time evaluated."""
    needed = backtest(prometheus, rules(for_s=for_s)).load.queries
    (outcome,) = backtest(prometheus, rules(for_s=for_s), max_queries=needed - 1).outcomes

    ((first_s, last_s),) = outcome.windows
    assert (first_s, "--max-queries" in outcome.missing) == (0, True)
    assert 0 < last_s < RANGE.end_s
    (firing,) = outcome.firings
    assert (firing.span.from_s, firing.span.until_s, firing.span.is_open) == (for_s, last_s, True)


def test_an_alert_with_a_for_asks_for_the_pods_it_found(prometheus: RangePrometheus) -> None:
    """First every five minutes for everything, then every minute for one pod."""
    backtest(prometheus, rules(for_s=330))
    asked = [one for one in prometheus.asked if one.query.endswith("> 1")]

    assert {(one.step_s, one.query) for one in asked} == {(300, "container_x > 1"), (60, 'container_x{pod=~"cart\\\\-0"} > 1')}


def test_two_series_that_would_be_one_alert_are_an_error_as_in_prometheus(prometheus: RangePrometheus) -> None:
    """Only the metric's name tells them apart, and an alert drops it: Prometheus refuses to evaluate that."""
    prometheus.series = [{"__name__": "x", "pod": "a"}, {"__name__": "y", "pod": "a"}]
    (outcome,) = backtest(prometheus, rules(for_s=0)).outcomes

    assert not outcome.was_asked
    assert "the same labels at once" in outcome.missing


def test_alerts_on_alerts_are_not_backtested(prometheus: RangePrometheus) -> None:
    """ALERTS is there only once the rules are on."""
    (outcome,) = backtest(prometheus, rules(for_s=0, expr='ALERTS{alertname="B"} == 1')).outcomes

    assert not outcome.was_asked
    assert "ALERTS" in outcome.missing
