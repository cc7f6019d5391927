"""An incident as a line of the list: for people in words, for programs as plain JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.domain.case import subject_to_json
from receiver.domain.identity import Subject
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory
from receiver.domain.reason import reason
from receiver.domain.units import format_time
from receiver.render.inline import when
from receiver.render.page.build import states_of, title_of
from receiver.render.page.history import how_it_ended
from receiver.render.text import clean_line
from receiver.render.wording import say
from receiver.render.wording.forms import upper_first

NAME_MAX, WORDS_MAX = 120, 160
SURE = 0.9  # how a cause is named where no incident is meant

_STAGES = {
    "firing": reason("page.stage.firing"),
    "not_fixed": reason("page.stage.not_fixed"),
    "acknowledged": reason("page.stage.acknowledged"),
    "silenced": reason("page.stage.silenced"),
    "fix_watched": reason("page.stage.fix_watched"),
    "closed": reason("page.stage.closed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKnown:
    """What is known of one line. `stage`: what its incident needs; `kills`: by hour of the last day, the running one last."""

    view: IncidentView
    memory: IncidentMemory
    stage: str
    last_seen: datetime
    now: datetime
    kills: tuple[int, ...] = ()
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time, and how it is said."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One line. `notes`: what else its state is. `hours`: kills by hour, empty when none of the last day is known."""

    id: str
    title: str
    place: str
    severity: str
    verdict: str
    is_judged: bool
    kills: int
    hours: tuple[int, ...]
    hours_words: str
    since: Moment
    last_kill: Moment | None
    stage: str
    state: str
    notes: tuple[str, ...]
    owner: str


def stage_words(stage: str) -> str:
    """What a stage is called."""
    return upper_first(say(_STAGES[stage]))


def cause_words(cause: str) -> str:
    """What a cause is called where many are offered."""
    return upper_first(say(GivenVerdict(cause=cause, confidence=SURE).as_reason()))


def row_of(known: ListKnown) -> ListRow:
    """One line of the page."""
    view, memory, now = known.view, known.memory, known.now
    verdict = memory.look.verdict if memory.look is not None else None
    state, *notes = _states(known)
    return ListRow(
        id=view.id, title=title_of(view.subject), place=_place(view.subject), severity=clean_line(view.severity, 20),
        verdict=upper_first(say(verdict.named.as_reason() if verdict is not None else reason("page.list.not_judged"))),
        is_judged=verdict is not None, kills=memory.shown_kill_count, hours=known.kills if any(known.kills) else (),
        hours_words=say(reason("page.list.kills_by_hour", count=sum(known.kills), most=max(known.kills, default=0))),
        since=_moment(view.opened_at, now), last_kill=_moment(memory.last_kill_at, now) if memory.last_kill_at is not None else None,
        stage=known.stage, state=state, notes=tuple(notes), owner=_owner(memory),
    )  # fmt: skip


def document_of(known: ListKnown) -> dict[str, Any]:
    """The same as JSON. Texts are as they came, not shortened; times RFC 3339 in UTC."""
    view, memory = known.view, known.memory
    verdict = memory.look.verdict if memory.look is not None else None
    return {
        "id": view.id, "state": known.stage, "severity": view.severity, "subject": subject_to_json(view.subject),
        "verdict": {"cause": verdict.named_cause, "confidence": verdict.confidence, "text": say(verdict.named.as_reason())} if verdict else None,
        "kills": memory.shown_kill_count, "kills_by_hour": list(known.kills),
        "first_kill_at": _time(memory.first_kill_at), "last_kill_at": _time(memory.last_kill_at), "opened_at": format_time(view.opened_at),
        "last_seen": format_time(known.last_seen), "closed_at": _time(known.closed_at),
        "acknowledged_by": memory.acknowledged.by if memory.acknowledged is not None else None, "silenced_until": _time(view.silenced_until),
        "states": list(_states(known)), "owner": dict(_owned_by(memory)), "pods": list(memory.pods), "path": f"/incidents/{view.id}",
    }  # fmt: skip


def _states(known: ListKnown) -> Iterator[str]:
    """The state in a few words, and what else is so."""
    others = list(states_of(known.view, known.now))
    if known.stage == "acknowledged":
        yield from others
        return
    if known.stage == "silenced":
        yield others.pop() if others else stage_words(known.stage)
    elif known.stage == "closed":
        yield stage_words(known.stage)
        yield clean_line(upper_first(say(how_it_ended(known.memory, state=known.view.state, is_closed=True))), WORDS_MAX)
        return
    else:
        yield stage_words(known.stage)
    ended = known.memory.watched.ended if known.memory.watched is not None else None
    if ended is not None:
        yield clean_line(upper_first(say(ended.because)), WORDS_MAX)
    yield from others


def _place(subject: Subject) -> str:
    kind = subject.workload.kind if subject.workload is not None else ""
    namespace = subject.namespace if subject.namespace != title_of(subject) else ""
    return " · ".join(clean_line(part, NAME_MAX) for part in (namespace, kind, subject.cluster) if part)


def _owner(memory: IncidentMemory) -> str:
    return clean_line(", ".join(value for _, value in _owned_by(memory)), NAME_MAX)


def _owned_by(memory: IncidentMemory) -> list[tuple[str, str]]:
    """By what routes ask for of the workload: labels, then annotations."""
    found: Mapping[str, str] = {**memory.owner.annotations, **memory.owner.labels}
    return sorted(found.items())


def _moment(at: datetime, now: datetime) -> Moment:
    """With the day only where it is another, and short: a phone has one line for it."""
    said = when(at, now)
    return Moment(at=at, words=f"{at.day} {at:%b %H:%M} UTC" if said.with_date else str(said))


def _time(at: datetime | None) -> str | None:
    return format_time(at) if at is not None else None
