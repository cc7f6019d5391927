"""What people do with an incident: recorded once, shown, and done at Alertmanager as the newest wish says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.domain.identity import LabelNames
from receiver.domain.silence import Matcher
from receiver.errors import Rejected, Unavailable
from receiver.pipeline import life, people
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, LOUD, QUIET, WRONG, Act, Actions, Permissions
from receiver.pipeline.silencer import SILENCE, Silencer
from receiver.store import alerts as alert_table
from receiver.store import incidents, jobs, schema
from receiver.store.incidents import Incident
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.support import Clock, alert
from tests.unit.pipeline.test_enrich import Desk, answers

H = 3600.0


class Keeper:
    """An Alertmanager that remembers one silence an incident, or fails as told."""

    def __init__(self) -> None:
        self.silences: dict[str, float] = {}
        self.matchers: tuple[Matcher, ...] = ()
        self.error: Exception | None = None
        self.made = 0
        self.held: frozenset[str] | None = frozenset()

    def hold(
        self, matchers: tuple[Matcher, ...], *, mark: str, known_id: str, now: float, until: float, by: str, comment: str
    ) -> tuple[str, float]:
        if self.error:
            raise self.error
        self.matchers = matchers
        if known_id not in self.silences:
            self.made += 1
            known_id = f"silence-{self.made}"
        self.silences[known_id] = max(until, self.silences.get(known_id, 0.0))
        return known_id, self.silences[known_id]

    def release(self, silence_id: str, *, mark: str) -> None:
        if self.error:
            raise self.error
        self.silences.pop(silence_id, None)

    def firing(self, matchers: tuple[Matcher, ...], *, now: float) -> frozenset[str] | None:
        if self.error:
            raise self.error
        return self.held


class Room:
    """A desk with one incident, people who act on it, and an Alertmanager."""

    def __init__(self, path: Path, **permissions: tuple[str, ...]) -> None:
        self.desk = Desk(path)
        self.clock = self.desk.clock
        self.keeper = Keeper()
        self.actions = Actions(self.desk.store, Permissions(users=permissions))
        self.silencer = Silencer(store=self.desk.store, keeper=self.keeper, label_names=LabelNames())
        self.desk.take(alert(started=self.clock.now()))
        self.id = self.incident.id

    @property
    def incident(self) -> Incident:
        with self.desk.store.read() as tx:
            return incidents.newest(tx, 1)[0]

    def act(self, what: str, *, by: str = "Ines", hours: float = 0.0, works: bool = True, **more: Any) -> str:
        self.clock.advance(60)
        outcome = self.actions.take(self.incident.id, Act(what=what, by=by, seconds=hours * H, **more))
        if works:
            self.work()
        return outcome.state

    def work(self) -> None:
        with self.desk.store.write() as tx:
            claimed = jobs.claim(tx, now=self.clock.now(), epoch=self.desk.store.epoch, limit=100)
        for job in claimed:
            if job.kind != SILENCE:
                self.desk.do(job)
                continue
            try:
                self.silencer.run(job)
            except Unavailable as exc:
                with self.desk.store.write() as tx:
                    jobs.fail(tx, job, error=str(exc), now=self.clock.now())

    def history(self) -> list[str]:
        return [entry[1] for entry in self.incident.data.get("log", ())]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "state.db")
    yield room
    room.desk.store.close()


def test_the_first_who_acknowledges_owns_it(room: Room) -> None:
    """Twice is once; who and when are kept."""
    states = [room.act(ACKNOWLEDGE), room.act(ACKNOWLEDGE, by="Otto")]

    assert states == ["done", "already"]
    assert room.incident.data["acknowledged"]["by"] == "Ines"
    assert room.history() == ["acknowledged by Ines"]
    assert _view(room.incident).acknowledged == "acknowledged by Ines"


def _view(incident: Incident) -> Any:
    return life.view_of(incident, (), incident.data)


def test_a_fix_is_noted_with_the_settings_of_that_moment(room: Room) -> None:
    """When it was said, and limit and image then: what a later kill is compared with."""
    states = [room.act(FIXED), room.act(FIXED)]
    data = room.incident.data

    assert states == ["done", "already"]
    assert (data["fixed"]["limit_bytes"], data["fixed"]["image"]) == (80 * 1024**2, "shop:1")
    assert data["fixed_at"] == data["fixed"]["at"]


def test_after_another_kill_it_is_not_fixed_and_may_be_fixed_again(room: Room) -> None:
    """What a person said is not shown against what was seen."""
    room.act(FIXED)
    room.clock.advance(600)
    room.desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:10:00Z")
    room.desk.take(alert("HighMemoryUsage", started=room.clock.now()))

    assert _view(room.incident).fix_noted == ""
    assert room.act(FIXED, by="Otto") == "done"
    assert _view(room.incident).fix_noted == "fix applied by Otto"


def test_what_sounds_again_after_a_quiet_while_is_to_be_owned_again(room: Room) -> None:
    """A re-fire that is told with a sound has an Acknowledge button again."""
    first = alert(started=room.clock.now())
    room.act(ACKNOWLEDGE)
    room.desk.take(alert(started=first.starts_at.timestamp(), status=RESOLVED))
    room.clock.advance(2 * H)
    room.desk.take(alert(started=room.clock.now()))

    assert _view(room.incident).acknowledged == ""
    assert room.history() == ["acknowledged by Ines", "alert resolved", "firing again"]


class TestSilence:
    """One silence an incident."""

    def test_it_covers_this_workload_and_is_shown(self, room: Room) -> None:
        """Set at Alertmanager with the incident's matchers; the message says until when."""
        room.act(QUIET, hours=1)

        assert [m.name for m in room.keeper.matchers] == ["namespace", "pod", "container"]
        assert room.history() == ["silenced until 10:01 UTC by Ines"]
        assert _view(room.incident).silenced_until.timestamp() == room.clock.now() + H

    def test_again_extends_and_never_doubles(self, room: Room) -> None:
        """An hour, then four, then an hour again: one silence, which ends when the longest does."""
        for hours in (1, 4, 1):
            room.act(QUIET, hours=hours)

        assert room.keeper.made == 1
        assert list(room.keeper.silences.values()) == [room.clock.now() - 60 + 4 * H]

    def test_two_wishes_before_any_work_are_the_longer_one(self, room: Room) -> None:
        """Nothing is lost when people are quicker than Alertmanager."""
        room.act(QUIET, hours=4, works=False)
        room.act(QUIET, hours=1, by="Otto", works=False)
        room.work()

        assert list(room.keeper.silences.values()) == [room.clock.now() - 60 + 4 * H]

    def test_undone_is_undone(self, room: Room) -> None:
        """Also before it was set; and undoing nothing is nothing."""
        nothing = room.act(LOUD)
        room.act(QUIET, hours=1)
        room.act(LOUD, by="Otto")
        room.act(QUIET, hours=1, works=False)
        room.act(LOUD)

        assert nothing == "already"
        assert room.keeper.silences == {}
        assert "silence undone by Otto" in room.history()
        assert _view(room.incident).silenced_until is None

    def test_alertmanager_away_for_a_moment(self, room: Room) -> None:
        """Tried again; the wish is kept, for as long as it was meant."""
        room.keeper.error = Unavailable("Alertmanager cannot be reached")
        room.act(QUIET, hours=1)
        wanted = room.incident.data["silence"]["wanted_until"]
        room.keeper.error = None
        room.clock.advance(5)
        room.work()

        assert list(room.keeper.silences.values()) == [wanted]

    def test_alertmanager_refuses(self, room: Room) -> None:
        """Said in the incident with the reason; nothing is shown as silenced."""
        room.keeper.error = Rejected("Alertmanager answered 400: bad matcher")
        room.act(QUIET, hours=1)

        assert room.history() == ["silence not set: Alertmanager answered 400: bad matcher"]
        assert _view(room.incident).silenced_until is None

    def test_it_ends_after_five_attempts(self, room: Room) -> None:
        """A person hears that it did not work, instead of trusting it."""
        room.keeper.error = Unavailable("Alertmanager cannot be reached")
        room.act(QUIET, hours=1)
        for _ in range(5):
            room.clock.advance(301)
            room.work()

        assert room.history() == ["silence not set: Alertmanager cannot be reached"]
        room.keeper.error = None
        assert room.act(QUIET, hours=1) == "done"
        assert room.keeper.made == 1


