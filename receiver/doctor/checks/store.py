"""The state file: its volume, and who holds it. Nothing of it is opened, so that a running receiver's locks stay as they are.

Where the state is in PostgreSQL, one question to the database serves all: database.py. Volumes and file systems are its server's affair.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from receiver.doctor.checks import database
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import Reason, reason
from receiver.errors import ConfigError
from receiver.store import volume

# SQLite's locks do not hold there, or hold only among programs of one host (sqlite.org/faq, "NFS"; sqlite.org/howtocorrupt).
OVER_THE_NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "fuse.mountpoint-s3",
    "fuse.blobfuse",
    "fuse.blobfuse2",
)
SHARED = ("9p", "virtiofs", "ceph", "fuse.ceph", "fuse.glusterfs", "glusterfs", "lustre", "gfs2", "ocfs2")
FLEETING = ("tmpfs", "ramfs", "overlay", "overlayfs", "aufs")
_FULL = (errno.ENOSPC, errno.EDQUOT)


def writable(site: Site) -> Iterator[Finding]:
    """Whether a file can be made where the state file is, or is to be; one without a name is, for a moment."""
    if site.own.database is not None:
        yield database.usable(site.own.database)
        return
    path = _path(site)
    folder = _folder(path)
    if path.is_dir():
        yield problem(reason("doctor.store.is_folder", path=str(path)), reason("doctor.do.store_file"))
        return
    try:
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            yield problem(reason("doctor.store.read_only", folder=str(folder)), reason("doctor.do.read_only"))
            return
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        yield _unwritable(folder, exc)
        return
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield problem(reason("doctor.store.no_access", path=str(path)), reason("doctor.do.store_owner"))
        return
    yield ok(reason("doctor.store.ok", path=str(path)))


def _unwritable(folder: Path, exc: OSError) -> Finding:
    if exc.errno == errno.EROFS:
        return problem(reason("doctor.store.read_only", folder=str(folder)), reason("doctor.do.read_only"))
    if exc.errno in _FULL:
        return problem(reason("doctor.store.full", folder=str(folder)), reason("doctor.do.enlarge"))
    what = reason("doctor.store.unwritable", folder=str(folder), error=(exc.strerror or type(exc).__name__).lower())
    return problem(what, reason("doctor.do.store_owner"))


def space(site: Site) -> Iterator[Finding]:
    """Bytes and files that may still be written there."""
    if site.own.database is not None:
        return
    folder = _folder(_path(site))
    free = volume.free_bytes(folder)
    if free is None:
        yield unknown(reason("doctor.space.not_told", folder=str(folder)))
        return
    found = os.statvfs(folder)
    if free < volume.NEARLY_FULL_BYTES:
        yield problem(reason("doctor.space.little", folder=str(folder), free_bytes=free), reason("doctor.do.enlarge"))
    elif found.f_files and not found.f_favail:
        yield problem(reason("doctor.space.no_files", folder=str(folder)), reason("doctor.do.enlarge"))
    else:
        yield ok(reason("doctor.space.ok", free_bytes=free))


def file_system(site: Site) -> Iterator[Finding]:
    """The kind of file system, by /proc/mounts."""
    if site.own.database is not None:
        return
    folder = _folder(_path(site))
    kind = volume.file_system_of(folder, site.own.mounts)
    if not kind:
        yield unknown(reason("doctor.filesystem.not_told", folder=str(folder)))
    elif kind in OVER_THE_NETWORK:
        yield problem(reason("doctor.filesystem.network", folder=str(folder), kind=kind), reason("doctor.do.block_storage"))
    elif kind in SHARED or kind.startswith("fuse"):
        yield advice(reason("doctor.filesystem.shared", folder=str(folder), kind=kind), reason("doctor.do.block_storage"))
    elif kind in FLEETING:
        yield advice(reason("doctor.filesystem.fleeting", folder=str(folder), kind=kind), reason("doctor.do.volume"))
    else:
        yield ok(reason("doctor.filesystem.ok", kind=kind))


def lock(site: Site) -> Iterator[Finding]:
    """Who holds the state file: the receiver that runs here, nobody, or a second one."""
    if site.own.database is not None:
        yield database.led(site.own.database)
        return
    if site.own.store_is_ours:
        yield ok(reason("doctor.lock.ours"))
        return
    path = _path(site)
    try:
        holder = volume.holder_of(path) if path.is_file() else None
    except OSError as exc:
        yield unknown(reason("doctor.lock.not_told", path=str(path), error=(exc.strerror or type(exc).__name__).lower()))
        return
    if holder is None:
        yield ok(reason("doctor.lock.free"))
    elif site.ready is not None and (not holder or not site.own.receiver_pid or holder == site.own.receiver_pid):
        yield ok(reason("doctor.lock.here"))
    else:
        yield problem(_held(path, holder), reason("doctor.do.one_receiver"))


def _held(path: Path, holder: int) -> Reason:
    return reason("doctor.lock.other", path=str(path), pid=holder) if holder else reason("doctor.lock.elsewhere", path=str(path))


def _path(site: Site) -> Path:
    """The state file's. ConfigError where there can be none: the settings say so already, and what stands there may be a secret."""
    if site.own.store_path is None:
        raise ConfigError("STORE_URL names no file")
    return site.own.store_path


def _folder(path: Path) -> Path:
    """The folder of the state file, as it really is called; where that is still to be made, the nearest above it that is there."""
    folder = Path(os.path.realpath(path)).parent
    return next((place for place in (folder, *folder.parents) if place.is_dir()), folder)
