"""What was pressed in Slack, as an interaction payload tells it, and doing it: the same for both ways in, the signed request
(web/slack_actions.py) and the connection of ours (worker/socket_mode.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from receiver.errors import PayloadError
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, LOUD, PROPOSE, QUIET, TICK, UNTICK, WRONG, Act, Actions
from receiver.pipeline.people import name_of
from receiver.pipeline.storm_acts import StormActions, is_storm

log = logging.getLogger(__name__)

MAX_CLICKS = 5
HOUR_S = 3600.0

# What a button's action_id (`word`, or `word:ITEM` of the checklist), or a menu's `word:INCIDENT`, means; for a silence, how long.
MEANINGS = {
    "ack": (ACKNOWLEDGE, 0.0),
    "silence_1h": (QUIET, HOUR_S),
    "silence_4h": (QUIET, 4 * HOUR_S),
    "fix": (FIXED, 0.0),
    "wrong": (WRONG, 0.0),
    "unsilence": (LOUD, 0.0),
    "tick": (TICK, 0.0),
    "untick": (UNTICK, 0.0),
    "request": (PROPOSE, 0.0),
}
_ITEM = re.compile(r"[a-z0-9_]{1,40}")
_TARGET = re.compile(r"[A-Za-z0-9_]{1,64}")


class Presses:
    """Does what people press. Safe to call from any thread; a press that comes twice is done once."""

    def __init__(self, actions: Actions, storms: StormActions, *, wake: Callable[[], None]) -> None:
        self._actions, self._storms, self._wake = actions, storms, wake

    def do(self, payload: object) -> int:
        """Write down what was pressed, and wake whoever does it; how many acts of ours it held. PayloadError for what is no
        interaction, StoreError when it could not be written down.
        """
        wanted = acts(payload)
        for target, act in wanted:
            outcome = (self._storms if is_storm(target) else self._actions).take(target, act)
            log.info("button pressed", extra={"incident": target, "what": act.what, "user": act.user_id, "outcome": outcome.state})
        self._wake()
        return len(wanted)


def acts(document: object) -> list[tuple[str, Act]]:
    """What was pressed, with its incident or storm. PayloadError for what is no interaction; buttons that are not ours are left out."""
    if not isinstance(document, dict):
        raise PayloadError("the payload is not a JSON object")
    pressed = document.get("actions")
    if document.get("type") != "block_actions" or not isinstance(pressed, list):
        return []
    user, team = _mapping(document.get("user")), _mapping(document.get("team"))
    user_id = str(user.get("id") or "")
    if not user_id:
        raise PayloadError("the payload does not say who pressed")
    found = []
    for action in map(_mapping, pressed[:MAX_CLICKS]):
        meant, target = _meant(action)
        wanted = meaning_of(meant)
        if wanted is None or not _TARGET.fullmatch(target):
            continue
        act = replace(
            wanted, user_id=user_id, by=name_of(user.get("name") or user.get("username") or user_id),
            click_id=f"{action.get('action_ts', '')}:{user_id}:{meant}"[:100] if action.get("action_ts") else "",
            is_outsider=bool(team.get("id") and user.get("team_id") and team["id"] != user["team_id"]),
        )  # fmt: skip
        found.append((target, act))
    return found


def meaning_of(press: str) -> Act | None:
    """What a button asks for, by its word (`silence_1h`, `tick:root_cause`); None when it is none of ours."""
    word, _, item = press.partition(":")
    if word not in MEANINGS:
        return None
    what, duration_s = MEANINGS[word]
    if bool(_ITEM.fullmatch(item)) != (what in (TICK, UNTICK)) or (item and what not in (TICK, UNTICK)):
        return None
    return Act(what=what, duration_s=duration_s, item=item)


def _meant(action: Mapping[str, Any]) -> tuple[str, str]:
    if action.get("action_id") == "more":
        word, _, incident_id = str(_mapping(action.get("selected_option")).get("value") or "").partition(":")
        return word, incident_id
    return str(action.get("action_id") or ""), str(action.get("value") or "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
