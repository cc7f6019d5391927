"""The store stays within bounds of age and of size, and what counts is never what pays for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.store import alerts, conversations, incident_lists, incidents, outbox
from receiver.store.database import Room
from receiver.store.incidents import Incident
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers, killed_pod

DAY_S = 86_400.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "state.db")
    desk.clock.advance(1000)
    yield desk
    desk.store.close()


def _tidy(desk: Desk, *, max_bytes: int = 0) -> None:
    desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S, max_bytes=max_bytes)


def _end(desk: Desk, name: str, *, is_sent: bool = True) -> None:
    """An incident of a workload, told (or not), over and closed."""
    pod = f"{name}-655779759d-jst99"
    began = desk.clock.now()
    desk.take(alert(pod=pod, container=name, started=began))
    desk.clock.advance(60)
    desk.take(alert(pod=pod, container=name, started=began, status=RESOLVED))
    desk.clock.advance(600)
    while is_sent and desk.next_message():
        desk.send_one()
    desk.clock.advance(DAY_S + 3600)
    desk.work()
    _tidy(desk)


def _incidents(desk: Desk) -> dict[str, Incident]:
    with desk.store.read() as tx:
        return {i.subject.container: i for i in incident_lists.newest(tx, 100)}


def _rows(desk: Desk, sql: str, **params: Any) -> list[Any]:
    with desk.store.read() as tx:
        return tx.run(sql, **params)


def test_an_alert_that_never_resolves_does_not_grow_for_ever(desk: Desk) -> None:
    """Its container dies every six hours as another pod, nobody says that it is over: 40 days later 14 days of it are kept."""
    for n in range(40 * 4):
        desk.take(alert(pod=f"orders-api-655779759d-{n:05d}", workload="orders-api", started=desk.clock.now()), works=False)
        desk.clock.advance(6 * 3600)
        _tidy(desk)

    assert _rows(desk, "SELECT COUNT(*) AS n FROM alert")[0]["n"] <= 14 * 4 + 1
    assert _incidents(desk)["orders-api"].state == "firing"


def test_an_alert_that_comes_and_goes_leaves_two_days_of_itself(desk: Desk) -> None:
    """One pod that fires and resolves every six hours in an incident that stays open: what was superseded is no evidence."""
    for _ in range(10 * 4):
        began = desk.clock.now()
        desk.take(alert(started=began), works=False)
        desk.clock.advance(3 * 3600)
        desk.take(alert(started=began, status=RESOLVED), works=False)
        desk.clock.advance(3 * 3600)
        _tidy(desk)

    assert _rows(desk, "SELECT COUNT(*) AS n FROM alert")[0]["n"] <= 2 * 4 * 2 + 2


def test_the_last_firing_alert_of_an_incident_is_kept_whatever_its_age(desk: Desk) -> None:
    """Alertmanager has not spoken of it for a month: it fires all the same, and its resolve ends it."""
    began = desk.clock.now()
    desk.take(alert(started=began))
    desk.clock.advance(30 * DAY_S)
    _tidy(desk)
    incident_id = _incidents(desk)["orders-api"].id
    with desk.store.read() as tx:
        kept = alerts.newest_of(tx, incident_id)
    desk.take(alert(started=began, status=RESOLVED))

    assert [a.status for a in kept] == ["firing"]
    assert _incidents(desk)["orders-api"].state == "resolved"


def test_a_closed_incident_is_packed_and_reads_as_before(desk: Desk) -> None:
    """Its report and its messages take a part of the room; the page shows the same."""
    _end(desk, "cart")
    closed = _incidents(desk)["cart"]
    (conversation,) = _conversations(desk, closed.id)
    stored = _rows(
        desk,
        "SELECT report, desired_body FROM incident i JOIN conversation c ON c.incident_id = i.id JOIN message m ON m.conversation_id = c.id",
    )

    assert closed.closed_at is not None
    assert closed.report is not None
    assert closed.report["schema"].startswith("oomtriage")
    assert all(row["report"].startswith("z:") and row["desired_body"].startswith("z:") for row in stored)
    assert len(stored[0]["report"]) < len(str(closed.report)) / 2
    with desk.store.read() as tx:
        assert any("cart" in text for text in [m.words for m in outbox.shown(tx, conversation.id)])


def _conversations(desk: Desk, incident_id: str) -> list[conversations.Conversation]:
    with desk.store.read() as tx:
        return conversations.of_incident(tx, incident_id)


@pytest.mark.state_file
def test_too_large_the_oldest_closed_lose_their_evidence_first(desk: Desk) -> None:
    """Thinned as far as it must be; nothing is forgotten as long as that is enough."""
    desk.evidence = lambda subject: {
        **answers(subject, killed_pod(subject.namespace, subject.pod, subject.container)),
        "log": _noise(subject.pod),
    }
    for name in ("cart", "mail", "shop"):
        _end(desk, name)
    _tidy(desk, max_bytes=desk.store.room().used_bytes - 1)

    found = _incidents(desk)
    with desk.store.read() as tx:
        has_case = {name: incidents.evidence_of(tx, i.id) is not None for name, i in found.items()}
        texts = [[m.words for m in outbox.shown(tx, c.id)] for c in conversations.of_incident(tx, found["cart"].id)]
    assert sorted(found) == ["cart", "mail", "shop"]
    assert not has_case["cart"]
    assert "cart" in texts[0][0]
    assert found["cart"].report is not None


def _noise(seed: str) -> str:
    return "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=40_000))


@pytest.mark.state_file
def test_much_too_large_the_oldest_closed_go(desk: Desk) -> None:
    """And what is open, not told, a dead letter or kept stays, however large the store is."""
    for name in ("cart", "mail"):
        _end(desk, name)
    wrong = _incidents(desk)["mail"].id
    with desk.store.write() as tx:
        incidents.keep_case(tx, wrong)
    _end(desk, "untold", is_sent=False)
    desk.take(alert(pod="open-655779759d-jst99", container="open", started=desk.clock.now()))
    _tidy(desk, max_bytes=1)

    assert sorted(_incidents(desk)) == ["mail", "open", "untold"]


def test_the_volume_is_a_bound_too() -> None:
    """What fills the volume leaves no room for the next alert: a fifth of what we could have stays free."""
    mib = 2**20

    assert not Room(used_bytes=400 * mib, store_bytes=420 * mib, free_bytes=580 * mib).is_over(512 * mib)
    assert Room(used_bytes=600 * mib, store_bytes=620 * mib, free_bytes=580 * mib).is_over(512 * mib)
    assert Room(used_bytes=400 * mib, store_bytes=420 * mib, free_bytes=20 * mib).is_over(512 * mib)
