"""A storm's buttons: every workload told of at that moment, nobody else, once, and in Slack's time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from receiver.domain.incident import RESOLVED, DigestView
from receiver.errors import Rejected
from receiver.pipeline.actions import ACKNOWLEDGE, LOUD, QUIET, WRONG, Act, Actions, Outcome, Permissions
from receiver.pipeline.kinds import STORM_ACT
from receiver.pipeline.storm_acts import MEANT, StormActions, StormWork
from receiver.store import conversations, incidents, jobs
from receiver.store.incidents import Incident
from tests.support import alert
from tests.unit.pipeline.kit import Desk, H, Keeper, brief, pod


class Keepers(Keeper):
    """An Alertmanager that remembers for whom each silence is."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, str] = {}
        self.refuses: str = ""

    def hold(self, matchers, *, mark, known_id, now, until, by, comment):
        if mark == self.refuses:
            raise Rejected("Alertmanager answered 400: no")
        found = super().hold(matchers, mark=mark, known_id=known_id, now=now, until=until, by=by, comment=comment)
        self.of[found[0]] = mark
        return found


class Hall:
    """A desk with a storm, people who press the digest's buttons, and an Alertmanager."""

    def __init__(self, path: Path, *, members: int = 12, permissions: Permissions | None = None) -> None:
        self.desk = Desk(path)
        self.clock = self.desk.clock
        self.keeper = Keepers()
        self.storms = StormActions(self.desk.store, permissions)
        self.desk.keeper = self.keeper
        self.join(0, members)

    def join(self, first: int, last: int) -> None:
        """Workloads `svcN` begin to be killed."""
        self.desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=self.clock.now()) for i in range(first, last)), works=False)
        self.clock.advance(5)
        self.work()

    def press(self, what: str, *, by: str = "Ines", hours: float = 0.0, works: bool = True, ts: str = "", user: str = "U1") -> Outcome:
        self.clock.advance(20)
        act = Act(what=what, by=by, duration_s=hours * H, click_id=ts, user_id=user)
        outcome = self.storms.take(MEANT + self.digest_id, act)
        if works:
            self.work()
        return outcome

    def work(self) -> None:
        """All that is due, as the dispatcher would; then time for the edit of the digest."""
        for _ in range(2):
            while True:
                with self.desk.store.write() as tx:
                    claimed = jobs.claim(tx, now=self.clock.now(), epoch=self.desk.store.epoch, limit=1000)
                if not claimed:
                    break
                for job in claimed:
                    self.desk.do(job)
            self.clock.advance(10)

    @property
    def digest_id(self) -> str:
        with self.desk.store.read() as tx:
            rows = tx.run("SELECT id FROM conversation WHERE kind = 'digest'")
        assert len(rows) == 1
        return str(rows[0]["id"])

    @property
    def members(self) -> list[Incident]:
        digest_id = self.digest_id
        with self.desk.store.read() as tx:
            found = [incidents.load(tx, i) for i, _ in conversations.members(tx, digest_id)]
        return [i for i in found if i is not None]

    @property
    def view(self) -> DigestView:
        view = self.desk.digests.view(self.digest_id, now=self.clock.now())
        assert view is not None
        return view


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path / "state.db")
    yield hall
    hall.desk.store.close()


def owners(hall: Hall) -> set[str | None]:
    return {m.memory.acknowledged.by if m.memory.acknowledged else None for m in hall.members}


def test_acknowledging_a_storm_acknowledges_every_workload(hall: Hall) -> None:
    """Recorded in each, with who and when; no member is looked at again for it."""
    looks = len(hall.desk.looks)
    outcome = hall.press(ACKNOWLEDGE)

    assert outcome.state == "done"
    assert len(hall.members) == 12
    assert owners(hall) == {"Ines"}
    assert {tuple(brief(e.what) for e in m.memory.log) for m in hall.members} == {("acknowledged by=Ines",)}
    assert all(e.is_acknowledged for e in hall.view.entries)
    assert len(hall.desk.looks) == looks


def test_who_joins_later_is_not_acknowledged(hall: Hall) -> None:
    """Nobody has seen it. The next press is for it alone: the first owner of the others stays."""
    hall.press(ACKNOWLEDGE)
    hall.join(12, 15)
    before = [e.is_acknowledged for e in hall.view.entries]
    hall.press(ACKNOWLEDGE, by="Otto")

    assert before == [True] * 12 + [False] * 3
    assert [m.memory.acknowledged.by for m in hall.members] == ["Ines"] * 12 + ["Otto"] * 3


def test_who_joins_between_press_and_work_is_not_meant(hall: Hall) -> None:
    """What counts is what stood in the digest when it was pressed."""
    hall.press(ACKNOWLEDGE, works=False)
    hall.join(12, 13)

    assert [bool(m.memory.acknowledged) for m in hall.members] == [True] * 12 + [False]


def test_silencing_a_storm_is_one_silence_a_member(hall: Hall) -> None:
    """Each with its own matchers, so that no non-member falls silent; extended by the next press, undone by the last."""
    hall.press(QUIET, hours=1)
    first = dict(hall.keeper.silences)
    hall.press(QUIET, hours=4, by="Otto")
    extended = dict(hall.keeper.silences)
    shown = hall.view.entries[0]
    hall.press(LOUD)

    assert len(first) == len({hall.keeper.of[s] for s in first}) == 12
    assert set(hall.keeper.of.values()) == {m.id for m in hall.members}
    assert extended.keys() == first.keys()
    assert all(extended[s] > first[s] + 2.9 * H for s in first)
    assert (shown.silenced_by, shown.silenced_until is not None) == ("Otto", True)
    assert hall.keeper.silences == {}
    assert all(e.silenced_until is None for e in hall.view.entries)


