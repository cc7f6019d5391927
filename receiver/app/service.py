"""The receiver's life in one process: opened, watched, and built anew when its state file cannot be gone on with.

What ends a state (the file was deleted, replaced or found damaged) is met anywhere; here it is dealt with. The door closes, what can
be saved is saved, and after a while in which probes and people can see it the receiver is built anew, as at a start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from receiver.app.build import Application
from receiver.app.door import Door
from receiver.errors import ReceiverError, StoreAway, StoreBusy, StoreError, StoreUnwritable

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
UNWRITABLE_LOOKS = 10  # one after the other, before a running receiver is built anew for it
CLOSED_S = 20.0  # two of the kubelet's readiness probes; whoever moves files about may need that long, too


class Build(Protocol):
    """Builds a receiver. `unwritable`: around a copy of the state, which itself cannot be written for that reason."""

    def __call__(self, *, unwritable: StoreUnwritable | None = None) -> Application:
        """StoreUnwritable when the state cannot be written; other errors for what no waiting mends."""


class Service:
    """Keeps a receiver behind a door until it is told to end."""

    def __init__(
        self, door: Door, build: Build, *, closed_s: float = CLOSED_S, look_every_s: float = LOOK_EVERY_S,
        opened: Callable[[Application], None] = lambda application: None,
    ) -> None:  # fmt: skip
        """`opened`: told of a receiver that takes alerts now, at the start and whenever it was built anew."""
        self._door = door
        self._build = build
        self._closed_s = closed_s
        self._opened = opened
        self._look_every_s = look_every_s
        self._application: Application | None = None
        self._said = ""
        self._unwritable_looks = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="service", daemon=True)

    def start(self) -> None:
        """Open the receiver and begin to watch it. What no waiting mends is raised: StoreLocked, a newer schema, ConfigError."""
        self._open()
        self._thread.start()

    def end(self) -> None:
        """Finish what is under way, and let go of the state."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self._close()

    def _open(self) -> None:
        try:
            application = self._build()
        except StoreUnwritable as exc:
            self._stay_closed(str(exc))
            self._open_elsewhere(exc)
            return
        except (StoreAway, StoreBusy) as exc:
            self._stay_closed(str(exc))
            return
        self._application = application
        application.start()
        self._door.open(application)
        self._said = ""
        self._opened(application)

    def _open_elsewhere(self, why: StoreUnwritable) -> None:
        """Deliver what waits, at least; the receiver itself says then that it takes no alerts."""
        try:
            application = self._build(unwritable=why)
        except StoreError as exc:
            log.warning("what waits cannot be delivered either", extra={"error": str(exc)})
            return
        self._application = application
        application.start()
        self._door.open(application)

    def _watch(self) -> None:
        while not self._ending.wait(self._look_every_s):
            if self._application is None:
                try:
                    self._open()
                except ReceiverError as exc:  # what stands there now is another receiver's, or a newer release's
                    self._stay_closed(str(exc))
            elif (why := self._application.store.broken) is not None:
                self._door.close(f"{why}; it is opened anew in a moment")
                self._part_from(self._application)
                self._ending.wait(self._closed_s)
            elif self._application.store.is_fenced:
                self._begin_anew(self._application)
            elif self._is_stranded(self._application):
                self._door.close("the volume of the state file cannot be written")
                self._close()
            elif self._application.store.can_return:
                self._door.close("the state is brought back to its volume")
                self._close()

    def _begin_anew(self, fenced: Application) -> None:
        """Another receiver dispatches now: this one takes alerts all the time, and is built anew as one that stands by."""
        try:
            application = self._build()
        except ReceiverError as exc:  # the old one goes on taking alerts, as far as it can; it is tried again at the next look
            if str(exc) != self._said:
                self._said = str(exc)
                log.warning("the receiver cannot be built anew yet", extra={"error": str(exc)})
            return
        self._said = ""
        application.start()
        self._door.open(application)
        self._application = application
        fenced.close()

    def _is_stranded(self, application: Application) -> bool:
        """Whether nothing could be written for a while: what waits can be delivered from a copy elsewhere only."""
        self._unwritable_looks = self._unwritable_looks + 1 if application.store.is_unwritable else 0
        return self._unwritable_looks >= UNWRITABLE_LOOKS

    def _part_from(self, application: Application) -> None:
        """Save what can be saved and let go of the state. A file that is gone exists only as long as it is open: until it is saved."""
        while not self._is_saved(application) and not self._ending.wait(self._look_every_s):
            pass
        self._close()
        try:
            application.store.set_aside()
        except StoreError as exc:
            self._stay_closed(str(exc))

    def _is_saved(self, application: Application) -> bool:
        try:
            application.store.save()
        except StoreError as exc:
            self._stay_closed(str(exc))
            return False
        return True

    def _stay_closed(self, why: str) -> None:
        self._door.close(why)
        if why != self._said:
            self._said = why
            log.error("no alerts are taken; it is tried again until it works", extra={"error": why})

    def _close(self) -> None:
        application, self._application = self._application, None
        if application is not None:
            application.close()
