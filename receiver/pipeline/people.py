"""What people do with an incident: acknowledge, silence, say that it is fixed or that the verdict is wrong. Pure.

Each function gives the incident's memory after it, or None when there is nothing to do: doing a thing twice is doing it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from receiver.diagnosis.advice.checklist import APPLY_FIX
from receiver.domain.incident_memory import (
    IN_CHECKLIST,
    STANDING,
    Acknowledgement,
    FixNote,
    IncidentMemory,
    Refusal,
    Silence,
    WrongVerdict,
)
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Tick
from receiver.pipeline import fixes

MAX_CLICKS = 50
MAX_NAME = 40


def name_of(text: object) -> str:
    """A person's name as others will read it: one short printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text or "")).split())[:MAX_NAME].strip()


def acknowledge(memory: IncidentMemory, *, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody owns it. The first one counts."""
    if memory.acknowledged is not None:
        return None
    after = replace(memory, acknowledged=Acknowledgement(by=by, at=at))
    return after.noted(at, reason("incident.log.acknowledged", by=by), shown=STANDING)


def note_fix(memory: IncidentMemory, *, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody says that it is fixed: when, and the settings of that moment. Once, until it is killed again."""
    if memory.standing_fix is not None:
        return None
    after = fixes.said(replace(memory, fix=FixNote(by=by, at=at, settings=memory.settings)), at=at)
    return after.noted(at, reason("incident.log.fix_applied", by=by), shown=STANDING)


def take_back_fix(memory: IncidentMemory, *, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody says that it is not fixed after all."""
    if memory.standing_fix is None:
        return None
    return fixes.taken_back(replace(memory, fix=None)).noted(at, reason("incident.log.fix_taken_back", by=by))


def ticks_of(memory: IncidentMemory) -> Mapping[str, Tick]:
    """What people say is done, by the checklist's item."""
    fix = memory.standing_fix
    return {**memory.ticks, **({APPLY_FIX: Tick(by=fix.by, at=fix.at)} if fix is not None else {})}


def tick(memory: IncidentMemory, *, item: str, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody did an item of the checklist. The first one counts."""
    if item in memory.ticks:
        return None
    after = replace(memory, ticks={**memory.ticks, item: Tick(by=by, at=at)})
    return after.noted(at, reason("incident.log.ticked", item=item, by=by), shown=IN_CHECKLIST)


def untick(memory: IncidentMemory, *, item: str, by: str, at: datetime) -> IncidentMemory | None:
    """It is not done after all."""
    if item not in memory.ticks:
        return None
    after = replace(memory, ticks={k: v for k, v in memory.ticks.items() if k != item})
    return after.noted(at, reason("incident.log.tick_taken_back", item=item, by=by), shown=IN_CHECKLIST)


def mark_wrong(memory: IncidentMemory, *, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody says that the verdict is wrong. Once for each verdict."""
    verdict = memory.look.verdict if memory.look is not None else None
    if memory.wrong is not None and _is_same_verdict(memory.wrong, memory):
        return None
    after = replace(memory, wrong=WrongVerdict(by=by, at=at, verdict=verdict))
    return after.noted(at, reason("incident.log.verdict_marked_wrong", by=by))


def _is_same_verdict(wrong: WrongVerdict, memory: IncidentMemory) -> bool:
    if wrong.verdict is None or memory.look is None:
        return wrong.verdict is None and memory.look is None
    return wrong.verdict.says_the_same(memory.look.verdict)


def want_silence(memory: IncidentMemory, *, by: str, at: datetime, until: datetime) -> IncidentMemory:
    """Somebody wants quiet until then. A longer wish that is still open stays the longer one."""
    known = memory.silence
    if known is None:
        return replace(memory, silence=Silence(by=by, asked_at=at, wanted_until=until))
    if not known.is_settled and known.wanted_until is not None:
        until = max(until, known.wanted_until)
    return replace(memory, silence=replace(known, wanted_until=until, by=by, asked_at=at, is_settled=False))


def want_no_silence(memory: IncidentMemory, *, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody wants Alertmanager to notify again."""
    known = memory.silence
    if known is None or not (known.lasts_at(at) or (known.wanted_until is not None and known.wanted_until > at)):
        return None
    return replace(memory, silence=replace(known, wanted_until=None, by=by, asked_at=at, is_settled=False))


def settle_silence(memory: IncidentMemory, wish: Silence, *, silence_id: str, until: datetime | None, at: datetime) -> IncidentMemory:
    """Alertmanager agrees with `wish`: it is quiet until then (None: no longer). A wish that came meanwhile stays open."""
    known = memory.silence or wish
    after = replace(memory, silence=replace(known, id=silence_id, until=until, is_settled=wish.is_same_wish(known), why_not=None))
    if until is None:
        return after.noted(at, reason("incident.log.silence_undone", by=wish.by))
    return after.noted(at, reason("incident.log.silenced", until=until, by=wish.by), shown=STANDING)


def give_up_silence(memory: IncidentMemory, wish: Silence, *, why: Reason, at: datetime) -> IncidentMemory:
    """Alertmanager would not: the wish is dropped, and the incident says so."""
    known = memory.silence
    if known is not None and wish.is_same_wish(known):
        memory = replace(memory, silence=replace(known, wanted_until=known.until, is_settled=True, why_not=why))
    if wish.wanted_until is None:
        return memory.noted(at, reason("incident.log.silence_not_undone", why=why))
    return memory.noted(at, reason("incident.log.silence_not_set", why=why))


def refuse(memory: IncidentMemory, *, what: str, by: str, at: datetime) -> IncidentMemory | None:
    """Somebody may not do that. Noted once per person and thing, so that clicking on does not push the history out."""
    refusals = with_refusal(memory.refusals, Refusal(by=by, what=what, at=at))
    return replace(memory, refusals=refusals).noted(at, refusals[-1].as_reason()) if refusals is not None else None


def with_refusal(known: Sequence[Refusal], new: Refusal) -> tuple[Refusal, ...] | None:
    """The refusals with a new one; None when that person was refused that before."""
    if any((r.by, r.what) == (new.by, new.what) for r in known):
        return None
    return (*known, new)[-MAX_CLICKS:]


def is_known_click(clicks: Sequence[str], click_id: str) -> bool:
    """Whether that very click was taken before: Slack sends again what was not answered in time."""
    return bool(click_id) and click_id in clicks


def with_click(clicks: Sequence[str], click_id: str) -> tuple[str, ...]:
    """The click is taken."""
    return (*clicks, *([click_id] if click_id else ()))[-MAX_CLICKS:]
