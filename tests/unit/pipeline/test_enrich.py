"""From incidents to desired messages: one look an incident, storms, joined identities, and failures that hold nothing back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED, Alert
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject
from receiver.domain.incident import Conversation, DigestView, IncidentView, Message
from receiver.domain.report import Report
from receiver.pipeline import storm
from receiver.pipeline.enrich import LATE_EVIDENCE_DELAY_S, EnrichConfig, Enricher
from receiver.pipeline.fold import ENRICH, FoldConfig, fold
from receiver.pipeline.routing import Route, Router
from receiver.store import incidents, jobs, outbox
from receiver.store.store import Store
from receiver.telemetry import Metrics
from tests.support import Clock, alert


class Words:
    """Rendering reduced to what these tests look at."""

    def incident(self, view: IncidentView, report: Report | None) -> tuple[Message, ...]:
        name = view.subject.workload.name if view.subject.workload else view.subject.pod
        why = view.because_degraded and " (degraded)"
        root = f"{view.mention}{name} {view.state} {report.cause.name.value if report else 'unjudged'} x{view.kill_count}{why}"
        return (Message(slot="root", text=root), Message(slot="evidence", text=f"{name} proof", is_reply=True))

    def single(self, view: IncidentView, report: Report | None) -> Message:
        return self.incident(view, report)[0]

    def later(self, view: IncidentView, report: Report | None) -> Message:
        return Message(slot="later", text=f"later: {self.incident(view, report)[0].text}")

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        names = sorted(e.subject.workload.name for e in view.entries if e.subject.workload and not e.has_own_root)
        return (
            Message(slot="root", text=f"storm of {len(view.entries)}"),
            Message(slot="digest-page:1", text=" ".join(names), is_reply=True),
        )

    def grown(self, view: DigestView) -> Message:
        return Message(slot=f"grown:{len(view.entries)}", text=f"storm of {len(view.entries)} by now", is_reply=True, is_broadcast=True)


def container_status(name: str, *, restarts: int = 1, finished: str = "2024-11-10T08:59:30Z") -> dict[str, Any]:
    """A container that was OOM-killed and runs again."""
    terminated = {"reason": "OOMKilled", "exitCode": 137, "startedAt": "2024-11-10T08:00:00Z", "finishedAt": finished}
    return {
        "name": name, "restartCount": restarts, "ready": True, "state": {"running": {"startedAt": "2024-11-10T08:59:40Z"}},
        "lastState": {"terminated": terminated},
    }  # fmt: skip


def killed_pod(namespace: str, name: str, container: str, *, restarts: int = 1, finished: str = "2024-11-10T08:59:30Z") -> dict[str, Any]:
    """A v1 Pod of a Deployment whose container was OOM-killed."""
    references = [{"kind": "ReplicaSet", "name": name.rpartition("-")[0], "controller": True, "apiVersion": "apps/v1", "uid": "u"}]
    return {
        "metadata": {"namespace": namespace, "name": name, "uid": f"uid-{name}", "ownerReferences": references},
        "spec": {"nodeName": "node-1", "containers": [{"name": container, "image": "shop:1", "resources": {"limits": {"memory": "80Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [container_status(container, restarts=restarts, finished=finished)]},
    }  # fmt: skip


def answers(subject: Subject, pod: dict[str, Any] | None = None, **kill: Any) -> dict[str, Any]:
    """What the API says about a subject: its pod and the owners above it."""
    pod = pod or killed_pod(subject.namespace, subject.pod, subject.container or "orders-api", **kill)
    replica_set = pod["metadata"]["ownerReferences"][0]["name"]
    deployment = {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": replica_set.rpartition("-")[0], "namespace": subject.namespace},
    }
    above = [{"kind": "Deployment", "name": replica_set.rpartition("-")[0], "controller": True, "apiVersion": "apps/v1", "uid": "d"}]
    owner = {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {"name": replica_set, "namespace": subject.namespace, "ownerReferences": above},
    }
    return {"pod": pod, "owners": [owner, deployment]}


class Desk:
    """An enricher over a store, with evidence that tests provide."""

    def __init__(self, path: Path, *, routes: tuple[Route, ...] = (), is_threaded: bool = True) -> None:
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.evidence: Callable[[Subject], dict[str, Any]] = answers
        self.missing: tuple[Missing, ...] = ()
        self.looks: list[str] = []
        self.config = EnrichConfig(threaded_sinks=frozenset({"fake"} if is_threaded else ()))
        self.enricher = Enricher(
            store=self.store, evidence=self, rendering=Words(), metrics=Metrics(), config=self.config, monotonic=self.clock.monotonic,
            router=Router(sink="fake", default=Conversation(sink="fake", channel="C1"), routes=routes),
        )  # fmt: skip

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime) -> Case:
        self.looks.append(subject.pod)
        return Case(gathered_at=now, subject=subject, alerts=alerts, answers=self.evidence(subject), missing=self.missing)

    def take(self, *new: Alert, works: bool = True) -> None:
        """Accept alerts and do the work that is due now."""
        self.store.accept(new)
        while fold(self.store, FoldConfig()):
            pass
        if works:
            self.work()

    def work(self) -> None:
        for _ in range(50):
            with self.store.write() as tx:
                claimed = jobs.claim(tx, now=self.clock.now(), epoch=self.store.epoch, limit=100)
            if not claimed:
                return
            for job in claimed:
                self.do(job)

    def do(self, job: jobs.Job) -> None:
        run = {ENRICH: self.enricher.enrich, storm.DIGEST: self.enricher.digest}[job.kind]
        try:
            run(job)
        except ZeroDivisionError as exc:  # the bug that tests plant
            self.enricher.give_up(job, "ZeroDivisionError")
            with self.store.write() as tx:
                jobs.fail(tx, job, error=str(exc), now=self.clock.now())

    def messages(self) -> list[str]:
        """Every desired message, `channel/slot: text`."""
        with self.store.read() as tx:
            rows = tx.run(
                """SELECT c.channel, m.slot, m.desired_body ->> 'text' AS text FROM message m JOIN conversation c ON c.id = m.conversation_id
                   ORDER BY m.created_at, m.is_reply, m.position"""
            )
        return [f"{r['channel']}/{r['slot']}: {r['text']}" for r in rows]

    def report(self) -> dict[str, Any]:
        with self.store.read() as tx:
            return dict(incidents.newest(tx, 1)[0].report or {})

    def roots(self) -> list[str]:
        return [m.partition(": ")[2] for m in self.messages() if "/root: " in m]

    def send_one(self, channel: str = "C1") -> str:
        """What the sender would do next: the text that arrived in the channel."""
        with self.store.write() as tx:
            first = outbox.next_outgoing(tx, sink="fake", channel=channel, now=self.clock.now())
            assert first is not None
            outbox.arrived(tx, first, ts=f"{self.clock.now()}", revision=first.revision, now=self.clock.now())
        return str(first.body["text"])

    def next_job_in_s(self) -> float | None:
        with self.store.read() as tx:
            due = jobs.next_due(tx)
        return None if due is None else due - self.clock.now()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "state.db")
    yield desk
    desk.store.close()


def pod(i: int, name: str = "orders-api") -> str:
    letters = "bcdfghjklmnpqrstvwxz"
    return f"{name}-655779759d-{letters[i // 400 % 20]}{letters[i // 20 % 20]}{letters[i % 20]}zz"


def test_a_thousand_alerts_of_one_workload_cost_one_look(desk: Desk) -> None:
    """Enrichment is per incident, not per alert."""
    desk.take(*(alert(pod=pod(i)) for i in range(1000)))

    assert len(desk.looks) == 1
    assert len(desk.roots()) == 1


def test_more_kills_edit_the_root_and_are_counted(desk: Desk) -> None:
    """The same thread, a higher number; no second root."""
    desk.take(alert(started=desk.clock.now()))
    first = desk.roots()
    desk.clock.advance(600)
    desk.evidence = lambda s: answers(s, restarts=4, finished="2024-11-10T09:09:50Z")
    desk.take(alert(started=desk.clock.now()))

    assert [r.rpartition(" ")[2] for r in first] == ["x1"]
    assert [r.rpartition(" ")[2] for r in desk.roots()] == ["x4"]


def test_a_resolve_edits_the_root(desk: Desk) -> None:
    """Resolved is told where the incident is told."""
    desk.take(alert())
    desk.clock.advance(300)
    desk.take(alert(status=RESOLVED))

    assert ["resolved" in r for r in desk.roots()] == [True]


def test_an_alert_that_names_no_pod_is_told_without_evidence(desk: Desk) -> None:
    """An alert the product knows nothing of is delivered all the same."""
    desk.take(alert("CertificateExpires", pod="", container=""))

    assert desk.looks == []
    assert len(desk.roots()) == 1


def test_info_is_for_the_page_only(desk: Desk) -> None:
    """Severity info posts nothing; when the incident becomes a warning it is told."""
    desk.take(alert("NoMemoryLimit", severity="info"))
    quiet = desk.messages()
    desk.take(alert("OOMKilled", severity="warning"))

    assert quiet == []
    assert len(desk.roots()) == 1


def test_a_warning_that_becomes_a_kill_is_broadcast_once(desk: Desk) -> None:
    """An edit is silent: the reader whose phone showed a warning must hear of the kill."""
    calm = killed_pod("shop", "orders-api-655779759d-jst99", "orders-api")
    calm["status"]["containerStatuses"][0].update(lastState={}, restartCount=0)
    desk.evidence = lambda s: answers(s, calm)
    desk.take(alert("HighMemoryUsage"))
    desk.clock.advance(100)
    desk.evidence = lambda s: answers(s, finished="2024-11-10T09:01:00Z")
    desk.take(alert("OOMKilled"))
    desk.clock.advance(100)
    desk.take(alert("OOMKilled", started=desk.clock.now()))

    assert [m for m in desk.messages() if "broadcast" in m] == ["C1/broadcast:became-kill: later: orders-api firing unknown x1"]


def test_a_refire_after_a_quiet_while_is_broadcast(desk: Desk) -> None:
    """Back within a quarter of an hour is an edit; back after an hour is news, once."""
    desk.take(alert(started=desk.clock.now()))
    for quiet_s in (300, 3600):
        desk.clock.advance(60)
        desk.take(alert(started=desk.clock.now() - 60, status=RESOLVED), *_ended(desk))
        desk.clock.advance(quiet_s)
        desk.take(alert(started=desk.clock.now()))

    assert len([m for m in desk.messages() if "broadcast:refired" in m]) == 1


def _ended(desk: Desk) -> list[Alert]:
    """Resolves of everything that fires."""
    with desk.store.read() as tx:
        starts = [r["starts_at"] for r in tx.run("SELECT starts_at FROM alert WHERE status = 'firing'")]
    return [alert(started=at, status=RESOLVED) for at in starts]


def test_the_tenth_kill_is_broadcast_once(desk: Desk) -> None:
    """Still dying: the edit that counts kills is silent, so this is said once."""
    for kills in (8, 9, 10, 11, 12):
        desk.evidence = lambda s, kills=kills: answers(s, restarts=kills, finished=f"2024-11-10T08:59:{30 + kills}Z")  # type: ignore[misc]
        desk.take(alert(started=desk.clock.now()))
        desk.clock.advance(100)

    assert len([m for m in desk.messages() if "escalation:still-dying" in m]) == 1


def test_an_alert_that_resolves_before_its_first_look_is_told(desk: Desk) -> None:
    """It was accepted firing: that it is over already does not make it unheard."""
    desk.take(alert(), works=False)
    desk.take(alert(status=RESOLVED))

    assert ["resolved" in r for r in desk.roots()] == [True]


def test_a_look_that_finds_nothing_any_more_keeps_what_was_known(desk: Desk) -> None:
    """The pod was replaced, so the API has nothing of it: the message still tells what died, and that this is older."""
    desk.take(alert(started=desk.clock.now()))
    before = desk.report()
    desk.clock.advance(300)
    desk.evidence = lambda s: {}
    desk.missing = (Missing(source="pod", why="404: not found"), Missing(source="owners", why="404: not found"))
    desk.take(alert(started=desk.clock.now() - 300, status=RESOLVED))
    after = desk.report()

    assert after["kill"]["kind"] == before["kill"]["kind"] == "container_oom"
    assert after["subject"] == before["subject"]
    assert [m["why"] for m in after["missing"] if m["source"] == "pod"] == ["404: not found; shown as read at 09:00 UTC"]


def test_the_same_alert_fires_again_with_the_start_it_always_had(desk: Desk) -> None:
    """Alertmanager had lost Prometheus for a while: firing, resolved, firing, all with one start."""
    desk.take(alert())
    desk.clock.advance(60)
    desk.take(alert(status=RESOLVED))
    desk.clock.advance(60)
    desk.take(alert())
    again = desk.roots()
    desk.clock.advance(60)
    desk.take(alert(status=RESOLVED))

    assert ["firing" in r for r in again] == [True]
    assert ["resolved" in r for r in desk.roots()] == [True]


def test_who_waits_too_long_for_a_look_is_told_as_the_alert_says(desk: Desk) -> None:
    """More incidents than threads, and sources that are slow: nobody is held back by the others' looks."""
    desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app") for i in range(4)), works=False)
    desk.enricher.tell_waiting()
    at_once = desk.roots()
    desk.clock.advance(11)
    desk.enricher.tell_waiting()
    waited = desk.roots()
    desk.work()

    assert at_once == []
    assert len(waited) == 4
    assert all("unjudged" in r and "degraded" in r for r in waited)
    assert not any("degraded" in r for r in desk.roots())


