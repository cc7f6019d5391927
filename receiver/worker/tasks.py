"""Work on threads that may never come back.

Each piece of work has a thread of its own, made for it: that costs a tenth of a millisecond, and a thread that hangs can be written off
without one being missing afterwards. They are daemons, so that none of them holds up the end of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    since: float
    thread: threading.Thread = field(repr=False)


class Tasks(Generic[Key]):
    """What is being worked on, by keys that its owner chooses. Whoever starts sees to it that there are not too many."""

    def __init__(self, name: str, *, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._running: dict[Key, _Task] = {}
        self._lost: list[threading.Thread] = []

    def start(self, key: Key, call: Callable[[], None], *, then: Callable[[], None] = lambda: None) -> None:
        """Do it on a thread. `then` is called when it has ended and is no longer among what runs."""

        def run() -> None:
            try:
                call()
            finally:
                self._ended(key)
                then()

        thread = threading.Thread(target=run, name=f"{self._name}-{key}", daemon=True)
        with self._changed:
            self._running[key] = _Task(since=self._monotonic(), thread=thread)
        thread.start()

    def __contains__(self, key: Key) -> bool:
        with self._changed:
            return key in self._running

    def __len__(self) -> int:
        with self._changed:
            return len(self._running)

    def age_s(self, key: Key) -> float:
        """For how long it has been running; 0 when it is not."""
        with self._changed:
            task = self._running.get(key)
            return self._monotonic() - task.since if task is not None else 0.0

    def running_longer_than(self, seconds: float) -> int:
        """How many have been running for longer than that."""
        now = self._monotonic()
        with self._changed:
            return sum(now - task.since > seconds for task in self._running.values())

    def write_off(self, key: Key) -> None:
        """It will not come back: it does not count as running any more. Its thread is counted until it ends after all."""
        with self._changed:
            task = self._running.pop(key, None)
            if task is not None:
                self._lost.append(task.thread)
            self._changed.notify_all()

    @property
    def lost(self) -> int:
        """How many were written off and have not ended yet."""
        with self._changed:
            self._lost = [thread for thread in self._lost if thread.is_alive()]
            return len(self._lost)

    def join(self, timeout_s: float) -> bool:
        """Wait until nothing runs. False when something still does."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout_s)

    def _ended(self, key: Key) -> None:
        with self._changed:
            task = self._running.get(key)
            if task is not None and task.thread is threading.current_thread():
                del self._running[key]
            self._changed.notify_all()
