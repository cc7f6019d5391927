"""How often somebody may be wrong about a token."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 60.0
OF_ONE, OF_ALL = 10, 200  # wrong tokens in a minute: of one address, of all together
MOST_ADDRESSES = 1_000


class Attempts:
    """Counts wrong tokens by address. Thread-safe. Whoever is over the bound waits until the minute is."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._wrong: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()

    def wait_s(self, address: str) -> float:
        """For how long nothing from that address is looked at; 0 when it is now."""
        now = self._monotonic()
        with self._lock:
            mine = self._wrong.get(address, deque())
            return max(_wait(mine, OF_ONE, now), _wait(self._all, OF_ALL, now), 0.0)

    def wrong(self, address: str) -> None:
        """A token from there was wrong."""
        now = self._monotonic()
        with self._lock:
            if address not in self._wrong and len(self._wrong) >= MOST_ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
            for times, most in ((self._wrong.setdefault(address, deque()), OF_ONE), (self._all, OF_ALL)):
                times.append(now)
                while len(times) > most:
                    times.popleft()


def _wait(times: deque[float], most: int, now: float) -> float:
    return times[0] + WINDOW_S - now if len(times) >= most else 0.0
