"""A state file that is damaged, cut short, gone or without its journal: noticed, kept aside, told once, and the receiver goes on."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from receiver.errors import StoreDamaged, StoreError, StoreGone, StoreLocked
from receiver.store.schema import set_meta
from receiver.store.store import Store
from receiver.store.volume import wal_of
from tests.places import REPO
from tests.support import Clock, alert

N = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def filled(path: Path) -> Store:
    """An open store with some alerts."""
    store = Store.open_sqlite(path, clock=Clock().now)
    store.accept([alert(pod=f"p-{i}", annotations={"text": "x" * 500}) for i in range(N)])
    return store


def stopped(path: Path) -> Path:
    """The file of a store that ended in order."""
    filled(path).close()
    return path


def crashed(path: Path) -> Path:
    """The file of a store that was killed: its journal is beside it."""
    other = path.with_name("other.db")
    store = filled(other)
    for source, target in ((other, path), (wal_of(other), wal_of(path))):
        shutil.copy(source, target)
    store.close()
    other.unlink()
    return path


def noise(path: Path, at: int, n_bytes: int = 8192) -> None:
    """Write nonsense into the middle of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(random.Random(at).randbytes(n_bytes))


def n_alerts(store: Store) -> int:
    with store.read() as tx:
        return int(tx.run("SELECT COUNT(*) AS n FROM alert")[0]["n"])


def kinds(store: Store) -> list[str]:
    return [finding.what for finding in store.findings]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "noise at the beginning": lambda path: noise(path, 0),
    "noise in the middle": lambda path: noise(path, 5 * 4096),
    "noise across pages": lambda path: noise(path, 9 * 4096 + 1000),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "no database": lambda path: path.write_text("hello\n" * 2000),
    "zero bytes": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(path: Path, damage: Callable[[Path], object]) -> None:
    """Whatever happened to it: what is left of it can be looked at, alerts are taken, and there is something to tell, once."""
    damage(stopped(path))
    left = path.read_bytes()
    store = Store.open_sqlite(path, clock=Clock().now)
    (finding,) = store.findings
    salvaged = finding.salvaged.alerts
    accepted = store.accept([alert()])
    with store.write() as tx:
        assert finding.note is not None
        set_meta(tx, *finding.note)
    store.close()
    again = Store.open_sqlite(path)
    n, told_again = n_alerts(again), again.findings
    again.close()

    assert finding.what == "damaged"
    assert finding.name == "state.db.damaged-20241110T090000Z"
    assert path.with_name(finding.name).read_bytes() == left
    assert (accepted.new, n - salvaged, told_again) == (1, 1, ())


def test_what_was_not_told_before_a_crash_is_told_after_it(path: Path) -> None:
    """Between keeping the file aside and storing the notice the process may be killed."""
    noise(stopped(path), 0)
    Store.open_sqlite(path).close()
    store = Store.open_sqlite(path)
    found = kinds(store)
    store.close()

    assert found == ["damaged"]


def test_a_file_without_its_journal_says_what_is_missing(path: Path) -> None:
    """After a kill the newest alerts stand in the journal only; without it they are lost, and nobody would know."""
    wal_of(crashed(path)).unlink()
    store = Store.open_sqlite(path)
    found = kinds(store)
    store.close()
    again = Store.open_sqlite(path)
    found_again = kinds(again)
    again.close()

    assert found == ["journal_gone"]
    assert found_again == []


def test_a_journal_without_its_file_is_not_thrown_away(path: Path) -> None:
    """SQLite deletes the journal of a database that is not there."""
    crashed(path).unlink()
    journal = wal_of(path).read_bytes()
    store = Store.open_sqlite(path, clock=Clock().now)
    found = kinds(store)
    store.close()

    assert found == ["damaged"]
    assert wal_of(path.with_name("state.db.damaged-20241110T090000Z")).read_bytes() == journal


@pytest.mark.parametrize("make", [stopped, crashed])
def test_an_ordinary_start_finds_nothing(path: Path, make: Callable[[Path], Path]) -> None:
    """After an orderly end and after a kill alike: everything is there, and there is nothing to tell."""
    store = Store.open_sqlite(make(path))
    n, found = n_alerts(store), store.findings
    store.close()

    assert (n, found) == (N, ())


def test_a_file_that_another_receiver_holds_is_left_where_it_is(path: Path) -> None:
    """Damaged or not: it is the other one's. (Written to by another process: to close it in this one would give up its locks.)"""
    held = filled(path)
    script = (
        "import sys, pathlib\n"
        "from receiver.store.store import Store\n"
        "with open(sys.argv[1], 'r+b') as file: file.write(b'hello' * 1000)\n"
        "Store.open_sqlite(pathlib.Path(sys.argv[1]))\n"
    )
    second = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=REPO, capture_output=True, text=True)
    held.close()

    assert second.returncode == 1
    assert StoreLocked.__name__ in second.stderr
    assert [f.name for f in path.parent.iterdir() if "damaged" in f.name] == []


