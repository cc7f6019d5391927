"""Where incidents are told: by labels, namespace and workload, in one place or several, and quietly at night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.domain.alerts import RESOLVED
from receiver.domain.identity import Subject
from receiver.domain.incident import Destination
from receiver.domain.incident_memory import Owner
from receiver.pipeline.quiet import QuietHours, quiet_until
from receiver.pipeline.routing import Route, Router
from receiver.settings.explain import period
from tests.support import NOW, alert
from tests.unit.pipeline.kit import Desk, answers, killed_pod

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(days=frozenset(range(7)), start_min=22 * 60, end_min=7 * 60, zone=BERLIN)  # NOW is Sunday 10:00 there
MORNING = QuietHours(days=frozenset({6}), start_min=9 * 60, end_min=12 * 60, zone=BERLIN)
TEAM = "oomtriage.io/team"


def router(*routes: Route) -> Router:
    return Router(sink="fake", default=Destination(sink="fake", channel="C1"), routes=routes)


def channels(found: tuple[Destination, ...]) -> list[str]:
    return [place.channel for place in found]


class TestConditions:
    """Every condition must hold, and match the whole value."""

    @pytest.mark.parametrize(
        ("route", "is_taken"),
        [
            (Route(channel="C2"), True),
            (Route(channel="C2", match={"severity": "warn.*"}), True),
            (Route(channel="C2", match={"severity": "warn"}), False),
            (Route(channel="C2", match={"absent": ""}), True),
            (Route(channel="C2", match={"absent": ".+"}), False),
            (Route(channel="C2", namespaces=("pay", "sh.p")), True),
            (Route(channel="C2", namespaces=("pay", "sho")), False),
            (Route(channel="C2", workload_labels={"team": "carts|orders"}), True),
            (Route(channel="C2", workload_labels={"team": "order"}), False),
            (Route(channel="C2", workload_annotations={TEAM: "orders"}), True),
            (Route(channel="C2", workload_annotations={TEAM: "orders"}, match={"severity": "critical"}), False),
        ],
    )
    def test_a_route_is_taken_when_all_of_it_holds(self, route: Route, is_taken: bool) -> None:
        """Alert labels, namespace, the workload's labels and annotations."""
        owner = Owner(labels={"team": "orders"}, annotations={TEAM: "orders"})
        found = router(route).places((alert(),), "shop", now=NOW, owner=owner)

        assert channels(found) == (["C2"] if is_taken else ["C1"])
        assert (route.mismatch(alert(), "shop", owner) is None) is is_taken

    def test_the_first_match_ends_the_search_unless_it_says_continue(self) -> None:
        """One place by default; `continue` tells several, each channel once, with the mention of its first route."""
        everyone = Route(channel="C9", goes_on=True)
        team = Route(channel="C2", mention="<@U1>")
        again = Route(channel="C9", mention="<@U2>")
        critical = (alert(severity="critical"),)

        assert channels(router(team, everyone).places(critical, "shop", now=NOW)) == ["C2"]
        found = router(everyone, Route(channel="C2", goes_on=True), again).places(critical, "shop", now=NOW)
        assert [(p.channel, p.mention) for p in found] == [("C9", ""), ("C2", "")]

    def test_a_critical_alert_decides_before_a_newer_warning(self) -> None:
        """HighMemoryUsage arriving after OOMKilled does not move the incident."""
        routes = (Route(channel="C2", match={"severity": "warning"}), Route(channel="C3", match={"severity": "critical"}))
        alerts = (alert("OOMKilled", severity="critical"), alert("HighMemoryUsage", started=NOW.timestamp() + 60))

        assert channels(router(*routes).places(alerts, "shop", now=NOW)) == ["C3"]

    def test_other_sinks_are_told_of_everything(self) -> None:
        """Places beside the channels do not depend on routes."""
        beside = Destination(sink="json_webhook", channel="")
        both = Router(
            sink="fake",
            default=Destination(sink="fake", channel="C1"),
            routes=(Route(channel="C2", namespaces=("shop",)),),
            beside=(beside,),
        )

        assert [(p.sink, p.channel) for p in both.places((alert(),), "shop", now=NOW)] == [("fake", "C2"), ("json_webhook", "")]
        assert [(p.sink, p.channel) for p in both.places((alert(),), "x", now=NOW)] == [("fake", "C1"), ("json_webhook", "")]


