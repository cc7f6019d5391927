"""A week asked for in pieces: what a Prometheus that is small, busy, slow, strange or away makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from receiver.errors import Forbidden, NotFound, SourceError, Unavailable, Unreadable
from receiver.rulepack.backtest.asking import MAX_POINTS, MAX_SETBACKS, Asker, Covered, Limits
from receiver.transport import Http, HttpConfig
from tests.fakes.ranges import RangePrometheus

STEP_S = 60
END_S = 7 * 86_400
ALL = ((0, END_S),)


@pytest.fixture
def prometheus() -> Iterator[RangePrometheus]:
    with RangePrometheus() as running:
        yield running


class Client:
    """An asker that notes what it is given, how long it slept and what it told."""

    def __init__(self, prometheus: RangePrometheus, limits: Limits | None = None, clock: Callable[[], float] | None = None) -> None:
        self.slept: list[float] = []
        self.told: list[str] = []
        self.times: list[int] = []
        http = Http(HttpConfig(base_url=prometheus.url, name="Prometheus", read_timeout_s=70, tries=1), sleep=self.slept.append)
        more: dict[str, Any] = {"clock": clock} if clock else {}
        self.asker = Asker(http, limits=limits or Limits(), progress=self.told.append, sleep=self.slept.append, **more)

    def ask(self, *, end_s: int = END_S, share: float = 1.0) -> Covered:
        return self.asker.range(
            "x", start_s=0, end_s=end_s, step_s=STEP_S, what="X", share=share,
            on_series=lambda labels, points: self.times.extend(at for at, _ in points),
        )  # fmt: skip


def test_every_evaluation_comes_once_and_in_order(prometheus: RangePrometheus) -> None:
    """A week of minutes: no gap and no overlap between the pieces, never over Prometheus' limit, one query at a time."""
    client = Client(prometheus)

    assert client.ask() == Covered(windows=ALL)
    assert client.times == list(range(0, END_S + 1, STEP_S))
    assert max(asked.points for asked in prometheus.asked) <= MAX_POINTS
    assert prometheus.most_at_once == 1
    assert client.asker.load.queries == len(prometheus.asked) < 8


def test_the_first_piece_is_small_and_the_next_as_large_as_it_was_cheap(prometheus: RangePrometheus) -> None:
    """Four times larger while that costs little; where an evaluation reads 100,000 samples, within twenty million a piece."""
    Client(prometheus).ask()
    assert [asked.points for asked in prometheus.asked] == [360, 1440, 5760, 2521]

    prometheus.asked.clear()
    prometheus.samples_each = 100_000
    Client(prometheus).ask()
    assert {asked.points for asked in prometheus.asked[1:-1]} == {200}
    assert all(asked.form["timeout"].removesuffix("s").isdigit() for asked in prometheus.asked)


def test_too_many_samples_makes_pieces_smaller(prometheus: RangePrometheus) -> None:
    """A Prometheus that takes 100 evaluations at a time still answers all of them."""
    prometheus.max_points = 100
    client = Client(prometheus, Limits(max_queries=1000))

    assert client.ask(end_s=86_400) == Covered(windows=((0, 86_400),))
    assert client.times == list(range(0, 86_401, STEP_S))
    assert any("too many samples" in line for line in client.told)


def test_what_fails_however_small_is_given_up_with_the_reason(prometheus: RangePrometheus) -> None:
    """After a bounded number of tries, in Prometheus' own words."""
    prometheus.max_points = 5
    client = Client(prometheus)
    covered = client.ask()

    assert covered.windows == ()
    assert "too many samples" in covered.why
    assert len(prometheus.asked) <= MAX_SETBACKS


def test_a_stretch_that_cannot_be_evaluated_leaves_the_rest(prometheus: RangePrometheus) -> None:
    """Duplicate series for a moment on Tuesday: the days around it are answered, and the hole is said."""
    prometheus.broken_s = 200_000
    covered = Client(prometheus).ask()

    (_, hole_from), (hole_until, last) = covered.windows
    assert hole_from < 200_000 < hole_until
    assert hole_until - hole_from <= 12 * STEP_S
    assert last == END_S
    assert "duplicate series" in covered.why


