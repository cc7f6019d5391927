"""Backtests that somebody asks for on the page: one at a time, bounded, and cancelled when somebody says so. The newest result is kept in
memory, as a picture (decision 0017).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from receiver.errors import ReceiverError
from receiver.render.text import clean_line

if TYPE_CHECKING:
    from receiver.rulepack.backtest.run import Backtest
    from receiver.web.rules.timeline import Timeline

log = logging.getLogger(__name__)

MOST_S = 120.0  # of one backtest: whoever waits for more has a terminal
DAYS = (1, 3, 7)  # how far back one may look here


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One backtest. `now`: where it ends. `clock`: monotonic, and leaps ahead when nothing more is to be asked. `progress`: told how far it is."""

    days: int
    now: float
    clock: Callable[[], float]
    progress: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One that is under way. `days` back; `began`: seconds since 1970."""

    days: int
    began: float
    progress: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The newest that ended. `picture` None: it failed, and `why` says how."""

    days: int
    at: float
    picture: Timeline | None = None
    why: str = ""
    is_cancelled: bool = False


class BacktestDesk:
    """Runs them on a thread of its own. `run` None: there is nothing to ask."""

    def __init__(
        self, run: Callable[[Order], Backtest] | None, *, now: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._run = run
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self.running: Running | None = None
        self.done: Done | None = None

    @property
    def is_possible(self) -> bool:
        """Whether there is a Prometheus to ask."""
        return self._run is not None

    def start(self, days: int) -> bool:
        """Begin one; False while another runs, where there is nothing to ask, and for another number of days than DAYS."""
        if self._run is None or days not in DAYS:
            return False
        with self._lock:
            if self.running is not None:
                return False
            self.running = Running(days=days, began=self._now())
        threading.Thread(target=self._work, args=(days,), name="backtest", daemon=True).start()
        return True

    def cancel(self) -> None:
        """Ask nothing more: it ends with the question under way, and shows what is known until then."""
        with self._lock:
            if self.running is not None:
                self.running = replace(self.running, is_cancelled=True)

    def _work(self, days: int) -> None:
        from receiver.web.rules.timeline import timeline  # memory that few ask for

        assert self._run is not None
        picture, why = None, ""
        try:
            picture = timeline(self._run(Order(days=days, now=self._now(), clock=self._clock, progress=self._told)))
        except ReceiverError as exc:
            why = clean_line(str(exc), 300)
        except Exception as exc:
            log.exception("a backtest failed")
            why = type(exc).__name__
        with self._lock:
            is_cancelled = self.running is not None and self.running.is_cancelled
            self.done = Done(days=days, at=self._now(), picture=picture, why=why, is_cancelled=is_cancelled)
            self.running = None

    def _clock(self) -> float:
        """Monotonic; far ahead once it is cancelled, so that its budget is used up."""
        running = self.running
        return self._monotonic() + (10 * MOST_S if running is not None and running.is_cancelled else 0.0)

    def _told(self, text: str) -> None:
        with self._lock:
            if self.running is not None:
                self.running = replace(self.running, progress=clean_line(text, 200))
