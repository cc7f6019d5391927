"""What publishing an incident adds to its workload's history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from receiver.domain.identity import Subject, Workload
from receiver.domain.incident_memory import GivenVerdict
from receiver.domain.workload_history import (
    DAY_S,
    PastIncident,
    SeenLimit,
    WorkloadName,
    day_of,
    kills_by_day,
    missing_bytes,
    wasted_bytes,
    workload_of,
)
from receiver.pipeline.workload_board import board, namespaces, worst_first
from receiver.store import listing, workloads
from receiver.store.listing import Filter
from receiver.store.workloads import KillDay, Sum
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers

MIB = 1024**2
HOUR_S = 3600.0
DAY = 20_000
AT = DAY * DAY_S


def test_an_incident_is_in_the_history_with_its_kills_and_limit(tmp_path: Path) -> None:
    """As the look found them, on the day of the kill; and it stays when the incident is forgotten."""
    desk = Desk(tmp_path / "state.db")
    desk.take(alert(started=desk.clock.now()))
    killed_on = day_of(desk.clock.now())
    desk.take(alert(status="resolved", started=desk.clock.now()))
    desk.send_one()
    while desk.next_message():
        desk.send_one()
    desk.clock.advance(20 * DAY_S)
    desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    desk.clock.advance(20 * DAY_S)
    desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    with desk.store.read() as tx:
        left = tx.run("SELECT id FROM incident")
        (found,) = workloads.since(tx, 0.0)
        kills = workloads.kills_since(tx, 0)
        limits = workloads.limits_of(tx, found.workload.id)

    assert left == []
    assert (found.workload.namespace, found.workload.kind, found.workload.name) == ("shop", "Deployment", "orders-api")
    assert (found.kills, found.state) == (1, "resolved")
    assert [(k.day, k.kills) for k in kills] == [(killed_on, 1)]
    assert [one.limit_bytes for one in limits] == [80 * MIB]


def test_a_kill_is_counted_once(tmp_path: Path) -> None:
    """However often its incident is published; the next one counts on its own day."""
    desk = Desk(tmp_path / "state.db")
    started = desk.clock.now()
    desk.take(alert(started=started))
    desk.take(alert("OOMKilledRepeatedly", started=started))
    desk.clock.advance(DAY_S)

    def later(subject: Subject) -> dict[str, Any]:
        return answers(subject, restarts=2, finished="2024-11-11T08:59:30Z")

    desk.evidence = later
    desk.take(alert("OOMKilled", pod="orders-api-655779759d-jst99", started=desk.clock.now()))
    with desk.store.read() as tx:
        kills = [(k.day - day_of(started), k.kills) for k in workloads.kills_since(tx, 0)]

    assert kills == [(0, 1), (1, 1)]


def test_the_list_has_the_hour_of_each_kill(tmp_path: Path) -> None:
    """A first look knows when its pod was killed last, and not when before that; the next one knows that there was another since."""
    desk = Desk(tmp_path / "state.db")
    desk.evidence = lambda subject: answers(subject, restarts=5, finished="2024-11-10T08:59:30Z")
    desk.take(alert(started=desk.clock.now()))
    first = _kills_by_hour(desk)
    desk.clock.advance(2 * HOUR_S)
    desk.evidence = lambda subject: answers(subject, restarts=7, finished="2024-11-10T10:59:30Z")
    desk.take(alert("OOMKilledRepeatedly", started=desk.clock.now()))

    assert (sum(first), first[-2]) == (1, 1)
    assert _kills_by_hour(desk)[-4:] == (1, 0, 2, 0)


def _kills_by_hour(desk: Desk) -> tuple[int, ...]:
    with desk.store.read() as tx:
        (one,) = listing.page(tx, Filter(), now=desk.clock.now(), limit=5)
    return one.kills


def test_a_test_alert_leaves_no_history(tmp_path: Path) -> None:
    """It counts nowhere."""
    desk = Desk(tmp_path / "state.db")
    desk.take(alert("OomtriageTestAlert", pod="", namespace="", container="", oomtriage_test="abcdefghijkl"))
    with desk.store.read() as tx:
        assert workloads.since(tx, 0.0) == []


def test_what_has_no_workload_has_no_history() -> None:
    """A node, and an alert that names nothing; a bare pod is its own workload."""
    bare = workload_of(Subject(cluster="", namespace="shop", pod="once", container="app"))

    assert workload_of(Subject(cluster="lab", namespace="", pod="", container="", node="node-1")) is None
    assert workload_of(Subject(cluster="lab", namespace="shop", pod="", container="")) is None
    assert bare is not None
    assert (bare.kind, bare.name) == ("Pod", "once")


def test_names_of_strangers_are_cut_and_never_stand_in_an_address() -> None:
    """An id is a hash; two names are never one."""
    hostile = Subject(cluster="", namespace="../x", pod="p", container="", workload=Workload(kind="<b>", name="n" * 100_000))
    name = workload_of(hostile)
    assert name is not None

    assert len(name.name) == 253
    assert name.id.isalnum()
    assert (
        WorkloadName(cluster="a", namespace="b", kind="c", name="d").id != WorkloadName(cluster="a", namespace="b", kind="c\0d", name="").id
    )


def test_kills_count_for_their_days() -> None:
    """Those whose times are recorded for these, the rest for the newest one's; no more than are new."""
    times = [AT - 3 * DAY_S, AT - 2 * DAY_S, AT]

    assert kills_by_day(5, times, known_until=None, newest_at=AT) == {DAY - 3: 1, DAY - 2: 1, DAY: 3}
    assert kills_by_day(2, times, known_until=None, newest_at=AT) == {DAY - 2: 1, DAY: 1}
    assert kills_by_day(2, times, known_until=AT - 1, newest_at=AT) == {DAY: 2}
    assert kills_by_day(0, times, known_until=None, newest_at=AT) == {}


