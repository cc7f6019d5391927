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
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from receiver.errors import PayloadError, StoreError
from receiver.pipeline.presses import Presses

log = logging.getLogger(__name__)

WINDOW_S = 300.0
MAX_BODY_BYTES = 1024**2  # the payload holds the message that was clicked


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackDeps:
    """`presses`: does what was pressed. `now`: seconds since 1970, for the signature's window."""

    signing_secret: str = field(repr=False)
    presses: Presses
    now: Callable[[], float]


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
            deps.presses.do(payload_of(body))
        except PayloadError as exc:
            return jsonify(error=str(exc)), 400
        except StoreError as exc:
            log.error("a click could not be stored", extra={"error": str(exc)})
            return jsonify(error="the click could not be stored"), 503
        return "", 200

    return routes


def is_signed(secret: str, body: bytes, *, stamp: str, signature: str, now: float) -> bool:
    """Whether Slack signed this body (scheme v0) within five minutes of `now`. Whatever the headers held, it never raises."""
    if not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII) or abs(now - int(stamp)) > WINDOW_S:
        return False
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def payload_of(body: bytes) -> object:
    """The document in the form that Slack sends. PayloadError when it is none."""
    try:
        document = json.loads(parse_qs(body.decode("utf-8"), max_num_fields=10)["payload"][0])
        json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate is no text: nothing takes it later on
    except (ValueError, KeyError, RecursionError) as exc:  # UnicodeDecodeError is a ValueError
        raise PayloadError("expected a form with a field payload that holds JSON") from exc
    return document
