"""The store as the rest of the program holds it: one database, taken over at start, written under a fencing epoch.

The tables' functions (alerts, incidents, jobs, conversations, outbox) take an open transaction, so that one piece of
work writes all it found out, and the messages and jobs that follow from it, in ONE transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from receiver.domain.alerts import Alert
from receiver.errors import StoreBroken, StoreBusy, StoreDamaged, StoreError, StoreGone, StoreUnwritable
from receiver.store import (
    alerts,
    away,
    conversations,
    copies,
    elsewhere,
    incident_lists,
    jobs,
    opening,
    outbox,
    quarantine,
    retention,
    workloads,
)
from receiver.store.database import Database, Lane, Room, Tx
from receiver.store.leadership import Alone, Leadership
from receiver.store.opening import Finding
from receiver.store.schema import migrate, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.turns import Together

if TYPE_CHECKING:
    from receiver.store.lease import Lease

log = logging.getLogger(__name__)

_CHECK_S = 0.25  # of reading the file, whenever it is tidied: damage should not wait for the next start; an accept may wait so long
_GLANCE_S = 0.05  # every half minute: some 10 MiB
_ACCEPT_TRIES = 4
_PROBE, _PROBE_BYTES = "probe", 64 * 1024  # about what 20 alerts take
_RETENTION_BATCH = 500  # rows at a time, so that a large clean-up never holds up an accept
_PACKING_BATCH, _PACKING_BATCHES = 20, 50  # incidents: a batch takes as long as an accept may wait, all of them a second


class Store:
    """Durable state of a receiver. Thread-safe: whatever changes more than it adds goes one after the other."""

    findings: tuple[Finding, ...] = ()  # what must be told of the state as it was opened
    _original: Path | None = None  # of which this is a copy, while it cannot be written

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time, leadership: Leadership | None = None) -> None:
        """`leadership`: None where whoever has the database open is the one who dispatches."""
        self._database = database
        self._clock = clock
        migrate(database, now=clock())
        self._leadership = leadership or self._take_over()
        self._noted_receivers: tuple[str, ...] = ()
        self._accepts: Together[Sequence[alerts.Arrival], alerts.Accepted] = Together(self._accept)

    @classmethod
    def open_sqlite(cls, path: Path, *, wait_s: float = 0.0, keeps_reserve: bool = False, clock: Callable[[], float] = time.time) -> Store:
        """Open a state file, waiting up to `wait_s` for its holder to end. StoreLocked, StoreUnwritable, StoreError.

        A damaged one is kept aside, and the store is empty then: `findings` says so.
        """
        return opening.open_state(path, partial(cls, clock=clock), wait_s=wait_s, keeps_reserve=keeps_reserve, now=clock())

    @classmethod
    def open_shared(cls, database: Database, lease: Lease, *, clock: Callable[[], float]) -> Store:
        """Open a database that several receivers share: this one takes alerts, and dispatches while it holds the lease. StoreError."""
        store = cls(database, clock=clock, leadership=lease)
        with database.transaction() as tx:
            lease.make_row(tx)
        return store

    @classmethod
    def open_elsewhere(cls, path: Path, why: StoreUnwritable, *, clock: Callable[[], float] = time.time) -> Store:
        """Open a copy of a state file that cannot be written, for what waits in it: `accept` and `probe` refuse. StoreError."""
        store = opening.open_elsewhere(path, partial(cls, clock=clock), why, now=clock())
        store._original = path
        return store

    @property
    def epoch(self) -> int:
        """Under which this receiver's work is known."""
        return self._leadership.epoch

    def may_act(self) -> bool:
        """Whether this receiver is the one who dispatches, as surely as can be known without asking."""
        return self._leadership.may_act()

    def has_news(self) -> bool:
        """Whether there is something to begin on. It is asked often, and costs two looks into small indexes."""
        with self.read() as tx:
            return alerts.has_unfolded(tx) or jobs.is_due(tx, now=self._clock())

    @property
    def is_fenced(self) -> bool:
        """Whether another receiver has taken over from this one."""
        return self._leadership.is_lost

    @property
    def can_return(self) -> bool:
        """Whether this is such a copy, and its original can be written by now."""
        return self._original is not None and elsewhere.can_return(self._original)

    @property
    def is_unwritable(self) -> bool:
        """Whether not even a note can be written. Asked only where a write was refused before: it is one itself."""
        if not self._database.is_refusing:
            return False
        try:
            with self._database.transaction() as tx:
                set_meta(tx, _PROBE, str(self._clock()))
        except StoreUnwritable:
            return True
        except StoreError:
            return False
        return False

    def refuse_alerts(self, why: StoreUnwritable) -> None:
        """From now on no alerts are taken."""
        self._file.refuse(why)

    def now(self) -> float:
        """Seconds since 1970, as this store's clock tells them."""
        return self._clock()

    def note_receiver(self, name: str) -> None:
        """Alertmanager calls the place that it sends our alerts to so. Every body says it: one that is known costs no transaction."""
        if not name or name in self._noted_receivers:
            return
        with self.record() as tx:
            away.note_receiver(tx, name)
        self._noted_receivers = (*self._noted_receivers, name)[-away.MOST_RECEIVERS :]

    def accept(self, new_alerts: Iterable[Alert]) -> alerts.Accepted:
        """Make alerts durable; they are safe when this returns. StoreError when they could not be stored.

        What comes while a commit is under way is committed together afterwards: one fsync for all who wait.
        """
        return self._accepts.do([alerts.Arrival.of(alert) for alert in new_alerts])  # nobody else waits while a large body is read

    def _accept(self, bodies: Sequence[Sequence[alerts.Arrival]]) -> list[alerts.Accepted]:
        self._database.admit()
        for left in reversed(range(_ACCEPT_TRIES)):
            try:
                with self._database.transaction(lane=Lane.ACCEPT, is_urgent=True) as tx:
                    if self._database.dialect.has_row_locks:
                        alerts.lock(tx, (arrival for body in bodies for arrival in body))
                    now = self._clock()
                    gaps = away.gaps(tx, now=now)
                    accepted = [alerts.accept(tx, arrivals, now=now, gaps=gaps) for arrivals in bodies]
                break
            except StoreBusy:
                if not left:
                    raise
        self._database.is_refusing = False
        return accepted

    @contextmanager
    def write(self, *, is_urgent: bool = False, must_last: bool = False) -> Iterator[Tx]:
        """A dispatcher's transaction. StoreFenced when another receiver has taken over since. `is_urgent`: before others that wait.

        `must_last`: something outside follows from it (a post). What does not may be lost with a database that loses power, and is done again.
        """
        with self._database.transaction(is_urgent=is_urgent, may_be_redone=not must_last) as tx:
            self._leadership.check(tx)
            yield tx

    @contextmanager
    def record(self) -> Iterator[Tx]:
        """A transaction that writes down what came in from people or was asked for: on any receiver, whether it dispatches or not."""
        with self._database.transaction() as tx:
            self._leadership.hold(tx)
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction for looking only."""
        with self._database.transaction(lane=Lane.READ) as tx:
            yield tx

    def probe(self) -> None:
        """Prove that alerts would be stored now. StoreError when not (disk full, volume gone)."""
        self._database.admit()
        if self._database.is_refusing:  # a few bytes may find their place where no alert does
            with self._database.transaction(lane=Lane.ACCEPT) as tx:
                set_meta(tx, _PROBE, "x" * _PROBE_BYTES)
        with self._database.transaction(lane=Lane.ACCEPT) as tx:
            set_meta(tx, _PROBE, str(self._clock()))
        self._database.is_refusing = False

    def tidy(self, *, reopen_window_s: float, retention_s: float, max_bytes: int = 0) -> None:
        """Close what has been quiet long enough; forget what is older than the retention, and what is too much, in small batches.

        `max_bytes`: of the store; 0 for no other bound than the volume's.
        """
        now = self._clock()
        with self.write() as tx:
            incident_lists.close_quiet(tx, resolved_before=now - reopen_window_s, now=now)
            retention.forget_old(tx, before=now - retention_s, limit=_RETENTION_BATCH)
        with self.write() as tx:
            retention.forget_alerts(tx, now=now, before=now - retention_s, limit=_RETENTION_BATCH)
            conversations.forget_closed(tx, before=now - retention_s)
            quarantine.tidy(tx)
            workloads.tidy(tx, now=now, limit=_RETENTION_BATCH)
        for _ in range(_PACKING_BATCHES):
            with self.write() as tx:
                if not retention.pack_closed(tx, limit=_PACKING_BATCH):
                    break
        self._make_room(max_bytes)
        self._database.reclaim()
        self._database.check_content(_CHECK_S)

    def _make_room(self, max_bytes: int) -> None:
        """Thin and forget closed incidents, oldest first, as far as the bounds ask for it and one turn gets."""
        for step in (retention.thin_closed, retention.forget_oldest):
            for _ in range(_PACKING_BATCHES):
                if not self.room().is_over(max_bytes):
                    return
                with self.write() as tx:
                    done = step(tx, limit=_PACKING_BATCH)
                if done:
                    log.warning(
                        "the store is too large: closed incidents were thinned or forgotten",
                        extra={"how": step.__name__, "incidents": done},
                    )
                else:
                    break

    def room(self) -> Room:
        """How large the store is, and how much larger it can become."""
        return self._database.room()

    def dead_letters(self) -> int:
        """How many messages and jobs were put aside."""
        with self.read() as tx:
            return len(outbox.dead(tx)) + len(jobs.dead(tx))

    def quarantined(self) -> dict[str, int]:
        """How many rows of each kind cannot be read; kinds without any are left out."""
        with self.read() as tx:
            return quarantine.counts(tx)

    def check(self) -> None:
        """Read a part of the file and see whether it holds together: a small one whole. StoreDamaged."""
        self._database.check_content(_GLANCE_S)

    @property
    def broken(self) -> StoreBroken | None:
        """Why the state file cannot be gone on with; None when it can. What it needs then: `save`, `close`, and to be opened anew."""
        return self._database.broken

    def save(self) -> None:
        """See to it that nothing is lost of a state file that was deleted or replaced while it was open. StoreError when it cannot."""
        if isinstance(self.broken, StoreGone):
            place = copies.save_gone(self._file, now=self._clock())
            log.info("what the state file held is saved", extra={"file": str(place)})

    def set_aside(self) -> None:
        """After `close`, a damaged state file: nobody opens it again by mistake. StoreError when it cannot be moved."""
        if isinstance(self._database.broken, StoreDamaged):
            opening.keep(self._file.path, self._database.broken, self._clock())

    def backup(self) -> BinaryIO:
        """A consistent copy of everything, as of now: a file without a name. StoreError."""
        return copies.backup(self._file, now=self._clock())

    def close(self) -> None:
        """Checkpoint and release. What could not be checkpointed is in the journal and safe."""
        if isinstance(self._database, SqliteDatabase):
            with suppress(StoreError), self._database.transaction() as tx:
                set_meta(tx, opening.OPEN, "")
        try:
            self._database.close()
        except StoreError as exc:
            log.warning("the state file was left as after a crash", extra={"error": str(exc)})

    @property
    def _file(self) -> SqliteDatabase:
        if not isinstance(self._database, SqliteDatabase):
            raise StoreError("the state is in PostgreSQL: back it up with pg_dump")
        return self._database

    def _take_over(self) -> Leadership:
        with self._database.transaction() as tx:
            return Alone(tx)
