"""Incidents as JSON documents: what a program that listens is told, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.domain.incident import Destination
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers, pod

BESIDE = Destination(sink="json_webhook", channel="")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a sink for programs beside the one with channels."""
    desk = Desk(tmp_path / "state.db", beside=(BESIDE,))
    yield desk
    desk.store.close()


def documents(desk: Desk) -> list[dict[str, Any]]:
    with desk.store.read() as tx:
        rows = tx.run(
            "SELECT m.desired_body FROM message m JOIN conversation c ON c.id = m.conversation_id WHERE c.sink = 'json_webhook' ORDER BY m.position"
        )
    return [json.loads(row["desired_body"])["document"] for row in rows]


def test_the_life_of_an_incident_is_three_kinds_of_events(desk: Desk) -> None:
    """Opened, updated by another kill (but not by the same again), resolved: each with the whole report of that moment."""
    desk.take(alert(started=desk.clock.now()))
    for seconds in (600, 600):
        desk.clock.advance(seconds)
        desk.evidence = lambda s: answers(s, restarts=3, finished="2024-11-10T09:09:50Z")
        desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(60)
    desk.take(*(alert(started=desk.clock.now() - ago, status=RESOLVED) for ago in (60, 660, 1260)))
    found = documents(desk)

    assert [(d["event"], d["incident"]["state"], d["incident"]["kill_count"]) for d in found] == [
        ("opened", "firing", 1),
        ("updated", "firing", 3),
        ("resolved", "resolved", 3),
    ]
    for document in found:
        assert document["schema"] == "oomtriage.report/v1"
        assert document["kill"]["kind"] == "container_oom"
        assert len(document["checklist"]) == 9
        assert document["incident"]["id"] == found[0]["incident"]["id"]
        assert document["alerts"][0]["labels"]["alertname"] == "OOMKilled"
    assert len(desk.roots()) == 2  # the channel is told as ever


def test_an_alert_that_cannot_be_diagnosed_is_an_event_too(desk: Desk) -> None:
    """It has its alert and its subject, and no invented report."""
    desk.take(alert("CertificateExpires", pod="", container=""))
    (document,) = documents(desk)

    assert set(document) == {"schema", "event", "incident", "alerts", "subject"}
    assert document["subject"]["namespace"] == "shop"
    assert document["alerts"][0]["annotations"]["summary"]


def test_a_storm_is_told_incident_by_incident(desk: Desk) -> None:
    """Programs need no digest."""
    for i in range(25):
        desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))

    assert [d["event"] for d in documents(desk)] == ["opened"] * 25
