"""What was missed while nobody listened is told once, marked late; what ended is said to be over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from receiver.domain.alerts import FIRING, RESOLVED, Alert, alertmanager_fingerprint
from receiver.domain.away import ALERTMANAGER, RECEIVER, Gap
from receiver.domain.missed import Condition, Episode, Held, HeldAlert, Muting, Past, SeenKill
from receiver.domain.units import from_epoch
from receiver.errors import Unavailable
from receiver.pipeline import kinds, reconcile
from receiver.pipeline.reconcile import ReconcileConfig, Reconciler
from receiver.store import alerts as alert_table
from receiver.store import away, incident_lists
from receiver.store.incidents import Incident
from tests.support import Clock, alert
from tests.unit.pipeline.kit import Desk, answers, brief, pod

EXTERNAL = ("cluster", "prometheus")  # labels that Prometheus adds when it sends an alert


class Memory:
    """An Alertmanager and a Prometheus that remember what a test says."""

    def __init__(self) -> None:
        self.of_alertmanager: Held | None = Held(alerts=(), receivers=("oomtriage",))
        self.of_prometheus: Past | None = Past(resolution_s=15.0)
        self.is_away = False
        self.gaps: list[Gap] = []

    def held(self, *, now: float) -> Held | None:
        if self.is_away:
            raise Unavailable("Alertmanager does not answer")
        return self.of_alertmanager

    def past(self, gap: Gap, *, now: float) -> Past | None:
        self.gaps.append(gap)
        return self.of_prometheus


class Office:
    """A receiver that ends and starts again over one state file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory = Memory()
        self.start(Clock())

    def start(self, clock: Clock) -> None:
        """The process starts; `clock` goes on."""
        self.desk = Desk(self.path)
        self.clock = self.desk.clock
        self.clock.wall, self.clock.ticks = clock.wall, clock.ticks
        self.reconciler = Reconciler(store=self.desk.store, source=self.memory, config=ReconcileConfig())
        self.desk.runs[kinds.RECONCILE] = self.reconciler.run
        self.reconciler.beat()
        self.desk.store.note_receiver("oomtriage")

    def is_away_for(self, seconds: float) -> None:
        """It is killed, and starts again so much later."""
        self.desk.store.close()
        self.clock.advance(seconds)
        self.start(self.clock)

    def pass_by(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance(min(10.0, end - self.clock.now()))
            self.reconciler.beat()
            self.desk.take()

    @property
    def incidents(self) -> list[Incident]:
        with self.desk.store.read() as tx:
            return sorted(incident_lists.newest(tx, 100), key=lambda i: i.subject.pod)

    def alerts(self) -> list[tuple[str, str, bool]]:
        """(status, pod, is late) of every alert row."""
        with self.desk.store.read() as tx:
            return [(a.status, a.labels.get("pod", ""), a.late is not None) for a in alert_table.began_between(tx, 0.0, 9e9)]

    def history(self, of: Incident) -> list[str]:
        return [brief(entry.what).split()[0] for entry in of.memory.log]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "state.db")
    yield office
    office.desk.store.close()


def sent(i: int, *, started: float) -> Alert:
    """An alert as Alertmanager sends it: with what Prometheus adds."""
    made = alert(pod=pod(i, f"svc{i}"), container="app", started=started, incident="memory", cluster="lab", prometheus="monitoring/k8s")
    return replace(made, fingerprint=alertmanager_fingerprint(made.labels))


def episode(of: Alert, *, until: float) -> Episode:
    """The same in Prometheus' ALERTS."""
    return Episode(labels={k: v for k, v in of.labels.items() if k not in EXTERNAL}, first=of.starts_at, last=from_epoch(until))


def holds(*alerts: Alert, is_complete: bool = True, **more: object) -> Held:
    held = tuple(HeldAlert(alert=a, receivers=("oomtriage",)) for a in alerts)
    return replace(Held(alerts=held, receivers=("oomtriage", "other"), is_complete=is_complete), **more)  # type: ignore[arg-type]


