"""Bearer tokens that are replaced under a running program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from receiver.transport.failures import Unauthenticated

TOKEN_MAX_AGE_S = 60.0  # the kubelet replaces a projected token at 80 % of its life (an hour by default)


class Token:
    """A bearer token: fixed, or in a file that is read again after a minute and after a 401."""

    def __init__(self, value: str = "", path: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._value = value.strip()
        self._read_at: float | None = None

    def value(self) -> str:
        """The token to send now; empty for none. Unauthenticated when its file cannot be read and none was read before."""
        with self._lock:
            if self._path and (self._read_at is None or self._clock() - self._read_at >= TOKEN_MAX_AGE_S):
                self._read()
            return self._value

    def refresh(self, refused: str) -> bool:
        """Read the file again because `refused` was answered 401. True when there is another token now."""
        with self._lock:
            if self._path and self._value == refused:
                self._read()
            return self._value != refused

    def _read(self) -> None:
        try:
            self._value = Path(self._path).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as exc:
            if not self._value:
                raise Unauthenticated(f"the token file {self._path} cannot be read: {type(exc).__name__}") from exc
        self._read_at = self._clock()