def test_damage_that_is_met_later_ends_the_store(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is accepted from then on, one line says why, and the file is kept aside when the store is opened anew."""
    store = filled(path)
    with store.read() as tx:
        tx.run("PRAGMA cache_size = 1")
    store._file.checkpoint()
    for at in range(4096, path.stat().st_size, 4096):
        noise(path, at, 4096)
    with pytest.raises(StoreDamaged):
        store.accept(alert(pod=f"q-{n}") for n in range(N))
    with pytest.raises(StoreDamaged):
        store.probe()
    errors = [r.message for r in caplog.records if r.levelname == "ERROR"]
    store.close()
    store.set_aside()
    after = Store.open_sqlite(path)
    found = kinds(after)
    after.close()

    assert isinstance(store.broken, StoreDamaged)
    assert errors == ["the state file cannot be used any more"]
    assert found == ["damaged"]


def test_damage_that_nobody_meets_is_found_when_the_store_is_tidied(path: Path) -> None:
    """A page that is read next in three weeks, or that is cached and would be missed at the next start."""
    store = filled(path)
    store._file.checkpoint()
    noise(path, path.stat().st_size - 8192)
    with pytest.raises(StoreError, match="damaged"):
        store.tidy(reopen_window_s=1.0, retention_s=1.0)
    store.close()


class TestGone:
    """The file is deleted or replaced while it is open: what is written from then on would be lost, what was written is not."""

    def test_nothing_is_accepted_any_more_and_nothing_accepted_is_lost(self, path: Path) -> None:
        """Deleted: it is written anew from what is still open, and a kill right after that loses nothing."""
        store = filled(path)
        path.unlink()
        with pytest.raises(StoreGone):
            store.accept([alert()])
        with pytest.raises(StoreGone):
            store.probe()
        store.save()
        saved = path.with_name("after the kill.db")
        shutil.copy(path, saved)
        store.close()
        after = Store.open_sqlite(saved)
        n, found = n_alerts(after), kinds(after)
        after.close()

        assert n == N
        assert found == ["saved"]

    def test_a_file_that_takes_its_place_is_not_touched(self, path: Path) -> None:
        """A backup put there by hand, for example; the state that was in use lies beside it."""
        stopped(path.with_name("backup.db"))
        store = Store.open_sqlite(path, clock=Clock().now)
        store.accept([alert()])
        path.with_name("backup.db").replace(path)
        with pytest.raises(StoreGone):
            store.accept([alert(pod="q-1")])
        store.save()
        store.close()
        after = Store.open_sqlite(path)
        n, found = n_alerts(after), kinds(after)
        after.close()
        aside = Store.open_sqlite(path.with_name(found_name(after)))
        n_aside = n_alerts(aside)
        aside.close()

        assert (n, found) == (N, ["replaced"])
        assert n_aside == 1

    def test_a_journal_that_was_deleted_is_brought_in(self, path: Path) -> None:
        """It is still open, so nothing is missing and there is nothing to tell."""
        store = filled(path)
        wal_of(path).unlink()
        with pytest.raises(StoreGone):
            store.accept([alert()])
        store.save()
        store.close()
        after = Store.open_sqlite(path)
        n, found = n_alerts(after), after.findings
        after.close()

        assert (n, found) == (N, ())

    def test_what_waits_is_taken_over_into_an_empty_one(self, path: Path) -> None:
        """Nobody else has it; in a state with something in it, it would be mixed with what that knows."""
        store = filled(path)
        path.unlink()
        Path(path).touch()
        store.save()
        store.close()
        path.unlink()
        after = Store.open_sqlite(path, clock=Clock().now)
        n, (finding,) = n_alerts(after), after.findings
        after.close()

        assert n == N
        assert (finding.what, finding.salvaged.alerts) == ("replaced", N)

    def test_a_new_state_long_after_is_new(self, path: Path) -> None:
        """Who deletes the state of a stopped receiver wants to begin anew."""
        noise(stopped(path), 0)
        Store.open_sqlite(path, clock=Clock().now).close()
        path.unlink()
        later = Clock()
        later.advance(2 * 86_400)
        store = Store.open_sqlite(path, clock=later.now)
        n = n_alerts(store)
        store.close()

        assert n == 0


def found_name(store: Store) -> str:
    return store.findings[0].name


def test_an_unsent_message_of_an_older_state_is_looked_for_first(path: Path) -> None:
    """It may have been sent after that: `sending`, as after a crash between the post and the note of it."""
    wal_of(crashed(path)).unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO conversation (id, kind, sink, channel, opened_at) VALUES ('c', 'notice', 'slack', 'C1', 0)")
        connection.execute(
            """INSERT INTO message (id, conversation_id, slot, position, is_reply, desired_body, created_at)
               VALUES ('m', 'c', 'root', 0, 0, '{}', 7)"""
        )
    store = Store.open_sqlite(path)
    with store.read() as tx:
        (row,) = tx.run("SELECT state, intent_at, intent_rev FROM message")
    store.close()

    assert dict(row) == {"state": "sending", "intent_at": 7.0, "intent_rev": 1}
