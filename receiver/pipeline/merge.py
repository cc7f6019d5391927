"""Two incidents that turn out to be one: what alerts say of a workload is inferred, what the API says is confirmed."""

from __future__ import annotations

from receiver.domain.identity import Subject, workload_key
from receiver.pipeline.kinds import COLLECT
from receiver.store import alerts as alert_table
from receiver.store import conversations, incidents, jobs, outbox
from receiver.store.database import Tx
from receiver.store.incidents import Incident


def merge_confirmed(tx: Tx, incident: Incident, confirmed: Subject, *, now: float) -> bool:
    """Find the incident under its confirmed identity from now on. True when it went into another one, which is looked at then.

    What may already stand in a channel is never taken back: of two that do, both go on.
    """
    workload = confirmed.workload
    if workload is None or not confirmed.container or workload.is_inferred:
        return False
    key = workload_key(confirmed, workload)
    other = incidents.find_open(tx, key)
    if other is not None and other.id != incident.id:
        if not _is_published(tx, incident.id):
            _merge(tx, duplicate=incident, into=other, now=now)
            jobs.schedule(tx, COLLECT, other.id, now=now)
            return True
        if not _is_published(tx, other.id):
            _merge(tx, duplicate=other, into=incident, now=now)
    if key != incident.key:
        incidents.add_aliases(tx, incident.id, [key])
    return False


def _merge(tx: Tx, *, duplicate: Incident, into: Incident, now: float) -> None:
    alert_table.move(tx, from_incident=duplicate.id, to_incident=into.id)
    conversations.hand_over(tx, from_incident=duplicate.id, to_incident=into.id)
    for conversation in conversations.of_incident(tx, duplicate.id):
        conversations.drop(tx, conversation.id)
    incidents.merge(tx, duplicate_id=duplicate.id, into_id=into.id, now=now)
    jobs.cancel(tx, duplicate.id)


def _is_published(tx: Tx, incident_id: str) -> bool:
    """Whether something about an incident may already stand in a channel."""
    return any(row["ts"] or row["state"] in ("sending", "sent") for row in outbox.of_incident(tx, incident_id))
