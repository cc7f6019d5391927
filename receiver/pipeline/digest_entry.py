"""An incident as a line of a storm's digest. Pure."""

from __future__ import annotations

from datetime import datetime

from receiver.domain.incident import FIRING, DigestEntry
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, KillKind
from receiver.domain.units import from_epoch
from receiver.pipeline.routing import CRITICAL
from receiver.store.incidents import Incident


def entry_of(incident: Incident, *, now: datetime, public_url: str = "", has_own_root: bool = False) -> DigestEntry:
    """An incident as a line of a digest."""
    memory, look = incident.memory, incident.memory.look
    silence, owner = memory.silence, memory.acknowledged
    first_at = memory.first_kill_at or from_epoch(incident.first_seen)
    span_h = max((now - first_at).total_seconds() / 3600, 0.1)
    return DigestEntry(
        incident_id=incident.id,
        subject=incident.subject,
        cause=look.verdict.named_cause if look is not None else CauseName.UNKNOWN.value,
        summary=_summary(memory),
        kill_count=memory.kill_count,
        is_never_up=look is not None and look.is_never_up,
        is_all_replicas=look is not None and look.is_every_replica_killed,
        kills_per_h=memory.kill_count / span_h,
        is_critical=incident.severity == CRITICAL,
        is_quiet=incident.state != FIRING,
        node=look.node if look is not None else "",
        image=memory.settings.image,
        has_own_root=has_own_root,
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        is_acknowledged=owner is not None,
        acknowledged_by=owner.by if owner is not None else "",
        silenced_until=silence.until if silence is not None and silence.lasts_at(now) else None,
        silenced_by=silence.by if silence is not None else "",
        not_silenced=silence.why_not if silence is not None else None,
    )


def _summary(memory: IncidentMemory) -> Reason:
    look, kills = memory.look, memory.kill_count
    verdict = (look.verdict if look is not None else GivenVerdict(cause=CauseName.UNKNOWN.value, confidence=0.0)).as_reason()
    if look is not None and look.kill_kind == KillKind.CHILD_PROCESS_OOM:
        return reason("storm.workers_killed", kills=memory.shown_kill_count)
    return reason("storm.kills", kills=kills, verdict=verdict) if kills else verdict
