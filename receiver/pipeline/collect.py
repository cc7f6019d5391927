"""One incident, looked at: evidence, case, report, and one transaction that writes all of it and what follows from it.

Reading the world happens outside any transaction; a crash there repeats reads and nothing else. A look that fails never holds
the alert back: what is known is published, and the message says what it lacks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from receiver.diagnosis.advice.follow_up import NO_EVIDENCE, Verdict, verdict_of
from receiver.domain import drill
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, Subject, subject_of
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.domain.units import from_epoch
from receiver.pipeline import fixes
from receiver.pipeline.configuration_gaps import ConfigurationGaps
from receiver.pipeline.held import with_held_evidence
from receiver.pipeline.judge import Judge
from receiver.pipeline.kinds import COLLECT, FOLLOW_UP
from receiver.pipeline.life import FollowedUp, with_life
from receiver.pipeline.merge import merge_confirmed
from receiver.pipeline.plan import plan_follow_up, plan_next_look
from receiver.pipeline.publish import Publisher
from receiver.store import alerts as alert_table
from receiver.store import incident_lists, incidents, jobs
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store
from receiver.telemetry import Metrics

log = logging.getLogger(__name__)

PUBLISH_AT_ONCE = 50
TRIES_BEFORE_ALERT = 3  # a look that killed or failed the receiver twice is not waited for a third time
JUDGING_S = 2.0  # what a look may take beyond the deadline of its evidence: as a rule the first text is worth that
REUSE_EVIDENCE_S = 5.0  # a resolve right after a look needs no second look


class EvidenceSource(Protocol):
    """What gathers a case: the evidence layer, or a test."""

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime, *, fixed_at: datetime | None = None) -> Case:
        """All evidence about a subject; never raises for a source that fails. `fixed_at`: of the fix that is followed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """How labels are called here, the name of our cluster, how long a first message may wait for its look, and how long after a fix
    it is looked at again.
    """

    label_names: LabelNames = field(default_factory=LabelNames)
    cluster_name: str = ""
    deadline_s: float = 10.0
    follow_ups_s: tuple[float, ...] = ()


