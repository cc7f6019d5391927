"""Reads from the store what the page of an incident shows. Nothing here asks the cluster anything."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from receiver.domain import drill
from receiver.domain.case import Case
from receiver.domain.incident import IncidentView, Message
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.domain.units import from_epoch
from receiver.errors import ComputedTooLong
from receiver.pipeline.publish import Publisher
from receiver.render.page.build import Known, page_of
from receiver.render.page.evidence import sources_of
from receiver.render.page.history import Alike
from receiver.render.page.model import IncidentPage, SourceRow, ToldMessage, ToldPlace
from receiver.render.page.parts import parts_of, parts_of_text
from receiver.render.renderer import BELOW, Renderer
from receiver.render.text import clean_line
from receiver.store import alerts, alike, conversations, incidents, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.outbox import Shown
from receiver.store.quarantine import UNREADABLE
from receiver.store.store import Store
from receiver.web.documents import Documents

MOST_KEPT = 8  # reports that are kept from one request to the next: judging takes 10-60 ms, a report some 100 kB
_ROOT, _PATCH = "root", "patch"


# Where people open a message, by its sink, channel, ts, and the ts of its thread's root; empty for nowhere.
LinkOf: TypeAlias = Callable[[str, str, str, "str | None"], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What the stored case says. `why_not`: why there is no report."""

    report: Report | None = None
    sources: tuple[SourceRow, ...] = ()
    why_not: Reason | None = None


@dataclass(slots=True)
class _Read:
    """What one transaction found."""

    incident: Incident
    view: IncidentView
    case: Case | None
    looked: _Looked | None  # what was made of this case before
    told: list[tuple[Conversation, bool, list[Shown]]] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    alert_names: tuple[str, ...] = ()
    has_case: bool = False


