"""The store as the rest of the program holds it: one database, taken over at start, written under a fencing epoch.

The tables' functions (alerts, incidents, jobs, conversations, outbox) take an open transaction, so that one piece of
work writes all it found out, and the messages and jobs that follow from it, in ONE transaction.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from receiver.domain.alerts import Alert
from receiver.errors import StoreFenced
from receiver.store import alerts, away, conversations, incidents, jobs, outbox, quarantine, retention
from receiver.store.database import Database, Room, Tx
from receiver.store.schema import migrate, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.turns import Together

log = logging.getLogger(__name__)

_RETENTION_BATCH = 500  # rows at a time, so that a large clean-up never holds up an accept
_PACKING_BATCH, _PACKING_BATCHES = 20, 50  # incidents: a batch takes as long as an accept may wait, all of them a second


class Store:
    """Durable state of one receiver. Thread-safe: transactions are serialised."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        migrate(database, now=clock())
        self.epoch = self._take_over()
        self._accepts: Together[Sequence[alerts.Arrival], alerts.Accepted] = Together(self._accept)

    @classmethod
    def open_sqlite(cls, path: Path, *, wait_s: float = 0.0, clock: Callable[[], float] = time.time) -> Store:
        """Open a state file, waiting up to `wait_s` for its holder to end. StoreLocked, StoreError."""
        return cls(SqliteDatabase.open(path, wait_s=wait_s), clock=clock)

    def now(self) -> float:
        """Seconds since 1970, as this store's clock tells them."""
        return self._clock()

    def note_receiver(self, name: str) -> None:
        """Alertmanager calls the place that it sends our alerts to so."""
        with self._database.transaction() as tx:
            away.note_receiver(tx, name)

    def accept(self, new_alerts: Iterable[Alert]) -> alerts.Accepted:
        """Make alerts durable; they are safe when this returns. StoreError when they could not be stored.

        What comes while a commit is under way is committed together afterwards: one fsync for all who wait.
        """
        return self._accepts.do([alerts.Arrival.of(alert) for alert in new_alerts])  # nobody else waits while a large body is read

    def _accept(self, bodies: Sequence[Sequence[alerts.Arrival]]) -> list[alerts.Accepted]:
        with self._database.transaction() as tx:
            now = self._clock()
            gaps = away.gaps(tx, now=now)
            return [alerts.accept(tx, arrivals, now=now, gaps=gaps) for arrivals in bodies]

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A dispatcher's transaction. StoreFenced when another receiver has taken over since."""
        with self._database.transaction() as tx:
            if not tx.run("SELECT 1 FROM leader WHERE epoch = :epoch", epoch=self.epoch):
                raise StoreFenced("another receiver has taken over; this one stops writing")
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction for looking only."""
        with self._database.transaction() as tx:
            yield tx

    def probe(self) -> None:
        """Prove that a write would be durable now. StoreError when not (disk full, volume gone)."""
        with self._database.transaction() as tx:
            set_meta(tx, "probe", str(self._clock()))

    def tidy(self, *, reopen_window_s: float, retention_s: float, max_bytes: int = 0) -> None:
        """Close what has been quiet long enough; forget what is older than the retention, and what is too much, in small batches.

        `max_bytes`: of the store; 0 for no other bound than the volume's.
        """
        now = self._clock()
        with self.write() as tx:
            incidents.close_quiet(tx, resolved_before=now - reopen_window_s, now=now)
            retention.forget_old(tx, before=now - retention_s, limit=_RETENTION_BATCH)
        with self.write() as tx:
            retention.forget_alerts(tx, now=now, before=now - retention_s, limit=_RETENTION_BATCH)
            conversations.forget_closed(tx, before=now - retention_s)
            quarantine.tidy(tx)
        for _ in range(_PACKING_BATCHES):
            with self.write() as tx:
                if not retention.pack_closed(tx, limit=_PACKING_BATCH):
                    break
        self._make_room(max_bytes)
        self._database.reclaim()

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

    def close(self) -> None:
        """Checkpoint and release."""
        self._database.close()

    def _take_over(self) -> int:
        # SQLite: holding the file is the leadership, so it is taken by force; the epoch still tells whose work a row is.
        with self._database.transaction() as tx:
            rows = tx.run(
                """INSERT INTO leader (id, owner, epoch, expires_at) VALUES (1, :owner, 1, 0)
                   ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, epoch = leader.epoch + 1 RETURNING epoch""",
                owner=uuid.uuid4().hex,
            )
            epoch = int(rows[0]["epoch"])
            jobs.recover(tx, epoch=epoch)
            return epoch