@pytest.mark.parametrize(
    ("labels", "keeper", "waits_s", "why"),
    [
        ({}, False, 0, "ALERTMANAGER_URL is not set"),
        ({}, True, 2 * H, "its time was over before Alertmanager could be asked"),
        ({"pod": "", "exported_pod": "orders-api-655779759d-zzzzz"}, True, 0, "no labels tell this workload's alerts from others"),
    ],
)
def test_a_silence_that_cannot_be_set_says_why(room: Room, labels: dict[str, str], keeper: bool, waits_s: float, why: str) -> None:
    """Never a silence that is wider than the incident, and never a person who believes in one that is not there."""
    if labels:
        room.desk.take(alert("HighMemoryUsage", started=room.clock.now(), **labels))  # type: ignore[arg-type]
    room.silencer = Silencer(store=room.desk.store, keeper=room.keeper if keeper else None, label_names=LabelNames())
    room.act(QUIET, hours=1, works=False)
    room.clock.advance(waits_s)
    room.work()

    assert room.history() == [f"silence not set: {why}"]
    assert room.keeper.silences == {}


class TestAfterASilence:
    """Alertmanager never tells of a resolve that it kept silent."""

    @pytest.mark.parametrize("undone", [False, True], ids=["ended", "undone"])
    @pytest.mark.parametrize("still_fires", [False, True], ids=["gone", "still fires"])
    def test_what_ended_meanwhile_is_resolved(self, room: Room, still_fires: bool, undone: bool) -> None:
        """It is asked once the silence is over; what still fires stays as it is."""
        room.act(QUIET, hours=1)
        room.keeper.held = frozenset({self._fingerprint(room)} if still_fires else ())
        if undone:
            room.act(LOUD)
        else:
            room.clock.advance(1800)
            self._later(room, 10)
            assert room.incident.state == "firing"
            room.clock.advance(1800)
        self._later(room, 60)

        assert room.incident.state == ("firing" if still_fires else RESOLVED)

    def test_nothing_is_concluded_from_an_alertmanager_that_cannot_tell(self, room: Room) -> None:
        """Freshly started, it holds no alerts yet: asked again later."""
        room.act(QUIET, hours=1)
        room.keeper.held = None
        room.clock.advance(H)
        self._later(room, 60)
        before = room.incident.state
        room.keeper.held = frozenset()
        self._later(room, 700)

        assert (before, room.incident.state) == ("firing", RESOLVED)

    def test_a_new_silence_before_the_question_puts_it_off(self, room: Room) -> None:
        """Nobody is told resolved while it is silent again."""
        room.act(QUIET, hours=1)
        room.clock.advance(H)
        room.act(QUIET, hours=4)
        self._later(room, 60)

        assert room.incident.state == "firing"

    def test_alertmanager_away_resolves_nothing(self, room: Room) -> None:
        """Tried five times, and left alone."""
        room.act(QUIET, hours=1)
        room.keeper.error = Unavailable("away")
        room.clock.advance(H)
        for _ in range(8):
            self._later(room, 301)

        assert room.incident.state == "firing"
        assert not [h for h in room.history() if "not" in h]

    def _fingerprint(self, room: Room) -> str:
        with room.desk.store.read() as tx:
            return alert_table.newest_of(tx, room.id)[0].fingerprint

    def _later(self, room: Room, seconds: float) -> None:
        room.clock.advance(seconds)
        room.work()
        room.desk.take(works=False)


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
        assert history[0] == "refused: mallory may not silence (slack_users in the settings)"
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
    assert room.history() == ["verdict marked as wrong by Ines"]


def test_without_such_a_mark_it_is_forgotten(room: Room) -> None:
    """The exemption is one of marked incidents only."""
    with room.desk.store.write() as tx:
        incidents.close(tx, room.id, now=room.clock.now(), state=RESOLVED)
    room.clock.advance(400 * 86_400)
    room.desk.store.tidy(reopen_window_s=1.0, retention_s=1.0)
    with room.desk.store.read() as tx:
        assert incidents.newest(tx, 10) == []


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


def test_a_state_file_of_the_first_schema_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade with an incident in it: nothing is lost, and its case can be kept."""
    path, clock = tmp_path / "state.db", Clock()
    with monkeypatch.context() as old:
        old.setattr(schema, "SCHEMA_VERSION", 1)
        old.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        database = SqliteDatabase.open(path)
        schema.migrate(database)
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