class TestQuietHours:
    """Wall-clock periods in a named zone."""

    @pytest.mark.parametrize(
        ("at", "end"),
        [
            ("2024-11-11T20:59:59+00:00", None),
            ("2024-11-11T21:00:00+00:00", "2024-11-12T06:00:00+00:00"),
            ("2024-11-12T05:59:59+00:00", "2024-11-12T06:00:00+00:00"),
            ("2024-11-12T06:00:00+00:00", None),
            ("2024-07-01T20:00:00+00:00", "2024-07-02T05:00:00+00:00"),  # summer time
            ("2024-10-26T23:30:00+00:00", "2024-10-27T06:00:00+00:00"),  # the night that has an hour twice
            ("2024-03-30T23:30:00+00:00", "2024-03-31T05:00:00+00:00"),  # the night that lacks one
        ],
    )
    def test_the_end_of_the_night(self, at: str, end: str | None) -> None:
        """Over midnight, and through the changes of summer time."""
        found = NIGHT.until(datetime.fromisoformat(at))

        assert found == (datetime.fromisoformat(end) if end else None)

    def test_the_day_is_that_on_which_it_begins(self) -> None:
        """Friday night lasts into Saturday; Saturday night is none."""
        friday = QuietHours(days=frozenset({4}), start_min=22 * 60, end_min=7 * 60, zone=BERLIN)

        assert friday.until(datetime(2024, 11, 9, 3, tzinfo=UTC)) == datetime(2024, 11, 9, 6, tzinfo=UTC)
        assert friday.until(datetime(2024, 11, 10, 3, tzinfo=UTC)) is None

    def test_periods_that_follow_one_another_are_one(self) -> None:
        """Nights and a whole weekend: quiet from Friday evening to Monday morning."""
        weekend = QuietHours(days=frozenset({5, 6}), start_min=0, end_min=24 * 60, zone=BERLIN)

        assert quiet_until((NIGHT, weekend), datetime(2024, 11, 8, 22, tzinfo=UTC)) == datetime(2024, 11, 11, 6, tzinfo=UTC)
        assert period(weekend) == "sat, sun 00:00-24:00 Europe/Berlin"

    @given(
        start=st.integers(0, 1439), end=st.integers(0, 1440), days=st.integers(0, 127),
        at=st.integers(1_577_836_800, 1_893_456_000),
    )  # fmt: skip
    def test_an_end_lies_ahead_and_less_than_a_day_away(self, start: int, end: int, days: int, at: int) -> None:
        """Whatever the period, asking never fails and its end is near (a day with an hour twice has 25)."""
        now = datetime.fromtimestamp(at, UTC)
        found = QuietHours(days=frozenset(d for d in range(7) if days & 1 << d), start_min=start, end_min=end, zone=BERLIN).until(now)

        assert found is None or now < found <= now + timedelta(hours=25)

    def test_only_warnings_are_quiet(self) -> None:
        """A critical alert goes through with its mention; a warning calls nobody now, and somebody at another time."""
        route = Route(channel="C2", mention="<@U1>", mentions_warnings=True, quiet=(MORNING,))
        critical, warning = (router(route).places((alert(severity=s),), "shop", now=NOW)[0] for s in ("critical", "warning"))
        awake = router(route).places((alert(),), "shop", now=NOW + timedelta(hours=6))[0]

        assert (critical.mention, critical.options) == ("<@U1>", {})
        assert (warning.mention, warning.options) == ("", {"is_quiet": True})
        assert (awake.mention, awake.options) == ("<@U1>", {})


DeskOf = Callable[..., Desk]


@pytest.fixture
def desk_of(tmp_path: Path) -> Iterator[DeskOf]:
    desks: list[Desk] = []

    def make(*routes: Route, **more: Any) -> Desk:
        desks.append(Desk(tmp_path / f"state-{len(desks)}.db", routes=routes, **more))
        return desks[-1]

    yield make
    for desk in desks:
        desk.store.close()


def owned(subject: Subject) -> dict[str, Any]:
    """Evidence with an annotated Deployment."""
    found = answers(subject)
    found["owners"][-1]["metadata"]["annotations"] = {TEAM: "orders"}
    return found


def roots(desk: Desk) -> list[str]:
    return sorted(m.partition(": ")[0].partition("/")[0] for m in desk.messages() if "/root: " in m)


