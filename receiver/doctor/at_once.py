"""Several questions at a time, on threads that nobody has to wait for at the end of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

AT_A_TIME = 6  # a small Prometheus evaluates twenty queries at once

T = TypeVar("T")


def at_once(asks: Sequence[Callable[[], T]]) -> list[T]:
    """All answers, in order. The first error in that order; after one no more is begun."""
    answers: dict[int, T] = {}
    errors: dict[int, Exception] = {}
    waiting = iter(range(len(asks)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = None if errors else next(waiting, None)
            if number is None:
                return
            try:
                answers[number] = asks[number]()
            except Exception as exc:  # noqa: BLE001  raised again below, on the thread of who asked
                errors[number] = exc

    threads = [threading.Thread(target=work, name="doctor-question", daemon=True) for _ in range(min(AT_A_TIME, len(asks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[min(errors)]
    return [answers[number] for number in range(len(asks))]
