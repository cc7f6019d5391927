"""One request with its answer, bounded as a whole: by its last moment and by the bytes that it may bring.

A timeout of a socket is about one wait, and starts again with each byte: an answer that drips never ends. So the sockets here ask,
before each wait, how much of the whole exchange is left. It holds of connecting, TLS, sending, headers and body alike, costs no
thread, and needs nobody who watches.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from receiver.transport.deadline import Deadline


class Flooded(OSError):
    """The other side sent more than an answer may hold."""


class Exchange:
    """What is left of one exchange, and what happened in it. `most_bytes`: that may be received, headers and framing included."""

    __slots__ = ("_deadline", "_left_bytes", "has_sent")

    def __init__(self, deadline: Deadline, *, most_bytes: int) -> None:
        self._deadline = deadline
        self._left_bytes = most_bytes
        self.has_sent = False  # whether anything of the request may have left

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return self._deadline.is_over

    @property
    def is_flooded(self) -> bool:
        """Whether more came than may."""
        return self._left_bytes < 0

    def left_s(self) -> float:
        """Seconds that the next wait may take. TimeoutError when none are left: 0 would mean to a socket not to wait, and to look."""
        left_s = self._deadline.left_s()
        if left_s <= 0:
            raise TimeoutError("the whole exchange has had its time")
        return left_s

    def received(self, n: int) -> None:
        """So many bytes came. Flooded when they are too many."""
        self._left_bytes -= n
        if self.is_flooded:
            raise Flooded("the answer is larger than it may be")


class Exchanges(threading.local):
    """The exchange that this thread is in, as its sockets see it; connections are shared, and serve one thread at a time."""

    current: Exchange | None = None

    @contextmanager
    def bounded_by(self, exchange: Exchange) -> Iterator[None]:
        """Bound what this thread's sockets do meanwhile."""
        before, self.current = self.current, exchange
        try:
            yield
        finally:
            self.current = before
