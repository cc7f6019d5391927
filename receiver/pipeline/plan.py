"""When an incident is looked at again: for evidence that came late, and when there is more history to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from receiver.domain.case import Case
from receiver.domain.incident_memory import IncidentMemory
from receiver.pipeline import fixes
from receiver.pipeline.kinds import COLLECT, FOLLOW_UP
from receiver.store import incidents, jobs
from receiver.store.database import Tx
from receiver.store.incidents import Incident

LATE_EVIDENCE_DELAY_S = 45.0  # when something timed out: the first post went without it, the edit brings it
LATE_EVIDENCE_TRIES = 3
LOOK_AGAIN_S = (1800.0, 7200.0)  # 95 % right when answered at the first alert, 96 % and 97 % at these (docs/diagnosis.md)


def plan_next_look(tx: Tx, incident: Incident, case: Case, *, now: float) -> None:
    """Look again for what timed out in `case`; else half an hour and two hours in."""
    tries = incident.memory.late_tries
    if any(m.is_retryable for m in case.missing) and tries < LATE_EVIDENCE_TRIES:
        incidents.save_memory(tx, incident.id, replace(incident.memory, late_tries=tries + 1))
        jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=now + LATE_EVIDENCE_DELAY_S * 2**tries)
        return
    for due_at in looks_ahead(incident, now=now)[:1]:
        jobs.schedule(tx, COLLECT, incident.id, now=now, due_at=due_at)


def looks_ahead(incident: Incident, *, now: float) -> list[float]:
    """When an incident will be looked at for more history, seconds since 1970."""
    return [incident.opened_at + after_s for after_s in LOOK_AGAIN_S if incident.opened_at + after_s > now + 1]


def plan_follow_up(tx: Tx, incident_id: str, memory: IncidentMemory, steps_s: Sequence[float], *, now: float) -> None:
    """Plan the next look at the newest fix, in the transaction in which it is seen or said; none is left to plan once it ended."""
    if memory.watched is None:
        return
    due = fixes.next_due(memory.watched, steps_s)
    jobs.replan(tx, FOLLOW_UP, incident_id, now=now, due_at=due[1].timestamp() if due is not None else None)
