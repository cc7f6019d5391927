"""A circuit breaker, so that a storm of incidents does not wait for a dead service one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BREAKER_FAILURES = 3
BREAKER_OPEN_S = 10.0


class Breaker:
    """Stops asking a service that does not answer at all.

    Opens after BREAKER_FAILURES exchanges in a row without any HTTP answer, for BREAKER_OPEN_S; then it is half-open: one
    question is let through to see. An HTTP answer of any status means that the service is there; so does a refusal of TLS,
    which costs nobody a wait and may be over with the next certificate.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self.last_error = ""  # what the exchange that opened it met

    def left_s(self) -> float:
        """Seconds for which nothing is asked; 0 when the caller may ask (and is the one who tries, after an opening)."""
        with self._lock:
            if self._failures < BREAKER_FAILURES:
                return 0.0
            left_s = self._open_until - self._clock()
            if left_s <= 0:
                self._open_until = self._clock() + BREAKER_OPEN_S  # the others wait for what this one finds
            return max(0.0, left_s)

    def answered(self) -> None:
        """The service is there."""
        with self._lock:
            self._failures = 0

    def failed(self, error: str = "") -> None:
        """No HTTP answer came, for this reason."""
        with self._lock:
            self._failures += 1
            self.last_error = error
            self._open_until = self._clock() + BREAKER_OPEN_S
