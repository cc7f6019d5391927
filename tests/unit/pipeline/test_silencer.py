"""Silences: what people want, done at Alertmanager as the newest wish says, and what ended meanwhile is resolved."""

from __future__ import annotations

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.errors import Rejected, Unavailable
from receiver.pipeline.actions import LOUD, QUIET
from receiver.store import alerts as alert_table
from tests.support import alert
from tests.unit.pipeline.kit import H, Room


class TestSilence:
    """One silence an incident."""

    def test_it_covers_this_workload_and_is_shown(self, room: Room) -> None:
        """Set at Alertmanager with the incident's matchers; the message says until when."""
        room.act(QUIET, hours=1)

        assert [m.name for m in room.keeper.matchers] == ["namespace", "pod", "container"]
        assert room.history() == ["silenced until=10:01 by=Ines"]
        assert room.view.silenced_until.timestamp() == room.clock.now() + H

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
        assert "silence_undone by=Otto" in room.history()
        assert room.view.silenced_until is None

    def test_alertmanager_away_for_a_moment(self, room: Room) -> None:
        """Tried again; the wish is kept, for as long as it was meant."""
        room.keeper.error = Unavailable("Alertmanager cannot be reached")
        room.act(QUIET, hours=1)
        wanted = room.incident.memory.silence.wanted_until.timestamp()
        room.keeper.error = None
        room.clock.advance(5)
        room.work()

        assert list(room.keeper.silences.values()) == [wanted]

    def test_alertmanager_refuses(self, room: Room) -> None:
        """Said in the incident with the reason; nothing is shown as silenced."""
        room.keeper.error = Rejected("Alertmanager answered 400: bad matcher")
        room.act(QUIET, hours=1)

        assert room.history() == ["silence_not_set why=(silence.refused error=Alertmanager answered 400: bad matcher)"]
        assert room.view.silenced_until is None

    def test_it_ends_after_five_attempts(self, room: Room) -> None:
        """A person hears that it did not work, instead of trusting it."""
        room.keeper.error = Unavailable("Alertmanager cannot be reached")
        room.act(QUIET, hours=1)
        for _ in range(5):
            room.clock.advance(301)
            room.work()

        assert room.history() == ["silence_not_set why=(silence.refused error=Alertmanager cannot be reached)"]
        room.keeper.error = None
        assert room.act(QUIET, hours=1) == "done"
        assert room.keeper.made == 1


@pytest.mark.parametrize(
    ("labels", "keeper", "waits_s", "why"),
    [
        ({}, False, 0, "silence.no_alertmanager"),
        ({}, True, 2 * H, "silence.too_late"),
        ({"pod": "", "exported_pod": "orders-api-655779759d-zzzzz"}, True, 0, "silence.no_matchers"),
    ],
)
def test_a_silence_that_cannot_be_set_says_why(room: Room, labels: dict[str, str], keeper: bool, waits_s: float, why: str) -> None:
    """Never a silence that is wider than the incident, and never a person who believes in one that is not there."""
    if labels:
        room.desk.take(alert("HighMemoryUsage", started=room.clock.now(), **labels))  # type: ignore[arg-type]
    room.desk.keeper = room.keeper if keeper else None
    room.act(QUIET, hours=1, works=False)
    room.clock.advance(waits_s)
    room.work()

    assert room.history() == [f"silence_not_set why=({why})"]
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
        assert not [h for h in room.history() if "silence_not" in h]

    def _fingerprint(self, room: Room) -> str:
        with room.desk.store.read() as tx:
            return alert_table.newest_of(tx, room.id)[0].fingerprint

    def _later(self, room: Room, seconds: float) -> None:
        room.clock.advance(seconds)
        room.work()
        room.desk.take(works=False)
