"""What is asked while work waits is answered by an index: its cost does not grow with what is stored."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts, alike, conversations, incident_lists, incidents, jobs, outbox, quarantine, workloads
from receiver.store.sqlite import _SqliteTx
from receiver.telemetry import Metrics
from receiver.worker.sender import Sender, SenderConfig
from tests.support import alert
from tests.unit.pipeline.kit import Desk

GROWING = frozenset(
    (
        "alert",
        "incident",
        "incident_alias",
        "conversation",
        "digest_member",
        "message",
        "incident_mark",
        "history_incident",
        "history_kills",
    )
)
# Each holds only what is under way, or is read in its order and no further than a page needs; of histories a page needs the sums of all.
SMALL = frozenset(
    ("alert_unfolded", "incident_open", "message_unsent", "message_dead", "message_settled", "incident_by_last_seen", "incident_closed", "history_by_seen", "history_by_workload")
)  # fmt: skip
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mapping[str, Mapping[str, Any]], sqlite3.Connection]]:
    """Every statement of a life: alerts, a storm, looks, messages, clicks, health, tidying; and the database they went to."""
    statements: dict[str, Mapping[str, Any]] = {}
    run = _SqliteTx.run

    def note(tx: _SqliteTx, sql: str, /, **params: Any) -> list[Any]:
        statements.setdefault(sql, params)
        return run(tx, sql, **params)

    path = tmp_path_factory.mktemp("plans") / "state.db"
    desk = Desk(path)  # the schema is made before anybody looks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_SqliteTx, "run", note)
        _live(desk)
    desk.store.close()
    with closing(sqlite3.connect(path)) as connection:
        yield statements, connection


def _live(desk: Desk) -> None:
    desk.clock.advance(1000)  # what came with the installation would be an inventory
    now = desk.clock.now()
    desk.take(alert(started=now), alert(status=RESOLVED, started=now - 60))
    desk.take(alert(started=now))
    desk.send_one()
    desk.take(*(alert(pod=f"svc{i}-655779759d-jst99", container=f"svc{i}", started=now) for i in range(30)))
    sender = Sender(
        store=desk.store, sinks={}, metrics=Metrics(), config=SenderConfig(), plain_body=lambda body: body, monotonic=desk.clock.monotonic
    )
    sender.step()
    desk.take(alert(status=RESOLVED, started=now))
    with desk.store.write() as tx:
        for row in tx.run("SELECT id FROM incident"):
            alerts.last_repeat(tx, row["id"])
            alike.like(tx, row["id"])
            incidents.has_case(tx, row["id"])
            for conversation in conversations.of_incident(tx, row["id"]):
                outbox.shown(tx, conversation.id)
                outbox.shown(tx, conversation.id, slot="root")
        alerts.last_heartbeat(tx)
        outbox.backlog(tx)
        outbox.dead(tx)
        outbox.settled_channels(tx, sink="fake")
        conversations.waiting_roots(tx, sink="fake", channel="C1")
        incident_lists.newest(tx, 50)
        incident_lists.open_after(tx, "", 50)
        incident_lists.unshown(tx)
        incident_lists.unpublished(tx, waiting_since=now, kind="collect", limit=5)
        incidents.last_closed(tx, "no such key")
        jobs.next_due(tx)
        quarantine.counts(tx)
        for past in workloads.since(tx, now)[:1]:
            workloads.of_workload(tx, past.workload.id, limit=50)
            workloads.kills_of(tx, past.workload.id, since_at=now)
            workloads.limits_of(tx, past.workload.id)
        workloads.kills_since(tx, 0)
        workloads.sums(tx, seen_since=now, first_day=0)
        workloads.newest_limits(tx)
        incidents.are_there(tx, ["no such id"])
    desk.clock.advance(30 * DAY_S)
    desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    fold(desk.store, FoldConfig())


def test_no_growing_table_is_read_through(asked: tuple[Mapping[str, Mapping[str, Any]], sqlite3.Connection]) -> None:
    """Not by accepting, folding, looking, sending, health checks or tidying."""
    statements, connection = asked
    through = []
    for sql, params in statements.items():
        if not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) or sql == "SELECT id FROM incident":
            continue
        names = dict(re.findall(r"(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?([a-z])\b)?", sql))
        tables = {alias or table: table for table, alias in names.items()} | {table: table for table in names}
        for (step,) in ((row[3],) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)):
            found = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
            if found and tables.get(found[1]) in GROWING and found[2] not in SMALL:
                through.append((step, " ".join(sql.split())[:160]))

    assert len(statements) > 60
    assert through == []


@pytest.mark.parametrize(
    ("part", "index"),
    [
        ("is_newest FROM alert", "alert_by_fingerprint"),
        ("ORDER BY status, severity_rank DESC LIMIT 1", "alert_newest"),
        ("ORDER BY m.urgency, m.created_at", "message_unsent"),
        ("GROUP BY c.sink, c.channel", "message_unsent"),
        ("m.slot = 'root' AND c.kind", "message_unsent"),
        ("closed_at IS NULL AND incident_id IS NULL LIMIT 1", "conversation_open"),
        ("DELETE FROM incident ", "incident_closed"),
        ("m.state = 'settled'", "message_settled"),
        ("SELECT kind, value FROM incident_mark", "incident_mark_by_incident"),
    ],
)
def test_the_index_that_was_made_for_it_is_used(
    asked: tuple[Mapping[str, Mapping[str, Any]], sqlite3.Connection], part: str, index: str
) -> None:  # fmt: skip
    """A search by the wrong index, such as all of a channel or of an incident, is a scan as well."""
    statements, connection = asked
    (sql,) = [s for s in statements if part in s]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", statements[sql])]

    assert any(re.search(rf"INDEX {index}\b", step) for step in plan), plan
