"""The watch: looks where something happened, at a pace, whatever else goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from receiver.domain.alerts import RESOLVED
from receiver.domain.identity import Subject
from receiver.domain.pulse import ContainerPulse, Pulses, Wanted
from receiver.domain.units import from_epoch
from receiver.errors import Unavailable
from receiver.pipeline.actions import FIXED, Act, Actions
from receiver.pipeline.changes import DEATH, LIMIT, OWNER, PODS, PROCESSES, READY, REPEAT
from receiver.pipeline.kinds import COLLECT, EVERYTHING, PUBLISH, WATCH
from receiver.pipeline.watch import LOOK_EVERY_S, LOOKS_AT_ONCE, MOST_OWNERS, Watch, WatchConfig
from receiver.store import incident_lists, jobs
from receiver.store.store import Store
from receiver.telemetry import Metrics
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers, pod

POD = "orders-api-655779759d-jst99"
INTERVAL_S = 120.0


class Pulse:
    """A cluster that tells what tests say. `pods` None: nobody is known."""

    def __init__(self) -> None:
        self.pods: dict[str, ContainerPulse] | None = {POD: ContainerPulse(restarts=1, reason="OOMKilled", is_ready=True, limit_bytes=80)}
        self.problems: dict[str, str] = {}
        self.asked: list[int] = []
        self.marks: dict[str, str] = {}
        self.owner_error: Exception | None = None
        self.owners_read: list[str] = []
        self.forgotten = 0
        self.bug: Exception | None = None

    def take(self, wanted: Sequence[Wanted], *, now: datetime, deadline_s: float) -> Pulses:
        self.asked.append(len(wanted))
        if self.bug:
            raise self.bug
        pods: Mapping[str, Mapping[str, ContainerPulse]] = {}
        if self.pods is not None:
            pods = {w.id: {w.subject.pod: next(iter(self.pods.values()))} if len(wanted) > 1 else dict(self.pods) for w in wanted}
        return Pulses(pods=pods, problems=self.problems, requests={"prometheus": 1})

    def owner(self, subject: Subject, *, deadline_s: float) -> tuple[str, int]:
        if self.owner_error:
            raise self.owner_error
        name = subject.workload.name if subject.workload else ""
        self.owners_read.append(name)
        return self.marks.get(name, "first"), 1

    def forget(self, subject: Subject) -> None:
        self.forgotten += 1

    def dies(self, restarts: int, at: float, *, name: str = POD, reason: str = "OOMKilled") -> None:
        assert self.pods is not None
        was = self.pods.get(name, ContainerPulse())
        self.pods[name] = replace(was, restarts=restarts, reason=reason, died_at=from_epoch(at))


class Watched:
    """A desk with a watch over it, one incident in it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.clock, self.pulse = desk, desk.clock, Pulse()
        self.metrics = Metrics()
        self.watch = self.start()

    def start(self) -> Watch:
        """A process over the same state file."""
        self.watch = Watch(
            store=self.desk.store,
            source=self.pulse,
            metrics=self.metrics,
            config=WatchConfig(interval_s=INTERVAL_S),
            monotonic=self.clock.monotonic,
        )
        self.watch.begin()
        self.desk.watch = self.watch
        return self.watch

    def later(self, seconds: float, *, until: int | None = None) -> None:
        """Let the time pass, each job done when it is due."""
        end = self.clock.now() + seconds
        while (due := self.desk.next_job_at()) is not None and due <= end:
            self.clock.advance(max(0.0, due - self.clock.now()))
            self.desk.work()
        self.clock.advance(max(0.0, end - self.clock.now()))

    @property
    def looks(self) -> int:
        return len(self.desk.looks)


@pytest.fixture
def watched(desk: Desk) -> Watched:
    watched = Watched(desk)
    desk.take(alert(started=desk.clock.now()))
    watched.later(INTERVAL_S)
    return watched


