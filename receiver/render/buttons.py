"""The row of buttons under a root message: one row on a phone, at most two buttons and a menu, in neutral colours.

Acknowledge stands only where there is something to own. Without a signing secret nobody could be heard, so there is no row.
"""

from __future__ import annotations

from collections.abc import Sequence

from receiver.domain.incident import FIRING, IncidentView
from receiver.render.blocks import Block
from receiver.render.kinds import RootKind

NOTHING_TO_OWN = frozenset({RootKind.FILE_CACHE})
JUST_A_WARNING = frozenset({RootKind.WARNING, RootKind.FILE_CACHE})  # nothing was killed: no fix to apply, no verdict to dispute
WITHOUT_VERDICT = frozenset({RootKind.UNKNOWN})

Option = tuple[str, str]  # the words, and what a click on them means


def row(view: IncidentView, kind: RootKind) -> Block | None:
    """The actions block of an incident's root; None when there is nothing to press."""
    if not view.has_buttons or not view.id:
        return None
    elements: list[Block] = []
    if view.state == FIRING and not view.acknowledged and kind not in NOTHING_TO_OWN:
        elements.append(_button("ack", "Acknowledge", view.id, "Acknowledge this incident") | {"style": "primary"})
    if view.can_silence:
        elements.append(_button("silence_1h", "Silence 1 h", view.id, "Silence this workload in Alertmanager for one hour"))
    options = _options(view, kind)
    if len(options) == 1:  # a menu of one is a button
        elements.append(_button(options[0][1], options[0][0], view.id, options[0][0]))
    elif options:
        elements.append(_menu(view.id, options))
    return {"type": "actions", "block_id": f"actions:{view.id}", "elements": elements} if elements else None


def _options(view: IncidentView, kind: RootKind) -> list[Option]:
    found: list[Option] = [("Silence 4 h", "silence_4h")] if view.can_silence else []
    if kind in JUST_A_WARNING:
        found.append(("Not useful here", "wrong"))
    elif kind not in WITHOUT_VERDICT:
        found += [("Fix applied", "fix"), ("Verdict is wrong", "wrong")]
    if view.can_silence and (kind not in JUST_A_WARNING or view.silenced_until):
        found.append(("Undo silence", "unsilence"))
    return found


def _button(action: str, words: str, incident_id: str, label: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": words, "emoji": False}
    return {"type": "button", "text": text, "action_id": action, "value": incident_id, "accessibility_label": label}


def _menu(incident_id: str, options: Sequence[Option]) -> Block:
    shown = [
        {"text": {"type": "plain_text", "text": words, "emoji": False}, "value": f"{action}:{incident_id}"} for words, action in options
    ]
    return {"type": "overflow", "action_id": "more", "options": shown}
