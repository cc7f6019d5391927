"""The threads, their start, their wake-ups and their end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from receiver.errors import StoreBroken, StoreError, StoreFenced
from receiver.process.cpu_guard import CpuGuard
from receiver.worker.dispatcher import Dispatcher
from receiver.worker.sender import Sender

log = logging.getLogger(__name__)

STOP_WAIT_S = 12.0  # longer than one POST may take
GUARD_EVERY_S = 2.0
STORE_TROUBLE_S = 1.0
NEWS_EVERY_S = 0.2  # what other receivers took is begun on within that time
GATHER_S = 0.01  # alerts that come one by one are worked off together: a step for each would cost as much as taking it


class _Runner(Protocol):
    def step(self) -> float:
        """Do what is due; the seconds until something is again."""


@dataclass(frozen=True, slots=True)
class _GuardRounds:
    guard: CpuGuard

    def step(self) -> float:
        self.guard.check()
        return GUARD_EVERY_S


@dataclass(frozen=True, slots=True)
class _NewsRounds:
    """Looks for what others stored, of which nothing wakes us here."""

    has_news: Callable[[], bool]
    wake: Callable[[], None]

    def step(self) -> float:
        if self.has_news():
            self.wake()
        return NEWS_EVERY_S


class Worker:
    """Runs a dispatcher and its senders until told to stop. Each sender has a thread of its own, and so has the guard.

    `has_news`: whether other receivers left something to do; None where there are no others.
    """

    def __init__(
        self, dispatcher: Dispatcher, *senders: Sender, guard: CpuGuard | None = None, has_news: Callable[[], bool] | None = None
    ) -> None:
        self.dispatcher = dispatcher
        self.senders = senders
        self._loops: list[tuple[str, _Runner, threading.Event]] = [("dispatcher", dispatcher, threading.Event())]
        self._loops += [(f"sender-{i}" if i else "sender", sender, threading.Event()) for i, sender in enumerate(senders)]
        self._loops.append(("guard", _GuardRounds(guard or CpuGuard()), threading.Event()))
        if has_news is not None:
            self._loops.append(("news", _NewsRounds(has_news, self.wake), threading.Event()))
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        dispatcher.when_done(self.wake)
        for sender in senders:
            sender.when_done(self.wake)

    def start(self) -> None:
        """Start the threads."""
        self.dispatcher.begin()
        for sender in self.senders:
            sender.begin()
        for name, runner, wake in self._loops:
            thread = threading.Thread(target=self._loop, args=(name, runner.step, wake), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Something was stored: look at once."""
        for _, _, wake in self._loops:
            wake.set()

    def is_stuck(self) -> bool:
        """Whether work is due and nothing moves. Who has not been started has nothing to do."""
        if not self._threads:
            return False
        return self.dispatcher.is_stuck() or any(s.is_stuck() for s in self.senders) or any(not t.is_alive() for t in self._threads)

    @property
    def stalled(self) -> Mapping[str, str]:
        """Sinks in which nothing arrives though something is due, and why."""
        return {name: why for sender in self.senders for name, why in sender.stalled.items()}

    @property
    def stalls(self) -> Mapping[str, float]:
        """For how many seconds that has been so, by sink."""
        return {name: seconds for sender in self.senders for name, seconds in sender.stalls.items()}

    def stop(self) -> None:
        """Claim no more, let the current POST end, and come back when every thread has."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(STOP_WAIT_S)
        for sender in self.senders:
            sender.close()
        self.dispatcher.close()

    def _loop(self, name: str, step: Callable[[], float], wake: threading.Event) -> None:
        trouble = ""
        while not self._stopping.is_set():
            try:
                wait_s = step()
                if trouble:
                    log.info("the store works again", extra={"loop": name})
                    trouble = ""
            except StoreFenced:
                log.error("another receiver has taken over; this one stops", extra={"loop": name})
                return
            except StoreBroken:  # whoever noticed has logged it, and the receiver is built anew
                wait_s = STORE_TROUBLE_S
            except StoreError as exc:
                if str(exc) != trouble:
                    trouble = str(exc)
                    log.error("the store is in trouble; trying again", extra={"loop": name, "error": trouble})
                wait_s = STORE_TROUBLE_S
            except Exception:
                # A loop that dies silently is worse than one that fails loudly every second.
                log.exception("a step failed", extra={"loop": name})
                wait_s = STORE_TROUBLE_S
            wake.wait(wait_s)
            self._stopping.wait(GATHER_S)
            wake.clear()
