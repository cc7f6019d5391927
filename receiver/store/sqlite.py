"""SQLite behind the store: one process, one connection under one lock, exclusive, synchronous=FULL.

Why so (measurements: docs/decisions/0002-durable-store.md): NORMAL may drop the last accepted alerts at a power loss
after we answered 2xx; one exclusive connection keeps the known WAL-reset corruption of SQLite < 3.51.3 out of reach, and
the file lock doubles as the leadership: whoever holds the file is the one dispatcher.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from receiver.errors import StoreBroken, StoreDamaged, StoreError, StoreGone, StoreLocked, StoreUnwritable
from receiver.store.database import SQLITE, Lane, Room, Row, Tx
from receiver.store.turns import FairLock
from receiver.store.volume import Identity, Reserve, identity, is_held, wal_of

log = logging.getLogger(__name__)

_AUTO_VACUUM_INCREMENTAL = "PRAGMA auto_vacuum=INCREMENTAL"  # only takes effect before the first table
_ALONE = (
    "PRAGMA locking_mode=EXCLUSIVE"  # before anything is read: then no shared-memory file is needed, for which a full volume has no room
)
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-4096",  # KiB
    "PRAGMA journal_size_limit=16777216",  # a storm's WAL does not stay on the volume for ever
)
_COPY_PRAGMAS = ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF")  # a copy that is not finished is thrown away
_COPY_PAGES, _COPY_PAUSE_S = 256, 0.005
_STEPS_PER_LOOK = 20_000  # of SQLite's machine, between two looks at the clock: some milliseconds
_POLL_S = 0.1
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class SqliteDatabase:
    """A state file, held exclusively from `open` to `close`.

    Every transaction makes sure that the file is still there: what is written to a deleted one is gone when the process ends.
    """

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection, path: Path, *, had_journal: bool, keeps_reserve: bool = False) -> None:
        """`had_journal`: SQLite's journal stood beside the file when it was opened."""
        self.path = path
        self.had_journal = had_journal
        self._connection = connection
        self._lock = FairLock()
        self._tx = _SqliteTx(connection)
        self._identity = _identities(path)
        self._reserve = Reserve(path, is_wanted=keeps_reserve)
        self._broken: StoreBroken | None = None
        self._refusal: StoreUnwritable | None = None
        self.is_refusing = False  # a write was refused by the volume, and nobody has shown since that one of a usual size is not

    @classmethod
    def open(
        cls, path: Path, *, wait_s: float = 0.0, keeps_reserve: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> SqliteDatabase:
        """Take the file, waiting up to `wait_s` for another process to let go of it. StoreLocked, StoreDamaged, StoreError."""
        deadline = monotonic() + wait_s
        while True:
            if keeps_reserve:
                _ = Reserve(path, is_wanted=True).is_there  # on a full volume it is given up before anything is written
            had_journal = wal_of(path).exists()
            try:
                return cls(_connect(path), path, had_journal=had_journal, keeps_reserve=keeps_reserve)
            except StoreLocked:
                if monotonic() >= deadline:
                    raise
                time.sleep(_POLL_S)

    @contextmanager
    def transaction(
        self, *, lane: Lane = Lane.WRITE, is_urgent: bool = False, may_be_redone: bool = False, is_last: bool = False
    ) -> Iterator[Tx]:
        """BEGIN IMMEDIATE ... COMMIT, one at a time whatever the lane, each on the disk. Nothing that waits on a network belongs inside.
        `is_last`: wherever the file is now.
        """
        with self._lock.turn(is_urgent=is_urgent):
            if not is_last:
                self.check_place()
            with self._as_store_errors():
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._tx
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            if not is_last:
                self.check_place()

    @property
    def is_in_place(self) -> bool:
        """Whether the file, apart from its journal, stands where it was opened."""
        return identity(self.path) == self._identity[0]

    @property
    def has_its_journal(self) -> bool:
        """Whether the journal beside the file's place is the one that was opened."""
        return identity(wal_of(self.path)) == self._identity[1] is not None

    def size_bytes(self) -> int:
        """The size of the state, with what is in the journal only."""
        with self._lock, self._as_store_errors():
            return int(
                self._connection.execute("PRAGMA page_count").fetchone()[0] * self._connection.execute("PRAGMA page_size").fetchone()[0]
            )

    @property
    def broken(self) -> StoreBroken | None:
        """Why the file cannot be gone on with; None when it can, as far as anybody knows. It looks whether it is still there."""
        with suppress(StoreBroken):
            self.check_place()
        return self._broken

    def check_place(self) -> None:
        """StoreBroken when the file is not the one any more that was opened, or was found to be damaged."""
        if self._broken is None and _identities(self.path) != self._identity:
            self._note_broken(StoreGone(f"the state file {self.path} was deleted or replaced while the receiver ran"))
        if self._broken is not None:
            raise self._broken

    def check_content(self, max_s: float) -> None:
        """Read the whole file, for `max_s` at most, and see whether it holds together. StoreDamaged."""
        deadline = time.monotonic() + max_s
        with self._lock, self._as_store_errors():
            self._connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
            try:
                self._connection.execute("PRAGMA shrink_memory").fetchall()  # what is cached hides what became of it on the volume
                found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            except sqlite3.OperationalError as exc:
                if getattr(exc, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
                    raise
                log.debug("the state file is large and was not checked to its end", extra={"seconds": max_s})
                return
            finally:
                self._connection.set_progress_handler(None, 0)
        if found != "ok":
            raise self._note_broken(StoreDamaged(f"the state file {self.path} is damaged: {found}"))

    def refuse(self, why: StoreUnwritable) -> None:
        """`admit` nothing from now on."""
        self._refusal = why

    def admit(self) -> None:
        """StoreUnwritable when there is no room for new alerts: what is left is for those that wait."""
        if self._refusal is not None:
            raise self._refusal
        if not self._reserve.is_there:
            raise StoreUnwritable("the volume of the state file is full: no alerts are taken until there is room; what waits is delivered")

    def room(self) -> Room:
        """How large the state file is with its journal, and what is left on its volume."""
        with self._lock, self._as_store_errors():
            sizes = [self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")]
        page_bytes, pages, free_pages = (int(n) for n in sizes)
        try:
            store_bytes = sum(p.stat().st_size for p in (self.path, wal_of(self.path)) if p.exists())
            free_bytes = shutil.disk_usage(self.path.parent).free
        except OSError as exc:
            raise StoreError(f"the volume of the state file cannot be looked at: {exc}") from exc
        return Room(used_bytes=(pages - free_pages) * page_bytes, store_bytes=store_bytes, free_bytes=free_bytes)

    def reclaim(self, pages: int = 500) -> None:
        """Give freed pages back to the volume, a few at a time."""
        with self._lock, self._as_store_errors():
            self._connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()

    def checkpoint(self) -> None:
        """Bring what the journal holds into the file itself, as far as there is room."""
        with self._lock, self._as_store_errors():
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of what is committed into a file, without holding up anybody for long. StoreError.

        It works for a file that was deleted, too: as long as it is open it is whole.
        """
        with self._as_store_errors(), closing(sqlite3.connect(target, isolation_level=None)) as copy:
            for pragma in _COPY_PRAGMAS:
                copy.execute(pragma).fetchall()
            self._connection.backup(copy, pages=_COPY_PAGES, sleep=_COPY_PAUSE_S)

    def close(self) -> None:
        """Checkpoint the WAL and release the file; released it is in any case."""
        with self._lock, self._as_store_errors():
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._connection.close()

    def _note_broken(self, why: StoreBroken) -> StoreBroken:
        if self._broken is None:
            self._broken = why
            log.error("the state file cannot be used any more", extra={"error": str(why)})
        return self._broken

    @contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            primary = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if primary in _DAMAGED:
                raise self._note_broken(StoreDamaged(f"the state file {self.path} is damaged: {exc}")) from exc
            if primary in _UNWRITABLE:
                self.is_refusing = True
                self._reserve.give_up()
                raise StoreUnwritable(f"the volume of the state file cannot be written: {exc}") from exc
            raise StoreError(f"the store refused: {exc}") from exc


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
        raise StoreUnwritable(f"cannot open the state file {path}: {exc}. Check that the folder exists and can be written") from exc
    _prepare(connection, path)
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text  # else one torn character refuses every row of its answer
    try:
        connection.execute(_ALONE).fetchall()
        if not connection.execute("PRAGMA schema_version").fetchone()[0]:
            connection.execute(_AUTO_VACUUM_INCREMENTAL)
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        # EXCLUSIVE takes the lock at the first write; take it now, so that a second receiver is refused at its start.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.Error as exc:
        connection.close()
        raise _why_not(exc, path) from exc


def _why_not(exc: sqlite3.Error, path: Path) -> StoreError:
    """Why a state file cannot be opened. The low byte of SQLite's code is the primary one."""
    primary = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or (primary in _DAMAGED and is_held(path)):
        return StoreLocked(f"the state file {path} is held by another receiver; run only one (replicas: 1, strategy Recreate)")
    if primary in _DAMAGED:
        return StoreDamaged(f"the state file {path} is damaged: {exc}")
    if primary in _UNWRITABLE:
        return StoreUnwritable(f"the state file {path} cannot be written: {exc}")
    return StoreError(f"cannot use the state file {path}: {exc}")


def _identities(path: Path) -> tuple[Identity, Identity]:
    return identity(path), identity(wal_of(path))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
