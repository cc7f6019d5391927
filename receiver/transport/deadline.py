"""A moment that several requests share."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment that several requests share. `left_s` never goes below 0."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._at - self._clock())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.left_s() <= 0.0
