"""A service that does not answer at all is left alone for a while, so that a storm does not wait for it one by one."""

from __future__ import annotations

import socket

import pytest

from receiver.demo.standins import PrometheusStandin
from receiver.transport import BREAKER_FAILURES, BREAKER_OPEN_S, Breaker, ConnectionFailed, Http, HttpConfig, NotAsked
from tests.support import Clock


def test_it_opens_after_failures_in_a_row_and_lets_one_try_after_a_while() -> None:
    """An answer in between starts the count anew; after the pause one caller tries, the others still wait."""
    clock = Clock()
    breaker = Breaker(clock=clock.monotonic)
    breaker.failed()
    breaker.answered()
    for _ in range(BREAKER_FAILURES - 1):
        breaker.failed()
    before = breaker.left_s()
    breaker.failed()
    opened = breaker.left_s()
    clock.advance(BREAKER_OPEN_S + 0.1)
    first, second = breaker.left_s(), breaker.left_s()
    breaker.answered()

    assert before == 0
    assert opened == pytest.approx(BREAKER_OPEN_S)
    assert (first, second > 0) == (0.0, True)
    assert breaker.left_s() == 0


def test_a_refused_service_is_not_asked_again_at_once() -> None:
    """Three refused connections, then the same words without a fourth try."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        http = Http(HttpConfig(base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}", name="Prometheus", tries=1), sleep=lambda _: None)
        errors = []
        for _ in range(BREAKER_FAILURES + 1):
            with pytest.raises(ConnectionFailed) as caught:
                http.get_json("/x")
            errors.append(caught.value)

    assert [isinstance(e, NotAsked) for e in errors] == [False] * BREAKER_FAILURES + [True]
    assert str(errors[-1]) == str(errors[-2])


def test_errors_that_are_answers_open_nothing() -> None:
    """A service that says 404 is there."""
    with PrometheusStandin([]) as standin:
        http = Http(HttpConfig(base_url=standin.url, name="Prometheus", tries=1))
        answers = [http.get_json("/api/v1/labels") for _ in range(BREAKER_FAILURES + 2)]

    assert len(answers) == BREAKER_FAILURES + 2
