"""A backup is whole and consistent, whatever is written meanwhile, and leaves nothing behind."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from receiver.errors import StoreError, StoreUnwritable
from receiver.store import copies
from receiver.store.schema import SCHEMA_VERSION, set_meta
from receiver.store.store import Store
from tests.support import Clock, alert


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open_sqlite(tmp_path / "state.db", clock=Clock().now)
    yield store
    store.close()


def written(store: Store, path: Path) -> Path:
    with store.backup() as copy:
        path.write_bytes(copy.read())
    return path


def test_what_is_written_meanwhile_is_in_it_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    """Two alerts a transaction: never one of them."""
    ended = threading.Event()
    accepted = 0

    def write() -> None:
        nonlocal accepted
        while not ended.is_set():
            store.accept([alert(pod=f"{side}-{accepted}", annotations={"text": "x" * 5000}) for side in ("left", "right")])
            accepted += 1

    store.accept([alert(pod=f"p-{i}", annotations={"text": "x" * 5000}) for i in range(400)])
    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    try:
        for n in range(3):
            copy = written(store, tmp_path / f"copy-{n}.db")
            copies.check(copy)
            with closing(sqlite3.connect(copy)) as connection:
                sides = connection.execute("SELECT payload LIKE '%left-%', COUNT(*) FROM alert WHERE payload NOT LIKE '%\"p-%' GROUP BY 1")
                counts.append(sorted(n for _, n in sides))
    finally:
        ended.set()
        writer.join()

    assert accepted > 0
    assert all(len(pair) in (0, 2) and len(set(pair)) <= 1 for pair in counts)
    assert [f.name for f in tmp_path.iterdir() if ".part" in f.name] == []


def test_no_room_for_a_copy_is_said_and_nothing_is_written(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither beside the state nor in the folder for temporary files; the state itself needs the room."""
    monkeypatch.setattr("receiver.store.copies.free_bytes", lambda folder: 1024)
    with pytest.raises(StoreUnwritable, match="no room for a copy"):
        store.backup()

    assert [f.name for f in tmp_path.iterdir() if ".part" in f.name] == []


def test_a_backup_of_a_newer_release_is_not_put_in_place(store: Store, tmp_path: Path) -> None:
    """It would be refused at the start, with the state that was there out of the way."""
    with store.write() as tx:
        set_meta(tx, "schema", str(SCHEMA_VERSION + 1))
    copy = written(store, tmp_path / "copy.db")
    other = tmp_path / "other" / "state.db"
    with pytest.raises(StoreError, match="this release knows"):
        copies.restore(other, copy, now=0.0)

    assert not other.exists()