def test_waste_is_claimed_only_where_nothing_was_killed() -> None:
    """A kill hides what was needed; without a limit or a measured use nothing is said."""
    limit = SeenLimit(container="app", since=AT, seen_at=AT, limit_bytes=100 * MIB, peak_bytes=40 * MIB)

    assert wasted_bytes(limit, killed_since=0) == 60 * MIB
    assert wasted_bytes(limit, killed_since=1) is None
    assert wasted_bytes(SeenLimit(container="app", since=AT, seen_at=AT, limit_bytes=100 * MIB), killed_since=0) is None
    assert missing_bytes(limit) is None
    assert missing_bytes(SeenLimit(container="app", since=AT, seen_at=AT, limit_bytes=MIB, wanted_bytes=3 * MIB)) == 2 * MIB


def _one(name: str, *, namespace: str = "shop", incident: str = "", seen_at: float = AT, **more: Any) -> PastIncident:
    workload = WorkloadName(cluster="lab", namespace=namespace, kind="Deployment", name=name)
    given: dict[str, Any] = {"container": "app", "opened_at": AT - DAY_S, "state": "resolved", "kills": 1} | more
    return PastIncident(id=incident or f"inc_{name}", workload=workload, seen_at=seen_at, **given)


def test_the_board_has_the_worst_first() -> None:
    """By kills in the span; what has none comes last."""
    past = [_one("a"), _one("b"), _one("c", namespace="batch", verdict=GivenVerdict(cause="leak", confidence=0.9)), _one("quiet")]
    kills = [
        KillDay(incident_id=one.id, workload_id=one.workload.id, day=DAY - ago, kills=n)
        for one, ago, n in ((past[0], 0, 2), (past[1], 1, 5), (past[2], 29, 1))
    ]
    found = board(past, kills, {}, now=AT)

    assert [(line.name.name, line.kills) for line in found.workloads] == [("b", 5), ("a", 2), ("c", 1), ("quiet", 0)]
    assert found.workloads[1].kills_by_day == (*([0] * 29), 2)
    assert found.first_day == DAY - 29


def _sum(name: str, kills: int, *, namespace: str = "shop", firing: int = 0) -> Sum:
    workload = _one(name, namespace=namespace).workload
    return Sum(id=workload.id, name=workload, incidents=1, firing=firing, last_seen=AT, kills=kills)


def test_a_namespace_has_its_worst_and_its_memory() -> None:
    """Unused memory only where nothing was killed under the limit."""
    sums = worst_first([_sum("a", 2), _sum("b", 5), _sum("c", 1, namespace="batch"), _sum("d", 2, firing=1)])
    limit = SeenLimit(container="app", since=AT, seen_at=AT, limit_bytes=100 * MIB, peak_bytes=40 * MIB, wanted_bytes=130 * MIB)
    fits = {(one.id, "app"): (limit, one.name.name == "b") for one in sums}
    found = namespaces(sums, fits)

    assert [one.name.name for one in sums] == ["b", "d", "a", "c"]
    assert [(n.namespace, n.kills, n.worst.name, n.worst_kills, n.workloads) for n in found] == [
        ("shop", 9, "b", 5, 3), ("batch", 1, "c", 1, 1)
    ]  # fmt: skip
    assert [(n.wasted_bytes, n.missing_bytes) for n in found] == [(120 * MIB, 90 * MIB), (60 * MIB, 30 * MIB)]


def test_memory_is_summed_where_it_is_known() -> None:
    """And None where nothing is known of any container."""
    one = _one("a", state="firing")
    limits = {
        (one.workload.id, "app"): SeenLimit(container="app", since=AT, seen_at=AT, limit_bytes=100 * MIB, peak_bytes=40 * MIB),
        (one.workload.id, "side"): SeenLimit(container="side", since=AT, seen_at=AT, limit_bytes=10 * MIB, wanted_bytes=30 * MIB),
    }
    quiet = board([one], [], limits, now=AT).workloads[0]
    killed = board([one], [KillDay(incident_id=one.id, workload_id=one.workload.id, day=DAY, kills=1)], limits, now=AT).workloads[0]

    assert (quiet.wasted_bytes, quiet.missing_bytes, quiet.firing) == (60 * MIB, 20 * MIB, 1)
    assert (killed.wasted_bytes, killed.missing_bytes) == (None, 20 * MIB)
