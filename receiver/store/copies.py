"""Copies of the state: backups, what is saved of a file that was deleted while it was open, and putting a backup back.

A copy is one file without a journal, whole and consistent, and carries a note of what it is and as of when. Whoever opens it later
does not post what it holds as unsent without looking whether it stands in the channel already (`opening.py`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from receiver.errors import StoreError, StoreLocked, StoreUnwritable
from receiver.store.opening import BACKUP, COPY, OPEN, SAVED
from receiver.store.schema import SCHEMA_VERSION, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.volume import REPLACED, RESERVE_BYTES, aside_name, free_bytes, is_held, keep_aside, part_of, sync_folder, wal_of

_ONE_FILE = ("PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=DELETE")


def backup(database: SqliteDatabase, *, now: float) -> BinaryIO:
    """A copy as an open file that has no name any more, so that nothing is left of it when it is closed. StoreError.

    It is written beside the state, or into the folder for temporary files when there is more room.
    """
    n_bytes = database.size_bytes()
    rooms = {folder: free_bytes(folder) for folder in (database.path.parent, Path(tempfile.gettempdir()))}
    folder = next((f for f, free in rooms.items() if free is None or free >= n_bytes + 2 * RESERVE_BYTES), None)
    if folder is None:
        raise StoreUnwritable(f"there is no room for a copy of {n_bytes} bytes, neither in {' nor in '.join(map(str, rooms))}")
    try:
        part = part_of(database.path, folder)
        try:
            _write(database, part, {COPY: _note(BACKUP, now), OPEN: ""})
            return part.open("rb")
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnwritable(f"the copy could not be written: {exc}") from exc


def save_gone(database: SqliteDatabase, *, now: float) -> Path:
    """Write what a deleted or replaced file holds, as long as it is open, to the volume again: in its place, or beside what stands there
    now. StoreError.
    """
    path = database.path
    if database.is_in_place:  # only its journal was deleted: nothing is missing once that is brought in
        with database.transaction(is_last=True) as tx:
            set_meta(tx, OPEN, "")
        database.checkpoint()
        return path
    try:
        part = part_of(path)
        try:
            _write(database, part, {COPY: _note(SAVED, now), OPEN: ""})
            place = aside_name(path, REPLACED, now=now) if path.exists() else path
            if database.has_its_journal:  # it would be taken for that of the file that stands there next
                wal_of(path).unlink()
            return _rename(part, place)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnwritable(f"what the state file held cannot be written anew: {exc}") from exc


def back_up_stopped(path: Path, target: Path, *, now: float) -> None:
    """Copy the state of a receiver that does not run. StoreLocked when it does; StoreError."""
    if not path.exists():
        raise StoreError(f"there is no state file {path}")
    database = SqliteDatabase.open(path)
    try:
        if database.had_journal:  # it is brought in now, and missing without loss
            with database.transaction() as tx:
                set_meta(tx, OPEN, "")
        _write(database, target, {COPY: _note(BACKUP, now), OPEN: ""})
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnwritable(f"the copy could not be written: {exc}") from exc
    finally:
        database.close()


def restore(path: Path, source: Path, *, now: float) -> Path | None:
    """Put a backup in the place of a stopped receiver's state file; returns where that is kept now. StoreLocked, StoreError."""
    taken_at = check(source)
    if path.exists() and is_held(path):
        raise StoreLocked(f"the state file {path} is held by a running receiver; stop it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(path)
        try:
            aside = aside_name(path, REPLACED, now=now) if path.exists() else None
            with closing(sqlite3.connect(source)) as backup_file, closing(sqlite3.connect(part)) as copy:
                backup_file.backup(copy, pages=1024)
            _note_in(part, {COPY: _note(BACKUP, taken_at), OPEN: "", **({f"told:{aside.name}": "1"} if aside else {})})
            if path.exists() or wal_of(path).exists():
                keep_aside(path, REPLACED, now=now)
            _rename(part, path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnwritable(f"the backup could not be put in place: {exc}") from exc
    return aside


def check(copy: Path) -> float:
    """As of when a backup is, in seconds since 1970. StoreError when it is none, or not whole."""
    if not copy.is_file():
        raise StoreError(f"there is no file {copy}")
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            notes = dict(connection.execute("SELECT k, v FROM meta").fetchall())
    except sqlite3.Error as exc:
        raise StoreError(f"{copy} is no state of oomtriage: {exc}") from exc
    if found != "ok":
        raise StoreError(f"{copy} is damaged: {found}")
    schema = int(notes.get("schema", "0"))
    if not 0 < schema <= SCHEMA_VERSION:
        raise StoreError(f"{copy} has schema {schema}; this release knows those up to {SCHEMA_VERSION}")
    note = json.loads(notes[COPY]) if notes.get(COPY) else {}
    return float(note.get("at") or notes.get("alive_at") or copy.stat().st_mtime)


def _write(database: SqliteDatabase, target: Path, notes: Mapping[str, str]) -> None:
    database.copy_to(target)
    _note_in(target, notes)


def _note_in(copy: Path, notes: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        for pragma in _ONE_FILE:
            connection.execute(pragma).fetchall()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO meta (k, v) VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v", notes.items())
        connection.execute("COMMIT")
    with copy.open("rb") as file:
        os.fsync(file.fileno())


def _note(what: str, at: float) -> str:
    return json.dumps({"what": what, "at": at})


def _rename(part: Path, place: Path) -> Path:
    part.rename(place)
    sync_folder(place.parent)
    return place
