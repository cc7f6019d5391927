"""Whether this receiver is the one who dispatches: what the store needs to know of it, and the case in which nobody else can be.

The other case, several receivers on one database: receiver/store/lease.py.
"""

from __future__ import annotations

import uuid
from typing import Protocol

from receiver.errors import StoreFenced
from receiver.store import jobs
from receiver.store.database import Tx


class Leadership(Protocol):
    """Whether this receiver dispatches, and under which number its work is known."""

    @property
    def epoch(self) -> int:
        """Of the newest time that it led; 0 when it never did."""

    @property
    def is_lost(self) -> bool:
        """Whether another one has taken over since."""

    def may_act(self) -> bool:
        """Whether it leads, as surely as can be known without asking."""

    def check(self, tx: Tx) -> None:
        """StoreFenced when another one leads; until the transaction ends nobody else can become it."""

    def hold(self, tx: Tx) -> None:
        """Nobody else changes what is read before it is written, until the transaction ends."""


class Alone:
    """The leadership of whoever holds a state file: the file's lock is all it takes, so it is taken by force."""

    is_lost = False

    def __init__(self, tx: Tx) -> None:
        rows = tx.run(
            """INSERT INTO leader (id, owner, epoch, expires_at) VALUES (1, :owner, 1, 0)
               ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, epoch = leader.epoch + 1 RETURNING epoch""",
            owner=uuid.uuid4().hex,
        )
        self.epoch = int(rows[0]["epoch"])
        jobs.recover(tx, epoch=self.epoch)

    def may_act(self) -> bool:
        """Nobody else has the file."""
        return True

    def check(self, tx: Tx) -> None:
        """The epoch still tells whose work a row is."""
        if not tx.run("SELECT 1 FROM leader WHERE epoch = :epoch", epoch=self.epoch):
            raise StoreFenced("another receiver has taken over; this one stops writing")

    def hold(self, tx: Tx) -> None:
        """All transactions go one after the other."""
