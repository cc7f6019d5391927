"""POST /slack/actions: a button of a message was pressed in Slack.

The signature over the raw body comes before anything is read of it. The answer is 200 as soon as the click is written
down (one transaction); what it asks for is done by jobs. Slack sends a click again when it got no answer in 3 s: the same
click is taken once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from receiver.errors import PayloadError, StoreError
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, LOUD, QUIET, TICK, UNTICK, WRONG, Act, Outcome
from receiver.pipeline.people import name_of

log = logging.getLogger(__name__)

WINDOW_S = 300.0
MAX_BODY_BYTES = 1024**2  # the payload holds the message that was clicked
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
}
_ITEM = re.compile(r"[a-z0-9_]{1,40}")
_TARGET = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackDeps:
    """`take`: does what was pressed, to an incident or a storm. `now`: seconds since 1970, for the signature's window."""

    signing_secret: str = field(repr=False)
    take: Callable[[str, Act], Outcome]
    now: Callable[[], float]
    wake: Callable[[], None]


def slack_routes(deps: SlackDeps) -> Blueprint:
    """The blueprint with POST /slack/actions."""
    routes = Blueprint("slack", __name__)

    @routes.post("/slack/actions")
    def actions() -> tuple[Response | str, int]:
        request.max_content_length = MAX_BODY_BYTES
        try:
            body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            return jsonify(error="the body is too large"), 413
        except ClientDisconnected:
            return jsonify(error="the connection ended before the body did"), 400
        stamp, signature = request.headers.get("X-Slack-Request-Timestamp", ""), request.headers.get("X-Slack-Signature", "")
        if not is_signed(deps.signing_secret, body, stamp=stamp, signature=signature, now=deps.now()):
            log.warning("an unsigned request to /slack/actions was refused")
            return jsonify(error="the signature does not fit: is SLACK_SIGNING_SECRET that of this app, and the clock right?"), 401
        try:
            wanted = clicks(body)
        except PayloadError as exc:
            return jsonify(error=str(exc)), 400
        try:
            for target, act in wanted:
                outcome = deps.take(target, act)
                log.info("button pressed", extra={"incident": target, "what": act.what, "user": act.user_id, "outcome": outcome.state})
        except StoreError as exc:
            log.error("a click could not be stored", extra={"error": str(exc)})
            return jsonify(error="the click could not be stored"), 503
        deps.wake()
        return "", 200

    return routes


def is_signed(secret: str, body: bytes, *, stamp: str, signature: str, now: float) -> bool:
    """Whether Slack signed this body (scheme v0) within five minutes of `now`. Whatever the headers held, it never raises."""
    if not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII) or abs(now - int(stamp)) > WINDOW_S:
        return False
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def clicks(body: bytes) -> list[tuple[str, Act]]:
    """What was pressed, with its incident or storm. PayloadError for what is no interaction; buttons that are not ours are left out."""
    try:
        document = json.loads(parse_qs(body.decode("utf-8"), max_num_fields=10)["payload"][0])
        json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate is no text: nothing takes it later on
    except (ValueError, KeyError, RecursionError) as exc:  # UnicodeDecodeError is a ValueError
        raise PayloadError("expected a form with a field payload that holds JSON") from exc
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
        word, _, item = meant.partition(":")
        if word not in MEANINGS or not _TARGET.fullmatch(target):
            continue
        what, duration_s = MEANINGS[word]
        if (what in (TICK, UNTICK)) != bool(_ITEM.fullmatch(item)):
            continue
        act = Act(
            what=what, duration_s=duration_s, item=item, user_id=user_id, by=name_of(user.get("name") or user.get("username") or user_id),
            click_id=f"{action.get('action_ts', '')}:{user_id}:{meant}"[:100] if action.get("action_ts") else "",
            is_outsider=bool(team.get("id") and user.get("team_id") and team["id"] != user["team_id"]),
        )  # fmt: skip
        found.append((target, act))
    return found


def _meant(action: Mapping[str, Any]) -> tuple[str, str]:
    if action.get("action_id") == "more":
        word, _, incident_id = str(_mapping(action.get("selected_option")).get("value") or "").partition(":")
        return word, incident_id
    return str(action.get("action_id") or ""), str(action.get("value") or "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
