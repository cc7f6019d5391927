"""A test alert goes the whole way, is told as what it is, and counts nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.domain import drill
from receiver.domain.alerts import Alert, parse_alert
from receiver.domain.incident import Destination
from receiver.domain.units import from_epoch
from receiver.pipeline.drills import LASTS_S, Drills
from receiver.pipeline.routing import Route
from receiver.store import incident_lists, outbox
from tests.support import alert
from tests.unit.pipeline.kit import Desk, pod

ID = "0123456789abcdef"
ROUTES = (Route(channel="C2", match={"team": "x"}, mention="<!here>", mentions_warnings=True),)


def a_test(desk: Desk, channel: str = "", *, drill_id: str = ID, is_over: bool = False, labels: Mapping[str, str] | None = None) -> Alert:
    """As the command posts it."""
    (entry,) = drill.body(drill_id, channel, began=from_epoch(desk.clock.now()), is_over=is_over)["alerts"]
    return parse_alert({**entry, "labels": {**entry["labels"], **(labels or {})}})


def texts(desk: Desk) -> list[str]:
    return [m.replace("🧪 Test alert", "TEST") for m in desk.messages()]


@pytest.mark.wording
def test_it_is_told_as_what_it_is_and_then_that_it_is_over(desk: Desk) -> None:
    """One message, which says that nothing is wrong; nothing was looked for, and nothing more is planned."""
    desk.take(a_test(desk))
    told = texts(desk)
    desk.send_one()
    desk.take(a_test(desk, is_over=True))
    desk.clock.advance(outbox.EDIT_INTERVAL_S)

    assert told == ["C1/root: TEST: nothing is wrong"]
    assert texts(desk) == ["C1/root: TEST, over: nothing was wrong"]
    assert desk.next_message()  # an edit of the one message
    assert (desk.looks, desk.kinds_due()) == ([], [])


@pytest.mark.parametrize(("channel", "where"), [("", "C1"), ("C2", "C2"), ("C9", "C1"), ("<!channel>", "C1")])
def test_it_may_choose_among_configured_channels_and_calls_nobody(tmp_path: Path, channel: str, where: str) -> None:
    """A route's mention is for incidents; sinks beside are told of incidents only."""
    desk = Desk(tmp_path / "state.db", routes=ROUTES, beside=(Destination(sink="json", channel=""),))
    desk.take(a_test(desk, channel, labels={"team": "x"}))
    with desk.store.read() as tx:
        rows = [dict(r) for r in tx.run("SELECT sink, channel, mention FROM conversation")]

    assert rows == [{"sink": "fake", "channel": where, "mention": ""}]


def test_it_is_no_incident_on_pages_and_in_no_storm(desk: Desk) -> None:
    """During a storm it has its own message; nine tests and one incident are no storm."""
    for i in range(9):
        desk.take(a_test(desk, drill_id=f"{i:012d}"))
    desk.take(alert())
    with desk.store.read() as tx:
        newest = [i.key.partition("/")[0] for i in incident_lists.newest(tx, 100)]
    alone = desk.roots()
    for i in range(30):
        desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
    desk.take(a_test(desk))

    assert newest == ["workload"]
    assert not any(root.startswith("storm") for root in alone)
    assert len([root for root in desk.roots() if root.startswith("🧪")]) == 10


@pytest.mark.parametrize(
    "labels", [{"alertname": "OOMKilled"}, {drill.ID: "x"}, {drill.ID: "../../etc/passwd"}, {drill.ID: "A" * 16}, {drill.ID: ""}]
)
def test_half_a_mark_is_none(desk: Desk, labels: dict[str, str]) -> None:
    """Whatever looks a little like it is an alert like any other."""
    desk.take(a_test(desk, labels=labels))
    with desk.store.read() as tx:
        assert len(incident_lists.newest(tx, 10)) == 1


def progress(desk: Desk) -> dict[str, Any]:
    return dict(Drills(desk.store, desk.publisher._router).progress(ID))


def test_how_far_it_has_come(desk: Desk) -> None:
    """Stop by stop, in seconds since 1970."""
    before = progress(desk)
    desk.store.accept([a_test(desk)])
    stored = progress(desk)
    began = desk.clock.now()
    desk.clock.advance(1)
    desk.take(works=False)
    folded = progress(desk)
    desk.clock.advance(1)
    desk.work()
    looked = progress(desk)
    desk.clock.advance(1)
    desk.send_one()

    assert before == stored == {}
    assert folded == {"accepted": began, "folded": began + 1}
    assert looked == folded | {"looked": began + 2, "sink": "fake", "channel": "C1", "posted": None, "error": "", "is_dead": False}
    assert progress(desk) == looked | {"posted": began + 3}


def test_one_that_did_not_arrive_is_forgotten_with_all_of_it(desk: Desk) -> None:
    """No dead letter is left of it, and none of an incident goes with it."""
    desk.take(alert())
    desk.take(a_test(desk))
    drills = Drills(desk.store, desk.publisher._router)

    assert (drills.drop(ID), drills.drop(ID), drills.drop("f" * 16)) == (True, False, False)
    assert len(desk.roots()) == 1
    with desk.store.read() as tx:
        assert [r["n"] for r in tx.run("SELECT COUNT(*) AS n FROM alert")] == [1]


def test_one_that_nobody_ends_ends_by_itself(desk: Desk) -> None:
    """Its command was killed: ten minutes later the message says that it is over, and the test is closed."""
    drills = Drills(desk.store, desk.publisher._router)
    desk.take(a_test(desk), alert())
    desk.clock.advance(LASTS_S - 1)
    drills.tidy()
    desk.take()
    firing = states(desk)
    desk.clock.advance(2)
    drills.tidy()
    desk.take()
    resolved = states(desk)
    desk.clock.advance(61)
    drills.tidy()

    assert (firing, resolved, states(desk)) == (
        {"test": ("firing", False), "workload": ("firing", False)},
        {"test": ("resolved", False), "workload": ("firing", False)},
        {"test": ("resolved", True), "workload": ("firing", False)},
    )


def states(desk: Desk) -> dict[str, tuple[str, bool]]:
    """Kind of key -> state, and whether it is closed."""
    with desk.store.read() as tx:
        return {
            r["key"].partition("/")[0]: (r["state"], r["closed_at"] is not None)
            for r in tx.run("SELECT key, state, closed_at FROM incident")
        }


def test_the_channels_that_may_be_asked_for(tmp_path: Path) -> None:
    """The default one first, each once."""
    desk = Desk(tmp_path / "state.db", routes=(*ROUTES, *ROUTES, Route(channel="C1")))

    assert Drills(desk.store, desk.publisher._router).places() == {"sink": "fake", "default": "C1", "channels": ["C1", "C2"]}
