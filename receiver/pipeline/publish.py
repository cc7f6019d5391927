"""What each channel and sink shows of an incident, made from what is stored: nothing here asks the world anything.

`Publisher.run` handles `publish` jobs: what people did, a silence, anything that changed an incident's memory is shown from the
stored case. A look (pipeline/collect.py) publishes what it found in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from receiver.diagnosis.advice.checklist import with_ticks
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, subject_of
from receiver.domain.incident import Destination, IncidentView
from receiver.domain.incident_memory import IN_CHECKLIST, IncidentMemory
from receiver.domain.report import Report
from receiver.domain.silence import matchers_of, silence_link
from receiver.domain.units import from_epoch
from receiver.pipeline import fixes, history, life, people, storm
from receiver.pipeline.judge import Judge
from receiver.pipeline.kinds import COLLECT, REQUEST
from receiver.pipeline.life import FollowedUp, Update
from receiver.pipeline.messages import CHECKLIST, ROOT, Content, Messages, Rendering
from receiver.pipeline.plan import looks_ahead, plan_follow_up
from receiver.pipeline.repositories import Repository, repository_of
from receiver.pipeline.routing import Router
from receiver.pipeline.storm import StormConfig
from receiver.pipeline.view import view_of
from receiver.render.context.build import alert_of
from receiver.render.document import report_document
from receiver.store import alerts as alert_table
from receiver.store import alike, conversations, incidents, jobs, listing
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishConfig:
    """`threaded_sinks`, `document_sinks`: see `Messages`. `alertmanager_public_url`: where people open Alertmanager; empty: no
    link to a silence. `follow_ups_s`: how long after a fix it is looked at again. `repositories`: where changes can be proposed.
    """

    public_url: str = ""
    threaded_sinks: frozenset[str] = frozenset()
    document_sinks: frozenset[str] = frozenset()
    label_names: LabelNames = field(default_factory=LabelNames)
    storm: StormConfig = field(default_factory=StormConfig)
    has_buttons: bool = False
    has_charts: bool = False
    alertmanager_public_url: str = ""
    can_silence: bool = False
    follow_ups_s: tuple[float, ...] = ()
    repositories: tuple[Repository, ...] = ()


class Publisher:
    """Writes what should be shown, as desired messages; the senders make the channels agree."""

    def __init__(
        self, *, store: Store, rendering: Rendering, router: Router, config: PublishConfig,
        hide: Callable[[str, str], str] = lambda name, value: value, judge: Judge | None = None,
    ) -> None:  # fmt: skip
        """`hide`: a named value without the secrets in it."""
        self._store = store
        self._messages = Messages(
            rendering, threaded_sinks=config.threaded_sinks, document_sinks=config.document_sinks, has_charts=config.has_charts
        )
        self._router = router
        self._config = config
        self._hide = hide
        self._judge = judge or Judge()

    def run(self, job: Job) -> None:
        """Show an incident as its stored case and its memory have it now."""
        with self._store.read() as tx:
            seen = incidents.load(tx, job.subject_id)
            case = incidents.evidence_of(tx, job.subject_id)
        report = self.judged(case, seen.memory) if case is not None and seen is not None else None
        with self._store.write() as tx:
            jobs.finish(tx, job)
            incident = incidents.load(tx, job.subject_id)
            is_newer_published = seen is not None and incident is not None and incident.gathered_at != seen.gathered_at
            if incident is None or incident.closed_at is not None or not incident.memory.state or is_newer_published:
                return  # the first look is still to come and shows it, or one came meanwhile and did
            known = report if incident.memory.degraded is None else None
            self.publish(tx, incident, known, case=None, prompt_slot=_acted_in(incident.memory))

    def publish(
        self, tx: Tx, incident: Incident, report: Report | None, *, case: Case | None, prompt_slot: str = "",
        followed_up: FollowedUp | None = None,
    ) -> Incident:  # fmt: skip
        """Remember and show one state of an incident, in the caller's transaction; what it is after that.

        `case`: the new evidence that `report` was made from, which says what is new; None when nothing was looked at.
        `prompt_slot`: the message whose edit somebody waits for. `followed_up`: what this look says of a fix.
        """
        now = self._store.now()
        alerts = alert_table.newest_of(tx, incident.id)
        memory, update = life.remember(
            incident.memory, report if case is not None else None, self._pods(alerts), state=incident.state, severity=incident.severity,
            now=from_epoch(now), followed_up=followed_up,
        )  # fmt: skip
        plan_follow_up(tx, incident.id, memory, self._config.follow_ups_s, now=now)
        if memory.request is not None and (followed_up is not None or memory.watched != incident.memory.watched):
            jobs.schedule(tx, REQUEST, incident.id, now=now)  # what came of the fix is said there as well
        if report is not None:
            report = self.as_shown(report, memory)
            if report.facts.workload is not None:
                owner = self._router.asked_of(report.facts.workload.labels, report.facts.workload.annotations)
                memory = replace(memory, owner=owner) if owner.labels or owner.annotations else memory
        document = report_document(report) if report is not None else incident.report
        incidents.save_diagnosis(tx, incident, subject=incident.subject, memory=memory, report=document, case=case)
        _note_kills(tx, incident, memory, report if case is not None else None, now=now)
        before, incident = incident.memory, replace(incident, memory=memory, report=document)
        if case is not None:
            alike.mark(tx, incident)
        history.note(tx, incident, before=before, report=report if case is not None else None, now=now)
        content = Content(
            view=self._view(tx, incident, alerts, has_report=report is not None, now=now), report=report, document=document, update=update,
            prompt_slot=ROOT if update.is_new_kill else prompt_slot,
        )  # fmt: skip
        self._show(tx, incident, alerts, content, now=now)
        return incident

    def judged(self, case: Case, memory: IncidentMemory) -> Report:
        """What a stored case says. ComputedTooLong when that takes more than it should."""
        return self._judge.report_of(life.with_life(case, memory))

    def as_shown(self, report: Report, memory: IncidentMemory) -> Report:
        """A report with what its incident remembers: the fix that is watched, and what people ticked."""
        report = fixes.shown(report, memory, self._config.follow_ups_s)
        return replace(report, checklist=with_ticks(report.checklist, people.ticks_of(memory), now=report.facts.now))

    def view(self, tx: Tx, incident: Incident, *, has_report: bool) -> IncidentView:
        """An incident as messages show it now."""
        return self._view(tx, incident, alert_table.newest_of(tx, incident.id), has_report=has_report, now=self._store.now())

    def _show(self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], content: Content, *, now: float) -> None:
        """In every place where it is shown now."""
        for place in self._places(tx, incident, alerts, update=content.update, now=now):
            conversation = storm.place(
                tx, incident, place, self._config.storm, now=now, can_digest=self._messages.has_threads(place.sink),
                news_at=_news_at(incident, alerts),
            )  # fmt: skip
            if conversation is not None:
                view = replace(content.view, mention=conversation.mention)
                self._messages.show(tx, conversation, place, replace(content, view=view), now=now)

    def _places(self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], *, update: Update, now: float) -> Iterator[Destination]:
        """Where an incident is shown now: where its routes lead, and wherever it stands already, which must stay true."""
        own = conversations.of_incident(tx, incident.id)
        if incident.severity == "info" and not own:
            return  # the page shows it
        known = {(c.sink, c.channel) for c in (*own, *conversations.digests_of(tx, incident.id))}
        routed = self._router.places(alerts, incident.subject.namespace, now=from_epoch(now), owner=incident.memory.owner)
        for place in routed:
            if (place.sink, place.channel) in known:
                yield place
            elif incident.state != FIRING and (known or not update.is_first_look):
                continue  # over before anybody was notified there
            elif "held_until" not in place.options:
                yield place
            elif incident.state == FIRING:
                jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=place.options["held_until"])
        reached = {(p.sink, p.channel) for p in routed}
        yield from (
            Destination(sink=c.sink, channel=c.channel) for c in own if c.sink in self._router.sinks and (c.sink, c.channel) not in reached
        )

    def _view(self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], *, has_report: bool, now: float) -> IncidentView:
        return view_of(
            incident, self._fit_to_show(alerts), now=from_epoch(now), public_url=self._config.public_url,
            previous=incidents.load(tx, incident.previous_id) if incident.previous_id else None, has_buttons=self._config.has_buttons,
            looks_at=looks_ahead(incident, now=now) if has_report else (), silence_url=self._silence_url(incident, alerts),
            can_silence=self._config.can_silence, follow_ups_s=self._config.follow_ups_s,
            has_repository=repository_of(self._config.repositories, incident.subject) is not None,
        )  # fmt: skip

    def _fit_to_show(self, alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
        """The alerts with their secrets hidden: messages show the labels and annotations of the one that speaks for them, so the others' go."""
        speaker = alert_of(alerts) if alerts else None
        return tuple(self._hidden(a) if a is speaker else replace(a, annotations={}) for a in alerts)

    def _hidden(self, alert: Alert) -> Alert:
        labels, annotations = ({k: self._hide(k, v) for k, v in named.items()} for named in (alert.labels, alert.annotations))
        return replace(alert, labels=labels, annotations=annotations)

    def _pods(self, alerts: tuple[Alert, ...]) -> list[str]:
        subjects = (subject_of(a.labels, self._config.label_names) for a in alerts)
        return [s.pod for s in subjects if s.pod]

    def _silence_url(self, incident: Incident, alerts: tuple[Alert, ...]) -> str:
        """Where buttons can silence, a link would only be a second way."""
        if not self._config.alertmanager_public_url or (self._config.has_buttons and self._config.can_silence):
            return ""
        firing = tuple(a for a in alerts if a.status == FIRING)
        return silence_link(self._config.alertmanager_public_url, matchers_of(incident.subject, firing, self._config.label_names))


