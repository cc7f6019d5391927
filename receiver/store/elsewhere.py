"""A state whose volume cannot be written, not even a reserve: gone on with in a copy elsewhere, and brought back when it can be.

Alerts are not taken there, because a copy in a folder for temporary files is not durable. But what waits can be delivered, and what was
delivered is written down: a process that is killed meanwhile finds the copy again, as long as the original is still the one it was made of.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from receiver.domain.units import MIB
from receiver.errors import StoreUnwritable
from receiver.process.own_folder import is_private, make_private, own_folder
from receiver.store.sqlite import SqliteDatabase
from receiver.store.volume import free_bytes, part_of, sync_folder, wal_of

MARGIN_BYTES = 2 * MIB
_TEST_BYTES = 64 * 1024


def copy_of(path: Path) -> Path:
    """A copy of a state file and its journal where they can be written: the one that was begun before, or a new one. StoreUnwritable."""
    try:
        place = _place(path, is_new_wanted=True)
        if not _is_current(path, place):
            n_bytes = sum(f.stat().st_size for f in (path, wal_of(path)) if f.exists())
            free = free_bytes(place.parent)
            if not path.exists() or (free is not None and free < n_bytes + MARGIN_BYTES):
                raise StoreUnwritable(f"there is nothing to go on with, or no room for it in {place.parent}")
            _forget(place)
            for source, target in ((path, place), (wal_of(path), wal_of(place))):
                if source.exists():
                    shutil.copyfile(source, target)
            _mark_of(place).write_text(json.dumps(_signature(path)))
    except OSError as exc:
        raise StoreUnwritable(f"the state file cannot be copied elsewhere: {exc.strerror}") from exc
    return place


def can_return(path: Path) -> bool:
    """Whether the volume takes what was written elsewhere."""
    try:
        n_bytes = sum(f.stat().st_size for f in (_place(path), wal_of(_place(path))) if f.exists())
        free = free_bytes(path.parent)
        if free is not None and free < n_bytes + MARGIN_BYTES:
            return False
        part = part_of(path)
        try:
            part.write_bytes(bytes(_TEST_BYTES))
        finally:
            part.unlink()
    except OSError:
        return False
    return True


def bring_back(path: Path) -> None:
    """Put the copy that was gone on with elsewhere, if there is one, in the place of its original. StoreUnwritable when that cannot be
    written yet; it is not touched then.
    """
    try:
        place = _place(path)
    except OSError:
        return
    if not _is_current(path, place):
        return
    if not can_return(path):
        raise StoreUnwritable(f"the volume of the state file {path} cannot be written")
    try:
        part = part_of(path)
        try:
            with closing(sqlite3.connect(place)) as copy, closing(sqlite3.connect(part)) as target:
                copy.backup(target, pages=1024)
            SqliteDatabase.open(path).close()  # brings its journal in: it would be taken for that of the new file
            part.rename(path)
            sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnwritable(f"the state file {path} cannot be brought back: {exc}") from exc
    _leave(place)


def _place(path: Path, *, is_new_wanted: bool = False) -> Path:
    """Where the copy of this state file is: a folder that nobody else can write. OSError when there is none."""
    folder = own_folder()
    if is_new_wanted:
        make_private(folder)
    elif not is_private(folder):
        raise FileNotFoundError(2, f"{folder} is not there, or not this user's alone")
    return folder / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]}.db"


def _mark_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.of")


def _is_current(path: Path, place: Path) -> bool:
    try:
        return place.exists() and json.loads(_mark_of(place).read_text()) == _signature(path)
    except (OSError, ValueError):
        return False


def _signature(path: Path) -> list[list[int]]:
    """What tells whether a state file was written since."""
    found = [f.stat() for f in (path, wal_of(path)) if f.exists()]
    return [[s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns] for s in found]


def _forget(place: Path) -> None:
    for file in (_mark_of(place), wal_of(place), place):
        with suppress(FileNotFoundError):
            file.unlink()


def _leave(place: Path) -> None:
    _forget(place)
    with suppress(OSError):  # another receiver's copy is in it
        place.parent.rmdir()