def test_a_busy_server_is_given_time(prometheus: RangePrometheus) -> None:
    """503 makes the piece smaller; 429 is waited for."""
    prometheus.statuses = [503, 429]
    client = Client(prometheus)

    assert client.ask() == Covered(windows=ALL)
    assert [asked.points for asked in prometheus.asked[:3]] == [360, 90, 90]
    assert max(client.slept) >= 2.0


def test_a_refused_expression_is_not_asked_again(prometheus: RangePrometheus) -> None:
    """400: no smaller piece would parse."""
    prometheus.statuses = [400]
    covered = Client(prometheus).ask()

    assert covered.windows == ()
    assert "refused the query: refused with 400" in covered.why
    assert len(prometheus.asked) == 1


@pytest.mark.parametrize(
    ("status", "error", "hint"), [(401, Forbidden, "PROMETHEUS_TOKEN"), (404, NotFound, "address"), (302, NotFound, "redirects")]
)
def test_a_wrong_address_or_token_ends_it_at_once(prometheus: RangePrometheus, status: int, error: type[SourceError], hint: str) -> None:
    """No other question would fare better."""
    prometheus.statuses = [status] * 9

    with pytest.raises(error, match=hint):
        Client(prometheus).ask()
    assert len(prometheus.asked) == 1


@pytest.mark.parametrize(
    "body", [b"<html>login</html>", b"[]", b'{"status": "success", "data": {"result": [{"metric": {}}]}}', b'{"a": 1}']
)
def test_an_answer_that_is_none_is_said(prometheus: RangePrometheus, body: bytes) -> None:
    """A login page, another service, half an answer."""
    prometheus.body = body

    with pytest.raises(Unreadable):
        Client(prometheus).ask()


def test_nobody_there_is_an_error_and_somebody_who_leaves_is_a_reason(prometheus: RangePrometheus) -> None:
    """At the first question there is nothing to report; later, what was answered is kept, and nothing more is asked."""
    client = Client(prometheus)
    client.ask(end_s=3600)
    prometheus.stop()
    covered = client.ask()
    queries = client.asker.load.queries

    assert covered.windows == ()
    assert "stopped answering" in covered.why
    assert client.ask().why == covered.why
    assert client.asker.load.queries == queries
    with pytest.raises(Unavailable, match="cannot be reached"):
        Client(prometheus).ask()


def test_the_budget_of_queries_holds(prometheus: RangePrometheus) -> None:
    """What was answered until then counts; the reason names the option."""
    client = Client(prometheus, Limits(max_queries=2))
    covered = client.ask()

    assert len(prometheus.asked) == 2
    assert covered.windows == ((0, 1799 * STEP_S),)
    assert "--max-queries" in covered.why


def test_the_budget_of_seconds_holds_and_one_alert_takes_its_share(prometheus: RangePrometheus) -> None:
    """Ten seconds a look at the clock: the whole budget ends it, and a tenth of it ends one expression sooner."""
    ticks = iter(range(0, 10_000, 10))
    client = Client(prometheus, Limits(max_seconds=300), clock=lambda: float(next(ticks)))
    shared = client.ask(share=0.1)
    whole = client.ask()

    assert "its share" in shared.why
    assert "--max-seconds" in whole.why


def test_a_server_that_tells_no_statistics_is_asked_all_the_same(prometheus: RangePrometheus) -> None:
    """Thanos and VictoriaMetrics: the load then says that samples were not told."""
    prometheus.tells_stats = False
    prometheus.warnings = ["partial response"]
    client = Client(prometheus)

    assert client.ask() == Covered(windows=ALL)
    assert client.asker.load.samples is None
    assert list(client.asker.warnings) == ["partial response"]


def test_a_slow_answer_is_cut_off_and_asked_in_smaller_pieces(prometheus: RangePrometheus) -> None:
    """A proxy that lets queries hang: the client does not wait longer than it told the server to work."""
    prometheus.slow_s = 0.2
    http = Http(HttpConfig(base_url=prometheus.url, name="Prometheus", read_timeout_s=0.05, tries=1))
    asker = Asker(http, limits=Limits(), sleep=lambda _: None)
    covered = asker.range("x", start_s=0, end_s=END_S, step_s=STEP_S, on_series=lambda *_: None, what="X")

    assert covered.windows == ()
    assert "did not answer in time" in covered.why
    assert [asked.points for asked in prometheus.asked][:3] == [360, 90, 22]
