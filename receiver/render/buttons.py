"""What can be pressed. Without a signing secret nobody could be heard, so then there is nothing.

Under a root, an incident's or a storm's: one row on a phone, at most two buttons and a menu. Acknowledge stands only where there is something to own.
Under the checklist: a button for each item that is left for a person. Not Slack's checkboxes: an open client keeps its own
ticks in those through an edit (java-slack-sdk issue 762), so that a tick of another person, or one that was refused, would
be shown wrongly; and a click reports all boxes of one person's view, so that two people would undo each other's.
"""

from __future__ import annotations

from collections.abc import Sequence

from receiver.domain.incident import FIRING, DigestView, IncidentView
from receiver.domain.report import CheckItem
from receiver.render.blocks import Block
from receiver.render.kinds import FILE_CACHE, UNKNOWN, WARNING
from receiver.render.text import clean_line
from receiver.render.wording import CHECKLIST

NOTHING_TO_OWN = frozenset({FILE_CACHE})
JUST_A_WARNING = frozenset({WARNING, FILE_CACHE})  # nothing was killed: no fix to apply, no verdict to dispute
WITHOUT_VERDICT = frozenset({UNKNOWN})

ITEM_MAX = 40  # characters of an item's text on a button; Slack takes 75
Option = tuple[str, str]  # the words, and what a click on them means


def row(view: IncidentView, kind: str) -> Block | None:
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


def storm_row(view: DigestView) -> Block | None:
    """The actions block of a storm's root: for all its workloads at once."""
    firing = [e for e in view.members if not e.is_quiet]
    silenced = [e for e in view.members if e.silenced_until]
    if not view.has_buttons or not (firing or silenced):
        return None
    target = f"storm_{view.id}"
    elements: list[Block] = []
    if any(not e.is_acknowledged for e in firing):
        elements.append(_button("ack", "Acknowledge", target, "Acknowledge all workloads of this storm") | {"style": "primary"})
    if view.can_silence:
        elements.append(_button("silence_1h", "Silence 1 h", target, "Silence all workloads of this storm in Alertmanager for one hour"))
        elements.append(_menu(target, [("Silence 4 h", "silence_4h"), ("Undo silence", "unsilence")]))
    return {"type": "actions", "block_id": f"actions:{target}", "elements": elements} if elements else None


def ticks(view: IncidentView, checklist: Sequence[CheckItem]) -> Block | None:
    """The actions block of the checklist: `Done` for what is left to a person, `Undo` for what a person ticked."""
    if not view.has_buttons or not view.id:
        return None
    elements = []
    for item in checklist:
        text = clean_line(CHECKLIST.get(item.id, item.id), ITEM_MAX)
        if item.tick is not None:
            elements.append(_button(f"untick:{item.id}", f"Undo: {text}", view.id, f"Take back the tick: {text}"))
        elif item.state == "todo":
            elements.append(_button(f"tick:{item.id}", f"Done: {text}", view.id, f"Tick as done: {text}"))
    return {"type": "actions", "block_id": f"ticks:{view.id}", "elements": elements} if elements else None


def _options(view: IncidentView, kind: str) -> list[Option]:
    found: list[Option] = [("Silence 4 h", "silence_4h")] if view.can_silence else []
    if kind in JUST_A_WARNING:
        found.append(("Not useful here", "wrong"))
    elif kind not in WITHOUT_VERDICT:
        found += [("Open pull request", "request")] if view.can_request else []
        found += [("Fix applied", "fix"), ("Verdict is wrong", "wrong")]
    if view.can_silence and (kind not in JUST_A_WARNING or view.silenced_until):
        found.append(("Undo silence", "unsilence"))
    return found


def _button(action: str, words: str, target: str, label: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": words, "emoji": False}
    return {"type": "button", "text": text, "action_id": action, "value": target, "accessibility_label": label}


def _menu(target: str, options: Sequence[Option]) -> Block:
    shown = [{"text": {"type": "plain_text", "text": words, "emoji": False}, "value": f"{action}:{target}"} for words, action in options]
    return {"type": "overflow", "action_id": "more", "options": shown}
