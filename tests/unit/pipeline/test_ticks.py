"""Ticks of the checklist: recorded once with who and when, shown until taken back, and never louder than the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from receiver.pipeline.actions import FIXED, TICK, UNTICK, Act
from receiver.store import incident_lists, incidents
from tests.support import alert
from tests.unit.pipeline.kit import Room, answers, brief


def item(room: Room, name: str, incident_id: str = "") -> dict[str, Any]:
    """An item of the checklist as the incident's report document has it now."""
    with room.desk.store.read() as tx:
        found = incidents.load(tx, incident_id or room.id)
    assert found is not None
    assert found.report is not None
    return next(i for i in found.report["checklist"] if i["id"] == name)


@pytest.mark.wording
def test_the_first_who_ticks_an_item_is_named_with_the_time(room: Room) -> None:
    """In the report that pages, messages and webhooks are made from; twice is once."""
    states = [room.act(TICK, item="root_cause"), room.act(TICK, item="root_cause", by="Otto")]
    found = item(room, "root_cause")

    assert states == ["done", "already"]
    assert (found["state"], found["result"]) == ("done", "done by Ines, 09:01 UTC")
    assert found["ticked"] == {"by": "Ines", "at": "2024-11-10T09:01:00Z"}
    assert room.history() == ["ticked item=root_cause by=Ines"]


def test_a_tick_can_be_taken_back(room: Room) -> None:
    """By anybody who may tick; and then it is left to do again. Taking back nothing is nothing."""
    before = item(room, "root_cause")
    states = [room.act(w, item="root_cause", by=by) for w, by in ((UNTICK, "Ines"), (TICK, "Ines"), (UNTICK, "Otto"), (UNTICK, "Otto"))]

    assert states == ["already", "done", "done", "already"]
    assert item(room, "root_cause") == before
    assert room.history() == ["ticked item=root_cause by=Ines", "tick_taken_back item=root_cause by=Otto"]


def test_tick_and_take_back_before_any_look(room: Room) -> None:
    """What counts is what people said last, not what the report shows yet."""
    states = [room.act(w, item="root_cause", works=False) for w in (TICK, UNTICK, TICK, UNTICK)]
    room.work()

    assert states == ["done"] * 4
    assert item(room, "root_cause")["state"] == "todo"


@pytest.mark.wording
def test_a_later_look_does_not_untick(room: Room) -> None:
    """New evidence, another kill: what a person did is still done."""
    room.act(TICK, item="root_cause")
    room.clock.advance(600)
    room.desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:10:00Z")
    room.desk.take(alert("HighMemoryUsage", started=room.clock.now()))

    assert item(room, "root_cause")["result"] == "done by Ines, 09:01 UTC"


@pytest.mark.wording
def test_evidence_that_comes_later_has_the_last_word(room: Room) -> None:
    """Ticked while the pod could not be read; read by the next look, it says more than a tick."""
    room.desk.evidence = lambda s: {}
    room.desk.take(alert(pod="cart-655779759d-jst99", container="cart", started=room.clock.now()))
    with room.desk.store.read() as tx:
        cart = next(i.id for i in incident_lists.newest(tx, 5) if i.id != room.id)
    room.actions.take(cart, Act(what=TICK, item="describe_pod", by="Ines"))
    room.desk.work()
    by_hand = item(room, "describe_pod", cart)
    room.desk.evidence = answers
    room.clock.advance(60)
    room.desk.take(alert("HighMemoryUsage", pod="cart-655779759d-jst99", container="cart", started=room.clock.now()))
    seen = item(room, "describe_pod", cart)

    assert by_hand["result"].startswith("done by Ines")
    assert (seen["state"], seen["result"]) == ("done", "OOMKilled, 1 restart")
    assert "ticked" not in seen