def test_two_alerts_that_turn_out_to_be_one_workload_become_one_incident(desk: Desk) -> None:
    """One names the container, the other only the pod; the API says it is the same thing: one root."""
    desk.take(alert("OOMKilled"), alert("KubePodNotReady", container=""))
    (root,) = desk.roots()
    desk.take(alert("KubePodNotReady", container="", pod=pod(7)))

    assert root.startswith("orders-api firing")
    assert len(desk.roots()) == 1


def test_a_bug_in_the_diagnosis_does_not_hold_back_the_alert(desk: Desk) -> None:
    """Gathering fails: the alert is posted as it is and says so; when it works again the message gets better."""
    desk.evidence = lambda s: {"pod": 1 // 0}
    desk.take(alert())
    degraded = desk.roots()
    desk.evidence = answers
    desk.clock.advance(60)
    desk.work()

    assert degraded == ["orders-api firing unjudged x0 (degraded)"]
    assert ["degraded" in r for r in desk.roots()] == [False]


def test_a_look_that_kills_the_receiver_does_not_hold_back_the_alert(desk: Desk) -> None:
    """Twice claimed and never finished: the third time what is known is posted before looking again."""
    desk.take(alert(), works=False)
    for _ in range(2):
        with desk.store.write() as tx:
            jobs.claim(tx, now=desk.clock.now(), epoch=desk.store.epoch, limit=1)
            jobs.recover(tx, epoch=desk.store.epoch + 1)
    seen_at_gather: list[list[str]] = []
    desk.evidence = lambda s: (seen_at_gather.append(desk.roots()), answers(s))[1]  # type: ignore[func-returns-value]
    desk.work()

    assert seen_at_gather == [["orders-api firing unjudged x0 (degraded)"]]
    assert ["degraded" in r for r in desk.roots()] == [False]


def test_late_evidence_is_asked_for_again_and_not_for_ever(desk: Desk) -> None:
    """What timed out is looked for again; a source that stays away is not hammered. Half an hour and two hours in, once more."""
    desk.missing = (Missing(source="history", why="timed out", is_retryable=True),)
    desk.take(alert())
    waits = []
    while (wait_s := desk.next_job_in_s()) is not None:
        waits.append(round(wait_s))
        desk.clock.advance(wait_s)
        desk.work()

    assert waits[:3] == [LATE_EVIDENCE_DELAY_S, 2 * LATE_EVIDENCE_DELAY_S, 4 * LATE_EVIDENCE_DELAY_S]
    assert [sum(waits[: n + 1]) for n in (3, 4)] == [1800, 7200]
    assert len(waits) == 5


class TestStorm:
    """Many incidents at once are one root and pages that name them all."""

    def test_every_workload_of_a_storm_is_named_exactly_once(self, desk: Desk) -> None:
        """300 workloads while Slack is slow: what has no root yet is told in one digest; nobody is named twice."""
        for i in range(300):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
            desk.clock.advance(0.1)
            if i < 3:
                desk.send_one()
        desk.clock.advance(60)
        desk.work()
        (digest,) = [r for r in desk.roots() if r.startswith("storm")]
        own = {r.split()[0] for r in desk.roots() if not r.startswith("storm")}
        (page,) = [m.partition(": ")[2].split() for m in desk.messages() if "digest-page" in m]

        assert digest == "storm of 300"
        assert len(own) == 3
        assert sorted([*own, *page]) == sorted(f"svc{i}" for i in range(300))

    def test_critical_routes_keep_their_own_roots(self, tmp_path: Path) -> None:
        """What somebody marked as critical is not folded away."""
        desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", match={"tier": "gold"}, is_critical=True),))
        for i in range(30):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app", tier="gold" if i % 10 == 5 else "tin"))
        desk.clock.advance(60)
        desk.work()
        roots = desk.roots()
        desk.store.close()

        assert {"svc5", "svc15", "svc25"} <= {r.split()[0] for r in roots}

    def test_roots_that_wait_for_a_slow_channel_move_into_the_digest(self, desk: Desk) -> None:
        """Said nowhere yet, so said once, in the digest; what was already sent keeps its root."""
        for i in range(5):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        sent = desk.send_one().split()[0]
        for i in range(5, 15):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        desk.clock.advance(60)
        desk.work()

        assert sorted(r.split()[0] for r in desk.roots()) == ["storm", sent]

    def test_a_storm_sounds_again_only_when_it_has_doubled(self, desk: Desk) -> None:
        """An edit is silent: twice as many workloads are said aloud in its thread, one more is not."""
        sizes = (12, 13, 23, 24, 40, 48)
        heard: list[list[str]] = []
        for first, last in zip((0, *sizes), sizes, strict=False):
            desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app") for i in range(first, last)))
            desk.clock.advance(60)
            desk.work()
            heard.append([m.partition("/")[2] for m in desk.messages() if "/grown" in m])

        assert [len(h) for h in heard] == [0, 0, 0, 1, 1, 2]
        assert heard[-1] == ["grown:24: storm of 24 by now", "grown:48: storm of 48 by now"]

    def test_a_slow_trickle_is_no_storm(self, desk: Desk) -> None:
        """Twelve incidents over an hour have roots of their own."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
            desk.clock.advance(300)

        assert len(desk.roots()) == 12

    def test_a_member_that_fires_again_after_the_storm_gets_its_own_root(self, desk: Desk) -> None:
        """The digest is over and long scrolled away: what dies again is told anew."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()))
        for _ in range(40):
            desk.clock.advance(60)
            desk.work()
        desk.evidence = lambda s: {}
        desk.missing = ()
        desk.take(alert(pod=pod(11, "svc11"), container="app", started=desk.clock.now()))

        assert "svc11" in {r.split()[0] for r in desk.roots()}

    def test_resolves_are_seen_in_the_digest(self, desk: Desk) -> None:
        """A storm that calms down says so, without waiting for its end."""
        members = [alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(12)]
        desk.take(*members)
        desk.clock.advance(60)
        desk.work()
        desk.take(*(replace(m, status=RESOLVED) for m in members))
        due_s = desk.next_job_in_s()

        assert due_s is not None
        assert due_s <= 30

    def test_a_storm_ends_and_the_next_incident_has_its_own_root(self, desk: Desk) -> None:
        """A quarter of an hour after the last newcomer the storm is over."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        for _ in range(40):
            desk.clock.advance(60)
            desk.work()
        desk.take(alert(pod=pod(99, "late"), container="app", started=desk.clock.now()))

        assert "late" in {r.split()[0] for r in desk.roots()}


def test_a_sink_without_threads_gets_one_message_and_short_ones_later(tmp_path: Path) -> None:
    """An incoming webhook cannot edit: a later state is a new short message, never a repeat of the whole."""
    desk = Desk(tmp_path / "state.db", is_threaded=False)
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(60)
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(60)
    desk.take(alert(started=desk.clock.now() - 60, status=RESOLVED), alert(started=desk.clock.now() - 120, status=RESOLVED))
    messages = desk.messages()
    desk.store.close()

    assert messages == ["C1/root: orders-api firing unknown x1", "C1/later:1: later: orders-api resolved unknown x1"]


def test_routes_decide_channel_and_mention(tmp_path: Path) -> None:
    """The first route that matches wins; its mention goes with the message (the sink keeps it out of edits)."""
    route = Route(channel="C2", match={"namespace": "pay.*"}, mention="<!subteam^S1>")
    desk = Desk(tmp_path / "state.db", routes=(route,))
    desk.take(alert(namespace="payments", severity="critical"), alert(namespace="shop", severity="critical"))
    first = sorted(m for m in desk.messages() if "/root" in m)
    desk.clock.advance(600)
    desk.evidence = lambda s: answers(s, restarts=2, finished="2024-11-10T09:05:00Z")
    desk.take(alert(namespace="payments", severity="critical", started=desk.clock.now()))
    later = sorted(m for m in desk.messages() if "C2/root" in m)

    desk.store.close()
    assert first == ["C1/root: orders-api firing unknown x1", "C2/root: <!subteam^S1>orders-api firing unknown x1"]
    assert later == ["C2/root: <!subteam^S1>orders-api firing unknown x2"]


def test_the_stored_report_and_case_can_be_looked_at_again(desk: Desk) -> None:
    """What the message rests on is kept with the incident."""
    desk.take(alert())
    with desk.store.read() as tx:
        (incident,) = incidents.newest(tx, 10)
        case = incidents.evidence_of(tx, incident.id)

    assert incident.report is not None
    assert incident.report["kill"]["kind"] == "container_oom"
    assert case is not None
    assert "pod" in case.answers


def test_a_resolve_of_what_was_critical_calls_nobody(tmp_path: Path) -> None:
    """It was a warning, became critical and is over: the resolve is an edit, and no broadcast calls for it."""
    desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="<@U1>"),))
    desk.take(alert(started=desk.clock.now()))
    desk.send_one()
    desk.clock.advance(600)
    desk.take(alert(started=desk.clock.now() - 600, status=RESOLVED), alert("Worse", severity="critical", status=RESOLVED))
    desk.store.close()

    assert [m for m in Desk(tmp_path / "state.db").messages() if "broadcast" in m] == []


def test_a_root_that_waits_for_slack_calls_for_what_it_has_become(tmp_path: Path) -> None:
    """Slack was away while a warning became critical: the first post calls, and nothing waits behind it to sound again."""
    desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="<@U1>"),))
    desk.take(alert(started=desk.clock.now()))
    desk.clock.advance(600)
    desk.take(alert("Worse", severity="critical", started=desk.clock.now()))

    assert desk.send_one().startswith("<@U1>")
    with desk.store.write() as tx:
        sent = outbox.next_outgoing(tx, sink="fake", channel="C1", now=desk.clock.now())
        assert sent is not None
        outbox.drop_overtaken(tx, sent)
    assert [m for m in desk.messages() if "broadcast" in m] == []
    desk.store.close()


class TestStormsThatGrow:
    """A storm's root is edited in silence; that it doubled is said aloud."""

    def test_doubled_is_said_once_a_doubling(self, desk: Desk) -> None:
        """Twelve, then thirty, then forty: one broadcast."""
        for begin, end in ((0, 12), (12, 30), (30, 40)):
            desk.take(*(alert(pod=pod(i, f"svc{i:02d}"), container=f"svc{i:02d}") for i in range(begin, end)))
            desk.clock.advance(90)
            desk.work()

        assert [m.partition(":")[0] for m in desk.messages() if "grown" in m] == ["C1/grown"]

    def test_within_a_minute_nothing_sounds_again(self, desk: Desk) -> None:
        """A storm gathers in its first minute: its root counts on, silently."""
        for begin, end in ((0, 12), (12, 40)):
            desk.take(*(alert(pod=pod(i, f"svc{i:02d}"), container=f"svc{i:02d}") for i in range(begin, end)))
            desk.clock.advance(10)
            desk.work()

        assert [m for m in desk.messages() if "grown" in m] == []