def test_a_member_that_could_not_be_silenced_is_told(hall: Hall) -> None:
    """Nobody believes in a silence that is not there; the others have theirs."""
    hall.keeper.refuses = hall.members[3].id
    hall.press(QUIET, hours=1)

    assert [brief(e.not_silenced) for e in hall.view.entries if e.not_silenced] == ["silence.refused error=Alertmanager answered 400: no"]
    assert len(hall.keeper.silences) == 11
    hall.keeper.refuses = ""
    hall.press(QUIET, hours=1)
    assert [e.not_silenced for e in hall.view.entries if e.not_silenced] == []


def test_the_same_click_twice_is_one(hall: Hall) -> None:
    """Slack sends a click again that it thinks was lost: an undo in between is not undone."""
    states = [hall.press(QUIET, hours=1, ts="7"), hall.press(LOUD, ts="8"), hall.press(QUIET, hours=1, ts="7")]

    assert [s.state for s in states] == ["done", "done", "already"]
    assert hall.keeper.silences == {}


def test_two_people_at_once(hall: Hall) -> None:
    """Both are answered; the first owns it, the longer silence stands."""
    hall.press(ACKNOWLEDGE, works=False)
    hall.press(ACKNOWLEDGE, by="Otto", works=False)
    hall.press(QUIET, hours=4, works=False)
    hall.press(QUIET, hours=1, by="Otto")

    assert owners(hall) == {"Ines"}
    assert len(hall.keeper.silences) == 12
    assert min(hall.keeper.silences.values()) > hall.clock.now() + 3.9 * H


def test_a_crash_in_the_middle_is_done_again_and_changes_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the members done, then the receiver ends: the next one does the rest, and nobody twice."""
    hall.press(ACKNOWLEDGE, works=False)
    monkeypatch.setattr("receiver.pipeline.storm_acts.MEMBERS_AT_ONCE", 5)
    with hall.desk.store.write() as tx:
        (job,) = jobs.claim(tx, now=hall.clock.now(), epoch=1, limit=10, only=(STORM_ACT,))
    half = StormWork(hall.desk.store)
    done: list[str] = []

    def dies(tx: object, incident_id: str, act: Act, *, at: datetime) -> None:
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(incident_id)
        StormWork._do(half, tx, incident_id, act, at=at)  # type: ignore[arg-type]

    monkeypatch.setattr(half, "_do", dies)
    with pytest.raises(KeyboardInterrupt):
        half.run(job)
    before = [bool(m.memory.acknowledged) for m in hall.members].count(True)
    with hall.desk.store.write() as tx:
        jobs.recover(tx, epoch=2)
    hall.work()

    assert before == 5  # the transaction in which it died left nothing
    assert owners(hall) == {"Ines"}
    assert {len(m.memory.log) for m in hall.members} == {1}


def test_who_may_not_is_refused_and_shown_once(tmp_path: Path) -> None:
    """slack_users holds for storms as for incidents; nothing happens to any member."""
    hall = Hall(tmp_path / "state.db", permissions=Permissions(users={"acknowledge": ("U9",)}))
    states = [hall.press(ACKNOWLEDGE, by="mallory").state for _ in range(3)]
    refused, owned = hall.view.refused, owners(hall)
    hall.clock.advance(2 * H)
    later = hall.view.refused
    allowed = hall.press(ACKNOWLEDGE, user="U9").state
    hall.desk.store.close()

    assert (states, owned) == (["refused"] * 3, {None})
    assert brief(refused) == "refused by=mallory what=acknowledge"
    assert later is None
    assert allowed == "done"


def test_closed_members_and_what_no_storm_offers(hall: Hall) -> None:
    """A member that is closed is left alone; a verdict is an incident's; a storm that is not there is unknown."""
    first = hall.members[0].id
    with hall.desk.store.write() as tx:
        incidents.close(tx, first, now=hall.clock.now(), state=RESOLVED)
    hall.press(ACKNOWLEDGE)

    assert [bool(m.memory.acknowledged) for m in hall.members] == [False] + [True] * 11
    assert hall.press(WRONG).state == "unknown"
    assert hall.storms.take(MEANT + "0123", Act(what=ACKNOWLEDGE)).state == "unknown"
    assert hall.storms.take(MEANT + hall.members[0].id, Act(what=ACKNOWLEDGE)).state == "unknown"


def test_a_member_can_still_be_handled_alone(hall: Hall) -> None:
    """From the command line; the digest counts it and keeps its owner."""
    Actions(hall.desk.store).take(hall.members[2].id, Act(what=ACKNOWLEDGE, by="Otto"))
    hall.work()
    before = [e.acknowledged_by for e in hall.view.entries if e.is_acknowledged]
    hall.press(ACKNOWLEDGE)

    assert before == ["Otto"]
    assert owners(hall) == {"Ines", "Otto"}


def test_a_press_is_shown_soon_but_not_more_often_than_every_ten_seconds(hall: Hall) -> None:
    """The person waits for it; a digest may else be edited every half minute only."""
    hall.press(ACKNOWLEDGE)
    hall.press(QUIET, hours=1, works=False)
    with hall.desk.store.write() as tx:
        (job,) = jobs.claim(tx, now=hall.clock.now(), epoch=hall.desk.store.epoch, limit=10, only=(STORM_ACT,))
    StormWork(hall.desk.store).run(job)
    digest_id = hall.digest_id
    with hall.desk.store.read() as tx:
        digest = conversations.load(tx, digest_id)
        (due,) = tx.run("SELECT due_at FROM job WHERE kind = 'digest'")
    assert digest is not None

    assert hall.clock.now() < due["due_at"] <= max(hall.clock.now() + 3, digest.memory.storm.edited_at.timestamp() + 10)
