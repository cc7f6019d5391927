"""What happened, in order: alerts, kills, looks, messages, people, silences, fixes. And what other incidents are like this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.incident import FIRING, IncidentView
from receiver.domain.incident_memory import IncidentMemory, WatchedFix
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.domain.units import from_epoch
from receiver.render.page.model import AlikeRow, Moment, ToldPlace
from receiver.render.text import clean_line
from receiver.render.wording import say
from receiver.render.wording.forms import upper_first

MOST_KILLS = 30  # the newest; a pod that dies each minute would push the rest out of sight
MOST_MOMENTS = 120

_KINDS = {
    "incident.log.acknowledged": "person", "incident.log.ticked": "person", "incident.log.tick_taken_back": "person",
    "incident.log.verdict_marked_wrong": "person", "incident.log.refused": "person", "incident.log.fix_applied": "person",
    "incident.log.fix_taken_back": "person", "incident.log.silenced": "silence", "incident.log.silence_undone": "silence",
    "incident.log.silence_not_set": "silence", "incident.log.silence_not_undone": "silence", "incident.log.verdict_changed": "verdict",
    "incident.log.fix_seen": "fix", "incident.log.fix_failed": "fix", "incident.log.fix_undone": "fix",
    "incident.log.request_wanted": "person", "incident.log.request_opened": "fix", "incident.log.request_updated": "fix",
    "incident.log.request_merged": "fix", "incident.log.request_closed": "fix", "incident.log.request_withdrawn": "fix",
    "incident.log.request_refused": "fix",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Another incident, with the rules by which it is like this one (`workload`, `signature`, `image`, `node`)."""

    id: str
    opened_at: datetime
    place: str
    is_closed: bool
    state: str
    memory: IncidentMemory
    rules: tuple[str, ...]


def timeline_of(
    view: IncidentView, memory: IncidentMemory, report: Report | None, told: Sequence[ToldPlace], gathered_at: datetime | None
) -> tuple[Moment, ...]:
    """Everything with a time, newest first; what is still to come before that."""
    found = [
        *_alerts(view, is_end_told=any(e.what.code == "incident.log.resolved" for e in memory.log)),
        *_kills(memory, report),
        *(Moment(at=e.at, kind=_KINDS.get(e.what.code, "alert"), text=_words(e.what)) for e in memory.log),
        *_follow_ups(memory),
        *_messages(told),
        *([Moment(at=gathered_at, kind="look", text=_words(reason("page.moment.looked")))] if gathered_at is not None else []),
        *(Moment(at=at, kind="look", text=_words(reason("page.moment.will_look")), is_ahead=True) for at in view.looks_at),
        *([_ahead(view.next_follow_up)] if view.next_follow_up is not None else []),
    ]
    return tuple(sorted(found, key=lambda m: m.at, reverse=True))[:MOST_MOMENTS]


def _ahead(at: datetime) -> Moment:
    return Moment(at=at, kind="fix", text=_words(reason("page.moment.will_follow_up")), is_ahead=True)


def _alerts(view: IncidentView, *, is_end_told: bool) -> Iterator[Moment]:
    for alert in view.alerts:
        yield Moment(at=alert.starts_at, kind="alert", text=_words(reason("page.moment.alert_fires", name=clean_line(alert.name, 100))))
        if alert.status != FIRING and alert.ends_at is not None and not is_end_told:
            yield Moment(at=alert.ends_at, kind="alert", text=_words(reason("page.moment.alert_ends", name=clean_line(alert.name, 100))))


def _kills(memory: IncidentMemory, report: Report | None) -> Iterator[Moment]:
    """Those whose time is known: of the memory history, the newest that the API tells, and the first."""
    times = {t.replace(microsecond=0) for t in (memory.first_kill_at, memory.last_kill_at) if t is not None}
    if report is not None and report.shape is not None:
        seen = [from_epoch(round(t)) for t in report.shape.kills]
        near = {t for t in times if any(abs((t - k).total_seconds()) < 120 for k in seen)}
        times = (times - near) | set(seen)
    yield from (Moment(at=at, kind="kill", text=_words(reason("page.moment.kill"))) for at in sorted(times)[-MOST_KILLS:])


def _follow_ups(memory: IncidentMemory) -> Iterator[Moment]:
    """What later looks said of each fix."""
    for fix in (*memory.past_fixes, *([memory.watched] if memory.watched is not None else [])):
        for found in (*fix.done, *([fix.ended] if fix.ended is not None else [])):
            yield Moment(at=found.at, kind="fix", text=_words(found.because))


def _messages(told: Sequence[ToldPlace]) -> Iterator[Moment]:
    for place in told:
        where = clean_line(place.channel or place.sink, 80)
        for message in place.messages:
            if message.sent_at is not None:
                what = reason("page.moment.message", slot=message.slot, where=where, is_storm=place.is_storm)
                yield Moment(at=message.sent_at, kind="message", text=_words(what))


def alike_of(found: Sequence[Alike]) -> tuple[AlikeRow, ...]:
    """Other incidents as the page lists them."""
    return tuple(
        AlikeRow(
            id=one.id,
            place=clean_line(one.place, 200),
            opened_at=one.opened_at,
            verdict=say(one.memory.look.verdict.named.as_reason() if one.memory.look is not None else None),
            kills=one.memory.shown_kill_count,
            ended=upper_first(say(how_it_ended(one.memory, state=one.state, is_closed=one.is_closed))),
            rules=one.rules,
            because=tuple(_rule(rule) for rule in one.rules),
        )
        for one in found
    )


def how_it_ended(memory: IncidentMemory, *, state: str, is_closed: bool) -> Reason:
    """What ended an incident, as far as anybody knows: a fix that held, or the alert alone."""
    fix = memory.watched
    if state == FIRING and not is_closed:
        return reason("page.ended.firing")
    if fix is not None and fix.ended is not None:
        return reason("page.ended.fix_failed", because=fix.ended.because)
    if fix is not None and fix.changes:
        held = fix.done[-1].because if fix.done else None
        return (
            reason("page.ended.fix_held", what=_fix_words(fix), because=held) if held else reason("page.ended.fixed", what=_fix_words(fix))
        )
    if memory.standing_fix is not None:
        return reason("page.ended.said_fixed", by=memory.standing_fix.by)
    return reason("page.ended.not_fixed")


def _fix_words(fix: WatchedFix) -> Reason:
    return fix.changes[0].as_reason() if fix.changes else reason("fix.said")


def _rule(rule: str) -> str:
    return say(_RULES[rule]) if rule in _RULES else ""


_RULES = {
    "workload": reason("page.alike.workload"),
    "signature": reason("page.alike.signature"),
    "image": reason("page.alike.image"),
    "node": reason("page.alike.node"),
}


def _words(what: Reason) -> str:
    return upper_first(clean_line(say(what), 400))
