"""One incident, looked at: gather, diagnose, render, and one transaction that writes all of it.

Reading the world happens outside any transaction; a crash there repeats reads and nothing else. An enrichment that
fails never holds the alert back: what is known is posted, and the message says what it lacks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from receiver.case import facts_of
from receiver.diagnosis.advice.checklist import with_ticks
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, Subject, subject_of, workload_key
from receiver.domain.incident import PICTURE, DigestView, IncidentView, Message
from receiver.domain.incident import Conversation as Place
from receiver.domain.report import Report
from receiver.domain.silence import matchers_of, silence_link
from receiver.domain.units import from_epoch
from receiver.pipeline import events, life, people, storm
from receiver.pipeline.fold import ENRICH
from receiver.pipeline.held import with_held_evidence
from receiver.pipeline.routing import NOBODY, Owner, Router
from receiver.pipeline.storm import StormConfig
from receiver.render.blocks import image
from receiver.render.build import alert_of
from receiver.render.chart import chart_of
from receiver.render.document import report_document
from receiver.store import alerts as alert_table
from receiver.store import conversations, incidents, jobs, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store
from receiver.telemetry import Metrics

log = logging.getLogger(__name__)

LATE_EVIDENCE_DELAY_S = 45.0  # when something timed out: the first post went without it, the edit brings it
LATE_EVIDENCE_TRIES = 3
TELL_AT_ONCE = 50
LOOK_AGAIN_S = (1800.0, 7200.0)  # 84 % right when answered at the first alert, 89 % and 95 % at these (docs/diagnosis.md)
REUSE_EVIDENCE_S = 5.0  # a resolve right after a look needs no second look


class EvidenceSource(Protocol):
    """What gathers a case: the evidence layer, or a test."""

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime) -> Case:
        """All evidence about a subject; never raises for a source that fails."""


class Rendering(Protocol):
    """What turns an incident into messages: the render layer."""

    def incident(self, view: IncidentView, report: Report | None, *, chart: Mapping[str, Any] | None = None) -> tuple[Message, ...]:
        """Root and replies; `chart`: an image block for the root."""

    def single(self, view: IncidentView, report: Report | None) -> Message:
        """One message with everything, for sinks without threads."""

    def later(self, view: IncidentView, report: Report | None) -> Message:
        """A short message about a later state, for sinks that cannot edit."""

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        """A storm's root and pages."""

    def grown(self, view: DigestView) -> Message:
        """A reply about a storm that is much larger than when it was last heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichConfig:
    """`threaded_sinks`: sinks that thread and edit; the others get one message, and short ones later. `document_sinks`: sinks
    that get the report document of each event instead.
    """

    public_url: str = ""
    threaded_sinks: frozenset[str] = frozenset()
    document_sinks: frozenset[str] = frozenset()
    label_names: LabelNames = field(default_factory=LabelNames)
    cluster_name: str = ""
    storm: StormConfig = field(default_factory=StormConfig)
    has_buttons: bool = False
    has_charts: bool = False
    deadline_s: float = 10.0
    alertmanager_public_url: str = ""  # where people open Alertmanager; empty: no link to a silence
    can_silence: bool = False


class Enricher:
    """Handles `enrich` and `digest` jobs."""

    def __init__(
        self, *, store: Store, evidence: EvidenceSource, rendering: Rendering, router: Router, metrics: Metrics, config: EnrichConfig,
        monotonic: Callable[[], float] = time.monotonic, hide: Callable[[str, str], str] = lambda name, value: value,
    ) -> None:  # fmt: skip
        """`hide`: a named value without the secrets in it."""
        self._store = store
        self._evidence = evidence
        self._rendering = rendering
        self._router = router
        self._metrics = metrics
        self._config = config
        self._monotonic = monotonic
        self._hide = hide

    def enrich(self, job: Job) -> None:
        """Look at an incident and write what should be shown."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
            alerts = alert_table.newest_of(tx, job.subject_id)
            known = incidents.evidence_of(tx, job.subject_id) if incident else None
        if incident is None or incident.closed_at is not None:
            self._drop(job)
            return
        if job.attempts >= 3:  # looking killed or failed the receiver twice: say what is known before trying again
            self._write(None, incident, None, None, because_degraded="Gathering evidence failed twice; this is what the alert says.")
        started = self._monotonic()
        case = self._case(incident, alerts, known)
        report = diagnose(facts_of(case)) if case is not None else None
        took_s = self._monotonic() - started
        self._count(incident, report, took_s=took_s)
        self._write(job, incident, case if case is not known else None, report)

    def tell_waiting(self) -> None:
        """Tell the incidents that have waited for their look as long as a first message may wait, as their alerts tell them.

        In a storm with slow sources there are more incidents than threads: nobody's alert is held back by the others' looks.
        """
        overdue = self._store.now() - self._config.deadline_s
        with self._store.read() as tx:
            waiting = incidents.untold(tx, waiting_since=overdue, kind=ENRICH, limit=TELL_AT_ONCE)
        for incident in waiting:
            self._write(None, incident, None, None, because_degraded="Not looked at yet: many incidents at once. This message will change.")

    def give_up(self, job: Job, error: str) -> None:
        """Looking failed for now or for good: post what the alert itself says, unless something better stands there."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
        if incident is not None and incident.closed_at is None and incident.report is None:
            self._write(None, incident, None, None, because_degraded=f"Gathering evidence failed ({error}); this is what the alert says.")

    def digest(self, job: Job) -> None:
        """Bring a storm's messages up to date."""
        config = self._config.storm
        now = self._store.now()
        with self._store.write() as tx:
            conversation = conversations.load(tx, job.subject_id)
            jobs.finish(tx, job)
            if conversation is None:
                return
            view = storm.digest_view(
                tx, conversation, config, now=now, public_url=self._config.public_url,
                has_buttons=self._config.has_buttons, can_silence=self._config.can_silence,
            )  # fmt: skip
            total, edited_at = len(view.entries), conversation.data.get("edited_at", 0.0)
            # At the storm's own pace, counted from what was sent; sooner only when a person did something.
            pace_s = config.edit_interval_s if now - edited_at >= config.edit_interval_s else outbox.EDIT_INTERVAL_S
            for message in self._rendering.digest(view):
                outbox.desire(tx, conversation.id, message, now=now, edit_interval_s=pace_s)
            data = {"heard": total, "heard_at": now, **conversation.data, "edited_at": now}
            if view.ended_at is None and storm.is_louder(conversation, total, now=now):
                outbox.desire(tx, conversation.id, self._rendering.grown(view), now=now)
                data |= {"heard": total, "heard_at": now}
            conversations.save_data(tx, conversation.id, data)
            if view.ended_at is not None:
                if conversation.closed_at is None:
                    conversations.close(tx, conversation.id, now=now)
            else:
                due_at = max(storm.over_at(tx, conversation, config), now + config.edit_interval_s)
                jobs.schedule(tx, storm.DIGEST, conversation.id, now=now, due_at=due_at)

    def _case(self, incident: Incident, alerts: tuple[Alert, ...], known: Case | None) -> Case | None:
        now = self._store.now()
        if (
            incident.state != FIRING
            and known is not None
            and incident.gathered_at is not None
            and now - incident.gathered_at < REUSE_EVIDENCE_S
        ):
            return known
        subject = self._focus(incident, alerts)
        if not subject.names_a_pod:
            return None
        return with_held_evidence(self._evidence.gather(subject, alerts, now=from_epoch(now)), known)

    def _focus(self, incident: Incident, alerts: tuple[Alert, ...]) -> Subject:
        """The pod to look at: of the newest firing alert that names one, else the newest at all."""
        firing_last = sorted(alerts, key=lambda a: (a.status == FIRING, a.starts_at))
        for alert in reversed(firing_last):
            subject = subject_of(alert.labels, self._config.label_names, default_cluster=self._config.cluster_name)
            if subject.names_a_pod:
                if not subject.container and incident.subject.pod == subject.pod:
                    return replace(subject, container=incident.subject.container)
                return subject
        return incident.subject

    def _write(self, job: Job | None, incident: Incident, case: Case | None, report: Report | None, *, because_degraded: str = "") -> None:
        """All that one look found out, in one transaction. Without a `job` the look is still to come."""
        now = self._store.now()
        with self._store.write() as tx:
            fresh = incidents.load(tx, incident.id)
            if fresh is None or fresh.closed_at is not None:
                if job is not None:
                    jobs.finish(tx, job)
                return
            incident = fresh
            alerts = alert_table.newest_of(tx, incident.id)
            if report is not None and job is not None:
                incident = replace(incident, subject=report.subject)
                if self._is_merged_away(tx, job, incident, report, now=now):
                    return
            data, change = life.remember(
                incident.data, report, self._pods(alerts), state=incident.state, severity=incident.severity, now=now
            )
            if report is not None:
                report = replace(report, checklist=with_ticks(report.checklist, people.ticks_of(data), now=report.facts.now))
            if report is not None and report.facts.workload is not None:
                asked = self._router.asked_of(report.facts.workload.labels, report.facts.workload.annotations)
                data = {**data, "owner": asked.to_json()} if asked != NOBODY else data
            document = report_document(report) if report is not None else incident.report
            incidents.save_diagnosis(tx, incident, subject=incident.subject, data=data, report=document, case=case)
            incident = replace(incident, data=data)
            self._desire(tx, incident, alerts, report, change, document=document, now=now, because_degraded=because_degraded)
            if job is not None:
                jobs.finish(tx, job)
                self._plan_next_look(tx, incident, case, data, now=now)

    def _is_merged_away(self, tx: Tx, job: Job, incident: Incident, report: Report, *, now: float) -> bool:
        """Join the confirmed identity to the inferred one; two incidents that turn out to be one become one."""
        workload = report.subject.workload
        if workload is None or not report.subject.container or workload.is_inferred:
            return False
        key = workload_key(report.subject, workload)
        other = incidents.find_open(tx, key)
        if other is not None and other.id != incident.id:
            if not _has_spoken(tx, incident.id):
                self._merge(tx, duplicate=incident, into=other, now=now)
                jobs.finish(tx, job)
                jobs.cancel(tx, incident.id)
                jobs.schedule(tx, ENRICH, other.id, now=now)
                return True
            if not _has_spoken(tx, other.id):
                self._merge(tx, duplicate=other, into=incident, now=now)
                jobs.cancel(tx, other.id)
        if key != incident.key:
            incidents.add_aliases(tx, incident.id, [key])
        return False

    def _merge(self, tx: Tx, *, duplicate: Incident, into: Incident, now: float) -> None:
        alert_table.move(tx, from_incident=duplicate.id, to_incident=into.id)
        conversations.hand_over(tx, from_incident=duplicate.id, to_incident=into.id)
        for conversation in conversations.of_incident(tx, duplicate.id):
            conversations.drop(tx, conversation.id)
        incidents.merge(tx, duplicate_id=duplicate.id, into_id=into.id, now=now)

    def _desire(
        self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], report: Report | None, change: life.Change, *,
        document: Mapping[str, Any] | None, now: float, because_degraded: str,
    ) -> None:  # fmt: skip
        if incident.severity == "info" and not conversations.of_incident(tx, incident.id):
            return  # the page shows it
        previous = incidents.load(tx, incident.previous_id) if incident.previous_id else None
        told = {(c.sink, c.channel) for c in (*conversations.of_incident(tx, incident.id), *conversations.digests_of(tx, incident.id))}
        for place in self._places(tx, incident, alerts, now=now):
            is_threaded = place.sink in self._config.threaded_sinks
            is_told = (place.sink, place.channel) in told
            if not is_told and incident.state != FIRING and (told or not change.is_first_look):
                continue  # over before anybody heard of it there
            if not is_told and "held_until" in place.options:
                if incident.state == FIRING:
                    jobs.schedule(tx, ENRICH, incident.id, now=now, due_at=place.options["held_until"])
                continue
            conversation = storm.place(
                tx, incident, place, self._config.storm, now=now, can_digest=is_threaded, news_at=_news_at(incident, alerts)
            )
            if conversation is None:
                continue
            view = life.view_of(
                incident, self._fit_to_show(alerts), incident.data, conversation=conversation, public_url=self._config.public_url, previous=previous,
                because_degraded=because_degraded, has_buttons=self._config.has_buttons,
                looks_at=_looks_ahead(incident, now=now) if report is not None else (),
                silence_url=self._silence_url(incident, alerts), can_silence=self._config.can_silence,
            )  # fmt: skip
            if is_threaded:
                self._desire_thread(tx, conversation, view, report, change, place=place, now=now)
            elif place.sink in self._config.document_sinks:
                self._desire_event(tx, conversation, view, document, now=now)
            else:
                self._desire_single(tx, conversation, view, report, now=now)

    def _fit_to_show(self, alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
        """The alerts with their secrets hidden: messages show the annotations of the one that speaks for them, so the others' go."""
        speaker = alert_of(alerts) if alerts else None
        return tuple(
            replace(a, annotations={k: self._hide(k, v) for k, v in a.annotations.items()} if a is speaker else {}) for a in alerts
        )

    def _places(self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], *, now: float) -> list[Place]:
        """Where an incident is told now: where its routes lead, and wherever it stands already, which must stay true."""
        owner = Owner(**incident.data.get("owner", {}))
        places = list(self._router.places(alerts, incident.subject.namespace, now=from_epoch(now), owner=owner))
        reached = {(p.sink, p.channel) for p in places}
        for told in conversations.of_incident(tx, incident.id):
            if told.sink in self._router.sinks and (told.sink, told.channel) not in reached:
                places.append(Place(sink=told.sink, channel=told.channel))
        return places

    def _desire_thread(
        self, tx: Tx, conversation: Conversation, view: IncidentView, report: Report | None, change: life.Change, *, place: Place, now: float,
    ) -> None:  # fmt: skip
        is_first = not outbox.has_slot(tx, conversation.id, "root")
        if conversation.root_ts is None:  # the post will call whom the incident calls for by then; edits call nobody
            view = replace(view, mention=place.mention or conversation.mention)
        for message in self._messages(view, report):
            outbox.desire(tx, conversation.id, message, now=now, is_kill_update=change.is_new_kill)
        news = change.news
        if news is None or is_first or (news.calls and (conversation.mention or not place.mention)):
            return
        # An edit is silent, and the phone only ever showed the first text: this must be noticed, once.
        later = self._rendering.later(replace(view, mention=place.mention, news=news.words, is_new_verdict=news.is_verdict), report)
        is_broadcast = news.is_broadcast and view.state == FIRING and not place.options.get("is_quiet")
        outbox.desire(tx, conversation.id, replace(later, slot=news.slot, is_reply=True, is_broadcast=is_broadcast), now=now)

    def _messages(self, view: IncidentView, report: Report | None) -> tuple[Message, ...]:
        """Root and replies, the root with its chart where there is history enough for one."""
        chart = chart_of(report, view) if report is not None and self._config.has_charts else None
        if chart is None:
            return self._rendering.incident(view, report)
        root, *replies = self._rendering.incident(view, report, chart=image({"slack_file": {"id": PICTURE}}, chart.alt_text))
        return (replace(root, chart_svg=chart.svg_dark), *replies)

    def _desire_single(self, tx: Tx, conversation: Conversation, view: IncidentView, report: Report | None, *, now: float) -> None:
        """A sink that cannot edit: the whole once, then a short message for each later state."""
        said = list(conversation.data.get("states", ()))
        cause = report.cause.name.value if report else "none"
        state = f"{view.state}:{cause}"
        if not said:
            outbox.desire(tx, conversation.id, self._rendering.single(view, report), now=now)
        elif said[-1] != state:
            later = self._rendering.later(view, report)
            outbox.desire(tx, conversation.id, replace(later, slot=f"later:{len(said)}", is_reply=False), now=now)
        else:
            return
        conversations.save_data(tx, conversation.id, {**conversation.data, "states": [*said, state]})

    def _desire_event(
        self, tx: Tx, conversation: Conversation, view: IncidentView, document: Mapping[str, Any] | None, *, now: float
    ) -> None:
        """A sink for programs: the document again whenever something of weight changed."""
        number, last = int(conversation.data.get("events", 0)), conversation.data.get("last_event")
        event = events.next_event(view, document, last)
        if event is None:
            return
        outbox.desire(tx, conversation.id, events.event_message(view, document, event["event"], number=number), now=now)
        conversations.save_data(tx, conversation.id, {**conversation.data, "events": number + 1, "last_event": event})

    def _plan_next_look(self, tx: Tx, incident: Incident, case: Case | None, data: Mapping[str, Any], *, now: float) -> None:
        """Look again for what timed out; and half an hour and two hours in, when there is more history to judge by."""
        if case is None:
            return
        tries = int(data.get("late_tries", 0))
        if any(m.is_retryable for m in case.missing) and tries < LATE_EVIDENCE_TRIES:
            incidents.save_data(tx, incident.id, {**data, "late_tries": tries + 1})
            jobs.schedule(tx, ENRICH, incident.id, now=now, due_at=now + LATE_EVIDENCE_DELAY_S * 2**tries)
            return
        for due_at in _looks_ahead(incident, now=now)[:1]:
            jobs.schedule(tx, ENRICH, incident.id, now=now, due_at=due_at)

    def _pods(self, alerts: tuple[Alert, ...]) -> list[str]:
        subjects = (subject_of(a.labels, self._config.label_names) for a in alerts)
        return [s.pod for s in subjects if s.pod]

    def _silence_url(self, incident: Incident, alerts: tuple[Alert, ...]) -> str:
        """Where buttons can silence, a link would only be a second way."""
        if not self._config.alertmanager_public_url or (self._config.has_buttons and self._config.can_silence):
            return ""
        firing = tuple(a for a in alerts if a.status == FIRING)
        return silence_link(self._config.alertmanager_public_url, matchers_of(incident.subject, firing, self._config.label_names))

    def _drop(self, job: Job) -> None:
        with self._store.write() as tx:
            jobs.finish(tx, job)

    def _count(self, incident: Incident, report: Report | None, *, took_s: float) -> None:
        self._metrics.enrichment.observe(took_s)
        fields: dict[str, Any] = {"incident": incident.id, "key": incident.key, "state": incident.state, "took_s": round(took_s, 3)}
        if report is not None:
            self._metrics.diagnoses.labels(report.cause.name.value).inc()
            for missing in report.facts.missing:
                self._metrics.missing.labels(missing.source).inc()
            fields |= {
                "kill": report.kill.kind.value, "cause": report.cause.name.value, "confidence": report.cause.confidence,
                "missing": [m.source for m in report.facts.missing],
            }  # fmt: skip
        log.info("incident looked at", extra=fields)


def _looks_ahead(incident: Incident, *, now: float) -> list[float]:
    return [incident.opened_at + after_s for after_s in LOOK_AGAIN_S if incident.opened_at + after_s > now + 1]


def _news_at(incident: Incident, alerts: tuple[Alert, ...]) -> float:
    """When the incident last did something that somebody must hear of: a kill, or an alert that fires."""
    return max([incident.data.get("last_kill_at") or 0.0, *(a.starts_at.timestamp() for a in alerts if a.status == FIRING)])


def _has_spoken(tx: Tx, incident_id: str) -> bool:
    """Whether something about an incident may already stand in a channel."""
    return any(row["ts"] or row["state"] in ("sending", "sent") for row in outbox.of_incident(tx, incident_id))
