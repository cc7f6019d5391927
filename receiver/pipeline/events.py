"""An incident as a series of JSON documents, for sinks that hand them to programs. Pure.

A document is the report (`oomtriage.report/v1`) with three more keys: `event` (opened, updated, resolved), `incident` and
`alerts`. An alert that cannot be diagnosed has these, `schema` and `subject` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.domain.alerts import FIRING
from receiver.domain.case import subject_to_json
from receiver.domain.incident import IncidentView, Message
from receiver.domain.report import REPORT_SCHEMA
from receiver.domain.units import format_time

OPENED, UPDATED, RESOLVED = "opened", "updated", "resolved"


def next_event(view: IncidentView, report: Mapping[str, Any] | None, last: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What is worth an event now, after the last one; None when nothing of it changed.

    `{"event", ...}` beside what counts: state, kind of kill, cause, kills, replicas, a fix that was seen.
    """
    counts: dict[str, Any] = {
        "state": view.state,
        "kill": report["kill"]["kind"] if report else None,
        "cause": report["cause"]["name"] if report else None,
        "kills": view.kill_count,
        "pods": len(view.pods),
        "settings_changed": view.settings_changed,
    }
    if last is None:
        return {"event": OPENED, **counts}
    if all(last.get(key) == value for key, value in counts.items()):
        return None
    has_resolved = view.state != FIRING and last.get("state") == FIRING
    return {"event": RESOLVED if has_resolved else UPDATED, **counts}


def event_message(view: IncidentView, report: Mapping[str, Any] | None, event: str, *, number: int) -> Message:
    """The event as a message of its own. `number` counts the conversation's events from 0."""
    name = view.alerts[-1].name if view.alerts else "alert"
    return Message(
        slot="root" if number == 0 else f"event:{number}",
        text=f"{event}: {view.id}",
        full_text=f"{event}: {name} of {view.subject.namespace or view.subject.node or 'an unknown place'} ({view.id})",
        document=event_document(view, report, event),
    )


def event_document(view: IncidentView, report: Mapping[str, Any] | None, event: str) -> dict[str, Any]:
    """The whole document. Plain JSON values only."""
    return {
        "schema": REPORT_SCHEMA,
        "event": event,
        "incident": {
            "id": view.id,
            "state": view.state,
            "severity": view.severity,
            "opened_at": format_time(view.opened_at),
            "resolved_at": format_time(view.resolved_at) if view.resolved_at else None,
            "kill_count": view.kill_count,
            "last_kill_at": format_time(view.last_kill_at) if view.last_kill_at else None,
            "pods": list(view.pods),
            "page_url": view.page_url,
            "previous_id": view.previous_id,
            "settings_changed": view.settings_changed,
            "note": view.because_degraded,
        },
        "alerts": [alert.to_json() for alert in view.alerts],
        **(report or {"subject": subject_to_json(view.subject)}),
    }
