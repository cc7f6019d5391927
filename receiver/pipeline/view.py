"""An incident as messages show it: its row, its alerts and its memory put together. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from receiver.domain.alerts import FIRING, Alert
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import IN_CHECKLIST, Acknowledgement, FixNote
from receiver.domain.reason import Reason, reason
from receiver.domain.units import from_epoch
from receiver.pipeline import fixes
from receiver.store.incidents import Incident


def view_of(
    incident: Incident,
    alerts: tuple[Alert, ...],
    *,
    now: datetime,
    public_url: str = "",
    previous: Incident | None = None,
    has_buttons: bool = False,
    looks_at: Sequence[float] = (),
    silence_url: str = "",
    can_silence: bool = False,
    has_repository: bool = False,
    follow_ups_s: Sequence[float] = (),
) -> IncidentView:
    """The incident as messages show it at `now`. `looks_at`: when it will be looked at again, seconds since 1970."""
    memory = incident.memory
    due = fixes.next_due(memory.watched, follow_ups_s) if memory.watched is not None else None
    is_firing = any(a.status == FIRING for a in alerts)
    return IncidentView(
        id=incident.id,
        state=incident.state,
        subject=incident.subject,
        severity=incident.severity,
        opened_at=from_epoch(incident.opened_at),
        alerts=alerts,
        resolved_at=from_epoch(incident.resolved_at) if incident.resolved_at is not None and not is_firing else None,
        kill_count=memory.kill_count,
        processes_killed=memory.look.processes_killed if memory.look is not None else None,
        first_kill_at=memory.first_kill_at,
        last_kill_at=memory.last_kill_at,
        pods=memory.pods,
        log=tuple(entry for entry in memory.log if entry.shown != IN_CHECKLIST),
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        causes_url=f"{public_url}/causes" if public_url else "",
        previous_id=previous.id if previous else "",
        previous_opened_at=from_epoch(previous.opened_at) if previous else None,
        notes=tuple(note for note in (memory.degraded, _seen_late(incident, alerts)) if note is not None),
        has_buttons=has_buttons,
        settings_change=memory.settings_change,
        fix=memory.watched,
        next_follow_up=due[1] if due is not None else None,
        last_follow_up_s=max(follow_ups_s, default=0.0),
        looks_at=tuple(from_epoch(at) for at in looks_at),
        acknowledged=_acknowledged(memory.acknowledged),
        fix_noted=_fix_applied(memory.standing_fix),
        silenced_until=memory.silence.until if memory.silence is not None and memory.silence.lasts_at(now) else None,
        silence_url=silence_url,
        can_silence=can_silence,
        can_request=has_repository and _has_proposal(incident) and (memory.request is None or not memory.request.is_standing),
        request=memory.request,
    )


def _has_proposal(incident: Incident) -> bool:
    """Whether the newest report proposes a limit."""
    proposal = (incident.report or {}).get("proposal")
    return isinstance(proposal, Mapping) and bool(proposal.get("memory_limit"))


def _seen_late(incident: Incident, alerts: tuple[Alert, ...]) -> Reason | None:
    """Why nobody was told earlier; of an incident that was told before, its history says so."""
    late = next((a.late for a in alerts if a.late is not None), None)
    if late is None or incident.opened_at < late.until.timestamp():
        return None
    return reason("incident.note.seen_late", since=late.since, until=late.until, whose=late.whose)


def _acknowledged(said: Acknowledgement | None) -> Reason | None:
    return reason("incident.log.acknowledged", by=said.by) if said is not None else None


def _fix_applied(said: FixNote | None) -> Reason | None:
    return reason("incident.log.fix_applied", by=said.by) if said is not None else None
