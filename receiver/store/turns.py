"""Whose turn it is: a lock that is handed on in the order of asking, and accepts that are made durable together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, TypeVar

from receiver.errors import StoreError
from receiver.store.quarantine import UNREADABLE

T = TypeVar("T")
R = TypeVar("R")


class FairLock:
    """A lock that goes to whoever has waited longest, and every second time to somebody urgent before.

    `threading.Lock` goes to whoever runs when it is let go: mostly the thread that just held it, and an accept would wait behind a
    whole backlog that the dispatcher works off piece by piece.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._urgent: deque[threading.Lock] = deque()
        self._was_urgent = False
        self._is_held = False
        self._holder = 0

    @contextmanager
    def turn(self, *, is_urgent: bool = False) -> Iterator[None]:
        """Hold it for the time of the block. RuntimeError when this thread holds it already."""
        self._acquire(is_urgent=is_urgent)
        try:
            yield
        finally:
            self._release()

    def __enter__(self) -> None:
        self._acquire(is_urgent=False)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._release()

    def _acquire(self, *, is_urgent: bool) -> None:
        me = threading.get_ident()
        with self._mutex:
            if self._is_held:
                if self._holder == me:
                    raise RuntimeError("a transaction inside a transaction")
                turn = threading.Lock()
                turn.acquire()
                (self._urgent if is_urgent else self._waiting).append(turn)
            else:
                self._is_held, turn = True, None
        if turn is not None:
            turn.acquire()
        self._holder = me

    def _release(self) -> None:
        with self._mutex:
            self._holder = 0
            self._was_urgent = bool(self._urgent) and not (self._was_urgent and self._waiting)
            queue = self._urgent if self._was_urgent else self._waiting
            if queue:
                queue.popleft().release()  # held on, by that one
            else:
                self._is_held = False


@dataclass(slots=True, eq=False)
class _Entry(Generic[T, R]):
    item: T
    results: list[R] = field(default_factory=list)
    error: StoreError | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.results) or self.error is not None


class Together(Generic[T, R]):
    """Does what several threads want at the same time in one go: while one go is under way, the next gathers.

    `work` gets what they want and answers each; a StoreError, each of them gets. Nobody's `do` returns before its own work is done.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._work = work
        self._turn = threading.Lock()
        self._mutex = threading.Lock()
        self._gathered: list[_Entry[T, R]] = []

    def do(self, item: T) -> R:
        """Have it done, alone or together with others."""
        entry: _Entry[T, R] = _Entry(item)
        with self._mutex:
            self._gathered.append(entry)
        with self._turn:
            if not entry.is_done:
                self._lead(entry)
        if entry.error is not None:
            raise entry.error
        return entry.results[0]

    def _lead(self, entry: _Entry[T, R]) -> None:
        with self._mutex:
            group, self._gathered = self._gathered, []
        if entry in group and len(group) > 1:
            try:
                self._go(group)
            except UNREADABLE:
                pass  # what one of them brought must not cost the others: each goes alone now
            else:
                return
        self._go([entry])

    def _go(self, group: Sequence[_Entry[T, R]]) -> None:
        try:
            results = self._work([entry.item for entry in group])
        except StoreError as exc:
            for entry in group:
                entry.error = exc
            return
        for entry, result in zip(group, results, strict=True):
            entry.results.append(result)
