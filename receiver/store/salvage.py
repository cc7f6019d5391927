"""What can still be read of a state file that was kept aside is taken over into the empty one that follows it.

That is a damaged one, or one in whose place another was put while it was in use.

Taken over is what somebody waits for: accepted alerts, open incidents with their threads, storms, and work that is planned. Closed
incidents stay in the file that was kept aside. Every row is read by itself: what a torn page holds costs the rows on it. It is bounded
by time and by rows, and done once, into a store in which nothing stands yet.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.typed_json import from_json, to_json
from receiver.errors import StoreUnwritable
from receiver.store import outbox
from receiver.store.database import Tx
from receiver.store.rows_left import Column, RowsLeft, columns_of, opened
from receiver.store.schema import get_meta, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.volume import kept_at, newest_kept

log = logging.getLogger(__name__)

MOST_S = 10.0  # of reading; a file of 700 MiB takes about 3 s
LATELY_S = 24 * 3600.0  # who deletes a state long after begins anew on purpose
MOST_ROWS = 50_000  # of alerts; nothing else is so many
STILL_FIRING_S = 24 * 3600.0  # a firing alert of an incident that cannot be read is taken for news when it was seen so lately
_NOT_NOTES = ("schema", "copy", "open", "probe", "told:", "salvaged:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """How much was taken over: alerts that no message tells of yet, open incidents, and work that is planned for later. `is_cut`: there
    was more than time or rows allow.
    """

    alerts: int = 0
    incidents: int = 0
    planned: int = 0
    is_cut: bool = False


def salvaged_from(tx: Tx, name: str) -> Salvaged:
    """What was taken over from the file that was kept aside under that name."""
    stored = get_meta(tx, _note_of(name))
    return from_json(Salvaged, json.loads(stored)) if stored else Salvaged()


def salvage(database: SqliteDatabase, *, now: float, most_s: float = MOST_S) -> None:
    """Take over what the file holds that was kept aside last, if that is not long ago and nothing stands here yet. It is noted how much."""
    name = newest_kept(database.path)
    if not name or not 0 <= now - kept_at(name) < LATELY_S:
        return
    deadline = time.monotonic() + most_s
    try:
        with database.transaction() as tx:
            if not _is_new(tx, name):
                return
            with opened(database.path.with_name(name), deadline) as rows:
                found = _Salvage(tx, rows, now).run() if rows is not None else Salvaged()
            set_meta(tx, _note_of(name), json.dumps(to_json(found)))
    except StoreUnwritable as exc:
        log.warning("nothing could be taken over from the state file that was kept aside", extra={"kept": name, "error": str(exc)})
        return
    log.warning("what can be read of the state file that was kept aside is taken over", extra={"kept": name, **to_json(found)})


def _is_new(tx: Tx, name: str) -> bool:
    used = tx.run("SELECT 1 FROM alert UNION ALL SELECT 1 FROM incident UNION ALL SELECT 1 FROM conversation LIMIT 1")
    return not used and not get_meta(tx, _note_of(name)) and not get_meta(tx, f"told:{name}")


def _note_of(name: str) -> str:
    return f"salvaged:{name}"


@dataclass(slots=True)
class _Salvage:
    """One go: what was taken over so far, by id, so that nothing hangs on what is missing."""

    tx: Tx
    rows: RowsLeft
    now: float
    incidents: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)

    def run(self) -> Salvaged:
        """Parents before children. Jobs say which closed incidents are still wanted."""
        self._notes()
        planned = [
            (rowid, subject) for rowid, subject, state in self._scan("job", "subject_id", "state") if state in ("pending", "running")
        ]
        known = self._incidents({subject for _, subject in planned})
        self._conversations()
        self._children("incident_alias", self.incidents, "incident_id")
        self._children("digest_member", self.incidents, "incident_id", also=("conversation_id", self.conversations))
        self._children("message", self.conversations, "conversation_id")
        alerts = self._alerts(known)
        wanted = self.incidents | self.conversations
        jobs = [self._take("job", rowid, state="pending", epoch=None) for rowid, subject in planned if subject in wanted]
        outbox.doubt_unsent(self.tx)
        open_ones = self.tx.run("SELECT COUNT(*) AS n FROM incident WHERE closed_at IS NULL")[0]["n"]
        later = self.tx.run("SELECT COUNT(*) AS n FROM job WHERE due_at > :now", now=self.now)[0]["n"] if any(jobs) else 0
        return Salvaged(alerts=alerts, incidents=open_ones, planned=later, is_cut=self.rows.is_cut)

    def _notes(self) -> None:
        for _, key, value in self._scan("meta", "k", "v"):
            if isinstance(key, str) and isinstance(value, str) and not key.startswith(_NOT_NOTES):
                set_meta(self.tx, key, value)

    def _incidents(self, wanted: Collection[object]) -> set[object]:
        """Takes the open ones and the wanted ones; returns the ids of all that can be read."""
        known: set[object] = set()
        for rowid, incident_id, closed_at in self._scan("incident", "id", "closed_at"):
            known.add(incident_id)
            if (closed_at is None or incident_id in wanted) and self._take("incident", rowid):
                self.incidents.add(str(incident_id))
        return known

    def _conversations(self) -> None:
        for rowid, own_id, incident_id, closed_at in self._scan("conversation", "id", "incident_id", "closed_at"):
            is_wanted = incident_id in self.incidents or (incident_id is None and closed_at is None)
            if is_wanted and self._take("conversation", rowid):
                self.conversations.add(str(own_id))

    def _children(self, table: str, parents: Collection[str], key: str, *, also: tuple[str, Collection[str]] | None = None) -> None:
        other, others = also or (key, parents)
        for rowid, one, two in self._scan(table, key, other):
            if one in parents and two in others:
                self._take(table, rowid)

    def _alerts(self, known: Collection[object]) -> int:
        """Takes those that wait, then those of the incidents. What fires of an incident that cannot be read waits anew. Returns how many do.

        Which these are is found out first: of more than can be taken, the newest.
        """
        waiting: list[int] = []
        shown: list[int] = []
        lost: list[tuple[int, float]] = []
        columns = ("incident_id", "status", "last_seen", "is_folded", "is_newest")
        for rowid, incident_id, status, seen, is_folded, is_newest in self._scan("alert", *columns):
            if incident_id in self.incidents:
                shown.append(rowid)
            elif not is_folded:
                waiting.append(rowid)
            elif incident_id is not None and incident_id not in known and (status, is_newest) == ("firing", 1) and isinstance(seen, float):
                lost.append((rowid, seen))
        newest = max((seen for _, seen in lost if seen <= self.now), default=0.0)
        anew = [rowid for rowid, seen in lost if seen >= newest - STILL_FIRING_S]
        taken = sum(self._take("alert", rowid) for rowid in self._newest(waiting))
        taken += sum(self._take("alert", rowid, is_folded=0, is_newest=0, incident_id=None) for rowid in self._newest(anew))
        for rowid in self._newest(shown):
            self._take("alert", rowid)
        return taken

    def _newest(self, rowids: list[int]) -> list[int]:
        self.rows.is_cut = self.rows.is_cut or len(rowids) > MOST_ROWS
        return rowids[-MOST_ROWS:]

    def _scan(self, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        return self.rows.scan(table, columns)

    def _take(self, table: str, rowid: int, **changed: object) -> bool:
        """One row, as it is but for what is changed; False when it cannot be read, or contradicts one that was taken before."""
        columns: Sequence[Column] = columns_of(self.tx, table)
        row: Mapping[str, object] | None = self.rows.read(table, rowid, columns)
        if row is None:
            return False
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        sql = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({values}) RETURNING 1"
        return bool(self.tx.run(sql, **{**row, **changed}))
