"""What no incident tells is told in the default channel, at most once an hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.domain.away import ALERTMANAGER, Gap
from receiver.domain.incident import Destination
from receiver.domain.reason import reason
from receiver.domain.typed_json import from_json
from receiver.pipeline import kinds
from receiver.pipeline.fold import FoldConfig, fold
from receiver.pipeline.notices import Notices
from receiver.store import alerts as alert_table
from receiver.store import away, jobs
from receiver.store.store import Store
from tests.support import Clock, alert


class Office:
    """Notices over a store whose clock tests turn."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.notices = Notices(self.store, Destination(sink="fake", channel="C1"))

    def said(self) -> list[str]:
        with self.store.read() as tx:
            rows = tx.run("SELECT desired_body FROM message ORDER BY created_at")
        return [json.loads(r["desired_body"])["full_text"].partition("\n")[2] for r in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "state.db")
    yield office
    office.store.close()


@pytest.mark.wording
def test_a_kind_is_told_once_an_hour(office: Office) -> None:
    """A sender that repeats a broken body every ten seconds is heard of once."""
    for _ in range(400):
        office.notices.post("unreadable", reason("notice.body_unreadable", error="no JSON"))
        office.clock.advance(10)
    office.notices.post("too-large", reason("notice.body_too_large", limit_bytes=100))

    assert [text.rpartition(" ")[2] for text in office.said()] == ["JSON", "JSON", "taken"]


def break_alerts(office: Office, *pods: str) -> None:
    """Alerts whose rows cannot be read."""
    office.store.accept([alert(pod=pod) for pod in pods])
    with office.store.write() as tx:
        tx.run("UPDATE alert SET payload = '{' WHERE is_folded = 0")
    fold(office.store, FoldConfig())


@pytest.mark.wording
def test_rows_that_cannot_be_read_are_told_once(office: Office) -> None:
    """One notice for all there are; for more of them another, after the hour; across a restart none again."""
    for n in range(3):
        break_alerts(office, f"a-{n}")
        office.notices.check_quarantine()
        office.clock.advance(60)
    within_the_hour = office.said()
    Notices(office.store, Destination(sink="fake", channel="C1")).check_quarantine()
    office.clock.advance(3600)
    for _ in range(3):
        office.notices.check_quarantine()
        office.clock.advance(3600)

    assert [text.partition(" cannot be read")[0] for text in within_the_hour] == ["what is stored of 1 alert"]
    assert [text.partition(" cannot be read")[0] for text in office.said()] == ["what is stored of 1 alert", "what is stored of 2 alerts"]


@pytest.mark.wording
def test_a_silent_heartbeat_is_told_once(office: Office) -> None:
    """The alert that always fires stops coming: one notice, and one more only after it had come back."""
    for _ in range(3):
        office.store.accept([alert("Watchdog", pod="", namespace="", container="", severity="none")])
        fold(office.store, FoldConfig())
        office.clock.advance(60)
        office.notices.check_heartbeat()
    while_alive = office.said()
    for _ in range(20):
        office.clock.advance(300)
        office.notices.check_heartbeat()
    while_silent = office.said()

    assert while_alive == []
    assert len(while_silent) == 1
    assert "no heartbeat from Alertmanager" in while_silent[0]


def test_a_second_silence_within_the_hour_is_told_when_the_hour_is_over(office: Office) -> None:
    """It came back for a moment and went again: that is not forgotten."""
    for _ in range(2):
        office.store.accept([alert("Watchdog", pod="", namespace="", container="", severity="none")])
        fold(office.store, FoldConfig())
        for _ in range(4):
            office.clock.advance(300)
            office.notices.check_heartbeat()
    for _ in range(20):
        office.clock.advance(300)
        office.notices.check_heartbeat()

    assert len(office.said()) == 2


def beats(office: Office) -> None:
    """The heartbeat comes."""
    office.store.accept([alert("Watchdog", pod="", namespace="", container="", severity="none")])
    fold(office.store, FoldConfig())


@pytest.mark.wording
def test_a_heartbeat_that_is_back_closes_its_notice(office: Office) -> None:
    """The same message says so; and what did not come meanwhile is looked for, once."""
    beats(office)
    for _ in range(60):
        office.clock.advance(30)
        office.notices.check_heartbeat()
    while_silent = office.said()
    beats(office)
    office.notices.check_heartbeat()
    office.notices.check_heartbeat()
    with office.store.read() as tx:
        asked = [job.payload for job in jobs.claim(tx, now=office.clock.now() + 60, epoch=0, limit=10, only=(kinds.RECONCILE,))]
        known = away.gaps(tx)

    assert len(while_silent) == len(office.said()) == 1
    assert "no heartbeat from Alertmanager for 10 min" in while_silent[0]
    assert office.said()[0].startswith("the heartbeat from Alertmanager is back. Nothing came from 09:00 UTC to 09:30 UTC")
    assert [(g.whose, (g.until - g.since).total_seconds()) for g in known] == [(ALERTMANAGER, 1800.0)]
    assert [from_json(Gap, payload["gap"]) for payload in asked] == list(known)


def test_what_began_while_it_was_silent_is_late(office: Office) -> None:
    """Alertmanager brings it as soon as it is back, before anybody has looked at the heartbeat again."""
    beats(office)
    for _ in range(60):
        office.clock.advance(30)
        office.notices.check_heartbeat()
    office.store.accept([alert(started=office.clock.now() - 900), alert(pod="new", started=office.clock.now() - 5)])
    with office.store.read() as tx:
        found = alert_table.began_between(tx, office.clock.now() - 1000, office.clock.now())

    assert [a.late is not None for a in found] == [True, False]


def test_the_receivers_own_absence_is_no_silence(office: Office) -> None:
    """It was down for an hour: what it did not hear then says nothing about Alertmanager."""
    beats(office)
    office.clock.advance(3600)
    office.notices = Notices(office.store, Destination(sink="fake", channel="C1"))
    office.notices.check_heartbeat()
    office.clock.advance(500)
    office.notices.check_heartbeat()
    early = office.said()
    office.clock.advance(200)
    office.notices.check_heartbeat()

    assert early == []
    assert len(office.said()) == 1


def test_without_a_heartbeat_nothing_is_missed(office: Office) -> None:
    """Who never set up a watchdog is not told that it is silent."""
    office.clock.advance(86_400)
    office.notices.check_heartbeat()

    assert office.said() == []
