"""What each channel and sink shows of an incident, made from what is stored: nothing here asks the world anything.

`Publisher.run` handles `publish` jobs: what people did, a silence, anything that changed an incident's memory is shown from the
stored case. A look (pipeline/collect.py) publishes what it found in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from receiver.case import facts_of
from receiver.diagnosis.advice.checklist import with_ticks
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, subject_of
from receiver.domain.incident import PICTURE, Destination, IncidentView, Message
from receiver.domain.incident_memory import IN_CHECKLIST, IncidentMemory
from receiver.domain.report import Report
from receiver.domain.silence import matchers_of, silence_link
from receiver.domain.units import from_epoch
from receiver.pipeline import events, life, people, storm
from receiver.pipeline.kinds import COLLECT
from receiver.pipeline.life import Update
from receiver.pipeline.plan import looks_ahead
from receiver.pipeline.routing import Router
from receiver.pipeline.storm import StormConfig
from receiver.pipeline.view import view_of
from receiver.render.blocks import image
from receiver.render.chart import chart_of
from receiver.render.context.build import alert_of
from receiver.render.document import report_document
from receiver.store import alerts as alert_table
from receiver.store import conversations, incidents, jobs, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store

ROOT, CHECKLIST = "root", "checklist"  # slots


class Rendering(Protocol):
    """What turns an incident into messages: the render layer."""

    def incident(self, view: IncidentView, report: Report | None, *, chart: Mapping[str, Any] | None = None) -> tuple[Message, ...]:
        """Root and replies; `chart`: an image block for the root."""

    def single(self, view: IncidentView, report: Report | None) -> Message:
        """One message with everything, for sinks without threads."""

    def later(self, view: IncidentView, report: Report | None) -> Message:
        """A short message about a later state, for sinks that cannot edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishConfig:
    """`threaded_sinks`: sinks that thread and edit; the others get one message, and short ones later. `document_sinks`: sinks
    that get the report document of each event instead. `alertmanager_public_url`: where people open Alertmanager; empty: no
    link to a silence.
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


class Publisher:
    """Writes what should be shown, as desired messages; the senders make the channels agree."""

    def __init__(
        self, *, store: Store, rendering: Rendering, router: Router, config: PublishConfig,
        hide: Callable[[str, str], str] = lambda name, value: value,
    ) -> None:  # fmt: skip
        """`hide`: a named value without the secrets in it."""
        self._store = store
        self._rendering = rendering
        self._router = router
        self._config = config
        self._hide = hide

    def run(self, job: Job) -> None:
        """Show an incident as its stored case and its memory have it now."""
        with self._store.read() as tx:
            seen = incidents.load(tx, job.subject_id)
            case = incidents.evidence_of(tx, job.subject_id)
        report = diagnose(facts_of(case)) if case is not None else None
        with self._store.write() as tx:
            jobs.finish(tx, job)
            incident = incidents.load(tx, job.subject_id)
            is_newer_published = seen is not None and incident is not None and incident.gathered_at != seen.gathered_at
            if incident is None or incident.closed_at is not None or not incident.memory.state or is_newer_published:
                return  # the first look is still to come and shows it, or one came meanwhile and did
            known = report if incident.memory.degraded is None else None
            self.publish(tx, incident, known, case=None, prompt_slot=_acted_in(incident.memory))

    def publish(self, tx: Tx, incident: Incident, report: Report | None, *, case: Case | None, prompt_slot: str = "") -> Incident:
        """Remember and show one state of an incident, in the caller's transaction; what it is after that.

        `case`: the new evidence that `report` was made from, which says what is new; None when nothing was looked at.
        `prompt_slot`: the message whose edit somebody waits for.
        """
        now = self._store.now()
        alerts = alert_table.newest_of(tx, incident.id)
        memory, update = life.remember(
            incident.memory, report if case is not None else None, self._pods(alerts), state=incident.state, severity=incident.severity,
            now=from_epoch(now),
        )  # fmt: skip
        if report is not None:
            report = replace(report, checklist=with_ticks(report.checklist, people.ticks_of(memory), now=report.facts.now))
            if report.facts.workload is not None:
                owner = self._router.asked_of(report.facts.workload.labels, report.facts.workload.annotations)
                memory = replace(memory, owner=owner) if owner.labels or owner.annotations else memory
        document = report_document(report) if report is not None else incident.report
        incidents.save_diagnosis(tx, incident, subject=incident.subject, memory=memory, report=document, case=case)
        incident = replace(incident, memory=memory, report=document)
        if update.is_new_kill:
            prompt_slot = ROOT
        self._show(tx, incident, alerts, report, update, prompt_slot=prompt_slot, now=now)
        return incident

    def _show(
        self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], report: Report | None, update: Update, *, prompt_slot: str, now: float
    ) -> None:
        if incident.severity == "info" and not conversations.of_incident(tx, incident.id):
            return  # the page shows it
        previous = incidents.load(tx, incident.previous_id) if incident.previous_id else None
        known = (*conversations.of_incident(tx, incident.id), *conversations.digests_of(tx, incident.id))
        notified = {(c.sink, c.channel) for c in known}
        for place in self._places(tx, incident, alerts, now=now):
            is_notified = (place.sink, place.channel) in notified
            if not is_notified and incident.state != FIRING and (notified or not update.is_first_look):
                continue  # over before anybody was notified there
            if not is_notified and "held_until" in place.options:
                if incident.state == FIRING:
                    jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=place.options["held_until"])
                continue
            is_threaded = place.sink in self._config.threaded_sinks
            conversation = storm.place(
                tx, incident, place, self._config.storm, now=now, can_digest=is_threaded, news_at=_news_at(incident, alerts)
            )
            if conversation is None:
                continue
            view = view_of(
                incident, self._fit_to_show(alerts), now=from_epoch(now), conversation=conversation, public_url=self._config.public_url,
                previous=previous, has_buttons=self._config.has_buttons,
                looks_at=looks_ahead(incident, now=now) if report is not None else (),
                silence_url=self._silence_url(incident, alerts), can_silence=self._config.can_silence,
            )  # fmt: skip
            if is_threaded:
                self._show_thread(tx, conversation, view, report, update, place=place, prompt_slot=prompt_slot, now=now)
            elif place.sink in self._config.document_sinks:
                self._show_event(tx, conversation, view, incident.report, now=now)
            else:
                self._show_single(tx, conversation, view, report, now=now)

    def _places(self, tx: Tx, incident: Incident, alerts: tuple[Alert, ...], *, now: float) -> list[Destination]:
        """Where an incident is shown now: where its routes lead, and wherever it stands already, which must stay true."""
        places = list(self._router.places(alerts, incident.subject.namespace, now=from_epoch(now), owner=incident.memory.owner))
        reached = {(p.sink, p.channel) for p in places}
        for known in conversations.of_incident(tx, incident.id):
            if known.sink in self._router.sinks and (known.sink, known.channel) not in reached:
                places.append(Destination(sink=known.sink, channel=known.channel))
        return places

    def _show_thread(
        self, tx: Tx, conversation: Conversation, view: IncidentView, report: Report | None, update: Update, *, place: Destination,
        prompt_slot: str, now: float,
    ) -> None:  # fmt: skip
        is_first = not outbox.has_slot(tx, conversation.id, ROOT)
        if conversation.root_ts is None:  # the post will call whom the incident calls for by then; edits call nobody
            view = replace(view, mention=place.mention or conversation.mention)
        for message in self._messages(view, report):
            outbox.desire(tx, conversation.id, message, now=now, is_prompt=message.slot == prompt_slot)
        if view.state != FIRING and not is_first and outbox.is_settled(tx, conversation.id, "root"):
            ended = self._rendering.later(replace(view, mention=""), report)  # the root cannot be edited any more, and would fire for ever
            outbox.desire(tx, conversation.id, replace(ended, slot="resolved", is_reply=True), now=now)
        news = update.news
        if news is None or is_first or (news.calls and (conversation.mention or not place.mention)):
            return
        # An edit is silent, and the phone only ever showed the first text: this must be noticed, once.
        later = self._rendering.later(replace(view, mention=place.mention, news=news.why, is_new_verdict=news.is_verdict), report)
        is_broadcast = news.is_broadcast and view.state == FIRING and not place.options.get("is_quiet")
        outbox.desire(tx, conversation.id, replace(later, slot=news.slot, is_reply=True, is_broadcast=is_broadcast), now=now)

    def _messages(self, view: IncidentView, report: Report | None) -> tuple[Message, ...]:
        """Root and replies, the root with its chart where there is history enough for one."""
        chart = chart_of(report, view) if report is not None and self._config.has_charts else None
        if chart is None:
            return self._rendering.incident(view, report)
        root, *replies = self._rendering.incident(view, report, chart=image({"slack_file": {"id": PICTURE}}, chart.alt_text))
        return (replace(root, chart_svg=chart.svg_dark), *replies)

    def _show_single(self, tx: Tx, conversation: Conversation, view: IncidentView, report: Report | None, *, now: float) -> None:
        """A sink that cannot edit: the whole once, then a short message for each later state."""
        sent = conversation.memory.states
        state = f"{view.state}:{report.cause.name.value if report else 'none'}"
        if not sent:
            outbox.desire(tx, conversation.id, self._rendering.single(view, report), now=now)
        elif sent[-1] != state:
            later = self._rendering.later(view, report)
            outbox.desire(tx, conversation.id, replace(later, slot=f"later:{len(sent)}", is_reply=False), now=now)
        else:
            return
        conversations.save_memory(tx, conversation.id, replace(conversation.memory, states=(*sent, state)))

    def _show_event(
        self, tx: Tx, conversation: Conversation, view: IncidentView, document: Mapping[str, Any] | None, *, now: float
    ) -> None:
        """A sink for programs: the document again whenever something of weight changed."""
        memory = conversation.memory
        state = events.event_state(view, document)
        event = events.next_event(state, memory.last_event)
        if event is None:
            return
        outbox.desire(tx, conversation.id, events.event_message(view, document, event, number=memory.event_count), now=now)
        conversations.save_memory(tx, conversation.id, replace(memory, event_count=memory.event_count + 1, last_event=state))

    def _fit_to_show(self, alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
        """The alerts with their secrets hidden: messages show the annotations of the one that speaks for them, so the others' go."""
        speaker = alert_of(alerts) if alerts else None
        return tuple(
            replace(a, annotations={k: self._hide(k, v) for k, v in a.annotations.items()} if a is speaker else {}) for a in alerts
        )

    def _pods(self, alerts: tuple[Alert, ...]) -> list[str]:
        subjects = (subject_of(a.labels, self._config.label_names) for a in alerts)
        return [s.pod for s in subjects if s.pod]

    def _silence_url(self, incident: Incident, alerts: tuple[Alert, ...]) -> str:
        """Where buttons can silence, a link would only be a second way."""
        if not self._config.alertmanager_public_url or (self._config.has_buttons and self._config.can_silence):
            return ""
        firing = tuple(a for a in alerts if a.status == FIRING)
        return silence_link(self._config.alertmanager_public_url, matchers_of(incident.subject, firing, self._config.label_names))


def _acted_in(memory: IncidentMemory) -> str:
    """The message in which somebody did something last: they wait to see it there."""
    return CHECKLIST if memory.log and memory.log[-1].shown == IN_CHECKLIST else ROOT


def _news_at(incident: Incident, alerts: tuple[Alert, ...]) -> float:
    """When the incident last did something that somebody must be notified of: a kill, or an alert that fires. Seconds since 1970."""
    last_kill_at = incident.memory.last_kill_at
    starts = [a.starts_at.timestamp() for a in alerts if a.status == FIRING]
    return max([last_kill_at.timestamp() if last_kill_at is not None else 0.0, *starts])
