"""Several exchanges at a time, on threads that do not outlive the program: Ctrl-C waits for no answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def several(calls: Sequence[Callable[[], T]], *, at_a_time: int, told: Callable[[int], None] = lambda n: None) -> list[T]:
    """What the calls return, in their order. The first that raises ends it: its error is raised, and no further call is begun.

    `told`: before the answer of each is waited for, on the caller's thread, with its place from 1 on.
    """
    answers: list[Future[T]] = [Future() for _ in calls]
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for i in range(len(calls)):
        waiting.put(i)
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            try:
                i = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers[i].set_result(calls[i]())
            except BaseException as exc:  # noqa: BLE001  # whoever waits for it raises it
                is_over.set()  # those before it are under way; those after it would fail as well
                answers[i].set_exception(exc)

    for n in range(min(at_a_time, len(calls))):
        threading.Thread(target=work, name=f"several-{n}", daemon=True).start()
    found = []
    try:
        for n, answer in enumerate(answers, 1):
            told(n)
            found.append(answer.result())
    finally:
        is_over.set()
    return found
