"""Stands for election: keeps a lease on dispatching, and begins to work once it has it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from receiver.errors import StoreError
from receiver.store.lease import Lease

log = logging.getLogger(__name__)

RETRY_S = 1.0
STOP_WAIT_S = 15.0  # longer than the database is waited for


class Candidate:
    """A thread that asks for the lease, and renews it as long as the receiver lives.

    `elected` is called once, on a thread of its own: whatever it waits for, the lease is renewed in time. A receiver that loses the lease
    does not stand again: it is built anew.
    """

    def __init__(self, lease: Lease, elected: Callable[[], None]) -> None:
        self._lease = lease
        self._elected = elected
        self._has_begun = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candidate", daemon=True)

    def start(self) -> None:
        """Stand for election."""
        self._thread.start()

    def stop(self) -> None:
        """Stand no more, and let the next one take over at once."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WAIT_S)
        try:
            self._lease.resign()
        except StoreError as exc:
            log.warning("another receiver takes over once the lease has run out", extra={"error": str(exc)})

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                wait_s = self._lease.step()
            except Exception:
                log.exception("asking for the lease failed")
                wait_s = RETRY_S
            if self._lease.may_act() and not self._has_begun:
                self._has_begun = True
                threading.Thread(target=self._begin, name="elected", daemon=True).start()
            self._ending.wait(wait_s)

    def _begin(self) -> None:
        while not self._ending.is_set() and self._lease.is_held:
            try:
                self._elected()
            except StoreError as exc:
                log.warning("the work cannot be begun yet", extra={"error": str(exc)})
            except Exception:
                log.exception("the work cannot be begun")
            else:
                return
            self._ending.wait(RETRY_S)
