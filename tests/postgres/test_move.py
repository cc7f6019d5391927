"""A state that moves from its file into a database, or back, is the same state there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli.main import parser_for
from receiver.errors import ConfigError, StoreError, StoreLocked
from receiver.store import jobs
from receiver.store.move import TABLES
from receiver.store.schema import get_meta
from receiver.store.store import Store
from tests.postgres.stores import Databases, open_leading
from tests.support import alert
from tests.unit.pipeline.kit import Desk


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    url = databases.server.database()
    yield url
    databases.server.drop(url)


def lived(path: Path) -> Desk:
    """Incidents of which one is told, one waits, one is a storm; a look under way, and a follow-up that sleeps."""
    desk = Desk(path, follow_ups_s=(86_400.0,))
    desk.clock.advance(1000)
    desk.take(alert(started=desk.clock.now()))
    desk.send_one()
    desk.take(*(alert(pod=f"svc{i}-655779759d-jst99", container=f"svc{i}", started=desk.clock.now()) for i in range(12)))
    with desk.store.write() as tx:
        jobs.schedule(tx, "collect", "inc_under_way", now=desk.clock.now())
        jobs.claim(tx, now=desk.clock.now(), epoch=desk.store.epoch, limit=1)
    desk.store.accept([alert(pod="not-folded")])
    return desk


def content(store: Store) -> dict[str, list[dict[str, object]]]:
    """Every row of every table."""
    with store.read() as tx:
        return {table: [dict(row) for row in tx.run(f"SELECT * FROM {table} ORDER BY {', '.join(key)}")] for table, key in TABLES.items()}


def moved(source: str, target: str) -> int:
    """As the command line does it."""
    arguments = parser_for(["migrate-store"]).parse_args(["migrate-store", source, target])
    return int(arguments.run(arguments))


def test_into_a_database_and_back_again(tmp_path: Path, empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost, what was under way is begun anew, and new rows come after the old ones."""
    desk = lived(tmp_path / "state.db")
    before = content(desk.store)
    epoch = desk.store.epoch
    desk.store.close()
    assert moved(f"sqlite:///{tmp_path}/state.db", empty_url) == 0
    there = open_leading(empty_url, clock=desk.clock.now)
    during = content(there)
    with there.read() as tx:
        installed_at = get_meta(tx, "installed_at")
    after_epoch = there.epoch
    new = there.accept([alert(pod="after-the-move")])
    assert not there._leadership.is_lost
    there._leadership.resign()  # type: ignore[attr-defined]
    there.close()
    assert moved(empty_url, f"sqlite:///{tmp_path}/back.db") == 0
    back = Store.open_sqlite(tmp_path / "back.db", clock=desk.clock.now)
    after = content(back)
    back.close()

    assert sum(len(rows) for rows in before.values()) > 50
    running = [row for row in before["job"] if row["state"] == "running"]
    assert len(running) == 1
    assert [row["state"] for row in during["job"] if row["id"] == running[0]["id"]] == ["pending"]
    assert {table: rows for table, rows in during.items() if table != "job"} == {t: r for t, r in before.items() if t != "job"}
    assert after_epoch > epoch
    assert installed_at is not None
    assert new.new == 1
    assert len(after["alert"]) == len(before["alert"]) + 1
    assert "13 incidents" in capsys.readouterr().out


def test_what_is_in_use_or_not_empty_is_left_alone(tmp_path: Path, empty_url: str) -> None:
    """One clear sentence each; the target is as it was."""
    desk = lived(tmp_path / "state.db")
    source = f"sqlite:///{tmp_path}/state.db"
    with pytest.raises(StoreLocked, match="held by another receiver"):
        moved(source, empty_url)
    desk.store.close()
    taken = open_leading(empty_url)
    with pytest.raises(StoreError, match="used by a receiver"):
        moved(source, empty_url)
    taken.accept([alert()])
    taken._leadership.resign()  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="not empty"):
        moved(source, empty_url)
    counts = {table: len(rows) for table, rows in content(taken).items() if rows}
    taken.close()

    assert counts == {"alert": 1}


def test_a_damaged_row_is_left_out_and_said(tmp_path: Path, empty_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """SQLite kept what no database of types would."""
    desk = lived(tmp_path / "state.db")
    with desk.store.write() as tx:
        tx.run("UPDATE job SET due_at = 'never' WHERE id = (SELECT MAX(id) FROM job)")
        tx.run("UPDATE alert SET fingerprint = :f WHERE id = 1", f="with\0nul")
    n_jobs = len(content(desk.store)["job"])
    desk.store.close()
    moved(f"sqlite:///{tmp_path}/state.db", empty_url)
    there = open_leading(empty_url)
    found = content(there)
    there.close()

    assert len(found["job"]) == n_jobs - 1
    assert "1 in job" in capsys.readouterr().err


def test_wrong_addresses_are_told_without_a_word_of_them(tmp_path: Path) -> None:
    """There are passwords in them."""
    for url in ("postgresql://u:hid%zzden@db/x", "mysql://u:hidden@db/x", "@/no/such/file"):
        with pytest.raises(ConfigError) as caught:
            moved(url, f"sqlite:///{tmp_path}/x.db")
        assert "hid" not in str(caught.value)
    with pytest.raises(ConfigError, match="there is no state file"):
        moved(f"sqlite:///{tmp_path}/none.db", f"sqlite:///{tmp_path}/x.db")
