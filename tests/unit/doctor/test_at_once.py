"""Several questions at a time."""

from __future__ import annotations

import threading

import pytest

from receiver.doctor.at_once import AT_A_TIME, at_once
from receiver.errors import Unavailable


def test_answers_come_in_the_order_of_the_questions() -> None:
    """Though the first is the last to be answered; none is on a thread that would hold up the process."""
    others = threading.Barrier(AT_A_TIME)
    daemons: list[bool] = []

    def ask(number: int) -> int:
        if number < AT_A_TIME:
            others.wait(20)  # so many are under way together
        daemons.append(threading.current_thread().daemon)
        return number

    assert at_once([lambda n=n: ask(n) for n in range(20)]) == list(range(20))  # type: ignore[misc]
    assert all(daemons)
    assert at_once([]) == []


def test_an_error_ends_it() -> None:
    """What has begun is finished, nothing more is asked, and who asked gets the error."""
    asked: list[int] = []

    def ask(number: int) -> int:
        asked.append(number)
        raise Unavailable(str(number))

    with pytest.raises(Unavailable):
        at_once([lambda n=n: ask(n) for n in range(100)])  # type: ignore[misc]

    assert len(asked) <= AT_A_TIME
