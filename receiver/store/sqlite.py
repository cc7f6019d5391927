"""SQLite behind the store: one process, one connection under one lock, exclusive, synchronous=FULL.

Why so (measurements: docs/decisions/0002-durable-store.md): NORMAL may drop the last accepted alerts at a power loss
after we answered 2xx; one exclusive connection keeps the known WAL-reset corruption of SQLite < 3.51.3 out of reach, and
the file lock doubles as the leadership: whoever holds the file is the one dispatcher.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from receiver.errors import StoreError, StoreLocked
from receiver.store.database import SQLITE, Room, Row, Tx
from receiver.store.turns import FairLock

_AUTO_VACUUM_INCREMENTAL = "PRAGMA auto_vacuum=INCREMENTAL"  # only takes effect before the first table
_PRAGMAS = (
    "PRAGMA locking_mode=EXCLUSIVE",  # before WAL: then no shared-memory file is needed
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-4096",  # KiB
    "PRAGMA journal_size_limit=16777216",  # a storm's WAL does not stay on the volume for ever
)
_POLL_S = 0.1


class SqliteDatabase:
    """A state file, held exclusively from `open` to `close`."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = FairLock()
        self._tx = _SqliteTx(connection)

    @classmethod
    def open(cls, path: Path, *, wait_s: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> SqliteDatabase:
        """Take the file, waiting up to `wait_s` for another process to let go of it. StoreLocked, StoreError."""
        deadline = monotonic() + wait_s
        while True:
            try:
                return cls(_connect(path), path)
            except StoreLocked:
                if monotonic() >= deadline:
                    raise
                time.sleep(_POLL_S)

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """BEGIN IMMEDIATE ... COMMIT. Nothing that waits on a network belongs inside."""
        with self._lock, _as_store_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._tx
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def room(self) -> Room:
        """How large the state file is with its journal, and what is left on its volume."""
        with self._lock, _as_store_errors():
            sizes = [self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")]
        page_bytes, pages, free_pages = (int(n) for n in sizes)
        try:
            store_bytes = sum(p.stat().st_size for p in (self._path, self._path.with_name(f"{self._path.name}-wal")) if p.exists())
            free_bytes = shutil.disk_usage(self._path.parent).free
        except OSError as exc:
            raise StoreError(f"the volume of the state file cannot be looked at: {exc}") from exc
        return Room(used_bytes=(pages - free_pages) * page_bytes, store_bytes=store_bytes, free_bytes=free_bytes)

    def reclaim(self, pages: int = 500) -> None:
        """Give freed pages back to the volume, a few at a time."""
        with self._lock, _as_store_errors():
            self._connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()

    def close(self) -> None:
        """Checkpoint the WAL and release the file."""
        with self._lock, _as_store_errors():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.close()


class _SqliteTx:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, /, **params: Any) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as exc:
        raise StoreError(f"cannot open the state file {path}: {exc}. Check that the folder exists and can be written") from exc
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text  # else one torn character refuses every row of its answer
    try:
        if not connection.execute("PRAGMA schema_version").fetchone()[0]:
            connection.execute(_AUTO_VACUUM_INCREMENTAL)
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        # EXCLUSIVE takes the lock at the first write; take it now, so that a second receiver is refused at its start.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.Error as exc:
        connection.close()
        if _is_locked(exc):
            raise StoreLocked(f"the state file {path} is held by another receiver; run only one (replicas: 1, strategy Recreate)") from exc
        raise StoreError(f"cannot use the state file {path}: {exc}") from exc
    return connection


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _is_locked(exc: sqlite3.Error) -> bool:
    # The low byte is the primary code; SQLITE_BUSY is said when another process holds the file.
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise StoreError(f"the store refused: {exc}") from exc
