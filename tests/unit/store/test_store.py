"""The store keeps what it accepted, once, whoever sends it and whatever happens to the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.errors import StoreError, StoreFenced, StoreLocked
from receiver.store import alerts, jobs
from receiver.store.schema import SCHEMA_VERSION, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.places import REPO
from tests.support import Clock, alert


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_a_repeated_alert_is_a_duplicate_and_only_bumps_last_seen(path: Path) -> None:
    """The other half of an HA pair, a retry after a lost answer and repeat_interval store nothing new."""
    clock = Clock()
    store = Store.open_sqlite(path, clock=clock.now)
    first = store.accept([alert()])
    clock.advance(60)
    again = store.accept([alert(), alert(status=RESOLVED)])
    with store.read() as tx:
        rows = tx.run("SELECT status, times_seen, first_seen, last_seen FROM alert ORDER BY id")
    store.close()

    assert (first.new, first.duplicates) == (1, 0)
    assert (again.new, again.duplicates) == (1, 1)
    assert [(r["status"], r["times_seen"], r["last_seen"] - r["first_seen"]) for r in rows] == [("firing", 2, 60.0), ("resolved", 1, 0.0)]


def test_accepted_alerts_survive_the_end_of_the_process(path: Path) -> None:
    """What was accepted by a process that then ended without closing anything is there for the next."""
    script = (
        "import os, pathlib, sys\n"
        "from receiver.store.store import Store\n"
        "from tests.support import alert\n"
        "store = Store.open_sqlite(pathlib.Path(sys.argv[1]))\n"
        "store.accept([alert(pod=f'p-{i}') for i in range(20)])\n"
        "os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=REPO)
    store = Store.open_sqlite(path)
    with store.read() as tx:
        kept = alerts.unfolded(tx, 100)
    store.close()

    assert ended.returncode == 9
    assert [a.labels["pod"] for _, a in kept] == [f"p-{i}" for i in range(20)]


def test_a_second_receiver_is_refused_with_a_plain_message(path: Path) -> None:
    """Two receivers on one state file would post twice; the second one is told what to do."""
    store = Store.open_sqlite(path)
    with pytest.raises(StoreLocked, match="held by another receiver; run only one"):
        Store.open_sqlite(path)
    store.close()

    Store.open_sqlite(path).close()


def test_a_newer_schema_is_refused(path: Path) -> None:
    """An old release does not write into the state of a newer one."""
    database = SqliteDatabase.open(path)
    with database.transaction() as tx:
        tx.run("CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL)")
        set_meta(tx, "schema", str(SCHEMA_VERSION + 1))
    database.close()

    with pytest.raises(StoreError, match="run the newer release"):
        Store.open_sqlite(path)


def test_a_fenced_receiver_stops_writing(path: Path) -> None:
    """Once another epoch leads, nothing more is written by this one."""
    store = Store.open_sqlite(path)
    with store.write() as tx:
        tx.run("UPDATE leader SET epoch = epoch + 1")
    with pytest.raises(StoreFenced), store.write() as tx:
        set_meta(tx, "x", "y")
    store.close()


def test_a_failed_transaction_leaves_nothing_behind(path: Path) -> None:
    """All or nothing: a bug in the middle of a unit of work does not store half of it."""
    store = Store.open_sqlite(path)

    def half() -> None:
        with store.write() as tx:
            set_meta(tx, "half", "done")
            raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        half()
    with store.read() as tx:
        assert tx.run("SELECT 1 FROM meta WHERE k = 'half'") == []
    store.close()


def test_a_full_disk_is_a_store_error_and_passes(path: Path) -> None:
    """When the volume is full an accept fails as StoreError; once there is room the same receiver goes on."""
    store = Store.open_sqlite(path)
    with store.read() as tx:
        pages = tx.run("PRAGMA page_count")[0]["page_count"]
    store._file._connection.execute(f"PRAGMA max_page_count={pages}")  # stands in for a full volume
    many = [alert(pod=f"p-{i}", annotations={"text": "x" * 2000}) for i in range(200)]
    with pytest.raises(StoreError, match="full"):
        store.accept(many)
    store._file._connection.execute("PRAGMA max_page_count=1000000")

    assert store.accept(many).new == 200
    store.close()


class TestJobs:
    """Work is done once, tried again, and put aside when it cannot be done."""

    def test_asking_twice_for_the_same_work_is_asking_once(self, path: Path) -> None:
        """A thousand alerts of one incident make one enrichment."""
        store = Store.open_sqlite(path)
        with store.write() as tx:
            for due_at in (50.0, 20.0, 90.0):
                jobs.schedule(tx, "enrich", "inc_1", now=0.0, due_at=due_at)
            claimed_early = jobs.claim(tx, now=19.0, epoch=store.epoch, limit=10)
            claimed = jobs.claim(tx, now=20.0, epoch=store.epoch, limit=10)
        store.close()

        assert claimed_early == []
        assert [(j.kind, j.subject_id, j.attempts) for j in claimed] == [("enrich", "inc_1", 1)]

    def test_new_work_about_a_subject_waits_for_the_running_one(self, path: Path) -> None:
        """An alert that comes while its incident is looked at is looked at next, not at the same time."""
        store = Store.open_sqlite(path)
        with store.write() as tx:
            jobs.schedule(tx, "enrich", "inc_1", now=0.0)
            (running,) = jobs.claim(tx, now=1.0, epoch=store.epoch, limit=10)
            jobs.schedule(tx, "enrich", "inc_1", now=1.0)
            meanwhile = jobs.claim(tx, now=2.0, epoch=store.epoch, limit=10)
            jobs.finish(tx, running)
            after = jobs.claim(tx, now=3.0, epoch=store.epoch, limit=10)
        store.close()

        assert meanwhile == []
        assert len(after) == 1

    def test_work_of_a_receiver_that_was_killed_is_done_by_the_next(self, path: Path) -> None:
        """kill -9 in the middle of an enrichment repeats the enrichment."""
        store = Store.open_sqlite(path)
        with store.write() as tx:
            jobs.schedule(tx, "enrich", "inc_1", now=0.0)
            jobs.claim(tx, now=1.0, epoch=store.epoch, limit=10)
        store.close()
        after = Store.open_sqlite(path)
        with after.write() as tx:
            claimed = jobs.claim(tx, now=2.0, epoch=after.epoch, limit=10)
        after.close()

        assert [j.attempts for j in claimed] == [2]

    def test_work_that_kills_the_receiver_each_time_ends_as_a_dead_letter(self, path: Path) -> None:
        """Claims count, so a poison job does not crash the receiver for ever."""
        store = Store.open_sqlite(path)
        now = 0.0
        with store.write() as tx:
            jobs.schedule(tx, "enrich", "inc_1", now=now)
        is_dead = False
        for _ in range(jobs.MAX_ATTEMPTS):
            now += 1000.0
            with store.write() as tx:
                (job,) = jobs.claim(tx, now=now, epoch=store.epoch, limit=1)
                is_dead = jobs.fail(tx, job, error="boom", now=now)
        with store.read() as tx:
            dead = jobs.dead(tx)
        store.close()

        assert is_dead
        assert [(d["subject_id"], d["attempts"], d["last_error"]) for d in dead] == [("inc_1", jobs.MAX_ATTEMPTS, "boom")]