class TestIncidents:
    """Routes at work: where roots stand, and that they stay true."""

    def test_the_workloads_annotation_chooses_the_channel(self, desk_of: DeskOf) -> None:
        """Read from the Deployment that the evidence found, before the first message."""
        desk = desk_of(Route(channel="C2", workload_annotations={TEAM: "orders"}))
        desk.evidence = owned
        desk.take(alert())

        assert roots(desk) == ["C2"]

    def test_an_owner_that_is_known_late_adds_its_channel_and_the_first_place_stays_true(self, desk_of: DeskOf) -> None:
        """Evidence failed at first: told in the default channel. It works: told in the team's too. Both see the resolve."""
        desk = desk_of(Route(channel="C2", workload_annotations={TEAM: "orders"}))
        desk.evidence = lambda s: {"pod": 1 // 0}
        desk.take(alert())
        first = roots(desk)
        desk.evidence = owned
        desk.clock.advance(60)
        desk.work()
        second = roots(desk)
        desk.clock.advance(60)
        desk.take(alert(status=RESOLVED))

        assert (first, second) == (["C1"], ["C1", "C2"])
        assert ["resolved" in root for root in desk.roots()] == [True, True]

    def test_several_places_each_have_a_thread(self, desk_of: DeskOf) -> None:
        """With `continue`, root and replies stand in both channels; a later kill is counted in both."""
        desk = desk_of(Route(channel="C9", goes_on=True), Route(channel="C2", namespaces=("shop",)))
        desk.take(alert())
        desk.clock.advance(600)
        desk.evidence = lambda s: answers(s, restarts=3, finished="2024-11-10T09:09:50Z")
        desk.take(alert(started=desk.clock.now()))

        assert roots(desk) == ["C2", "C9"]
        assert [root.rpartition(" ")[2] for root in desk.roots()] == ["x3", "x3"]
        assert sum("/evidence: " in m for m in desk.messages()) == 2

    def test_a_warning_that_becomes_critical_calls_once(self, desk_of: DeskOf) -> None:
        """The root called nobody; an edit would stay silent, so a reply calls, and only one."""
        desk = desk_of(Route(channel="C2", mention="<@U1>"))
        desk.take(alert(severity="warning"))
        desk.send_one("C2")
        desk.clock.advance(60)
        desk.take(alert("Gone", severity="critical", started=desk.clock.now()))
        desk.clock.advance(60)
        desk.take(alert("Worse", severity="critical", started=desk.clock.now()))
        calls = [m for m in desk.messages() if "<@U1>" in m]

        assert [c.partition(": ")[0] for c in calls] == ["C2/broadcast:critical"]

    def test_news_of_a_warning_stays_in_the_thread_in_quiet_hours(self, desk_of: DeskOf) -> None:
        """What would be broadcast by day is a plain reply at night."""
        found = []
        for quiet in ((), (MORNING,)):
            desk = desk_of(Route(channel="C2", quiet=quiet))
            calm = killed_pod("shop", "orders-api-655779759d-jst99", "orders-api")
            calm["status"]["containerStatuses"][0].update(lastState={}, restartCount=0)
            desk.evidence = lambda s, calm=calm: answers(s, calm)  # type: ignore[misc]
            desk.take(alert("HighMemoryUsage"))
            desk.clock.advance(100)
            desk.evidence = lambda s: answers(s, finished="2024-11-10T09:01:00Z")
            desk.take(alert("OOMKilled"))
            with desk.store.read() as tx:
                found += tx.run("SELECT is_broadcast FROM message WHERE slot = 'broadcast:became-kill'")

        assert [row["is_broadcast"] for row in found] == [1, 0]

    def test_held_warnings_are_told_when_the_quiet_hours_end(self, desk_of: DeskOf) -> None:
        """Nothing at ten; at noon (11:00 UTC) the root of what still fires, and of nothing else."""
        desk = desk_of(Route(channel="C2", quiet=(MORNING,), holds=True))
        desk.take(alert(), alert(pod="cart-655779759d-jst98", container="cart"))
        desk.take(alert(pod="cart-655779759d-jst98", container="cart", status=RESOLVED))
        quiet = desk.messages()
        for _ in range(12):
            desk.clock.advance(600)
            desk.work()

        assert quiet == []
        assert [root.split()[0] for root in desk.roots()] == ["orders-api"]

    def test_a_held_warning_that_becomes_critical_goes_through(self, desk_of: DeskOf) -> None:
        """Critical knows no quiet hours."""
        desk = desk_of(Route(channel="C2", mention="<@U1>", quiet=(MORNING,), holds=True))
        desk.take(alert())
        quiet = desk.messages()
        desk.take(alert("Worse", severity="critical"))

        assert quiet == []
        assert [root.startswith("<@U1>orders-api firing") for root in desk.roots()] == [True]
