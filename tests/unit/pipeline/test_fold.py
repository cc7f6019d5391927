"""Alerts become incidents: one memory problem of one workload's container is one incident, however it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.domain.alerts import RESOLVED, Alert, parse_alert
from receiver.errors import PayloadError
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts as alert_table
from receiver.store import incident_lists, jobs
from receiver.store.database import Row
from receiver.store.incidents import Incident
from receiver.store.sqlite import _SqliteTx
from receiver.store.store import Store
from tests.support import Clock, alert
from tests.unit.domain.alert_bodies import entries


class Desk:
    """A store and what folding makes of the alerts put into it."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)

    def take(self, *new: Alert) -> None:
        self.store.accept(new)
        while fold(self.store, FoldConfig(cluster_name="lab")):
            pass

    def incidents(self) -> list[Incident]:
        with self.store.read() as tx:
            return sorted(incident_lists.newest(tx, 1000), key=lambda i: i.opened_at)

    def finish_jobs(self) -> list[str]:
        with self.store.write() as tx:
            claimed = jobs.claim(tx, now=self.clock.now() + 1e9, epoch=self.store.epoch, limit=1000)
            for job in claimed:
                jobs.finish(tx, job)
        return [job.subject_id for job in claimed]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "state.db")
    yield desk
    desk.store.close()


def test_fifty_replicas_dying_are_one_incident_and_one_look(desk: Desk) -> None:
    """Not one message per pod: the workload has one problem."""
    suffixes = [f"{a}{b}xzw" for a in "bcdfg" for b in "hjklmnpqrs"]
    desk.take(*(alert(pod=f"orders-api-655779759d-{s}") for s in suffixes))

    (incident,) = desk.incidents()
    assert incident.subject.workload is not None
    assert (incident.subject.workload.kind, incident.subject.workload.name) == ("Deployment", "orders-api")
    assert desk.finish_jobs() == [incident.id]


def test_warning_and_kill_of_one_container_are_one_incident(desk: Desk) -> None:
    """HighMemoryUsage, then OOMKilled: one thread; the severity is the highest that fires."""
    desk.take(alert("HighMemoryUsage"))
    desk.take(alert("OOMKilled", severity="critical"))

    (incident,) = desk.incidents()
    assert incident.severity == "critical"


def test_two_containers_of_one_pod_are_two_incidents(desk: Desk) -> None:
    """The sidecar's memory is not the application's."""
    desk.take(alert(container="cart"), alert(container="log-shipper"))

    assert len(desk.incidents()) == 2


def test_a_crash_loop_that_resolves_and_fires_again_stays_one_incident(desk: Desk) -> None:
    """At the back-off cap Alertmanager resolves and re-fires every five minutes: that is one incident."""
    for round_ in range(6):
        started = desk.clock.now()
        desk.take(alert(started=started))
        desk.clock.advance(240)
        desk.take(alert(started=started, status=RESOLVED))
        desk.clock.advance(60)
        assert [i.state for i in desk.incidents()] == ["resolved"], round_

    assert len(desk.incidents()) == 1


def test_a_kill_after_the_reopen_window_is_a_new_incident_that_links_the_old(desk: Desk) -> None:
    """Two days later it is news again, and the old thread is one tap away."""
    desk.take(alert(started=desk.clock.now()))
    desk.take(alert(started=desk.clock.now(), status=RESOLVED))
    desk.finish_jobs()
    desk.clock.advance(86_400 + 60)
    desk.store.tidy(reopen_window_s=86_400, retention_s=14 * 86_400)
    desk.take(alert(started=desk.clock.now()))

    old, new = desk.incidents()
    assert old.closed_at is not None
    assert (new.closed_at, new.previous_id) == (None, old.id)


def test_an_incident_resolves_only_when_none_of_its_alerts_fires(desk: Desk) -> None:
    """One replica recovered, the other still dies: the incident still fires."""
    a, b = "orders-api-655779759d-bbbbb", "orders-api-655779759d-ccccc"
    desk.take(alert(pod=a), alert(pod=b))
    desk.take(alert(pod=a, status=RESOLVED))
    half = [i.state for i in desk.incidents()]
    desk.take(alert(pod=b, status=RESOLVED))

    assert half == ["firing"]
    assert [i.state for i in desk.incidents()] == ["resolved"]


def test_a_resolve_that_arrives_before_its_firing_still_ends_it(desk: Desk) -> None:
    """Two Alertmanagers may deliver in the wrong order: the later state of the same start wins."""
    desk.take(alert("HighMemoryUsage"))
    desk.take(alert("OOMKilled", status=RESOLVED), alert("HighMemoryUsage", status=RESOLVED))
    desk.take(alert("OOMKilled"))

    assert [i.state for i in desk.incidents()] == ["resolved"]


def test_a_resolve_of_something_never_told_opens_nothing(desk: Desk) -> None:
    """A resolve without a root posts nothing."""
    desk.take(alert(status=RESOLVED))

    assert desk.incidents() == []


