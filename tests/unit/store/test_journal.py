"""A journal that is damaged is told from one that a crash cut short, and what was committed in it is not forgotten."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.store.journal import frames, is_torn
from receiver.store.store import Store
from receiver.store.volume import wal_of
from tests.support import Clock, alert

HEADER, FRAME = 32, 4096 + 24
ACCEPTED = 20


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """What a receiver that was killed leaves: its state and the journal, with an accept in each transaction."""
    path = tmp_path_factory.mktemp("killed") / "state.db"
    store = Store.open_sqlite(path, clock=Clock().now)
    for n in range(ACCEPTED):
        store.accept([alert(pod=f"p-{n}", annotations={"text": "x" * 500})])
    left = path.read_bytes(), wal_of(path).read_bytes()
    store.close()
    return left


def put(folder: Path, killed: tuple[bytes, bytes], change: Callable[[bytearray], object]) -> Path:
    path = folder / "state.db"
    state, written = killed
    torn = bytearray(written)
    change(torn)
    path.write_bytes(state)
    wal_of(path).write_bytes(bytes(torn))
    return path


def noise(at: int, n_bytes: int = 8192) -> Callable[[bytearray], None]:
    def change(written: bytearray) -> None:
        end = min(at + n_bytes, len(written))
        written[at:end] = random.Random(at).randbytes(end - at)

    return change


def opened(path: Path) -> tuple[int, list[str]]:
    store = Store.open_sqlite(path, clock=Clock().now)
    with store.read() as tx:
        n = int(tx.run("SELECT COUNT(*) AS n FROM alert")[0]["n"])
    found = [finding.what for finding in store.findings]
    store.close()
    return n, found


@pytest.mark.parametrize("at", [0, 40 * FRAME, 60 * FRAME + 2000], ids=["header", "middle", "later"])
def test_what_stands_behind_noise_is_not_forgotten(killed: tuple[bytes, bytes], tmp_path: Path, at: int) -> None:
    """SQLite ends at the first frame that does not fit, and says nothing."""
    n, found = opened(put(tmp_path, killed, noise(at)))

    assert found == ["damaged"]
    assert n > 0.7 * ACCEPTED


def test_a_few_torn_bytes_are_noticed(killed: tuple[bytes, bytes], tmp_path: Path) -> None:
    """Within a page, where only its sum tells."""
    path = put(tmp_path, killed, noise(HEADER + 10 * FRAME + 1000, 10))

    assert is_torn(wal_of(path))
    assert opened(path) == (ACCEPTED, ["damaged"])


def _without_page(written: bytearray) -> None:
    """Of the last transaction the commit came to the volume, its first page did not."""
    commits = [i for i in range(len(written) // FRAME) if written[HEADER + i * FRAME + 4 : HEADER + i * FRAME + 8] != bytes(4)]
    at = HEADER + (commits[-2] + 1) * FRAME
    written[at : at + FRAME] = bytes(FRAME)


@pytest.mark.parametrize(
    "change",
    [lambda _: None, lambda written: written.__delitem__(slice(-1000, None)), lambda written: written.extend(bytes(5000)), _without_page],
    ids=["whole", "cut in the last frame", "zeros behind", "a page of the last transaction is missing"],
)
def test_a_crash_is_no_damage(killed: tuple[bytes, bytes], tmp_path: Path, change: Callable[[bytearray], object]) -> None:
    """What a kill or a power cut leaves is brought in; of the last transaction nobody was told that it was stored."""
    path = put(tmp_path, killed, change)
    torn = is_torn(wal_of(path))
    n, found = opened(path)

    assert not torn
    assert n >= ACCEPTED - 1
    assert found == []


def test_a_journal_without_its_file_gives_what_it_holds(killed: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = put(tmp_path, killed, lambda _: None)
    path.unlink()
    n, found = opened(path)

    assert found == ["damaged"]
    assert n > 0.7 * ACCEPTED


def test_an_earlier_round_is_no_damage(tmp_path: Path) -> None:
    """After a checkpoint the journal is written again from its beginning: behind the new frames stand old ones."""
    path = tmp_path / "state.db"
    store = Store.open_sqlite(path, clock=Clock().now)
    for n in range(ACCEPTED):
        store.accept([alert(pod=f"p-{n}", annotations={"text": "x" * 500})])
    store._file.checkpoint()
    store.accept([alert(pod="after")])
    found = list(frames(wal_of(path)))
    torn = is_torn(wal_of(path))
    store.close()

    assert any(not frame.is_ours for frame in found)
    assert not torn
