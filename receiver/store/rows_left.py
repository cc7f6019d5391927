"""Reads a damaged SQLite file row by row, as far as it can be read. The file itself is not written to.

SQLite finds a row by going down a tree of pages. Where a page of it is torn, a whole read ends; so a read begins again behind the tear,
and then backwards up to it. Where the page is torn that says which tables there are, a copy gets another one: in a file with
auto_vacuum the roots of the tables stand at its beginning, in the order in which they were made, which is the same for all our files.
A journal that is torn is laid over a copy, too.
"""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.store import journal
from receiver.store.database import SQLITE, Tx, json_object
from receiver.store.quarantine import UNREADABLE
from receiver.store.schema import MIGRATIONS
from receiver.store.volume import RESERVE_BYTES, free_bytes, part_of, wal_of

_PAGE_BYTES = 4096  # SQLite's own default, which our files have
_LARGEST = 2**40  # no rowid of ours comes near it; one that does is nonsense
_STEPS_PER_LOOK = 20_000
_META = "CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL)"
_DOCUMENTS = ("payload", "data", "subject", "desired_body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as the schema has it. `kind`: TEXT, INTEGER, REAL or BLOB."""

    name: str
    kind: str
    is_needed: bool
    is_key: bool
    default: str | None

    def fits(self, value: object) -> bool:
        """Whether a value can be one that we wrote: in a torn page stands anything."""
        if value is None:
            return not self.is_needed
        if self.kind == "TEXT":
            return isinstance(value, str) and (self.name not in _DOCUMENTS or _is_document(value))
        if self.kind == "REAL":
            return isinstance(value, float) and math.isfinite(value)
        return isinstance(value, int) if self.kind == "INTEGER" else isinstance(value, bytes | str)


class RowsLeft:
    """What can be read of a file. `is_cut`: the deadline was met, so that something may be left out."""

    def __init__(self, connection: sqlite3.Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self.is_cut = False

    def scan(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Of every row its rowid and these columns, mostly in the order of rowids."""
        wanted = f"SELECT rowid, {', '.join(columns)} FROM {table} NOT INDEXED"
        last = -1
        while last < _LARGEST:
            is_torn = False
            for row in self._rows(f"{wanted} WHERE rowid > {last} ORDER BY rowid"):
                if row is None:
                    is_torn = True
                    break
                last = row[0] if last < row[0] < _LARGEST else last
                yield row
            if not is_torn:
                return
            landed = self._behind(table, last)
            for row in self._rows(f"{wanted} WHERE rowid > {last} AND rowid <= {landed} ORDER BY rowid DESC"):
                if row is None:
                    break
                yield row
            last = landed

    def read(self, table: str, rowid: int, columns: Sequence[Column]) -> Mapping[str, object] | None:
        """One row; None when it cannot be read, or cannot have been written so."""
        row = next(self._rows(f"SELECT {', '.join(c.name for c in columns)} FROM {table} NOT INDEXED WHERE rowid = {rowid}"), None)
        if row is None or not all(column.fits(value) for column, value in zip(columns, row, strict=True)):
            return None
        return {column.name: value for column, value in zip(columns, row, strict=True)}

    def _behind(self, table: str, last: int) -> int:
        """A rowid behind the tear that follows on `last`."""
        for power in range(_LARGEST.bit_length()):
            if self.is_cut:
                break
            landed: int = last + 2**power
            found = next(self._rows(f"SELECT rowid FROM {table} NOT INDEXED WHERE rowid > {landed} ORDER BY rowid LIMIT 1"), ())
            if found is not None:
                return landed
        return _LARGEST

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...] | None]:
        """The rows of a question; None as the last one where it met a tear."""
        if time.monotonic() > self._deadline:
            self.is_cut = True
            return
        try:
            yield from self._connection.execute(sql)
        except sqlite3.Error:
            yield None


@contextmanager
def opened(path: Path, deadline: float) -> Iterator[RowsLeft | None]:
    """A damaged file, to read from. None when not even its tables are to be had."""
    if path.exists() and not journal.is_torn(wal_of(path)):
        with _reading(path, deadline) as connection:
            if connection is not None:
                yield RowsLeft(connection, deadline)
                return
    with _copied(path) as copy:
        if copy is None:
            yield None
            return
        with _reading(copy, deadline) as connection:
            if connection is not None:
                yield RowsLeft(connection, deadline)
                return
        with copy.open("r+b") as file:
            file.write(_first_page(copy.stat().st_size // _PAGE_BYTES))
        with _reading(copy, deadline) as connection:
            yield RowsLeft(connection, deadline) if connection is not None else None


@contextmanager
def _reading(path: Path, deadline: float) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads, to a file in which all our tables are; what SQLite lays beside it is removed."""
    made = [path.with_name(f"{path.name}-shm"), *([] if wal_of(path).exists() else [wal_of(path)])]
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
            yield connection if _has_tables(connection) else None
    finally:
        for file in made:
            with suppress(OSError):
                file.unlink(missing_ok=True)


def _has_tables(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("PRAGMA writable_schema=ON").fetchall()  # reads a file that was cut short, too
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return False
    return {name for name, _, _ in _tables()} <= found


@contextmanager
def _copied(path: Path) -> Iterator[Path | None]:
    """A copy of the file with all that its journal holds; None where there is no room for one."""
    free = free_bytes(path.parent)
    n_bytes = sum(f.stat().st_size for f in (path, wal_of(path)) if f.exists())
    if n_bytes < 2 * _PAGE_BYTES or (free is not None and free < n_bytes + 2 * RESERVE_BYTES):
        yield None
        return
    copy = part_of(path)
    try:
        if path.exists():
            shutil.copyfile(path, copy)
        if wal_of(path).exists():
            journal.lay_over(wal_of(path), copy)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _first_page(n_pages: int) -> bytes:
    """The first page of a file of ours, with the tables and without indexes: for reading, no more is needed."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for pragma in ("page_size=4096", "auto_vacuum=INCREMENTAL", "writable_schema=ON"):
            made.execute(f"PRAGMA {pragma}").fetchall()
        for name, root, sql in _tables():
            made.execute("INSERT INTO sqlite_master VALUES ('table', ?, ?, ?, ?)", (name, name, root, sql))
        page = bytearray(made.serialize()[:_PAGE_BYTES])
    page[28:32] = n_pages.to_bytes(4, "big")
    return bytes(page)


def _tables() -> list[tuple[str, int, str]]:
    """Our tables: name, root page, and the shortest statement that makes them. The first page has room for no more."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.execute("PRAGMA auto_vacuum=INCREMENTAL").fetchall()
        for statement in (_META, *(s for migration in MIGRATIONS for s in migration(SQLITE))):
            made.execute(statement)
        found = made.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table' ORDER BY rootpage").fetchall()
        return [(name, root, _short(name, made)) for name, root in found]


def _short(table: str, connection: sqlite3.Connection) -> str:
    columns = [_column(row) for row in connection.execute(f"PRAGMA table_info({table})")]
    words = [
        f"{c.name} {c.kind}{' PRIMARY KEY' if c.is_key and c.kind == 'INTEGER' else f' DEFAULT {c.default}' if c.default else ''}"
        for c in columns
    ]
    return f"CREATE TABLE {table}({','.join(words)})"


def columns_of(tx: Tx, table: str) -> list[Column]:
    """The columns of a table as this release has it."""
    return [_column(tuple(row)) for row in tx.run(f"PRAGMA table_info({table})")]


def _column(row: Sequence[object]) -> Column:
    _, name, kind, is_needed, default, key = row
    return Column(
        name=str(name), kind=str(kind), is_needed=bool(is_needed), is_key=bool(key), default=str(default) if default is not None else None
    )


def _is_document(text: str) -> bool:
    try:
        if not text.startswith("z:"):
            json.loads(text)
        else:
            json_object(text)
    except UNREADABLE:
        return False
    return True