def test_a_heartbeat_opens_nothing(desk: Desk) -> None:
    """Severity none (Watchdog) is a heartbeat, never an incident."""
    desk.take(alert("Watchdog", pod="", namespace="", container="", severity="none"))

    assert desk.incidents() == []
    with desk.store.read() as tx:
        assert alert_table.unfolded(tx, 10) == []


@pytest.mark.parametrize(
    ("first", "second", "n"),
    [
        ({"pod": "db-0"}, {"pod": "db-1"}, 1),
        ({"pod": "backup-28391234-bbbbb"}, {"pod": "backup-28391294-ccccc"}, 1),
        ({"pod": "bare"}, {"pod": "other"}, 2),
        ({"cluster": "a"}, {"cluster": "b"}, 2),
        ({"cluster": ""}, {"cluster": "lab"}, 1),
        ({"namespace": "shop"}, {"namespace": "shop-v2"}, 2),
        ({"pod": "x-1", "workload": "api"}, {"pod": "y-2", "workload": "api"}, 1),
        ({"pod": "", "container": "", "node": "n1"}, {"pod": "", "container": "", "node": "n2"}, 1),
        ({"pod": "", "container": "", "namespace": "", "node": "n1"}, {"pod": "", "container": "", "namespace": "", "node": "n2"}, 2),
        ({"pod": "", "container": "", "namespace": ""}, {"pod": "", "container": "", "namespace": "", "job": "x"}, 2),
    ],
    ids=[
        "statefulset",
        "cronjob",
        "bare pods",
        "clusters",
        "our cluster unsaid",
        "namespaces",
        "workload label",
        "namespace alert",
        "nodes",
        "nothing",
    ],
)
def test_which_alerts_belong_together(desk: Desk, first: dict[str, str], second: dict[str, str], n: int) -> None:
    """The first identity that applies: workload, pod, node, namespace and alert, alert alone."""
    desk.take(alert(**first), alert(**second))  # type: ignore[arg-type]

    assert len(desk.incidents()) == n


def test_names_with_slashes_never_collide(desk: Desk) -> None:
    """Labels come from strangers: a slash in one cannot make two incidents one."""
    desk.take(alert(namespace="a/b", pod="c"), alert(namespace="a", pod="b/c"))

    assert len(desk.incidents()) == 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sent=st.lists(entries, min_size=1, max_size=4))
def test_whatever_is_accepted_is_folded(desk: Desk, sent: list[dict[str, object]]) -> None:
    """A body that is answered 202 ends in incidents that can be read, and leaves nothing behind that cannot."""
    taken = []
    for entry in sent:
        try:
            taken.append(parse_alert(entry))
        except PayloadError:
            continue
    desk.take(*taken)
    n_firing = len({a.fingerprint for a in taken if a.status != RESOLVED and a.severity != "none"})

    assert desk.store.quarantined() == {}
    assert len(desk.incidents()) >= min(n_firing, 1)
    with desk.store.read() as tx:
        assert alert_table.unfolded(tx, 10) == []
        assert all(alert_table.newest_of(tx, i.id) for i in incident_lists.newest(tx, 10))


@pytest.mark.state_file
def test_an_alert_costs_the_same_however_many_its_incident_has(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that are read for one more alert of a workload: not those of all its pods."""
    read = [0]
    run = _SqliteTx.run

    def counted(tx: _SqliteTx, sql: str, /, **params: object) -> list[Row]:
        rows = run(tx, sql, **params)
        read[0] += len(rows)
        return rows

    monkeypatch.setattr(_SqliteTx, "run", counted)
    costs = []
    for n in (0, 10, 1000):
        desk.take(*(alert(pod=f"orders-api-655779759d-{n:04d}{i:04d}", workload="orders-api") for i in range(n)))
        read[0] = 0
        desk.take(alert(pod=f"orders-api-655779759d-{n:04d}zzzz", workload="orders-api"))
        costs.append(read[0])

    assert costs[2] <= costs[1] < 20


def test_a_backlog_is_folded_in_short_transactions(desk: Desk) -> None:
    """An alert that is being accepted never waits behind all that came before it."""
    ticks = iter(range(1000))
    desk.store.accept([alert(pod=f"orders-api-655779759d-{i:05d}") for i in range(20)])

    taken = [fold(desk.store, FoldConfig(), limit_s=5.0, monotonic=lambda: float(next(ticks))) for _ in range(4)]

    assert taken == [6, 6, 6, 2]


def test_a_firing_that_arrives_after_its_resolve_and_is_repeated_fires(desk: Desk) -> None:
    """Two Alertmanagers: the resolve overtakes the firing. Once it is over; a firing that is sent again is not."""
    started = desk.clock.now()
    desk.take(alert(pod="orders-api-655779759d-aaaaa", started=started - 5))
    desk.take(alert(status=RESOLVED, started=started))
    desk.take(alert(pod="orders-api-655779759d-aaaaa", started=started - 5, status=RESOLVED))
    desk.clock.advance(10)
    desk.take(alert(started=started))
    assert desk.incidents()[0].state == "resolved"

    desk.clock.advance(10)
    desk.take(alert(started=started))
    assert desk.incidents()[0].state == "firing"
