"""The canonical line of the log for an incident: written once for each place, when its first message has arrived there.

It holds the whole way: what it is, what was found, how long each hop took, how many messages tell it. Whatever else is logged of an
incident is an exception or what somebody did.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from receiver.domain import drill
from receiver.domain.incident_memory import LookSummary
from receiver.errors import StoreError
from receiver.store import alerts, conversations, incidents, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.outbox import Outgoing
from receiver.store.store import Store

log = logging.getLogger(__name__)

INCIDENT, STORM, TEST = "incident told", "storm told", "test alert told"


def say_told(store: Store, outgoing: Outgoing) -> None:
    """Log that what a first message tells has arrived. A store that cannot be read now says so elsewhere; nothing waits for a line."""
    try:
        with store.read() as tx:
            line = line_of(tx, outgoing, now=store.now())
    except StoreError:
        return
    if line is not None:
        message, fields = line
        log.info(message, extra=dict(fields))


def line_of(tx: Tx, outgoing: Outgoing, *, now: float) -> tuple[str, Mapping[str, Any]] | None:
    """Message and fields for what a root tells that arrived just now; None for a notice, which is its own text."""
    conversation = conversations.load(tx, outgoing.conversation_id)
    if conversation is None:
        return None
    place = {"sink": conversation.sink, "channel": conversation.channel, "attempts": outgoing.attempts + 1}
    if conversation.incident_id is None:
        if conversation.kind not in (conversations.DIGEST, conversations.INVENTORY):
            return None
        return STORM, {"workloads": len(conversations.members(tx, conversation.id)), **place}
    incident = incidents.load(tx, conversation.incident_id)
    if incident is None:
        return None
    if drill.is_key(incident.key):
        return TEST, {"incident": incident.id, **place}
    return INCIDENT, {**_what(incident), **place, **_way(tx, incident, conversation, outgoing, now=now)}


def _what(incident: Incident) -> Mapping[str, Any]:
    subject, memory, report = incident.subject, incident.memory, incident.report or {}
    workload = f"{subject.workload.kind}/{subject.workload.name}" if subject.workload is not None else ""
    missing = report.get("missing")
    return {
        "incident": incident.id, "state": incident.state, "severity": incident.severity, "namespace": subject.namespace,
        "workload": workload, "pod": subject.pod, "container": subject.container, **_verdict(memory.look), "kills": memory.kill_count,
        "missing": [m.get("source") for m in missing if isinstance(m, Mapping)] if isinstance(missing, list) else [],
        **({"not_looked_at": memory.degraded.code} if memory.degraded is not None else {}),
    }  # fmt: skip


def _verdict(look: LookSummary | None) -> Mapping[str, Any]:
    if look is None:
        return {"kill": None, "cause": None, "confidence": None}
    detail = {"detail": look.verdict.detail} if look.verdict.detail else {}
    return {"kill": look.kill_kind, "cause": look.verdict.cause, "confidence": look.verdict.confidence, **detail}


def _way(tx: Tx, incident: Incident, conversation: Conversation, outgoing: Outgoing, *, now: float) -> Mapping[str, Any]:
    """Seconds from stop to stop. One that came out of its order (a message told before its look ended) is left out."""
    found = alerts.newest_of(tx, incident.id)
    began = min((alert.starts_at.timestamp() for alert in found), default=incident.opened_at)
    stops: list[tuple[str, float]] = [("fired", began)]
    for name, at in (
        ("accepted", incident.first_seen),
        ("looked_at", incident.gathered_at),
        ("written", outgoing.created_at),
        ("arrived", now),
    ):
        if at is not None and at >= stops[-1][1]:
            stops.append((name, at))
    hops = {f"{b[0]}_after_s": round(b[1] - a[1], 3) for a, b in pairwise(stops)}
    place = (conversation.sink, conversation.channel)
    messages = sum(1 for row in outbox.of_incident(tx, incident.id) if (row["sink"], row["channel"]) == place)
    return {**hops, "accepted_to_arrived_s": round(now - incident.opened_at, 3), "alerts": len(found), "messages": messages}
