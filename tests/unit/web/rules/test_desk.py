"""Backtests on demand: one at a time, cancelled, and what becomes of one that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from receiver.errors import Unavailable
from receiver.rulepack.backtest.asking import Load
from receiver.rulepack.backtest.history import Range
from receiver.rulepack.backtest.judge import Firing, Outcome
from receiver.rulepack.backtest.plan import AlertRule
from receiver.rulepack.backtest.run import Backtest
from receiver.rulepack.backtest.states import Span
from receiver.web.rules.desk import MOST_S, BacktestDesk, Order
from receiver.web.rules.timeline import COLUMNS, timeline
from tests.support import wait_until

HOUR_S = 3600
RULE = AlertRule(name="OOMKilled", severity="warning", expr="x", interval_s=60, for_s=0.0, keep_s=0.0, labels={})


def _found(*spans: tuple[int, int], asked: bool = True) -> Backtest:
    firings = tuple(Firing(labels=(("pod", "p"),), span=Span(from_s=first, until_s=last)) for first, last in spans)
    outcome = Outcome(
        rule=RULE, firings=firings, windows=((0, 24 * HOUR_S),) if asked else (), kills=(), caught=(), followed=0, undecided=0, incidents=0,
        missing="" if asked else "none of its metrics is there",
    )  # fmt: skip
    return Backtest(
        range=Range(start_s=0, end_s=24 * HOUR_S), kills=(), outcomes=(outcome,), incidents=0, recorded=(), absent=(), blind=(), missing=(),
        load=Load(queries=7, seconds=2.0),
    )  # fmt: skip


def test_firings_become_stretches_of_columns() -> None:
    """However many there are, no more than the picture has columns; those that touch are one."""
    picture = timeline(_found((0, HOUR_S), (HOUR_S, 2 * HOUR_S), (12 * HOUR_S, 12 * HOUR_S + 1)))
    many = timeline(_found(*((i * 20, i * 20 + 1) for i in range(4000))))

    assert [(s.first, s.width) for s in picture.alerts[0].stretches] == [(0, 31), (COLUMNS // 2, 1)]
    assert len(many.alerts[0].stretches) <= COLUMNS
    assert (picture.alerts[0].fired, picture.queries) == (3, 7)


def test_what_was_not_asked_for_is_not_known() -> None:
    """And not "never"."""
    line = timeline(_found(asked=False)).alerts[0]

    assert (line.fired, line.missing) == (None, "none of its metrics is there")


class Held:
    """A backtest that waits to be let go."""

    def __init__(self, *, then: Callable[[], Backtest] = _found) -> None:
        self.orders: list[Order] = []
        self._go = threading.Event()
        self._then = then

    def __call__(self, order: Order) -> Backtest:
        self.orders.append(order)
        order.progress("[1/20] OOMKilled: 10 %")
        self._go.wait(30)
        return self._then()

    def let_go(self) -> None:
        """It ends."""
        self._go.set()


def test_one_at_a_time_and_the_newest_result_stays() -> None:
    """A second is refused while the first runs; what it found is there afterwards."""
    held = Held()
    desk = BacktestDesk(held, now=lambda: 1000.0)
    begun = desk.start(3)
    wait_until(lambda: desk.running is not None and desk.running.progress != "", what="progress")
    second, running = desk.start(1), desk.running
    held.let_go()
    wait_until(lambda: desk.running is None, what="the end of the backtest")

    assert (begun, second) == (True, False)
    assert running is not None
    assert (running.days, running.progress) == (3, "[1/20] OOMKilled: 10 %")
    assert desk.done is not None
    assert (desk.done.days, desk.done.at, desk.done.is_cancelled) == (3, 1000.0, False)
    assert desk.done.picture is not None


def test_cancelled_its_budget_is_used_up() -> None:
    """So it asks nothing more, and what it has until then is shown as a part."""
    held = Held()
    desk = BacktestDesk(held, now=lambda: 0.0, monotonic=lambda: 5.0)
    desk.start(1)
    wait_until(lambda: bool(held.orders), what="the backtest")
    before = held.orders[0].clock()
    desk.cancel()
    after = held.orders[0].clock()
    held.let_go()
    wait_until(lambda: desk.running is None, what="the end of the backtest")

    assert before == 5.0
    assert after > before + MOST_S
    assert desk.done is not None
    assert desk.done.is_cancelled


@pytest.mark.parametrize(
    ("error", "why"), [(Unavailable("Prometheus: connection refused"), "connection refused"), (ZeroDivisionError(), "ZeroDivisionError")]
)
def test_one_that_fails_says_how_and_the_next_may_begin(error: Exception, why: str) -> None:
    """A bug as well as a Prometheus that is away."""

    def fail(order: Order) -> Backtest:
        raise error

    desk = BacktestDesk(fail, now=lambda: 0.0)
    desk.start(1)
    wait_until(lambda: desk.running is None and desk.done is not None, what="the end of the backtest")

    assert desk.done is not None
    assert why in desk.done.why
    assert desk.start(1)
    wait_until(lambda: desk.running is None, what="the end of the next")


def test_nothing_is_begun_without_a_prometheus_or_for_other_days() -> None:
    """The form offers neither."""
    assert not BacktestDesk(None, now=lambda: 0.0).start(1)
    assert not BacktestDesk(Held(), now=lambda: 0.0).start(365)
