"""Who of several receivers dispatches: a row that its holder has to renew, told by the database's clock.

Every receiver takes alerts; the one that holds the lease works on them. It acts only while it can be sure that nobody else does: for
`SAFE_SHARE` of the time after its last renewal, by a clock of its own that nobody sets. Whatever it writes, it writes while it holds
the row's lock and the row has its epoch (`Store.write`), so nothing that an earlier holder left half done is committed after the next
one took over.

How a holder ends: it resigns (the row is free at once), or the row expires. One that froze finds its session ended by the server and
another epoch in the row; it is built anew then. One that was only cut off from the database, with nobody else having taken over, goes on.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from receiver.errors import StoreAway, StoreError, StoreFenced
from receiver.store import jobs, outbox
from receiver.store.database import Lane, Tx

if TYPE_CHECKING:
    from receiver.store.postgres import PostgresDatabase  # it needs the extra `postgres`

log = logging.getLogger(__name__)

RENEWALS = 4  # in the time for which the row is valid
SAFE_SHARE = 0.8
POLL_S = 1.0  # by those that wait: a holder that resigns is followed within that time
TROUBLE_S = 0.5
EXCHANGE_S = 10.0  # what an earlier holder sent last may still be on its way for so long


class Lease:
    """The lease of one receiver, which it may or may not hold. One thread calls `step`; the rest is for any."""

    def __init__(self, database: PostgresDatabase, *, ttl_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._ttl_s = ttl_s
        self._monotonic = monotonic
        self._owner = uuid.uuid4().hex  # of this life of the process: host names and process numbers repeat
        self._renewed_at = 0.0
        self._said = ""
        self.epoch = 0
        self.is_lost = False

    @staticmethod
    def make_row(tx: Tx) -> None:
        """See to it that there is a row to hold."""
        tx.run("INSERT INTO leader (id, owner, epoch, expires_at) VALUES (1, '', 0, 0) ON CONFLICT (id) DO NOTHING")

    @property
    def is_held(self) -> bool:
        """Whether this receiver leads, as far as it knows."""
        return self.epoch > 0 and not self.is_lost

    def may_act(self) -> bool:
        """Whether nobody else can lead yet, however late anything is."""
        return self.is_held and self._monotonic() < self._renewed_at + SAFE_SHARE * self._ttl_s

    def check(self, tx: Tx) -> None:
        """StoreFenced when another one leads, StoreAway when nobody can tell."""
        if self.is_held and not self.may_act():
            raise StoreAway("the lease could not be renewed in time; nothing is dispatched until it is")
        if not self.is_held or not tx.run("SELECT 1 FROM leader WHERE id = 1 AND epoch = :epoch FOR UPDATE", epoch=self.epoch):
            self._lose()
            raise StoreFenced("another receiver has taken over; this one stops writing")

    def hold(self, tx: Tx) -> None:
        """Lock the row, whoever leads."""
        tx.run("SELECT 1 FROM leader WHERE id = 1 FOR UPDATE")

    def step(self) -> float:
        """Renew the lease, or take it when it is free; the seconds until the next time."""
        before = self._monotonic()
        try:
            with self._database.transaction(lane=Lane.LEAD) as tx:
                epoch = self._renew(tx) if self.is_held else self._take(tx)
        except StoreError as exc:
            self._say(str(exc))
            return TROUBLE_S
        self._say("")
        if epoch is None:
            if self.is_held:
                self._lose()
            return min(POLL_S, self._ttl_s / RENEWALS)
        self._renewed_at, self.epoch = before, epoch
        return self._ttl_s / RENEWALS

    def resign(self) -> None:
        """Let the next one take over at once. StoreError."""
        if not self.is_held:
            return
        with self._database.transaction(lane=Lane.LEAD) as tx:
            tx.run(
                "UPDATE leader SET expires_at = 0 WHERE id = 1 AND epoch = :epoch AND owner = :owner", epoch=self.epoch, owner=self._owner
            )
        self.is_lost = True

    def _renew(self, tx: Tx) -> int | None:
        expires_at = self._database.read_clock(tx) + self._ttl_s
        rows = tx.run(
            "UPDATE leader SET expires_at = :expires_at WHERE id = 1 AND epoch = :epoch AND owner = :owner RETURNING epoch",
            expires_at=expires_at, epoch=self.epoch, owner=self._owner,
        )  # fmt: skip
        if not rows:
            return None
        jobs.recover(tx, epoch=self.epoch)
        return self.epoch

    def _take(self, tx: Tx) -> int | None:
        now = self._database.read_clock(tx)
        before = tx.run("SELECT expires_at FROM leader WHERE id = 1 AND expires_at <= :now FOR UPDATE SKIP LOCKED", now=now)
        if not before:
            return None
        rows = tx.run(
            "UPDATE leader SET owner = :owner, epoch = epoch + 1, expires_at = :expires_at WHERE id = 1 RETURNING epoch",
            owner=self._owner, expires_at=now + self._ttl_s,
        )  # fmt: skip
        epoch = int(rows[0]["epoch"])
        jobs.recover(tx, epoch=epoch)
        if before[0]["expires_at"] > 0:  # it did not resign: an edit of its may come in after ours
            outbox.hold_edits(tx, until=before[0]["expires_at"] - (1 - SAFE_SHARE) * self._ttl_s + EXCHANGE_S)
        log.info("this receiver dispatches from now on", extra={"epoch": epoch})
        return epoch

    def _lose(self) -> None:
        if self.is_held:
            log.warning("another receiver has taken over", extra={"epoch": self.epoch})
            self.is_lost = True

    def _say(self, trouble: str) -> None:
        if trouble and not self._said:
            log.warning("the lease cannot be asked for", extra={"error": trouble})
        self._said = trouble