class Collector:
    """Handles the jobs that look at incidents."""

    def __init__(
        self, *, store: Store, evidence: EvidenceSource, publisher: Publisher, metrics: Metrics, config: CollectConfig,
        gaps: ConfigurationGaps | None = None, judge: Judge | None = None, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`gaps`: where hints for whoever configures the installation are gathered."""
        self._store = store
        self._evidence = evidence
        self._gaps = gaps or ConfigurationGaps()
        self._judge = judge or Judge()
        self._publisher = publisher
        self._metrics = metrics
        self._config = config
        self._monotonic = monotonic
        self._has_adopted = False

    def run(self, job: Job) -> None:
        """Look at an incident, and write what should be shown."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
            alerts = alert_table.newest_of(tx, job.subject_id)
            known = incidents.evidence_of(tx, job.subject_id) if incident else None
        if incident is None or incident.closed_at is not None:
            with self._store.write() as tx:
                jobs.finish(tx, job)
            return
        if job.attempts >= TRIES_BEFORE_ALERT:
            self._publish_alert(incident.id, reason("incident.note.failed_twice"))
        started = self._monotonic()
        case = self._case(incident, alerts, known)
        report = self._judge.report_of(case) if case is not None else None
        self._count(incident, report, took_s=self._monotonic() - started)
        self._write(job, incident.id, case, report, is_new=case is not known)

    def follow_up(self, job: Job) -> None:
        """Look whether a fix held, when that is due; a fix that was changed since is looked at later."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
            alerts = alert_table.newest_of(tx, job.subject_id)
            known = incidents.evidence_of(tx, job.subject_id) if incident else None
        watched = incident.memory.standing_watch if incident is not None else None
        due = fixes.next_due(watched, self._config.follow_ups_s) if watched is not None else None
        if incident is None or incident.closed_at is not None or watched is None or due is None or due[1] > from_epoch(self._store.now()):
            with self._store.write() as tx:
                jobs.finish(tx, job)
                self._plan(tx, incident)
            return
        started = self._monotonic()
        case = self._gathered(incident, alerts, known, fixed_at=watched.since)
        report = self._judge.report_of(case) if case is not None else None
        self._count(incident, report, took_s=self._monotonic() - started)
        if report is None:
            self._put_off(job, due[0])
            return
        verdict = verdict_of(report, fixes.trial_of(watched, after_s=due[0]))
        followed_up = FollowedUp(after_s=due[0], verdict=verdict, is_last=due[0] >= max(self._config.follow_ups_s, default=0.0))
        self._write(job, incident.id, case, report, is_new=case is not None, followed_up=followed_up)

    def _put_off(self, job: Job, after_s: float) -> None:
        """Nothing is known of where to look: asked again later, as without evidence."""
        nothing = Verdict(outcome=NO_EVIDENCE, because=reason("follow_up.no_evidence", after_s=after_s, missing_s=after_s))
        with self._store.write() as tx:
            jobs.finish(tx, job)
            incident = incidents.load(tx, job.subject_id)
            if incident is not None and incident.closed_at is None:
                now = from_epoch(self._store.now())
                memory, _ = fixes.with_verdict(incident.memory, None, nothing, after_s=after_s, is_last=False, now=now)
                incidents.save_memory(tx, incident.id, memory)
                self._plan(tx, replace(incident, memory=memory))

    def adopt_fixes(self) -> None:
        """Follow up what somebody said to an older release is fixed: that one planned nothing."""
        if self._has_adopted:
            return
        with self._store.write() as tx:
            for incident_id in incident_lists.fixed_without(tx, FOLLOW_UP):
                self._plan(tx, incidents.load(tx, incident_id))
        self._has_adopted = True

    def _plan(self, tx: Tx, incident: Incident | None) -> None:
        """Plan the next follow-up of a fix that was said or seen, and of which none is planned."""
        if incident is None or incident.closed_at is not None:
            return
        memory = fixes.adopted(incident.memory)
        if memory is not incident.memory:
            incidents.save_memory(tx, incident.id, memory)
        plan_follow_up(tx, incident.id, memory, self._config.follow_ups_s, now=self._store.now())

    def publish_waiting(self) -> None:
        """Publish the incidents that have waited for their look as long as a first message may wait, as their alerts describe them.

        In a storm with slow sources there are more incidents than threads, and a look may hang: nobody's alert is held back by it.
        """
        overdue = self._store.now() - self._config.deadline_s
        with self._store.read() as tx:
            waiting = incident_lists.unpublished(tx, waiting_since=overdue, kind=COLLECT, limit=PUBLISH_AT_ONCE)
            looked_at = incident_lists.unpublished(
                tx, waiting_since=overdue - JUDGING_S, kind=COLLECT, limit=PUBLISH_AT_ONCE, job_state="running"
            )
        for incident in waiting:
            self._publish_alert(incident.id, reason("incident.note.not_looked_at"))
        for incident in looked_at:
            log.warning("an incident is told before its look has ended", extra={"incident": incident.id, "key": incident.key})
            self._publish_alert(incident.id, reason("incident.note.still_looking"))

    def give_up(self, job: Job, error: str) -> None:
        """Looking failed for now or for good: publish what the alert itself says, unless something better stands there."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
        if incident is not None and incident.closed_at is None and incident.report is None:
            self._publish_alert(incident.id, reason("incident.note.failed", error=error))

    def _case(self, incident: Incident, alerts: tuple[Alert, ...], known: Case | None) -> Case | None:
        now = self._store.now()
        is_just_seen = incident.gathered_at is not None and now - incident.gathered_at < REUSE_EVIDENCE_S
        if incident.state != FIRING and known is not None and is_just_seen:
            return known
        return self._gathered(incident, alerts, known)

    def _gathered(
        self, incident: Incident, alerts: tuple[Alert, ...], known: Case | None, *, fixed_at: datetime | None = None
    ) -> Case | None:
        subject, now = self._focus(incident, alerts), from_epoch(self._store.now())
        if not subject.names_a_pod and not (subject.namespace and subject.workload):
            return None
        gathered = self._evidence.gather(subject, alerts, now, fixed_at=fixed_at)
        return with_life(with_held_evidence(gathered, known), incident.memory)

    def _focus(self, incident: Incident, alerts: tuple[Alert, ...]) -> Subject:
        """The pod to look at: of the newest firing alert that names one, else the newest at all."""
        firing_last = sorted(alerts, key=lambda a: (a.status == FIRING, a.starts_at))
        for alert in reversed(firing_last):
            subject = subject_of(alert.labels, self._config.label_names, default_cluster=self._config.cluster_name)
            if subject.names_a_pod:
                if not subject.container and incident.subject.pod == subject.pod:
                    return replace(subject, container=incident.subject.container)
                return subject
        if incident.subject.workload is not None and incident.subject.workload.kind != "Pod":
            return replace(incident.subject, pod="", node="")  # its alerts name no pod: the worst one now, not that of the last look
        return incident.subject

    def _write(
        self, job: Job, incident_id: str, case: Case | None, report: Report | None, *, is_new: bool, followed_up: FollowedUp | None = None
    ) -> None:  # fmt: skip
        """All that one look found out, in one transaction."""
        now = self._store.now()
        with self._store.write() as tx:
            if not jobs.finish(tx, job):
                return  # this thread was written off, and another has looked or will
            incident = incidents.load(tx, incident_id)
            if incident is None or incident.closed_at is not None:
                return
            if report is not None:
                incident = replace(incident, subject=report.subject)
                if merge_confirmed(tx, incident, report.subject, now=now):
                    return
            incident = replace(incident, memory=replace(incident.memory, degraded=None))
            incident = self._publisher.publish(tx, incident, report, case=case if is_new else None, followed_up=followed_up)
            if case is not None and is_new:
                plan_next_look(tx, incident, case, now=now)

    def _publish_alert(self, incident_id: str, why: Reason) -> None:
        """Publish what the alert says, and why it is no more than that: the look is still to come."""
        with self._store.write() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is not None and incident.closed_at is None:
                incident = replace(incident, memory=replace(incident.memory, degraded=why))
                self._publisher.publish(tx, incident, None, case=None)

    def _count(self, incident: Incident, report: Report | None, *, took_s: float) -> None:
        if drill.is_key(incident.key):
            return
        self._metrics.enrichment.observe(took_s)
        fields: dict[str, Any] = {"incident": incident.id, "key": incident.key, "state": incident.state, "took_s": round(took_s, 3)}
        if report is not None:
            self._metrics.diagnoses.labels(report.cause.name.value).inc()
            for missing in report.facts.missing:
                self._metrics.missing.labels(missing.source).inc()
            self._gaps.note(report.facts.missing, now=report.facts.now)
            fields |= {
                "kill": report.kill.kind.value, "cause": report.cause.name.value, "confidence": report.cause.confidence,
                "missing": [m.source for m in report.facts.missing],
            }  # fmt: skip
        log.debug("incident looked at", extra=fields)  # its line at INFO is written when it is told: worker/told.py
