"""Where the state file stands: whether it is still the one that was opened, what room its volume has, what lies beside it.

Beside `state.db` may lie `state.db-wal` (SQLite's journal: part of the state), `state.db.reserve` (room that is kept for hard
times), `state.db.damaged-TIME` and `state.db.replaced-TIME` (kept aside for a person to look at), and for moments
`state.db.part-...` (a copy being written).
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import struct
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from receiver.domain.units import KIB, MIB

log = logging.getLogger(__name__)

DAMAGED, REPLACED = "damaged", "replaced"

NEARLY_FULL_BYTES = 100 * MIB  # as OomtriageVolumeFilling
_STAMP = "%Y%m%dT%H%M%SZ"

RESERVE_BYTES = 16 * MIB  # a sent message takes some 50 KiB until the next checkpoint, a look some 100 KiB
RESERVE_SHARE = 16  # of a small volume: one part of so many
_BLOCK_BYTES = 256 * KIB
# The bytes of a file that SQLite locks (sqlite.org/src/file/src/os.h): whoever holds the file has a lock on them.
_LOCK_BYTE, _LOCK_BYTES = 0x40000002, 510
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process

Identity = tuple[int, int] | None  # device and inode


def wal_of(path: Path) -> Path:
    """SQLite's journal of a state file."""
    return path.with_name(f"{path.name}-wal")


def identity(path: Path) -> Identity:
    """Which file stands there; None when none does, or nobody can tell."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_held(path: Path) -> bool:
    """Whether another process has the file open as its state. Only for a file that this process has not open itself: closing it
    here would give up the locks of that.
    """
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_BYTE)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def holder_of(path: Path) -> int | None:
    """The process that has the file open as its state: its id, 0 where that is not told (another host's), None for nobody.

    It only asks, so it is in nobody's way; but as `is_held`, not for a file that this process has open. OSError.
    """
    with path.open("rb") as file:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _LOCK_BYTE, _LOCK_BYTES, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(0, pid)


def file_system_of(folder: Path, mounts: str) -> str:
    """The kind of file system that a folder is on, by a text like /proc/mounts; empty where that does not tell."""
    found: tuple[int, str] = (-1, "")
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        place = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), parts[1]))
        if (folder == place or place in folder.parents) and len(place.parts) >= found[0]:  # of two on one place the later one is seen
            found = len(place.parts), parts[2]
    return found[1]


def aside_name(path: Path, what: str, *, now: float) -> Path:
    """A free name for a state file that is kept aside."""
    stamp = f"{datetime.fromtimestamp(now, UTC):{_STAMP}}"
    wanted, n = path.with_name(f"{path.name}.{what}-{stamp}"), 1
    while wanted.exists() or wal_of(wanted).exists():
        n += 1
        wanted = path.with_name(f"{path.name}.{what}-{stamp}-{n}")
    return wanted


def kept_at(name: str) -> float:
    """When a file of that name was kept aside, in seconds since 1970; 0 when it does not say."""
    stamp = next((word for word in reversed(name.split("-")) if word.endswith("Z")), "")
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def keep_aside(path: Path, what: str, *, now: float) -> Path:
    """Move a state file and its journal out of the way, where nobody opens or deletes them. Returns where it is now. OSError."""
    aside = aside_name(path, what, now=now)
    for file, place in ((path, aside), (wal_of(path), wal_of(aside))):
        if file.exists():
            file.rename(place)
    sync_folder(path.parent)
    return aside


def newest_kept(path: Path) -> str:
    """The name of what was kept aside last; empty when nothing was."""
    files = {f.name.removesuffix("-wal") for what in (DAMAGED, REPLACED) for f in path.parent.glob(f"{path.name}.{what}-*")}
    return max(files, key=lambda name: name.rpartition(f"{path.name}.")[2].partition("-")[2], default="")


def part_of(path: Path, folder: Path | None = None) -> Path:
    """A new empty file for a copy of the state that is being written, readable by nobody else."""
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.part-", dir=folder or path.parent)
    os.close(handle)
    return Path(name)


def sweep_parts(path: Path) -> None:
    """Delete copies that a process which was killed did not finish."""
    for part in path.parent.glob(f"{path.name}.part-*"):
        with suppress(OSError):
            part.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in it durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def free_bytes(folder: Path) -> int | None:
    """What may still be written to a folder's volume; None where nobody can tell."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize if found.f_blocks else None


class Reserve:
    """Room that is kept on the volume, and given up when it is full: nothing can be delivered without writing down that it was.

    As long as the reserve is not back, no alerts are taken: what it frees is for what waits already.
    """

    def __init__(self, path: Path, *, is_wanted: bool) -> None:
        """`is_wanted` False: none is made; how full the volume is is not asked."""
        self._file = path.with_name(f"{path.name}.reserve")
        self._bytes = self._size() if is_wanted else 0

    @property
    def is_there(self) -> bool:
        """Whether alerts may be taken, as far as room is concerned; the reserve is made anew first, where there is room again."""
        if not self._bytes:
            return True
        free = free_bytes(self._file.parent)
        if free is None:
            return True
        if self._holds() and free >= self._bytes // 4:
            return True
        if free < 2 * self._bytes:
            self.give_up()
            return False
        return self._make()

    def give_up(self) -> None:
        """Free the room."""
        try:
            self._file.unlink()
        except OSError:  # it is gone already, or the volume cannot be written at all
            return
        log.warning("the volume of the state file is full: its reserve is used to deliver what waits", extra={"bytes": self._bytes})

    def _size(self) -> int:
        try:
            found = os.statvfs(self._file.parent)
        except OSError:
            return 0
        return min(RESERVE_BYTES, found.f_blocks * found.f_frsize // RESERVE_SHARE)

    def _holds(self) -> bool:
        try:
            return self._file.stat().st_size >= self._bytes
        except OSError:
            return False

    def _make(self) -> bool:
        try:
            with self._file.open("wb") as file:
                for _ in range(0, self._bytes, _BLOCK_BYTES):
                    file.write(bytes(_BLOCK_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                self._file.unlink()
            return False
        log.info("room is kept beside the state file for when the volume is full", extra={"bytes": self._bytes})
        return True
