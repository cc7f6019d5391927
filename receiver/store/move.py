"""Moves a state from one database into another, of either kind: everything that a receiver knows, in one transaction at the target.

Neither may be in use. Rows are taken as they stand; what the target cannot hold (a damaged row that SQLite kept) is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.errors import StoreAway, StoreError
from receiver.store.database import Database, Lane, Row, Tx
from receiver.store.opening import COPY, OPEN
from receiver.store.schema import get_meta, migrate

# Each after those whose rows it refers to, with its key.
TABLES: Mapping[str, tuple[str, ...]] = {
    "incident": ("id",),
    "incident_alias": ("key", "incident_id"),
    "alert": ("id",),
    "conversation": ("id",),
    "digest_member": ("conversation_id", "incident_id"),
    "message": ("id",),
    "job": ("id",),
    "incident_mark": ("kind", "value", "incident_id"),
    "incident_listed": ("incident_id",),
    "history_incident": ("incident_id",),
    "history_kills": ("incident_id", "day"),
    "history_limit": ("workload_id", "container", "since"),
    "quarantine": ("kind", "row_id"),
}
NUMBERED = ("alert", "job")
_OF_ITS_PLACE = frozenset((OPEN, COPY, "schema", "probe"))  # notes about a file, not about what is in it
_PAGE = 200


@dataclass(slots=True)
class Moved:
    """How many rows of each table were taken over, and how many could not be."""

    rows: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


def move(source: Database, target: Database, *, now: float) -> Moved:
    """Take everything over. StoreError when the target is not empty, or one of them is in use; nothing is changed there then."""
    migrate(source, now=now)
    migrate(target, now=now)
    moved = Moved()
    with source.transaction(lane=Lane.MIGRATE) as old, target.transaction(lane=Lane.MIGRATE) as new:
        for tx, which in ((old, "the old state"), (new, "the new one")):
            if tx.run("SELECT 1 FROM leader WHERE expires_at > :now", now=now):
                raise StoreError(f"{which} is used by a receiver: stop all of them first (after a crash: wait for LEADER_TTL)")
        for table in TABLES:
            if new.run(f"SELECT 1 FROM {table} LIMIT 1"):
                raise StoreError(f"the new state is not empty (it has rows in {table}): expected a database without a state of ours")
        for table, key in TABLES.items():
            moved.rows[table] = moved.left[table] = 0
            for page in _pages(old, table, key):
                _insert(new, table, page, moved)
        for row in old.run("SELECT k, v FROM meta"):
            if row["k"] not in _OF_ITS_PLACE:
                new.run("INSERT INTO meta (k, v) VALUES (:k, :v) ON CONFLICT (k) DO UPDATE SET v = excluded.v", k=row["k"], v=row["v"])
        _take_epoch(old, new)
        if target.dialect.has_row_locks:
            for table in NUMBERED:
                new.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)")
        if get_meta(new, "schema") != get_meta(old, "schema"):
            raise StoreError("the two states have different schemas: run the same release over both")
    return moved


def _pages(tx: Tx, table: str, key: Sequence[str]) -> Iterator[list[Row]]:
    names = ", ".join(key)
    after: dict[str, Any] = {}
    while True:
        where = f"WHERE ({names}) > ({', '.join(f':{k}' for k in key)})" if after else ""
        rows = tx.run(f"SELECT * FROM {table} {where} ORDER BY {names} LIMIT {_PAGE}", **after)
        if not rows:
            return
        yield rows
        after = {k: rows[-1][k] for k in key}


def _insert(tx: Tx, table: str, page: Sequence[Row], moved: Moved) -> None:
    """All of a page, or, when the target refuses one of them, one by one."""
    tx.run("SAVEPOINT page")
    try:
        for row in page:
            _insert_one(tx, table, row)
    except StoreAway:
        raise
    except StoreError:
        tx.run("ROLLBACK TO page")
        for row in page:
            moved.left[table] += not _is_inserted(tx, table, row)
    tx.run("RELEASE page")
    moved.rows[table] += len(page)


def _is_inserted(tx: Tx, table: str, row: Row) -> bool:
    tx.run("SAVEPOINT one")
    try:
        _insert_one(tx, table, row)
    except StoreAway:
        raise
    except StoreError:
        tx.run("ROLLBACK TO one")
        return False
    tx.run("RELEASE one")
    return True


def _insert_one(tx: Tx, table: str, row: Row) -> None:
    values = dict(row)
    tx.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})", **values)


def _take_epoch(old: Tx, new: Tx) -> None:
    """What was being worked on must look like another receiver's work to the next one."""
    epoch = max((int(row["epoch"]) for row in old.run("SELECT epoch FROM leader")), default=0)
    new.run(
        """INSERT INTO leader (id, owner, epoch, expires_at) VALUES (1, '', :epoch, 0)
           ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, expires_at = 0""",
        epoch=epoch,
    )
