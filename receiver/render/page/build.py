"""Puts the page of an incident together from what is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.diagnosis.causes.leaves import leaf_of
from receiver.domain.identity import Subject
from receiver.domain.incident import IncidentView, Message
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.render.chart import chart_of
from receiver.render.inline import when
from receiver.render.page.evidence import evidence_of, revisions_of
from receiver.render.page.findings import change_of, checklist_of, log_of
from receiver.render.page.history import Alike, alike_of, timeline_of
from receiver.render.page.model import Answer, ChartPart, IncidentPage, SourceRow, ToldPlace
from receiver.render.page.parts import buttons_of, header_of, parts_of
from receiver.render.page.stored import Stored
from receiver.render.page.tree import tree_of
from receiver.render.text import clean_line, sentence
from receiver.render.wording import say
from receiver.render.wording.forms import upper_first

UNDO_SILENCE = "unsilence"  # in a message's menu it costs no room; here it stands where somebody asked for a silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one incident. `document`: its report as stored; `report`: of the stored case, judged again, `why_not`: why
    there is none. `messages`: what its thread holds, root first. `can_act`: whoever looks may press buttons.
    """

    view: IncidentView
    memory: IncidentMemory
    now: datetime
    messages: Sequence[Message] = ()
    document: Mapping[str, Any] | None = None
    report: Report | None = None
    sources: tuple[SourceRow, ...] = ()
    why_not: Reason | None = None
    told: tuple[ToldPlace, ...] = ()
    alike: tuple[Alike, ...] = ()
    gathered_at: datetime | None = None
    runbooks: tuple[str, ...] = ()
    known_causes: frozenset[str] = field(default_factory=frozenset)  # of which there is a page
    has_case: bool = False
    is_closed: bool = False
    is_drill: bool = False
    can_act: bool = False


def page_of(known: Known) -> IncidentPage:
    """The page, as much of it as there is."""
    view, memory, report = known.view, known.memory, known.report
    stored = Stored(known.document or {})
    bodies = {m.slot: m.blocks for m in known.messages}
    root = bodies.get("root", ())
    subject = report.subject if report is not None else view.subject
    cause = leaf_of(stored.at("cause").text("name")).name.value
    can_act = known.can_act and not known.is_closed
    return IncidentPage(
        id=view.id,
        title=title_of(subject),
        place=place_of(subject),
        state=view.state,
        severity=clean_line(view.severity, 40),
        opened_at=view.opened_at,
        gathered_at=known.gathered_at,
        kill=stored.at("kill").text("kind"),
        cause=stored.at("cause").text("name"),
        confidence=stored.at("cause").number("confidence"),
        kills=memory.shown_kill_count,
        answer=Answer(
            header=header_of(root), parts=tuple(p for p in parts_of(root) if p.kind != "header"),
            buttons=tuple(b for b in buttons_of(root) if b.press != UNDO_SILENCE or memory.silence is not None) if can_act else (),
        ),
        states=tuple(states_of(view, known.now)),
        note=sentence(say(known.why_not)),
        chart=_chart(report, view),
        tree=tree_of(stored, report),
        checklist=checklist_of(stored, can_act=can_act),
        change=change_of(stored, parts_of(bodies.get("patch", ()))),
        evidence=evidence_of(stored, report, known.sources),
        log=log_of(stored, report),
        revisions=revisions_of(report, memory.first_kill_at) if report is not None else (),
        timeline=timeline_of(view, memory, report, known.told, known.gathered_at),
        alike=alike_of(known.alike),
        told=known.told,
        previous_id=view.previous_id,
        cause_page=cause if known.document is not None and cause in known.known_causes else "",
        runbooks=known.runbooks,
        has_case=known.has_case,
        is_drill=known.is_drill,
    )  # fmt: skip


def title_of(subject: Subject) -> str:
    """What died, as a page names it: `orders-api`, `orders-api/sidecar`."""
    name = (subject.workload.name if subject.workload else "") or subject.pod or subject.node or subject.namespace
    rest = f"/{subject.container}" if subject.container and subject.container != name else ""
    return clean_line(f"{name}{rest}", 200)


def place_of(subject: Subject) -> str:
    """`shop/orders-api · Deployment · lab`."""
    kind = subject.workload.kind if subject.workload else ""
    name = (
        "/".join(part for part in (subject.namespace, title_of(subject)) if part)
        if subject.namespace != title_of(subject)
        else subject.namespace
    )
    return clean_line(" · ".join(p for p in (name, kind, subject.cluster) if p), 200)


def states_of(view: IncidentView, now: datetime) -> Iterator[str]:
    """What people and fixes have made of it, a few words each."""
    found = (view.acknowledged, view.fix_noted, view.settings_change)
    yield from (upper_first(clean_line(say(what), 100)) for what in found if what is not None)
    if view.request is not None:
        yield upper_first(clean_line(say(reason("request.state", number=view.request.number, state=view.request.state)), 100))
    if view.silenced_until is not None and view.silenced_until > now:
        yield upper_first(say(reason("page.state.silenced", until=str(when(view.silenced_until, now)))))


def _chart(report: Report | None, view: IncidentView) -> ChartPart | None:
    chart = chart_of(report, view) if report is not None else None
    return ChartPart(svg=chart.svg_page, svg_phone=chart.svg_phone, alt=chart.alt_text, spots=chart.spots) if chart is not None else None