class IncidentPages:
    """Pages of incidents. Safe to call from any thread."""

    def __init__(
        self, *, store: Store, publisher: Publisher, renderer: Renderer, runbooks: Documents, causes: Documents, link_of: LinkOf
    ) -> None:  # fmt: skip
        self._store, self._publisher, self._renderer = store, publisher, renderer
        self._runbooks, self._causes, self._link_of = runbooks, causes, link_of
        self._kept: OrderedDict[tuple[str, int], _Looked] = OrderedDict()
        self._lock = threading.Lock()

    def page(self, incident_id: str, *, can_act: bool) -> IncidentPage | None:
        """The page of an incident; None when there is none. `can_act`: whoever looks may press buttons."""
        read = self._read(incident_id)
        if read is None:
            return None
        incident = read.incident
        looked = self._looked(read)
        report = self._publisher.as_shown(looked.report, incident.memory) if looked.report is not None else None
        view = replace(read.view, page_url="", silence_url="", has_buttons=can_act)
        if incident.report is None and looked.why_not is not None and not view.notes:
            view = replace(view, notes=(looked.why_not,))
        return page_of(
            Known(
                view=view, memory=incident.memory, now=from_epoch(self._store.now()), messages=self._messages(read, view, report),
                document=incident.report, report=report, sources=looked.sources,
                why_not=looked.why_not if incident.report is not None else None, told=tuple(self._told(read)), alike=tuple(read.alike),
                gathered_at=from_epoch(incident.gathered_at) if incident.gathered_at is not None else None,
                runbooks=tuple(name for name in read.alert_names if self._runbooks.text(name) is not None),
                known_causes=frozenset(self._causes.names()), has_case=read.has_case, is_closed=incident.closed_at is not None,
                is_drill=drill.is_key(incident.key), can_act=can_act,
            )
        )  # fmt: skip

    def _read(self, incident_id: str) -> _Read | None:
        with self._store.read() as tx:
            incident = incidents.load(tx, incident_id)
            if incident is None:
                return None
            looked = self._known(incident)
            return _Read(
                incident=incident,
                looked=looked,
                view=self._publisher.view(tx, incident, has_report=incident.report is not None),
                case=incidents.evidence_of(tx, incident_id) if looked is None else None,
                told=[*_places(tx, incident_id)],
                alike=[_alike(like) for like in alike.like(tx, incident_id)],
                alert_names=tuple(sorted({alert.name for alert in alerts.newest_of(tx, incident_id)})),
                has_case=incidents.has_case(tx, incident_id),
            )

    def _looked(self, read: _Read) -> _Looked:
        """What the case says: judged once for each revision of the incident."""
        if read.looked is not None:
            return read.looked
        looked = self._judged(read.case, read.incident)
        with self._lock:
            self._kept[read.incident.id, read.incident.revision] = looked
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return looked

    def _known(self, incident: Incident) -> _Looked | None:
        key = (incident.id, incident.revision)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _judged(self, case: Case | None, incident: Incident) -> _Looked:
        if case is None and incident.report is not None:
            return _Looked(why_not=reason("page.note.evidence_gone"))
        if case is None:
            return _Looked(why_not=reason("page.note.no_evidence") if incident.memory.state else reason("page.note.not_looked_at"))
        try:
            return _Looked(report=self._publisher.judged(case, incident.memory), sources=sources_of(case))
        except (ComputedTooLong, *UNREADABLE) as exc:  # a case of an older release, or a damaged one: the stored report is shown
            return _Looked(why_not=reason("page.note.not_judged_again", error=clean_line(f"{type(exc).__name__}: {exc}", 200)))

    def _messages(self, read: _Read, view: IncidentView, report: Report | None) -> Sequence[Message]:
        """The root and its replies as they are now; of an incident without evidence any more, as they were told."""
        told = next((shown for _, is_storm, shown in read.told if not is_storm and any(s.slot == _ROOT for s in shown)), [])
        is_test = drill.is_key(read.incident.key)
        if told and (is_test or (report is None and read.incident.report is not None)):
            return [Message(slot=s.slot, text="", blocks=tuple(s.body["blocks"])) for s in told if s.slot in (_ROOT, _PATCH)]
        return self._renderer.incident(view, report, patch_place=BELOW)

    def _told(self, read: _Read) -> Iterator[ToldPlace]:
        for conversation, is_storm, shown in read.told:
            yield ToldPlace(
                sink=clean_line(conversation.sink, 40), channel=clean_line(conversation.channel, 80), is_storm=is_storm,
                messages=tuple(self._told_message(conversation, message) for message in shown),
            )  # fmt: skip

    def _told_message(self, conversation: Conversation, message: Shown) -> ToldMessage:
        return ToldMessage(
            slot=clean_line(message.slot, 60),
            state=_state(message),
            parts=parts_of(message.body["blocks"]) or parts_of_text(message.words),
            sent_at=from_epoch(message.sent_at) if message.sent_at is not None else None,
            error=clean_line(message.error, 300),
            link=self._link_of(conversation.sink, conversation.channel, message.ts, conversation.root_ts) if message.ts else "",
        )


def _places(tx: Tx, incident_id: str) -> Iterator[tuple[Conversation, bool, list[Shown]]]:
    """Where it is told: in conversations of its own, and in storms', of which only the root is about all."""
    for conversation in conversations.of_incident(tx, incident_id):
        yield conversation, False, outbox.shown(tx, conversation.id)
    for conversation in conversations.digests_of(tx, incident_id):
        yield conversation, True, outbox.shown(tx, conversation.id, slot=_ROOT)


def _alike(like: alike.Like) -> Alike:
    one = like.incident
    subject = one.subject
    name = subject.workload.name if subject.workload else subject.pod or subject.node
    return Alike(
        id=one.id, opened_at=from_epoch(one.opened_at), place="/".join(part for part in (subject.namespace, name) if part),
        is_closed=one.closed_at is not None, state=one.state, memory=one.memory, rules=like.rules,
    )  # fmt: skip


def _state(message: Shown) -> str:
    """How far it is known to have arrived: `sent`, `waiting`, `doubtful`, `dead` or `settled`."""
    if message.state in ("dead", "settled"):
        return message.state
    if message.state == "sending":
        return "doubtful"
    return "sent" if message.is_newest_sent else "waiting"
