"""Several calls at a time: answers in order, and nothing is waited for in vain."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from receiver.transport.several import several


def test_answers_come_in_order_and_several_are_under_way() -> None:
    together = threading.Barrier(3, timeout=5)
    said: list[int] = []

    def call(n: int) -> int:
        together.wait()
        return n

    assert several([partial(call, n) for n in range(6)], at_a_time=3, told=said.append) == list(range(6))
    assert said == [1, 2, 3, 4, 5, 6]


def test_the_first_failure_ends_it_and_nothing_more_is_begun() -> None:
    """A server that is away is not asked fifty times."""
    begun: list[int] = []

    def call(n: int) -> int:
        begun.append(n)
        raise ConnectionError(f"away {n}")

    with pytest.raises(ConnectionError, match="away 0"):
        several([partial(call, n) for n in range(50)], at_a_time=1)
    assert len(begun) < 50


def test_a_call_that_hangs_does_not_keep_the_program() -> None:
    """Its thread is a daemon, so that Ctrl-C is the end of it."""
    hangs, is_daemon = threading.Event(), []

    def call() -> None:
        is_daemon.append(threading.current_thread().daemon)
        if len(is_daemon) == 1:
            raise KeyboardInterrupt
        hangs.wait(30)

    with pytest.raises(KeyboardInterrupt):
        several([call, call], at_a_time=1)
    hangs.set()
    assert is_daemon[0]


def test_nothing_to_do_is_nothing() -> None:
    assert several([], at_a_time=4) == []
