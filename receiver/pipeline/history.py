"""What one publishing of an incident adds to its workload's history. Its caller's transaction writes it, with the rest."""

from __future__ import annotations

from datetime import datetime

from receiver.domain import drill
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.report import Report
from receiver.domain.workload_history import MOST_FIXES, NAME_MAX, PastIncident, SeenLimit, kills_by_day, workload_of
from receiver.pipeline.life import kill_times
from receiver.store import workloads
from receiver.store.database import Tx
from receiver.store.incidents import Incident


def note(tx: Tx, incident: Incident, *, before: IncidentMemory, report: Report | None, now: float) -> None:
    """Write an incident, as it is now, into its workload's history. `report`: of new evidence; None where nothing was looked at."""
    name = workload_of(incident.subject)
    if name is None or drill.is_key(incident.key):
        return
    memory = incident.memory
    fixes = (*memory.past_fixes, *([memory.watched] if memory.watched is not None else []))
    past = PastIncident(
        id=incident.id, workload=name, container=incident.subject.container[:NAME_MAX], opened_at=incident.opened_at, seen_at=now,
        state=incident.state, kills=memory.shown_kill_count, verdict=memory.look.verdict if memory.look is not None else None,
        fixes=fixes[-MOST_FIXES:],
    )  # fmt: skip
    workloads.save(tx, past)
    new_kills = memory.shown_kill_count - before.shown_kill_count
    if new_kills > 0:
        times = [at.timestamp() for at in kill_times(report)] if report is not None else []
        newest_at = _seconds(memory.last_kill_at) or now
        days = kills_by_day(new_kills, times, known_until=_seconds(before.last_kill_at), newest_at=newest_at)
        workloads.add_kills(tx, incident.id, days)
    limit = _limit_of(report, now=now) if report is not None else None
    if limit is not None:
        workloads.note_limit(tx, name.id, limit)


def _limit_of(report: Report, *, now: float) -> SeenLimit | None:
    container = report.facts.pod.container(report.subject.container) if report.facts.pod is not None else None
    if container is None:
        return None
    wanted = report.proposal.limit_bytes if report.proposal.none is None else None
    return SeenLimit(
        container=report.subject.container[:NAME_MAX], since=now, seen_at=now, limit_bytes=container.limit_bytes,
        peak_bytes=_peak(report), wanted_bytes=wanted,
    )  # fmt: skip


def _peak(report: Report) -> int | None:
    history = report.facts.history
    seen = (
        report.shape.peak_bytes if report.shape is not None else None,
        history.peak_bytes_long if history is not None else None,
        report.facts.usage_bytes,
    )
    return max((int(n) for n in seen if n), default=None)


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
