"""The threads, their start, their wake-ups and their end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from receiver.errors import StoreBroken, StoreError, StoreFenced
from receiver.worker.dispatcher import Dispatcher
from receiver.worker.sender import Sender

log = logging.getLogger(__name__)

STOP_WAIT_S = 12.0  # longer than one POST may take
STORE_TROUBLE_S = 1.0


class Worker:
    """Runs a dispatcher and its senders until told to stop. Each sender has a thread of its own."""

    def __init__(self, dispatcher: Dispatcher, *senders: Sender) -> None:
        self.dispatcher = dispatcher
        self.senders = senders
        self._loops: list[tuple[str, Dispatcher | Sender, threading.Event]] = [("dispatcher", dispatcher, threading.Event())]
        self._loops += [(f"sender-{i}" if i else "sender", sender, threading.Event()) for i, sender in enumerate(senders)]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        dispatcher.when_done(self.wake)

    def start(self) -> None:
        """Start the threads."""
        for name, runner, wake in self._loops:
            thread = threading.Thread(target=self._loop, args=(name, runner.step, wake), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Something was stored: look at once."""
        for _, _, wake in self._loops:
            wake.set()

    def is_stuck(self) -> bool:
        """Whether work is due and nothing moves."""
        return self.dispatcher.is_stuck() or any(not t.is_alive() for t in self._threads)

    def stop(self) -> None:
        """Claim no more, let the current POST end, and come back when every thread has."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(STOP_WAIT_S)
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
            wake.clear()
