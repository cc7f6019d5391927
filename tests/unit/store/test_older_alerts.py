"""Alerts that an older release stored: after the upgrade it is still known which state of each holds, and how severe it is."""

from __future__ import annotations

from pathlib import Path

from receiver.domain.alerts import FIRING, RESOLVED, Alert
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts, incidents
from receiver.store.schema import MIGRATIONS, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.support import Clock, alert


def _stored_by_schema_4(path: Path, rows: list[tuple[Alert, int]], *, now: float) -> None:
    """A state file with one open incident of these alerts, in the order they came; `times_seen` of each."""
    database = SqliteDatabase.open(path)
    with database.transaction() as tx:
        tx.run("CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL)")
        for migration in MIGRATIONS[:4]:
            for statement in migration(database.dialect):
                tx.run(statement)
        set_meta(tx, "schema", "4")
        tx.run(
            """INSERT INTO incident (id, key, state, severity, subject, opened_at, first_seen, last_seen)
               VALUES ('inc_1', 'c//shop/Deployment/orders-api/orders-api', 'firing', 'critical', '{"namespace": "shop"}', :now, :now, :now)""",
            now=now,
        )
        for n, (one, times_seen) in enumerate(rows):
            stored = alerts.Arrival.of(one)
            tx.run(
                """INSERT INTO alert (dedup_key, incident_id, fingerprint, status, starts_at, payload, first_seen, last_seen, times_seen, is_folded)
                   VALUES (:key, 'inc_1', :fingerprint, :status, :starts_at, :payload, :now, :seen, :times_seen, 1)""",
                key=stored.dedup_key,
                fingerprint=stored.fingerprint,
                status=stored.status,
                starts_at=stored.starts_at,
                payload=stored.payload,
                now=now,
                seen=now + n + 10 * (times_seen > 1),
                times_seen=times_seen,
            )
    database.close()


def test_which_state_holds_is_known_after_the_upgrade(tmp_path: Path) -> None:
    """Of a firing and its resolve the resolve, unless the firing was seen again; of two firings the newer."""
    clock = Clock()
    now = clock.now()
    over, back, twice = (f"orders-api-655779759d-{x}xzw" for x in ("ab", "cd", "ef"))
    rows = [
        (alert(pod=over, started=now - 60), 1), (alert(pod=over, started=now - 60, status=RESOLVED), 1),
        (alert(pod=back, started=now - 60), 2), (alert(pod=back, started=now - 60, status=RESOLVED), 1),
        (alert(pod=twice, started=now - 90, status=RESOLVED), 1), (alert(pod=twice, started=now - 30, severity="warning"), 1),
    ]  # fmt: skip
    _stored_by_schema_4(tmp_path / "state.db", rows, now=now)
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    with store.read() as tx:
        states = {a.labels["pod"][-4:]: a.status for a in alerts.newest_of(tx, "inc_1")}
    store.close()

    assert states == {"bxzw": RESOLVED, "dxzw": FIRING, "fxzw": FIRING}


def test_a_severity_is_known_after_the_upgrade(tmp_path: Path) -> None:
    """The critical alert goes on: the end of a warning beside it does not make the incident a warning."""
    clock = Clock()
    now = clock.now()
    warning, critical = alert("HighMemoryUsage", started=now), alert("OOMKilled", severity="critical", started=now)
    _stored_by_schema_4(tmp_path / "state.db", [(critical, 1), (warning, 1)], now=now)
    store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
    store.accept([alert("HighMemoryUsage", started=now, status=RESOLVED)])
    fold(store, FoldConfig())
    with store.read() as tx:
        incident = incidents.load(tx, "inc_1")
    store.close()

    assert incident is not None
    assert (incident.state, incident.severity) == (FIRING, "critical")