def waiting(store: Store, kind: str) -> list[float]:
    """When the jobs of a kind are due."""
    with store.read() as tx:
        return [r["due_at"] for r in tx.run("SELECT due_at FROM job WHERE kind = :kind AND state = 'pending' ORDER BY due_at", kind=kind)]


def test_a_quiet_hour_costs_one_question_a_round_and_no_look(watched: Watched) -> None:
    """One incident, two rounds an interval."""
    before = len(watched.pulse.asked)
    looks = watched.looks
    watched.later(1500)

    assert len(watched.pulse.asked) - before == 25
    assert watched.looks == looks


def test_without_incidents_nobody_is_asked(desk: Desk) -> None:
    """A round that has nothing to watch costs the cluster nothing."""
    watched = Watched(desk)
    watched.later(3600)

    assert watched.pulse.asked == []
    assert len(waiting(desk.store, WATCH)) == 1


def test_a_crash_loop_whose_alert_never_changes_is_counted(watched: Watched) -> None:
    """Killed every 50 s for twenty minutes, and no notification comes: the root's number follows within the interval."""
    shown = []
    for kill in range(2, 26):
        watched.pulse.dies(kill, watched.clock.now())
        at = f"{from_epoch(watched.clock.now()):%Y-%m-%dT%H:%M:%SZ}"
        watched.desk.evidence = lambda s, kill=kill, at=at: answers(s, restarts=kill, finished=at)  # type: ignore[misc]
        watched.later(50)
        shown.append(int(watched.desk.roots()[-1].rpartition("x")[2]))
    watched.later(INTERVAL_S + 60)

    kills = range(2, 26)
    assert all(n >= kill - 4 for n, kill in zip(shown, kills, strict=True))  # an interval and a round are three or four kills
    assert watched.desk.roots()[-1].endswith("x25")
    assert watched.looks <= 24 * 50 / INTERVAL_S + 4


def test_looks_at_one_incident_keep_their_distance(watched: Watched) -> None:
    """Something happens in every round; it is looked at once an interval."""
    looks = watched.looks
    for restarts in range(2, 22):
        watched.pulse.dies(restarts, watched.clock.now())
        watched.later(60)

    assert watched.looks - looks in (9, 10)


def test_a_death_after_a_fix_was_noted_is_looked_at_at_once(watched: Watched) -> None:
    """Whoever counts on quiet is not to wait for the pace."""
    watched.pulse.dies(2, watched.clock.now())
    watched.later(61)
    looks = watched.looks
    with watched.desk.store.read() as tx:
        (incident,) = incident_lists.newest(tx, 1)
    Actions(watched.desk.store).take(incident.id, Act(what=FIXED, by="Ines"))
    watched.desk.work()
    watched.pulse.dies(3, watched.clock.now() + 5)
    watched.later(100)

    assert watched.looks == looks + 1


def test_a_death_after_the_resolve_is_looked_at(watched: Watched) -> None:
    """The rule's window was over before the next kill: no alert tells it for minutes."""
    watched.desk.take(alert(started=watched.clock.now() - INTERVAL_S, status=RESOLVED))
    watched.later(600)
    looks = watched.looks
    watched.pulse.dies(2, watched.clock.now())
    watched.later(100)

    assert watched.looks == looks + 1


def test_a_changed_owner_is_noticed_within_half_an_hour(watched: Watched) -> None:
    """Its pods do not change (onDelete, paused, not rolled out yet): the owner says it."""
    looks = watched.looks
    watched.pulse.marks["orders-api"] = "second"
    watched.later(1800 + 61)

    assert watched.looks >= looks + 1
    assert watched.pulse.forgotten >= 1
    assert watched.metrics.watch_changes.labels("owner")._value.get() == 1


def test_an_owner_is_read_at_once_when_its_pods_were_replaced(watched: Watched) -> None:
    """A rollout: the look that follows must not see what was kept of the owner before it."""
    before = len(watched.pulse.owners_read)
    watched.pulse.pods = {"orders-api-7c9d8f6b5-x2x4z": ContainerPulse(restarts=0, limit_bytes=200)}
    watched.later(61)

    assert len(watched.pulse.owners_read) == before + 1
    assert watched.pulse.forgotten == 1


