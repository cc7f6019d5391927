"""An incident as a series of JSON documents, for sinks that hand them to programs: which change is worth one. Pure.

What a document holds: render/document.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.domain.conversation_memory import EventState
from receiver.domain.incident import FIRING, IncidentView, Message
from receiver.render.document import event_document, event_line

OPENED, UPDATED, RESOLVED = "opened", "updated", "resolved"


def event_state(view: IncidentView, report: Mapping[str, Any] | None) -> EventState:
    """What counts: a change of any of it is an event."""
    return EventState(
        state=view.state,
        kill_kind=report["kill"]["kind"] if report else None,
        cause=report["cause"]["name"] if report else None,
        kill_count=view.kill_count,
        pod_count=len(view.pods),
        settings_change=view.settings_change,
    )


def next_event(state: EventState, last: EventState | None) -> str | None:
    """What is worth an event now, after the last one: OPENED, UPDATED or RESOLVED; None when nothing of it changed."""
    if last is None:
        return OPENED
    if state == last:
        return None
    return RESOLVED if state.state != FIRING and last.state == FIRING else UPDATED


def event_message(view: IncidentView, report: Mapping[str, Any] | None, event: str, *, number: int) -> Message:
    """The event as a message of its own. `number` counts the conversation's events from 0."""
    return Message(
        slot="root" if number == 0 else f"event:{number}",
        text=f"{event}: {view.id}",
        full_text=event_line(view, event),
        document=event_document(view, report, event),
    )
