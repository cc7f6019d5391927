"""The life of a change that is proposed in Git, as an incident remembers it. Pure; what talks to the forge is change_requests.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.domain.change_request import CLOSED, FIX, MERGED, OPEN, REFUSED, TRIM, WANTED, ChangeRequest
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.pipeline import fixes

MOST_REQUESTS = 6
BRANCH = "oomtriage/{incident}"
_SUFFIX = {FIX: "", TRIM: "-trim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A comment that is due below a request: what it says, and its mark."""

    mark: str
    what: Reason


def branch_of(incident_id: str, purpose: str) -> str:
    """The branch of an incident's request: the same after every crash, so that what was made is found again."""
    return BRANCH.format(incident=incident_id) + _SUFFIX[purpose]


def want(memory: IncidentMemory, incident_id: str, *, by: str, at: datetime, purpose: str = FIX) -> IncidentMemory | None:
    """Somebody wants a request opened. One that is open stays the one."""
    newest = memory.request
    if newest is not None and newest.is_standing:
        return None
    asked = ChangeRequest(purpose=purpose, by=by, asked_at=at, branch=branch_of(incident_id, purpose))
    after = replace(memory, requests=(*memory.requests, asked)[-MOST_REQUESTS:])
    return after.noted(at, reason("incident.log.request_wanted", by=by))


def opened(memory: IncidentMemory, found: ChangeRequest, *, at: datetime) -> IncidentMemory:
    """It stands at the forge. Told once; what it says later is an update."""
    before = memory.request
    memory = with_newest(memory, replace(found, state=OPEN, opened_at=found.opened_at or at, why=None))
    if before is not None and before.state == OPEN:
        return memory.noted(at, reason("incident.log.request_updated", number=found.number, limit_bytes=found.limit_bytes))
    return memory.noted(at, reason("incident.log.request_opened", number=found.number, purpose=found.purpose))


def merged(memory: IncidentMemory, *, at: datetime, now: datetime) -> IncidentMemory:
    """Somebody merged it; the rollout that follows is seen as every fix is."""
    newest = _newest(memory)
    memory = with_newest(memory, replace(newest, state=MERGED, ended_at=at))
    return memory.noted(now, reason("incident.log.request_merged", number=newest.number))


def closed(memory: IncidentMemory, *, why: Reason | None, at: datetime) -> IncidentMemory:
    """It was closed unmerged: by us with a reason, or by somebody."""
    newest = _newest(memory)
    memory = with_newest(memory, replace(newest, state=CLOSED, ended_at=at, why=why))
    if why is None:
        return memory.noted(at, reason("incident.log.request_closed", number=newest.number))
    return memory.noted(at, reason("incident.log.request_withdrawn", number=newest.number, why=why))


def refused(memory: IncidentMemory, *, why: Reason, at: datetime) -> IncidentMemory:
    """It could not be opened, or not be brought up to date."""
    memory = with_newest(memory, replace(_newest(memory), state=REFUSED, ended_at=at, why=why))
    return memory.noted(at, reason("incident.log.request_refused", why=why))


def said(memory: IncidentMemory, mark: str) -> IncidentMemory:
    """A comment stands below it."""
    newest = _newest(memory)
    return memory if mark in newest.said else with_newest(memory, replace(newest, said=(*newest.said, mark)))


def contradicted(memory: IncidentMemory, request: ChangeRequest) -> Reason | None:
    """Why an open request is not right any more: the verdict is another one, or the limit was set without it; None while it is."""
    verdict = memory.look.verdict if memory.look is not None else None
    in_force = memory.settings.limit_bytes
    if in_force is not None and request.limit_before_bytes is not None and in_force != request.limit_before_bytes:
        return reason("request.limit_set", limit_bytes=in_force, before_bytes=request.limit_before_bytes)
    if request.purpose == FIX and verdict is not None and request.cause and verdict.named_cause not in (request.cause, "unknown"):
        return reason("request.other_verdict", verdict=verdict.as_reason())
    return None


def due_comments(memory: IncidentMemory, incident_id: str, request: ChangeRequest) -> Iterator[Said]:
    """What came of the fix since this request was asked for and is not said below it yet, oldest first."""
    for fix in (*memory.past_fixes, *([memory.watched] if memory.watched is not None else [])):
        if fix.since < request.asked_at:
            continue
        found = [*fix.done, *([fix.ended] if fix.ended is not None else [])]
        for result in found:
            label = "ended" if result is fix.ended else fixes.label(result.after_s)
            mark = f"oomtriage {incident_id} fix {fix.number} {label}"
            if mark not in request.said:
                yield Said(mark=mark, what=reason("request.result", outcome=result.outcome, because=result.because))


def with_newest(memory: IncidentMemory, request: ChangeRequest) -> IncidentMemory:
    """With its newest request as it is now."""
    return replace(memory, requests=(*memory.requests[:-1], request))


def is_asked_for_still(memory: IncidentMemory, request: ChangeRequest) -> bool:
    """Whether nobody has asked for another one since."""
    newest = memory.request
    return newest is not None and (newest.asked_at, newest.purpose) == (request.asked_at, request.purpose)


def is_wanted(memory: IncidentMemory) -> bool:
    """Whether the newest one is still to be opened."""
    return memory.request is not None and memory.request.state == WANTED


def _newest(memory: IncidentMemory) -> ChangeRequest:
    assert memory.request is not None
    return memory.request