@pytest.mark.wording
def test_what_the_evidence_says_needs_no_tick(room: Room) -> None:
    """The answer says what is known; an item that is not there is one the caller mistyped."""
    done = room.actions.take(room.id, Act(what=TICK, item="describe_pod"))
    wrong = room.actions.take(room.id, Act(what=TICK, item="reboot"))

    assert (done.state, brief(done.what)) == ("already", "action.item_done result=OOMKilled, 1 restart")
    assert wrong.state == "unknown"
    assert brief(wrong.what).startswith("action.no_such_item known=('describe_pod', 'exit_code', ")
    assert room.history() == []


def test_without_a_report_there_is_nothing_to_tick(room: Room) -> None:
    """Not an error of ours: the incident was not looked at yet."""
    room.desk.take(alert(pod="cart-655779759d-jst99", container="cart", started=room.clock.now()), works=False)
    with room.desk.store.read() as tx:
        cart = next(i.id for i in incident_lists.newest(tx, 5) if i.id != room.id)
    outcome = room.actions.take(cart, Act(what=TICK, item="root_cause"))

    assert (outcome.state, outcome.what.code) == ("unknown", "action.no_checklist")


class TestTheFix:
    """`Apply the fix` ticked and `Fix applied` pressed are one thing."""

    @pytest.mark.wording
    def test_ticking_it_says_that_the_fix_is_applied(self, room: Room) -> None:
        """With the settings of that moment, for the watch that follows."""
        states = [room.act(TICK, item="apply_fix"), room.act(FIXED, by="Otto"), room.act(TICK, item="apply_fix", by="Otto")]

        assert states == ["done", "already", "already"]
        assert room.incident.memory.fix.settings.limit_bytes == 80 * 1024**2
        assert brief(room.view.fix_noted) == "fix_applied by=Ines"
        assert item(room, "apply_fix")["result"] == "done by Ines, 09:01 UTC"
        assert room.history() == ["fix_applied by=Ines"]

    def test_saying_that_the_fix_is_applied_ticks_it(self, room: Room) -> None:
        """From the button under the root, or from `oomtriage fixed`."""
        room.act(FIXED)

        assert item(room, "apply_fix")["ticked"]["by"] == "Ines"

    def test_taking_the_tick_back_takes_the_fix_back(self, room: Room) -> None:
        """Both places; and it can be applied again."""
        states = [room.act(w, item="apply_fix") for w in (UNTICK, TICK, UNTICK)]

        assert states == ["already", "done", "done"]
        assert room.incident.memory.fix is None
        assert room.view.fix_noted is None
        assert item(room, "apply_fix")["state"] == "todo"
        assert room.act(FIXED) == "done"

    def test_another_kill_unticks_it(self, room: Room) -> None:
        """It was not fixed: the item is left to do again."""
        room.act(TICK, item="apply_fix")
        room.clock.advance(600)
        room.desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:10:00Z")
        room.desk.take(alert("HighMemoryUsage", started=room.clock.now()))

        assert item(room, "apply_fix")["state"] == "todo"


class TestPermissions:
    """`checklist` for ticks; the fix has its own right, wherever it is said."""

    def test_who_may_not_tick(self, tmp_path: Path) -> None:
        """Refused and noted, like any other button."""
        room = Room(tmp_path / "state.db", checklist=("U1",), fixed=("U2",))
        states = [room.act(TICK, item=i, user_id=u, by="mallory") for i in ("root_cause", "apply_fix") for u in ("U1", "U2")]
        history = room.history()
        room.desk.store.close()

        assert states == ["done", "refused", "refused", "done"]
        assert history[1:3] == [
            "refused by=mallory what=tick",
            "refused by=mallory what=fixed",
        ]


def test_ticks_do_not_push_what_people_did_out_of_the_messages(room: Room) -> None:
    """The checklist tells them; the grey line and the history under a resolved root have better things to say."""
    room.act(TICK, item="root_cause")
    for _ in range(4):
        room.act(TICK, item="alerts_in_place")
        room.act(UNTICK, item="alerts_in_place")

    assert room.view.log == ()
    assert len(room.history()) == 9