WATCHDOG = replace(
    (_ := alert("Watchdog", pod="", namespace="", container="", severity="none", started=0.0, cluster="lab", prometheus="monitoring/k8s")),
    fingerprint=alertmanager_fingerprint(_.labels),
)


class TestTheGap:
    """A gap is known by a note that is written every half minute."""

    def test_a_restart_is_none(self, office: Office) -> None:
        """An upgrade takes a minute: Alertmanager tries again."""
        office.pass_by(600)
        office.is_away_for(80)
        office.pass_by(60)

        assert office.memory.gaps == []

    def test_half_an_hour_is_one(self, office: Office) -> None:
        """From the last note to the start; asked twice, for what Alertmanager brings late itself; then never again."""
        office.pass_by(600)
        last = office.clock.now()
        office.is_away_for(1800)
        back = office.clock.now()
        office.pass_by(3600)

        assert office.memory.gaps == [Gap(since=from_epoch(last), until=from_epoch(back), whose=RECEIVER)] * 2

    def test_a_new_state_file_knows_none(self, office: Office) -> None:
        """There was nobody to be away."""
        office.pass_by(3600)

        assert office.memory.gaps == []

    def test_it_survives_the_next_crash(self, office: Office) -> None:
        """Killed again before anybody was asked: the job and its gap are in the store."""
        office.pass_by(600)
        office.is_away_for(1800)
        office.is_away_for(5)
        office.pass_by(60)

        assert [round((g.until - g.since).total_seconds()) for g in office.memory.gaps] == [1800]

    def test_what_is_older_than_a_day_is_not_told(self, office: Office) -> None:
        """After a week away nobody wants last week's kills."""
        office.pass_by(60)
        office.is_away_for(7 * 86_400)
        office.pass_by(60)

        assert office.memory.gaps[0].since >= from_epoch(office.clock.now() - 86_500)