def test_an_owner_is_not_read_for_ever_but_when_its_pods_were_replaced(watched: Watched) -> None:
    """Half-hourly for seven days; a rollout after that is still seen as it is."""
    watched.later(8 * 86_400)
    before = len(watched.pulse.owners_read)
    watched.later(2 * 3600)
    quiet = len(watched.pulse.owners_read) - before
    watched.pulse.pods = {"orders-api-7c9d8f6b5-x2x4z": ContainerPulse(restarts=0, limit_bytes=200)}
    watched.later(61)

    assert (quiet, len(watched.pulse.owners_read) - before) == (0, 1)


def test_kills_of_a_pod_that_is_gone_still_count(watched: Watched) -> None:
    """Killed four times, then replaced before any look saw it."""
    watched.pulse.dies(4, watched.clock.now())
    watched.later(60)
    watched.pulse.pods = {"orders-api-7c9d8f6b5-x2x4z": ContainerPulse(restarts=0, limit_bytes=80)}
    watched.desk.evidence = lambda s: {}
    watched.later(180)

    assert watched.desk.roots()[-1].endswith("x4")


def test_a_source_that_is_away_changes_nothing_and_is_said_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Prometheus is away for an hour: no look, one line, and one when it is back; what died meanwhile is counted then."""
    pods, watched.pulse.pods, watched.pulse.problems = watched.pulse.pods, None, {"prometheus": "refused"}
    looks, roots = watched.looks, watched.desk.roots()
    with caplog.at_level(logging.INFO, logger="receiver.pipeline.watch"):
        watched.later(3600 - 1800)  # the planned look of the first half hour takes place all the same
        during = watched.watch.to_json()["problems"]
        watched.later(1800)
        watched.pulse.pods, watched.pulse.problems = pods, {}
        watched.pulse.dies(9, watched.clock.now())
        watched.desk.evidence = lambda s: answers(s, restarts=9, finished="2024-11-10T10:02:00Z")
        watched.later(120)

    said = [r.message for r in caplog.records if "answer" in r.message]
    assert during == {"prometheus": "refused"}
    assert said == ["the watch has no answer: nothing is concluded from it", "the watch has answers again"]
    assert watched.looks <= looks + 2
    assert [r.rpartition(" ")[2] for r in (roots[-1], watched.desk.roots()[-1])] == ["x1", "x9"]


def test_a_repeat_of_the_alert_is_worth_a_look_where_nobody_knows_the_pods(watched: Watched) -> None:
    """No Prometheus, no API: what Alertmanager sends again is all there is. Not more often than the interval."""
    watched.pulse.pods = None
    looks = watched.looks
    for _ in range(10):
        watched.later(60)
        watched.desk.take(alert(started=watched.clock.now() - INTERVAL_S))  # accepted as a duplicate or not, it is a repeat
    repeated = watched.looks

    assert repeated > looks
    assert repeated - looks <= 11


def test_a_restart_in_the_middle_misses_nothing(watched: Watched, tmp_path: Path) -> None:
    """Killed while the receiver was away: what it remembers of the round before is in the state file."""
    watched.pulse.dies(6, watched.clock.now() + 30)
    watched.clock.advance(300)
    with watched.desk.store.write() as tx:
        (job,) = jobs.claim(tx, now=watched.clock.now(), epoch=watched.desk.store.epoch, limit=1, only=(WATCH,))
    watched.desk.store.close()  # as by kill -9, with a round under way
    watched.desk.store = Store.open_sqlite(tmp_path / "state.db", clock=watched.clock.now)
    watched.desk.reopened()
    watched.start()
    looks = watched.looks
    watched.later(61)

    assert job.kind == WATCH
    assert len(waiting(watched.desk.store, WATCH)) == 1
    assert watched.looks == looks + 1


def test_a_round_that_fails_is_not_the_last(watched: Watched) -> None:
    """A bug in what asks costs that round."""
    watched.pulse.bug = ZeroDivisionError("a bug")
    watched.later(1500)
    asked = len(watched.pulse.asked)
    watched.pulse.bug = None
    watched.later(120)

    assert len(watched.pulse.asked) >= asked + 1
    assert len(waiting(watched.desk.store, WATCH)) == 1


def test_a_row_that_cannot_be_read_costs_nobody_else_the_round(desk: Desk) -> None:
    """It is put aside; the others are watched."""
    watched = Watched(desk)
    desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(3)))
    with desk.store.write() as tx:
        tx.run("UPDATE incident SET data = '[]' WHERE id = (SELECT MIN(id) FROM incident)")
    watched.later(60)

    assert watched.pulse.asked == [2]


def test_a_thousand_incidents_to_which_something_happens_are_looked_at_in_turn(desk: Desk) -> None:
    """The looks that the watch asks for are spread; the counts are shown before them."""
    watched = Watched(desk)
    n = 200
    desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(n)))
    watched.later(INTERVAL_S)
    watched.pulse.dies(5, desk.clock.now())
    watched.clock.advance(max(0.0, (waiting(desk.store, WATCH)[0]) - desk.clock.now()))
    looks = watched.looks
    with desk.store.write() as tx:
        (job,) = jobs.claim(tx, now=desk.clock.now(), epoch=desk.store.epoch, limit=1, only=(WATCH,))
    watched.watch.run(job)
    due = [at for at in waiting(desk.store, COLLECT) if at <= desk.clock.now() + n * LOOK_EVERY_S]
    shown_soon = len(waiting(desk.store, PUBLISH))
    watched.later(300)

    assert len(due) == n
    assert sum(at <= desk.clock.now() - 300 for at in due) <= LOOKS_AT_ONCE + 1
    assert shown_soon >= n - LOOKS_AT_ONCE - INTERVAL_S / LOOK_EVERY_S - 1
    assert watched.looks - looks <= LOOKS_AT_ONCE + 300 / LOOK_EVERY_S + 1
    with desk.store.read() as tx:
        assert {i.memory.kill_count for i in incident_lists.newest(tx, n)} == {5}


def test_owners_are_read_in_turn(desk: Desk) -> None:
    """At most so many in a round, those first that were read longest ago."""
    watched = Watched(desk)
    desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(2 * MOST_OWNERS)))
    watched.later(60)
    first = list(watched.pulse.owners_read)
    watched.later(60)

    assert len(first) == MOST_OWNERS
    assert sorted(watched.pulse.owners_read) == sorted(f"svc{i}" for i in range(2 * MOST_OWNERS))


def test_an_owner_that_cannot_be_read_now_is_not_a_changed_one(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """The API is away for three hours."""
    watched.pulse.owner_error = Unavailable("away")
    looks = watched.looks
    with caplog.at_level(logging.WARNING, logger="receiver.pipeline.watch"):
        watched.later(1500)
    watched.pulse.owner_error = None

    assert watched.looks == looks
    assert len([r for r in caplog.records if "no answer" in r.message]) <= 1


def test_what_the_metrics_name_is_all_that_the_watch_can_find() -> None:
    """Each kind of change is a label value, known before it happens first."""
    exposed = Metrics().exposition().decode()

    assert all(
        f'oomtriage_watch_changes_total{{kind="{kind}"}} 0.0' in exposed for kind in (DEATH, PROCESSES, LIMIT, PODS, READY, OWNER, REPEAT)
    )


def test_the_job_is_there_once_after_every_start(desk: Desk) -> None:
    """Also over a state file that knows none."""
    watched = Watched(desk)
    for _ in range(3):
        watched.start()

    with desk.store.read() as tx:
        rows = tx.run("SELECT subject_id FROM job WHERE kind = :kind", kind=WATCH)
    assert [r["subject_id"] for r in rows] == [EVERYTHING]
    assert timedelta(seconds=waiting(desk.store, WATCH)[0] - desk.clock.now()) == timedelta(seconds=INTERVAL_S / 2)
