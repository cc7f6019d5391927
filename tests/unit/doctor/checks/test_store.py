"""The state file's volume, and who holds it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from receiver.doctor.checks import store
from receiver.doctor.site import Own
from receiver.store.volume import file_system_of, free_bytes, holder_of
from tests.places import REPO
from tests.unit.doctor.kit import site, told


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    """Also one that is still to be made: `serve` makes it."""
    found = told(store.writable(site(Own(store_path=tmp_path / "var" / "state.db"))))

    assert found == [("ok", "doctor.store.ok")]
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel tells it of a mount."""

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda path: ReadOnly())

    assert told(store.writable(site(Own(store_path=tmp_path / "state.db")))) == [("problem", "doctor.store.read_only")]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EROFS, "doctor.store.read_only"), (errno.ENOSPC, "doctor.store.full"), (errno.EDQUOT, "doctor.store.full"),
        (errno.EACCES, "doctor.store.unwritable"), (errno.EIO, "doctor.store.unwritable"),
    ],
)  # fmt: skip
def test_why_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    """By the system's own number for it."""

    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    assert told(store.writable(site(Own(store_path=tmp_path / "state.db")))) == [("problem", code)]


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    assert told(store.writable(site(Own(store_path=tmp_path)))) == [("problem", "doctor.store.is_folder")]


@pytest.mark.parametrize(("free", "code"), [(99 * 2**20, "doctor.space.little"), (101 * 2**20, "doctor.space.ok")])
def test_room_on_the_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, code: str) -> None:
    """The bound of /readyz and of OomtriageVolumeFilling."""
    assert free_bytes(tmp_path) is not None
    monkeypatch.setattr("receiver.store.volume.free_bytes", lambda folder: free)

    assert [c for _, c in told(store.space(site(Own(store_path=tmp_path / "state.db"))))] == [code]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("ext4", ("ok", "doctor.filesystem.ok")), ("xfs", ("ok", "doctor.filesystem.ok")), ("nfs4", ("problem", "doctor.filesystem.network")),
        ("nfs", ("problem", "doctor.filesystem.network")), ("cifs", ("problem", "doctor.filesystem.network")),
        ("fuse.s3fs", ("problem", "doctor.filesystem.network")), ("fuse.rclone", ("advice", "doctor.filesystem.shared")),
        ("ceph", ("advice", "doctor.filesystem.shared")), ("overlay", ("advice", "doctor.filesystem.fleeting")),
        ("tmpfs", ("advice", "doctor.filesystem.fleeting")),
    ],
)  # fmt: skip
def test_kinds_of_file_systems(tmp_path: Path, kind: str, found: tuple[str, str]) -> None:
    """EFS is nfs4, Azure Files is cifs; a container's own layer is an overlay."""
    mounts = f"overlay / overlay rw 0 0\nserver:/x {os.path.realpath(tmp_path)} {kind} rw 0 0\n"

    assert told(store.file_system(site(Own(store_path=tmp_path / "state.db", mounts=mounts)))) == [found]


def test_the_nearest_mount_counts_and_the_last_on_one_place() -> None:
    """Blanks are written as octal numbers."""
    mounts = "a / ext4 rw\nb /data nfs rw\nc /data/my\\040state ext4 rw\nd /database xfs rw\ne /data nfs4 rw\nbroken\n"

    assert [file_system_of(Path(p), mounts) for p in ("/data/my state/x", "/data/other", "/database", "/")] == [
        "ext4",
        "nfs4",
        "xfs",
        "ext4",
    ]
    assert file_system_of(Path("/x"), "") == ""


HOLDS = """
import sys
from pathlib import Path
from receiver.store.store import Store
store = Store.open_sqlite(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
store.close()
"""


@contextmanager
def second_receiver(path: Path) -> Iterator[int]:
    """The id of another process that has the state file open as a receiver has."""
    command = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPO) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder.pid
        finally:
            holder.stdin.close()


def test_a_second_receiver_holds_the_state_file(tmp_path: Path) -> None:
    """Named by its process. Where it is the receiver that answers at our address, all is well; asking takes its lock from nobody."""
    path = tmp_path / "state.db"
    with second_receiver(path) as pid:
        alone = list(store.lock(site(Own(store_path=path))))
        here = told(store.lock(site(Own(store_path=path, receiver_pid=pid), ready={"status": "ready"})))
        another = told(store.lock(site(Own(store_path=path, receiver_pid=1), ready={"status": "ready"})))
        still = holder_of(path)
    after = told(store.lock(site(Own(store_path=path))))

    assert told(alone) == another == [("problem", "doctor.lock.other")]
    assert (alone[0].what["pid"], still) == (pid, pid)
    assert (here, after) == ([("ok", "doctor.lock.here")], [("ok", "doctor.lock.free")])


def test_the_receiver_itself_opens_nothing(tmp_path: Path) -> None:
    """To close the file would give up its locks."""
    assert told(store.lock(site(Own(store_path=tmp_path / "no" / "such", store_is_ours=True)))) == [("ok", "doctor.lock.ours")]