class TestWhatWasMissed:
    """Kills of the gap are told once, marked late."""

    def away(self, office: Office, *missed: tuple[int, float, float]) -> list[Alert]:
        """Half an hour away, in which these (number, began after, ended after) fired and ended."""
        office.desk.take(WATCHDOG)
        office.pass_by(600)
        last = office.clock.now()
        fired = [sent(i, started=last + began) for i, began, _ in missed]
        office.memory.of_prometheus = Past(
            episodes=(
                *(episode(a, until=last + ended) for a, (_, _, ended) in zip(fired, missed, strict=True)),
                episode(WATCHDOG, until=last + 1800),
            ),
            resolution_s=15.0,
        )
        office.memory.of_alertmanager = holds(WATCHDOG)
        office.is_away_for(1800)
        return fired

    def test_it_is_told_once(self, office: Office) -> None:
        """Two kills that nobody brought: two incidents, resolved, with roots that say they are late; after a second look no more."""
        self.away(office, (1, 300, 700), (2, 900, 1000))
        office.pass_by(3600)

        assert [i.state for i in office.incidents] == ["resolved", "resolved"]
        assert len(office.desk.roots()) == 2
        assert office.alerts()[1:] == [(FIRING, pod(1, "svc1"), True), (RESOLVED, pod(1, "svc1"), True), (FIRING, pod(2, "svc2"), True), (RESOLVED, pod(2, "svc2"), True)]  # fmt: skip
        assert [brief(n).split()[0] for n in office.desk.words.seen[-1].notes] == ["note.seen_late"]

    def test_it_is_the_alert_that_alertmanager_would_have_sent(self, office: Office) -> None:
        """With the labels that Prometheus adds, learnt from an alert that both know: the same row, whoever brings it later."""
        (fired,) = self.away(office, (1, 300, 700))
        office.pass_by(60)
        before = office.alerts()
        office.desk.take(fired)
        office.desk.take(replace(fired, status=RESOLVED, ends_at=fired.starts_at))
        office.pass_by(600)

        assert office.alerts() == before
        assert len(office.desk.roots()) == 1

    def test_what_alertmanager_brings_first_is_not_told_again(self, office: Office) -> None:
        """Its retry comes before we ask; its own resolve never comes, so the end is Prometheus'."""
        (fired,) = self.away(office, (1, 300, 700))
        office.desk.take(fired)
        office.pass_by(600)

        (incident,) = office.incidents
        assert incident.state == "resolved"
        assert office.alerts()[1:] == [(FIRING, pod(1, "svc1"), True), (RESOLVED, pod(1, "svc1"), True)]
        assert len(office.desk.roots()) == 1

    def test_a_resolve_alone_is_not_the_telling(self, office: Office) -> None:
        """Alertmanager sends it with others of its group; that it fired never came."""
        (fired,) = self.away(office, (1, 300, 700))
        office.desk.take(replace(fired, status=RESOLVED, ends_at=fired.starts_at))
        office.pass_by(600)

        assert sorted(office.alerts()[1:]) == [(FIRING, pod(1, "svc1"), True), (RESOLVED, pod(1, "svc1"), True)]
        assert [i.state for i in office.incidents] == ["resolved"]
        assert len(office.desk.roots()) == 1

    def test_what_still_fires_is_late_too(self, office: Office) -> None:
        """Alertmanager brings it by itself; it began in the gap."""
        self.away(office)
        office.desk.take(sent(1, started=office.clock.now() - 900))
        office.desk.take(sent(2, started=office.clock.now() - 10))

        assert office.alerts()[1:] == [(FIRING, pod(1, "svc1"), True), (FIRING, pod(2, "svc2"), False)]

    def test_what_would_not_have_come_is_not_told(self, office: Office) -> None:
        """Of another route; silenced then; a heartbeat; what had begun before; what fires on."""
        office.desk.take(WATCHDOG)
        office.pass_by(600)
        last = office.clock.now()
        other, silenced, before, on = (sent(i, started=last + 300) for i in range(4))
        other = replace(other, labels={**other.labels, "incident": "other", "alertname": "DiskFull"})
        before = replace(before, starts_at=from_epoch(last - 300))
        office.memory.of_prometheus = Past(
            episodes=(
                episode(other, until=last + 600), episode(silenced, until=last + 600), episode(before, until=last + 600),
                episode(on, until=last + 1800), episode(WATCHDOG, until=last + 1800),
            ),
            resolution_s=15.0,
        )  # fmt: skip
        quiet = Muting(
            conditions=(Condition(name="pod", value="svc1-.*", is_regex=True),), since=from_epoch(last), until=from_epoch(last + 400)
        )
        office.memory.of_alertmanager = holds(WATCHDOG, mutings=(quiet,))
        office.is_away_for(1800)
        office.pass_by(60)

        assert office.incidents == []

    def test_without_rules_the_series_of_kills_tell(self, office: Office) -> None:
        """No rule was evaluated there at all: a kill is told as what it is."""
        office.pass_by(600)
        at = from_epoch(office.clock.now() + 600)
        who = {"namespace": "shop", "pod": pod(1, "svc1"), "container": "app"}
        office.memory.of_prometheus = Past(kills=(SeenKill(labels=who, at=at),), resolution_s=15.0)
        office.is_away_for(1800)
        office.pass_by(600)

        assert [(status, is_late) for status, _, is_late in office.alerts()] == [(FIRING, True), (RESOLVED, True)]
        assert len(office.desk.roots()) == 1

    def test_where_rules_were_evaluated_they_knew_why(self, office: Office) -> None:
        """A kill that no rule fired for: switched off for that namespace."""
        office.pass_by(600)
        at = from_epoch(office.clock.now() + 600)
        who = {"namespace": "kube-system", "pod": pod(1, "svc1"), "container": "app"}
        watchdog = episode(WATCHDOG, until=office.clock.now() + 1800)
        office.memory.of_prometheus = Past(kills=(SeenKill(labels=who, at=at),), episodes=(watchdog,), resolution_s=15.0)
        office.is_away_for(1800)
        office.pass_by(600)

        assert office.incidents == []

    def test_an_incident_that_was_open_is_looked_at_and_says_so(self, office: Office) -> None:
        """Killed again in the gap, while its alert fires on: no new root; its history has the gap, once."""
        known = alert(pod=pod(1, "svc1"), container="app", started=office.clock.now())
        office.desk.take(known)
        office.pass_by(600)
        at = from_epoch(office.clock.now() + 600)
        who = {"namespace": "shop", "pod": pod(1, "svc1"), "container": "app"}
        office.memory.of_prometheus = Past(kills=(SeenKill(labels=who, at=at),), episodes=(episode(known, until=at.timestamp()),))
        office.memory.of_alertmanager = holds(known)
        office.is_away_for(1800)
        looks = len(office.desk.looks)
        office.pass_by(1200)

        (incident,) = office.incidents
        assert office.history(incident) == ["seen_late"]
        assert len(office.desk.looks) > looks
        assert len(office.desk.roots()) == 1

    def test_a_kill_after_the_resolve_is_said_in_the_thread(self, office: Office) -> None:
        """It had resolved before, and fired and ended in the gap: an edit would hide that. One reply, not aloud, and no new root."""
        known = sent(1, started=office.clock.now())
        office.desk.take(WATCHDOG, known)
        office.pass_by(300)
        office.desk.take(replace(known, status=RESOLVED))
        office.pass_by(1800)
        at = from_epoch(office.clock.now() + 600)
        again = replace(known, starts_at=at)
        who = {"namespace": "shop", "pod": pod(1, "svc1"), "container": "app"}
        office.memory.of_prometheus = Past(
            kills=(SeenKill(labels=who, at=at),),
            episodes=(episode(again, until=at.timestamp() + 300), episode(WATCHDOG, until=office.clock.now() + 1800)),
        )
        office.memory.of_alertmanager = holds(WATCHDOG)
        office.is_away_for(1800)
        office.desk.evidence = lambda s: answers(s, restarts=2, finished=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        office.pass_by(1200)

        (incident,) = office.incidents
        assert incident.state == "resolved"
        assert [n.slot.partition(":")[0] for n in incident.memory.notifications] == ["late"]
        assert len(office.desk.roots()) == 1


class TestWhatAlertmanagerHolds:
    """Alertmanager's list is the truth about what fires."""

    def test_what_it_holds_for_us_is_opened(self, office: Office) -> None:
        """Not what leads elsewhere, and not what is silenced."""
        ours, others, quiet = (sent(i, started=office.clock.now() - 30) for i in range(3))
        office.memory.of_alertmanager = Held(
            receivers=("oomtriage",),
            alerts=(
                HeldAlert(alert=ours, receivers=("pager", "oomtriage")), HeldAlert(alert=others, receivers=("pager",)),
                HeldAlert(alert=quiet, receivers=("oomtriage",), is_muted=True),
            ),
        )  # fmt: skip
        office.is_away_for(60)
        office.pass_by(60)

        assert [(p, is_late) for _, p, is_late in office.alerts()] == [(pod(0, "svc0"), False)]

    def test_what_it_does_not_know_any_more_is_over(self, office: Office) -> None:
        """Resolved, and honest about it: nobody saw its end."""
        office.desk.take(alert(pod=pod(1, "svc1"), container="app", started=office.clock.now()))
        office.is_away_for(1800)
        office.pass_by(120)

        (incident,) = office.incidents
        assert incident.state == "resolved"
        assert office.history(incident) == ["end_not_seen", "resolved"]

    @pytest.mark.parametrize(
        "held",
        [
            Held(alerts=(), receivers=("oomtriage",), is_complete=False),  # it has just started itself
            Held(alerts=(), receivers=("pager",)),  # it is another one
            None,
        ],
    )
    def test_unless_it_cannot_know(self, office: Office, held: Held | None) -> None:
        """A young Alertmanager has not heard of every alert; another one never does."""
        office.desk.take(alert(pod=pod(1, "svc1"), container="app", started=office.clock.now()))
        office.memory.of_alertmanager = held
        office.is_away_for(1800)
        office.pass_by(500)

        assert [i.state for i in office.incidents] == ["firing"]

    def test_a_young_one_is_asked_again(self, office: Office) -> None:
        """When it is old enough."""
        office.desk.take(alert(pod=pod(1, "svc1"), container="app", started=office.clock.now()))
        office.memory.of_alertmanager = Held(alerts=(), receivers=("oomtriage",), is_complete=False)
        office.is_away_for(1800)
        office.pass_by(500)
        office.memory.of_alertmanager = Held(alerts=(), receivers=("oomtriage",))
        office.pass_by(700)

        assert [i.state for i in office.incidents] == ["resolved"]

    def test_one_that_is_away_changes_nothing(self, office: Office) -> None:
        """It is asked a second time, and the receiver goes on."""
        office.desk.take(alert(pod=pod(1, "svc1"), container="app", started=office.clock.now()))
        office.memory.is_away = True
        office.is_away_for(1800)
        office.pass_by(100)
        office.memory.is_away = False
        office.memory.of_alertmanager = holds()
        before = [i.state for i in office.incidents]
        office.pass_by(600)

        assert before == ["firing"]
        assert [i.state for i in office.incidents] == ["resolved"]

    def test_what_a_body_left_out_is_read_there(self, office: Office) -> None:
        """max_alerts: two of five came; the rest is asked for, and is not late."""
        five = [sent(i, started=office.clock.now()) for i in range(5)]
        office.desk.take(*five[:2])
        office.memory.of_alertmanager = holds(*five)
        with office.desk.store.write() as tx:
            reconcile.ask(tx, now=office.clock.now())
        office.pass_by(30)

        assert len(office.incidents) == 5
        assert not any(is_late for _, _, is_late in office.alerts())
        assert len(office.desk.roots()) == 5

    def test_asking_for_every_body_is_one_request(self, office: Office) -> None:
        """A hundred bodies that were cut short within five seconds."""
        with office.desk.store.write() as tx:
            for _ in range(100):
                reconcile.ask(tx, now=office.clock.now())
            waiting = tx.run("SELECT COUNT(*) AS n FROM job WHERE kind = :kind AND state = 'pending'", kind=kinds.RECONCILE)

        assert waiting[0]["n"] == 1


def test_what_alertmanager_kept_back_is_marked_as_such(office: Office) -> None:
    """It was silent, and the receiver was not away."""
    gap = Gap(since=from_epoch(office.clock.now()), until=from_epoch(office.clock.now() + 1800), whose=ALERTMANAGER)
    office.clock.advance(1800)
    with office.desk.store.write() as tx:
        away.note_gap(tx, gap)
    office.desk.take(sent(1, started=gap.since.timestamp() + 60))

    assert [brief(n).rpartition(" ")[2] for n in office.desk.words.seen[-1].notes] == ["whose=alertmanager"]


def test_a_late_mark_survives_the_store(office: Office) -> None:
    """Read back as it was written; an alert that comes again keeps it."""
    now = datetime.fromtimestamp(office.clock.now(), tz=from_epoch(0).tzinfo)
    gap = Gap(since=now - timedelta(hours=1), until=now)
    one = replace(sent(1, started=office.clock.now() - 1800), late=gap)
    office.desk.store.accept([one])
    office.desk.store.accept([replace(one, late=None)])
    with office.desk.store.read() as tx:
        (stored,) = alert_table.began_between(tx, 0.0, 9e9)

    assert stored == one
