"""What each channel and sink shows of an incident, and what that costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.diagnosis.diagnose import diagnose
from receiver.domain.alerts import RESOLVED, Alert
from receiver.domain.facts import Facts
from receiver.domain.report import Report
from receiver.pipeline import kinds
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, NOT_FIXED, TICK, WRONG, Act, Actions
from receiver.pipeline.routing import Route
from receiver.store import incident_lists, incidents, jobs, outbox, sending
from tests.support import alert
from tests.unit.pipeline.kit import Desk, Room, answers, killed_pod


def _ended(desk: Desk) -> list[Alert]:
    """Resolves of everything that fires."""
    with desk.store.read() as tx:
        starts = [r["starts_at"] for r in tx.run("SELECT starts_at FROM alert WHERE status = 'firing'")]
    return [alert(started=at, status=RESOLVED) for at in starts]


def test_a_resolve_edits_the_root(desk: Desk) -> None:
    """Resolved is told where the incident is told."""
    desk.take(alert())
    desk.clock.advance(300)
    desk.take(alert(status=RESOLVED))

    assert ["resolved" in r for r in desk.roots()] == [True]


def test_where_the_root_cannot_be_edited_a_reply_says_that_it_is_over(desk: Desk) -> None:
    """Once, and silently: without it the root would stand there as firing for ever. Where edits arrive, none is needed."""
    desk.take(alert())
    desk.clock.advance(300)
    with desk.store.write() as tx:
        tx.run("UPDATE message SET state = 'settled', ts = '1', sent_rev = 1 WHERE slot = 'root'")
        tx.run("UPDATE conversation SET root_ts = '1', mention = '<!here>'")
    desk.take(alert("HighMemoryUsage"))
    while_firing = desk.messages()
    for _ in range(3):
        desk.clock.advance(300)
        desk.take(*_ended(desk), alert("HighMemoryUsage", status=RESOLVED))

    assert not any("resolved:" in m for m in while_firing)
    assert [m for m in desk.messages() if "/resolved:" in m] == ["C1/resolved: later: orders-api resolved unknown x1"]
    with desk.store.read() as tx:
        (row,) = tx.run("SELECT is_reply, is_broadcast FROM message WHERE slot = 'resolved'")

    assert (row["is_reply"], row["is_broadcast"]) == (1, 0)


def test_info_is_for_the_page_only(desk: Desk) -> None:
    """Severity info posts nothing; when the incident becomes a warning it is told."""
    desk.take(alert("NoMemoryLimit", severity="info"))
    quiet = desk.messages()
    desk.take(alert("OOMKilled", severity="warning"))

    assert quiet == []
    assert len(desk.roots()) == 1


def test_a_warning_that_becomes_a_kill_is_broadcast_once(desk: Desk) -> None:
    """An edit is silent: the reader whose phone showed a warning must hear of the kill."""
    calm = killed_pod("shop", "orders-api-655779759d-jst99", "orders-api")
    calm["status"]["containerStatuses"][0].update(lastState={}, restartCount=0)
    desk.evidence = lambda s: answers(s, calm)
    desk.take(alert("HighMemoryUsage"))
    desk.clock.advance(100)
    desk.evidence = lambda s: answers(s, finished="2024-11-10T09:01:00Z")
    desk.take(alert("OOMKilled"))
    desk.clock.advance(100)
    desk.take(alert("OOMKilled", started=desk.clock.now()))

    assert [m for m in desk.messages() if "broadcast" in m] == ["C1/broadcast:became-kill: later: orders-api firing unknown x1"]


def test_a_refire_after_a_quiet_while_is_broadcast(desk: Desk) -> None:
    """Back within a quarter of an hour is an edit; back after an hour is news, once."""
    desk.take(alert(started=desk.clock.now()))
    for quiet_s in (300, 3600):
        desk.clock.advance(60)
        desk.take(alert(started=desk.clock.now() - 60, status=RESOLVED), *_ended(desk))
        desk.clock.advance(quiet_s)
        desk.take(alert(started=desk.clock.now()))

    assert len([m for m in desk.messages() if "broadcast:refired" in m]) == 1


def test_the_tenth_kill_is_broadcast_once(desk: Desk) -> None:
    """Still dying: the edit that counts kills is silent, so this is said once."""
    for kills in (8, 9, 10, 11, 12):
        desk.evidence = lambda s, kills=kills: answers(s, restarts=kills, finished=f"2024-11-10T08:59:{30 + kills}Z")  # type: ignore[misc]
        desk.take(alert(started=desk.clock.now()))
        desk.clock.advance(100)

    assert len([m for m in desk.messages() if "escalation:still-dying" in m]) == 1


def test_a_sink_without_threads_gets_one_message_and_short_ones_later(tmp_path: Path) -> None:
    """An incoming webhook cannot edit: a later state is a new short message, never a repeat of the whole."""
    desk = Desk(tmp_path / "state.db", is_threaded=False)
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(60)
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(60)
    desk.take(alert(started=desk.clock.now() - 60, status=RESOLVED), alert(started=desk.clock.now() - 120, status=RESOLVED))
    messages = desk.messages()
    desk.store.close()

    assert messages == ["C1/root: orders-api firing unknown x1", "C1/later:1: later: orders-api resolved unknown x1"]


def test_routes_decide_channel_and_mention(tmp_path: Path) -> None:
    """The first route that matches wins; its mention goes with the message (the sink keeps it out of edits)."""
    route = Route(channel="C2", match={"namespace": "pay.*"}, mention="<!subteam^S1>")
    desk = Desk(tmp_path / "state.db", routes=(route,))
    desk.take(alert(namespace="payments", severity="critical"), alert(namespace="shop", severity="critical"))
    first = sorted(m for m in desk.messages() if "/root" in m)
    desk.clock.advance(600)
    desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:05:00Z")
    desk.take(alert(namespace="payments", severity="critical", started=desk.clock.now()))
    later = sorted(m for m in desk.messages() if "C2/root" in m)

    desk.store.close()
    assert first == ["C1/root: orders-api firing unknown x1", "C2/root: <!subteam^S1>orders-api firing unknown x1"]
    assert later == ["C2/root: <!subteam^S1>orders-api firing unknown x2"]


def test_a_resolve_of_what_was_critical_calls_nobody(tmp_path: Path) -> None:
    """It was a warning, became critical and is over: the resolve is an edit, and no broadcast calls for it."""
    desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="<@U1>"),))
    desk.take(alert(started=desk.clock.now()))
    desk.send_one()
    desk.clock.advance(600)
    desk.take(alert(started=desk.clock.now() - 600, status=RESOLVED), alert("Worse", severity="critical", status=RESOLVED))
    desk.store.close()

    assert [m for m in Desk(tmp_path / "state.db").messages() if "broadcast" in m] == []


def test_a_root_that_waits_for_slack_calls_for_what_it_has_become(tmp_path: Path) -> None:
    """Slack was away while a warning became critical: the first post calls, and nothing waits behind it to sound again."""
    desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="<@U1>"),))
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(600)
    desk.take(alert("Worse", severity="critical", started=desk.clock.now()))

    assert desk.send_one().startswith("<@U1>")
    with desk.store.write() as tx:
        sent = outbox.next_outgoing(tx, sink="fake", channel="C1", now=desk.clock.now())
        assert sent is not None
        sending.drop_overtaken(tx, sent)
    assert [m for m in desk.messages() if "broadcast" in m] == []
    desk.store.close()


class TestClicks:
    """What people do is shown from what is stored."""

    def test_a_click_is_no_look(self, room: Room) -> None:
        """Whatever is pressed: the world is not asked again, and the next planned look stays where it was."""
        looks, due_at = len(room.desk.looks), room.desk.next_job_at()
        for what in (ACKNOWLEDGE, FIXED, NOT_FIXED, WRONG):
            room.act(what)
        room.act(TICK, item="root_cause")

        assert len(room.desk.looks) == looks
        assert room.desk.next_job_at() == due_at

    def test_before_the_first_look_there_is_nothing_to_show(self, desk: Desk) -> None:
        """The look that is due shows it; a bare alert in its place would be worse."""
        desk.take(alert(), works=False)
        with desk.store.read() as tx:
            (incident,) = incident_lists.newest(tx, 1)
        Actions(desk.store).take(incident.id, Act(what=ACKNOWLEDGE, by="Ines"))
        self._do(desk, kinds.PUBLISH)
        before = desk.messages()
        self._do(desk, kinds.COLLECT)

        assert before == []
        assert desk.roots() == ["orders-api firing unknown x1"]

    def test_what_a_message_lacks_is_still_said_after_a_click(self, desk: Desk) -> None:
        """Nothing has been found out since."""
        desk.evidence = lambda s: {"pod": 1 // 0}
        desk.take(alert())
        with desk.store.read() as tx:
            (incident,) = incident_lists.newest(tx, 1)
        Actions(desk.store).take(incident.id, Act(what=ACKNOWLEDGE, by="Ines"))
        self._do(desk, kinds.PUBLISH)

        assert desk.roots() == ["orders-api firing unjudged x0 (degraded)"]

    def test_an_older_case_is_not_shown_over_a_newer_look(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        """A look ends while a click is being shown: what it found stays, with the click."""
        desk = room.desk
        room.act(ACKNOWLEDGE, works=False)
        desk.evidence = lambda s: answers(s, restarts=4, finished="2024-11-10T09:00:50Z")

        def diagnose_slowly(facts: Facts) -> Report:
            monkeypatch.undo()
            report = diagnose(facts)
            with desk.store.write() as tx:
                jobs.schedule(tx, kinds.COLLECT, room.id, now=desk.clock.now())
            self._do(desk, kinds.COLLECT)
            return report

        monkeypatch.setattr("receiver.pipeline.judge.diagnose", diagnose_slowly)
        self._do(desk, kinds.PUBLISH)

        assert desk.roots() == ["orders-api firing unknown x4"]
        assert room.view.acknowledged is not None

    def test_a_closed_incident_is_left_alone(self, room: Room) -> None:
        """A judgement is still taken; nobody edits what is long over."""
        before = room.desk.messages()
        with room.desk.store.write() as tx:
            incidents.close(tx, room.id, now=room.clock.now(), state=RESOLVED)
        room.act(WRONG)

        assert room.desk.messages() == before
        assert [k for k in room.desk.kinds_due() if k != kinds.COLLECT] == []

    def _do(self, desk: Desk, kind: str) -> None:
        with desk.store.write() as tx:
            claimed = jobs.claim(tx, now=desk.clock.now(), epoch=desk.store.epoch, limit=1, only=(kind,))
        for job in claimed:
            desk.do(job)
