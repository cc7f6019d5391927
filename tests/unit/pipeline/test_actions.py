"""What people do with an incident: recorded once, shown, and done at Alertmanager as the newest wish says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.domain.incident_memory import ContainerSettings
from receiver.pipeline import people
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, LOUD, QUIET, WRONG, Act
from receiver.store import incident_lists, incidents, jobs, schema
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.support import Clock, alert
from tests.unit.pipeline.kit import H, Room, answers, brief


def test_the_first_who_acknowledges_owns_it(room: Room) -> None:
    """Twice is once; who and when are kept."""
    states = [room.act(ACKNOWLEDGE), room.act(ACKNOWLEDGE, by="Otto")]

    assert states == ["done", "already"]
    assert room.incident.memory.acknowledged.by == "Ines"
    assert room.history() == ["acknowledged by=Ines"]
    assert brief(room.view.acknowledged) == "acknowledged by=Ines"


def test_a_fix_is_noted_with_the_settings_of_that_moment(room: Room) -> None:
    """When it was said, and limit and image then: what a later kill is compared with."""
    states = [room.act(FIXED), room.act(FIXED)]
    fix = room.incident.memory.fix

    assert states == ["done", "already"]
    assert fix.settings == ContainerSettings(limit_bytes=80 * 1024**2, image="shop:1")
    assert fix.at.timestamp() == room.clock.now() - 60


def test_after_another_kill_it_is_not_fixed_and_may_be_fixed_again(room: Room) -> None:
    """What a person said is not shown against what was seen."""
    room.act(FIXED)
    room.clock.advance(600)
    room.desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:10:00Z")
    room.desk.take(alert("HighMemoryUsage", started=room.clock.now()))

    assert room.view.fix_noted is None
    assert room.act(FIXED, by="Otto") == "done"
    assert brief(room.view.fix_noted) == "fix_applied by=Otto"


def test_what_sounds_again_after_a_quiet_while_is_to_be_owned_again(room: Room) -> None:
    """A re-fire that is told with a sound has an Acknowledge button again."""
    first = alert(started=room.clock.now())
    room.act(ACKNOWLEDGE)
    room.desk.take(alert(started=first.starts_at.timestamp(), status=RESOLVED))
    room.clock.advance(2 * H)
    room.desk.take(alert(started=room.clock.now()))

    assert room.view.acknowledged is None
    assert room.history() == ["acknowledged by=Ines", "resolved", "firing_again"]


class TestPermissions:
    """slack_users says who may do what; nobody named means everybody in the workspace."""

    def test_who_is_not_named_is_refused_once_in_the_history(self, tmp_path: Path) -> None:
        """Clicking on does not push the history out."""
        room = Room(tmp_path / "state.db", silence=("U1",))
        states = [room.act(QUIET, hours=1, user_id="U2", by="mallory") for _ in range(3)]
        allowed = room.act(QUIET, hours=1, user_id="U1")
        own = room.act(ACKNOWLEDGE, user_id="U2", by="mallory")
        history = room.history()
        room.desk.store.close()

        assert (states, allowed, own) == (["refused"] * 3, "done", "done")
        assert history[0] == "refused by=mallory what=quiet"
        assert len([h for h in history if "refused" in h]) == 1

    @pytest.mark.parametrize(("users", "expected"), [({}, "refused"), ({"acknowledge": ("U9",)}, "done")], ids=["not named", "named"])
    def test_people_of_another_workspace_need_to_be_named(self, tmp_path: Path, users: dict[str, tuple[str, ...]], expected: str) -> None:
        """A shared channel has readers from outside."""
        room = Room(tmp_path / "state.db", **users)
        state = room.act(ACKNOWLEDGE, user_id="U9", is_outsider=True)
        room.desk.store.close()

        assert state == expected

    def test_the_command_line_is_not_concerned(self, tmp_path: Path) -> None:
        """ADMIN_TOKEN let it in already."""
        room = Room(tmp_path / "state.db", acknowledge=())
        state = room.act(ACKNOWLEDGE)
        room.desk.store.close()

        assert state == "done"


def test_one_click_is_taken_once_however_often_slack_sends_it(room: Room) -> None:
    """The same action_ts again changes nothing, also after other things happened."""
    room.act(QUIET, hours=1, click_id="1.5")
    room.act(LOUD, click_id="1.6")

    assert room.act(QUIET, hours=1, click_id="1.5") == "already"
    assert room.keeper.silences == {}


def test_a_wrong_verdict_keeps_its_case_for_ever(room: Room) -> None:
    """The case of that moment stays for replay when newer ones come, and when the incident would be forgotten."""
    room.act(WRONG, works=False)
    with room.desk.store.read() as tx:
        at_the_click = incidents.case_for_replay(tx, room.id)
    room.clock.advance(600)
    room.desk.take(alert("HighMemoryUsage", started=room.clock.now()))
    with room.desk.store.write() as tx:
        jobs.cancel(tx, room.id)
        incidents.close(tx, room.id, now=room.clock.now(), state=RESOLVED)
    room.clock.advance(400 * 86_400)
    room.desk.store.tidy(reopen_window_s=1.0, retention_s=1.0)
    with room.desk.store.read() as tx:
        newest, kept = incidents.evidence_of(tx, room.id), incidents.case_for_replay(tx, room.id)

    assert kept == at_the_click
    assert newest is not None
    assert kept is not None
    assert newest.to_json()["gathered_at"] != kept["gathered_at"]
    assert room.history() == ["verdict_marked_wrong by=Ines"]


def test_without_such_a_mark_it_is_forgotten(room: Room) -> None:
    """The exemption is one of marked incidents only."""
    with room.desk.store.write() as tx:
        incidents.close(tx, room.id, now=room.clock.now(), state=RESOLVED)
    room.clock.advance(400 * 86_400)
    room.desk.store.tidy(reopen_window_s=1.0, retention_s=1.0)
    with room.desk.store.read() as tx:
        assert incident_lists.newest(tx, 10) == []


def test_a_closed_incident_takes_nothing_but_a_judgement(room: Room) -> None:
    """There is nothing to own or to silence any more; that the verdict was wrong can be seen later."""
    with room.desk.store.write() as tx:
        incidents.close(tx, room.id, now=room.clock.now(), state=RESOLVED)

    assert [room.act(w, works=False) for w in (ACKNOWLEDGE, QUIET, FIXED, WRONG)] == ["closed", "closed", "closed", "done"]
    assert room.actions.take("inc_NONE", Act(what=ACKNOWLEDGE)).state == "unknown"


@pytest.mark.parametrize("name", ["\x1b[31mInes\x1b[0m\n\n", "x" * 1000, "<!channel>", "", None])
def test_a_name_is_one_short_line(name: Any) -> None:
    """Whatever Slack or a shell calls the person."""
    shown = people.name_of(name)

    assert len(shown) <= people.MAX_NAME
    assert shown.isprintable()


@pytest.mark.state_file
def test_a_state_file_of_the_first_schema_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade with an incident in it: nothing is lost, and its case can be kept."""
    path, clock = tmp_path / "state.db", Clock()
    with monkeypatch.context() as old:
        old.setattr(schema, "SCHEMA_VERSION", 1)
        old.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        database = SqliteDatabase.open(path)
        schema.migrate(database, now=0.0)
        with database.transaction() as tx:
            tx.run(
                """INSERT INTO incident (id, key, state, severity, subject, opened_at, first_seen, last_seen)
                   VALUES ('inc_1', 'k', 'firing', 'warning', '{}', 1, 1, 1)"""
            )
        database.close()
    store = Store.open_sqlite(path, clock=clock.now)
    with store.write() as tx:
        incidents.keep_case(tx, "inc_1")
        found = incidents.load(tx, "inc_1")
    store.close()

    assert found is not None
