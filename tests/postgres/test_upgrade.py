"""A roll from the schema before: the new release changes the tables while the old one still works with them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from receiver.domain.incident import FIRING
from receiver.store import alerts, jobs
from receiver.store.postgres import PostgresDatabase
from receiver.store.schema import MIGRATIONS, SCHEMA_VERSION, schema_version, set_meta
from receiver.store.store import Store
from tests.postgres.stores import Databases, Stores
from tests.support import alert
from tests.unit.pipeline.kit import Desk

_AS_BEFORE = """INSERT INTO alert (dedup_key, fingerprint, status, starts_at, payload, first_seen, last_seen)
    VALUES (:key, :fingerprint, 'firing', 1, :payload, 1, 1) ON CONFLICT (dedup_key) DO UPDATE SET last_seen = excluded.last_seen"""


def at_schema(url: str, version: int) -> PostgresDatabase:
    """A database as the release with that schema leaves it."""
    database = PostgresDatabase(lambda: url)
    with database.transaction() as tx:
        tx.run("CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL)")
        for migration in MIGRATIONS[:version]:
            for statement in migration(database.dialect):
                tx.run(statement.replace(" TEXT", f" {database.dialect.text}"))
        set_meta(tx, "schema", str(version))
        set_meta(tx, "installed_at", "1")
    return database


def test_what_waited_is_done_by_the_new_release_and_the_old_one_goes_on_taking_alerts(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither loses one: what the old replica accepts meanwhile is folded by the new dispatcher."""
    url = databases.server.database()
    old = at_schema(url, SCHEMA_VERSION - 1)
    waiting = [alert(pod=f"svc{n}-655779759d-jst99", container=f"svc{n}") for n in range(60)]
    refused: list[Exception] = []
    has_begun, may_end = threading.Event(), threading.Event()

    def accept() -> None:
        for n, each in enumerate(waiting):
            try:
                with old.transaction() as tx:
                    tx.run(_AS_BEFORE, key=each.dedup_key, fingerprint=each.fingerprint, payload=json.dumps({"v": 1, **each.to_json()}))
            except Exception as exc:
                refused.append(exc)
            if n == 20:
                has_begun.set()
                may_end.wait(0.2)

    thread = threading.Thread(target=accept)
    thread.start()
    has_begun.wait(10)
    stores = Stores(lambda: url)
    monkeypatch.setattr(Store, "open_sqlite", stores.open)
    desk = Desk(tmp_path / "state.db")
    may_end.set()
    thread.join()
    desk.take()
    with desk.store.read() as tx:
        version, left = schema_version(tx), alerts.has_unfolded(tx)
        firing = tx.run("SELECT COUNT(*) AS n FROM incident WHERE state = :state", state=FIRING)[0]["n"]
        running = jobs.is_due(tx, now=desk.clock.now())
    stores.close()
    old.close()
    databases.server.drop(url)

    assert refused == []
    assert (version, left, firing, running) == (SCHEMA_VERSION, False, 60, False)
