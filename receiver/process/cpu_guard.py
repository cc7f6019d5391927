"""Ends threads that compute for too long.

What comes from the network is bounded, and so is the work on it as far as anybody knows. A mistake in that must cost one look and not
the receiver: a thread that computes on and on holds up all others, because only one of them runs at a time.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from receiver.errors import ComputedTooLong

log = logging.getLogger(__name__)

BUDGET_S = 20.0  # of CPU: a look takes 0.1 s, one at the largest inputs that are read takes 2 s


@dataclass(slots=True, kw_only=True)
class _Watched:
    what: str
    thread: int
    began_s: float


class CpuGuard:
    """Threads that said what they compute, and what they have used since. `check` is called now and then by somebody else.

    It interrupts Python code at any place, so only what can be thrown away belongs inside. A regular expression is one step to Python
    and is not interrupted; the kubelet's liveness probe is the guard against that (docs/decisions).
    """

    def __init__(self, budget_s: float = BUDGET_S, *, cpu_s_of: Callable[[int], float] | None = None) -> None:
        """`cpu_s_of`: seconds of CPU that a thread has used so far, by its ident."""
        self._budget_s = budget_s
        self._cpu_s_of = cpu_s_of or _cpu_s_of
        self._lock = threading.Lock()
        self._watched: dict[int, _Watched] = {}

    @contextmanager
    def within(self, what: str) -> Iterator[None]:
        """Compute here at most for the budget; ComputedTooLong comes out of it otherwise."""
        thread = threading.get_ident()
        with self._lock:
            outer = self._watched.get(thread)
            self._watched[thread] = _Watched(what=what, thread=thread, began_s=time.thread_time())
        try:
            yield
        finally:
            with self._lock:  # after this nobody interrupts us any more
                if outer is None:
                    del self._watched[thread]
                else:
                    self._watched[thread] = outer

    def check(self) -> int:
        """Interrupt whoever has used up its budget; returns how many did."""
        with self._lock:
            over = [w for w in self._watched.values() if self._cpu_s_of(w.thread) - w.began_s > self._budget_s]
            for watched in over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched.thread), ctypes.py_object(ComputedTooLong))
        for watched in over:
            log.error("a thread computed for too long and was interrupted", extra={"what": watched.what, "budget_s": self._budget_s})
        return len(over)


def _cpu_s_of(thread: int) -> float:
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0  # not known here (macOS): nobody is interrupted
    return time.clock_gettime(time.pthread_getcpuclockid(thread))