def _note_kills(tx: Tx, incident: Incident, memory: IncidentMemory, report: Report | None, *, now: float) -> None:
    """For the list, by the hour. `report`: of new evidence; `incident`: as it was before. How long before a first look its kills go back
    nobody knows, so only those whose time is recorded count then.
    """
    before = incident.memory
    new_kills = memory.shown_kill_count - before.shown_kill_count
    if new_kills <= 0:
        return
    times = [at.timestamp() for at in life.kill_times(report)] if report is not None else []
    newest_at = memory.last_kill_at.timestamp() if memory.last_kill_at is not None and before.look is not None else None
    known_until = before.last_kill_at.timestamp() if before.last_kill_at is not None else None
    listing.note_kills(tx, incident.id, new_kills, times, known_until=known_until, newest_at=newest_at, now=now)


def _acted_in(memory: IncidentMemory) -> str:
    """The message in which somebody did something last: they wait to see it there."""
    return CHECKLIST if memory.log and memory.log[-1].shown == IN_CHECKLIST else ROOT


def _news_at(incident: Incident, alerts: tuple[Alert, ...]) -> float:
    """When the incident last did something that somebody must be notified of: a kill, or an alert that fires. Seconds since 1970."""
    last_kill_at = incident.memory.last_kill_at
    starts = [a.starts_at.timestamp() for a in alerts if a.status == FIRING]
    return max([last_kill_at.timestamp() if last_kill_at is not None else 0.0, *starts])
