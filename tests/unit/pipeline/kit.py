"""What the pipeline's tests share: a store with the pipeline over it, evidence, an Alertmanager, people who press things."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.case import Case, Missing
from receiver.domain.identity import LabelNames, Subject
from receiver.domain.incident import Destination, DigestView, IncidentView, Message
from receiver.domain.reason import Fact, Reason
from receiver.domain.report import Report
from receiver.domain.silence import Matcher
from receiver.domain.units import from_epoch
from receiver.errors import Unavailable
from receiver.pipeline import kinds
from receiver.pipeline.actions import Act, Actions, Permissions
from receiver.pipeline.after_storm import AfterStorm
from receiver.pipeline.collect import CollectConfig, Collector
from receiver.pipeline.digest import Digests
from receiver.pipeline.digest_view import DigestConfig
from receiver.pipeline.fold import FoldConfig, fold
from receiver.pipeline.publish import PublishConfig, Publisher
from receiver.pipeline.routing import Route, Router
from receiver.pipeline.silencer import SilenceKeeper, Silencer
from receiver.pipeline.storm_acts import StormWork
from receiver.pipeline.view import view_of
from receiver.pipeline.watch import Watch
from receiver.store import incident_lists, jobs, outbox, sending
from receiver.store.incidents import Incident
from receiver.store.store import Store
from receiver.telemetry import Metrics
from tests.support import Clock, alert

H = 3600.0


def brief(what: Reason | None) -> str:
    """A reason in one line, without its sentence: `acknowledged by=Ines`, `silenced until=10:01 by=Ines`."""
    if what is None:
        return ""
    facts = (f"{name}={_brief_fact(fact)}" for name, fact in what.facts if fact != "")
    return " ".join([what.code.removeprefix("incident.").removeprefix("log."), *facts])


def _brief_fact(fact: Fact) -> str:
    if isinstance(fact, Reason):
        return f"({brief(fact)})"
    return f"{fact:%H:%M}" if isinstance(fact, datetime) else str(fact)


class Words:
    """Rendering reduced to what these tests look at. `seen`, `storms`: every view of an incident, and of a storm."""

    def __init__(self) -> None:
        self.seen: list[IncidentView] = []
        self.storms: list[DigestView] = []

    def incident(self, view: IncidentView, report: Report | None, *, chart: Mapping[str, Any] | None = None) -> tuple[Message, ...]:
        self.seen.append(view)
        name = view.subject.workload.name if view.subject.workload else view.subject.pod
        why = " (degraded)" if view.notes else ""
        root = f"{view.mention}{name} {view.state} {report.cause.name.value if report else 'unjudged'} x{view.kill_count}{why}"
        return (Message(slot="root", text=root), Message(slot="evidence", text=f"{name} proof", is_reply=True))

    def single(self, view: IncidentView, report: Report | None) -> Message:
        return self.incident(view, report)[0]

    def later(self, view: IncidentView, report: Report | None) -> Message:
        return Message(slot="later", text=f"later: {self.incident(view, report)[0].text}")

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        self.storms.append(view)
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


class Keeper:
    """An Alertmanager that remembers one silence an incident, or fails as told."""

    def __init__(self) -> None:
        self.silences: dict[str, float] = {}
        self.matchers: tuple[Matcher, ...] = ()
        self.error: Exception | None = None
        self.made = 0
        self.held: frozenset[str] | None = frozenset()

    def hold(
        self, matchers: tuple[Matcher, ...], *, mark: str, known_id: str, now: float, until: float, by: str, comment: str
    ) -> tuple[str, float]:
        if self.error:
            raise self.error
        self.matchers = matchers
        if known_id not in self.silences:
            self.made += 1
            known_id = f"silence-{self.made}"
        self.silences[known_id] = max(until, self.silences.get(known_id, 0.0))
        return known_id, self.silences[known_id]

    def release(self, silence_id: str, *, mark: str) -> None:
        if self.error:
            raise self.error
        self.silences.pop(silence_id, None)

    def firing(self, matchers: tuple[Matcher, ...], *, now: float) -> frozenset[str] | None:
        if self.error:
            raise self.error
        return self.held


class Desk:
    """The pipeline over a store, with evidence that tests provide and an Alertmanager that they look into."""

    def __init__(
        self, path: Path, *, routes: tuple[Route, ...] = (), beside: tuple[Destination, ...] = (), is_threaded: bool = True,
        follow_ups_s: tuple[float, ...] = (),
    ) -> None:  # fmt: skip
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.evidence: Callable[[Subject], dict[str, Any]] = answers
        self.missing: tuple[Missing, ...] = ()
        self.looks: list[str] = []
        self.fixed_at: datetime | None = None  # of the newest look, where it followed up a fix
        self.words = Words()
        self.publisher = Publisher(
            store=self.store, rendering=self.words,
            config=PublishConfig(
                threaded_sinks=frozenset({"fake"} if is_threaded else ()), document_sinks=frozenset({d.sink for d in beside}),
                follow_ups_s=follow_ups_s,
            ),
            router=Router(sink="fake", default=Destination(sink="fake", channel="C1"), routes=routes, beside=beside),
        )  # fmt: skip
        self.collector = Collector(
            store=self.store, evidence=self, publisher=self.publisher, metrics=Metrics(),
            config=CollectConfig(follow_ups_s=follow_ups_s),
            monotonic=self.clock.monotonic,
        )  # fmt: skip
        self.digests = Digests(store=self.store, rendering=self.words, config=DigestConfig())
        self.keeper: SilenceKeeper | None = Keeper()
        self.watch: Watch | None = None
        self.runs: dict[str, Callable[[jobs.Job], None]] = {}  # of more kinds, which a test brings

    def reopened(self) -> None:
        """After the store was opened anew: what worked over the old one works over this one."""
        for part in (self.publisher, self.collector, self.digests):
            part._store = self.store

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime, *, fixed_at: datetime | None = None) -> Case:
        self.looks.append(subject.pod)
        self.fixed_at = fixed_at
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
        """One job, as the dispatcher would."""
        run = {
            kinds.COLLECT: self.collector.run,
            kinds.FOLLOW_UP: self.collector.follow_up,
            kinds.PUBLISH: self.publisher.run,
            kinds.DIGEST: self.digests.run,
            kinds.SILENCE: Silencer(store=self.store, keeper=self.keeper, label_names=LabelNames()).run,
            kinds.STORM_ACT: StormWork(self.store).run,
            kinds.AFTER_STORM: AfterStorm(self.store).run,
            **({kinds.WATCH: self.watch.run} if self.watch is not None else {}),
            **self.runs,
        }[job.kind]
        try:
            run(job)
        except (ZeroDivisionError, Unavailable) as exc:  # the bug that tests plant, and a source that is away
            if job.kind == kinds.COLLECT:
                self.collector.give_up(job, type(exc).__name__)
            with self.store.write() as tx:
                jobs.fail(tx, job, error=str(exc), now=self.clock.now())

    def messages(self) -> list[str]:
        """Every desired message, `channel/slot: text`."""
        with self.store.read() as tx:
            rows = tx.run(
                """SELECT c.channel, m.slot, m.desired_body FROM message m JOIN conversation c ON c.id = m.conversation_id
                   ORDER BY m.created_at, m.is_reply, m.position"""
            )
        return [f"{r['channel']}/{r['slot']}: {json.loads(r['desired_body'])['text']}" for r in rows]

    def report(self) -> dict[str, Any]:
        with self.store.read() as tx:
            return dict(incident_lists.newest(tx, 1)[0].report or {})

    def roots(self) -> list[str]:
        return [m.partition(": ")[2] for m in self.messages() if "/root: " in m]

    def send_one(self, channel: str = "C1") -> str:
        """What the sender would do next: the text that arrived in the channel."""
        with self.store.write() as tx:
            first = outbox.next_outgoing(tx, sink="fake", channel=channel, now=self.clock.now())
            assert first is not None
            sending.arrived(tx, first, ts=f"{self.clock.now()}", revision=first.revision, now=self.clock.now())
        return str(first.body["text"])

    def next_message(self, channel: str = "C1") -> bool:
        """Whether a message is due."""
        with self.store.write() as tx:
            return outbox.next_outgoing(tx, sink="fake", channel=channel, now=self.clock.now()) is not None

    def next_job_at(self) -> float | None:
        """When the next job is due, seconds since 1970."""
        with self.store.read() as tx:
            return jobs.next_due(tx)

    def kinds_due(self) -> list[str]:
        """The kinds of all jobs that wait."""
        with self.store.read() as tx:
            return [r["kind"] for r in tx.run("SELECT kind FROM job WHERE state = 'pending' ORDER BY id")]

    def next_job_in_s(self) -> float | None:
        with self.store.read() as tx:
            due = jobs.next_due(tx)
        return None if due is None else due - self.clock.now()


def pod(i: int, name: str = "orders-api") -> str:
    letters = "bcdfghjklmnpqrstvwxz"
    return f"{name}-655779759d-{letters[i // 400 % 20]}{letters[i // 20 % 20]}{letters[i % 20]}zz"


class Room:
    """A desk with one incident, people who act on it, and an Alertmanager."""

    def __init__(self, path: Path, **permissions: tuple[str, ...]) -> None:
        self.desk = Desk(path)
        self.clock = self.desk.clock
        self.keeper = self.desk.keeper
        self.actions = Actions(self.desk.store, Permissions(users=permissions))
        self.desk.take(alert(started=self.clock.now()))
        self.id = self.incident.id

    @property
    def incident(self) -> Incident:
        with self.desk.store.read() as tx:
            return incident_lists.newest(tx, 1)[0]

    def act(self, what: str, *, by: str = "Ines", hours: float = 0.0, works: bool = True, **more: Any) -> str:
        self.clock.advance(60)
        outcome = self.actions.take(self.incident.id, Act(what=what, by=by, duration_s=hours * H, **more))
        if works:
            self.work()
        return outcome.state

    def work(self) -> None:
        """What is due now, once: what follows from it is shown in the same step."""
        for _ in range(2):
            with self.desk.store.write() as tx:
                claimed = jobs.claim(tx, now=self.clock.now(), epoch=self.desk.store.epoch, limit=100)
            for job in claimed:
                self.desk.do(job)

    @property
    def view(self) -> IncidentView:
        """The incident as messages show it now."""
        return view_of(self.incident, (), now=from_epoch(self.clock.now()))

    def history(self) -> list[str]:
        """What happened, as codes."""
        return [brief(entry.what) for entry in self.incident.memory.log]
