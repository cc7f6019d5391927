"""POST /alerts: check, store, answer. No work happens in the request.

The answers follow what Alertmanager does with them (docs/architecture.md): 2xx only once the alerts are durable; 503
when they could not be stored, which it retries; 4xx for what a retry cannot mend; never 429.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from receiver.domain import drill
from receiver.domain.alert_stream import Body
from receiver.domain.alerts import Notification
from receiver.domain.reason import Reason, reason
from receiver.errors import PayloadError, StoreBroken, StoreError
from receiver.pipeline import reconcile
from receiver.render.wording import say
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.web.auth import CHALLENGE, WRONG_TOKEN, Gate

log = logging.getLogger(__name__)

RETRY_AFTER_S = "5"
BLOCK_BYTES = 64 * 1024
LARGE_BYTES = 256 * 1024
LARGE_WAITS_S = 4.0  # Alertmanager gives up after 10 s, and sends again what it was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDeps:
    """`wake`: something was stored. `notice(kind, what)`: tell the default channel, rate-limited. `can_complete`: Alertmanager can
    be asked for what a body leaves out.
    """

    store: Store
    metrics: Metrics
    gate: Gate
    max_body_bytes: int
    wake: Callable[[], None]
    notice: Callable[[str, Reason], object]
    can_complete: bool = False


class _OneAtATime:
    """Large bodies are read one after the other, so that memory does not depend on how many come at once."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def enter(self, n_bytes: int | None) -> bool:
        """Whether it may be read now; a large one waits for its turn a while."""
        return not _is_large(n_bytes) or self._turn.acquire(timeout=LARGE_WAITS_S)

    def leave(self, n_bytes: int | None) -> None:
        """It was read."""
        if _is_large(n_bytes):
            self._turn.release()


def _is_large(n_bytes: int | None) -> bool:
    return n_bytes is None or n_bytes > LARGE_BYTES


def intake_routes(deps: IntakeDeps) -> Blueprint:
    """The blueprint with POST /alerts."""
    routes = Blueprint("intake", __name__)
    one_at_a_time = _OneAtATime()

    @routes.post("/alerts")
    def alerts() -> tuple[Response, int]:
        if not deps.gate.admits(request):
            return _refuse(deps, "auth", 401, WRONG_TOKEN)
        if not one_at_a_time.enter(request.content_length):
            return _refuse(deps, "busy", 503, "another large body is being read; send this one again")
        try:
            return take()
        finally:
            one_at_a_time.leave(request.content_length)

    def take() -> tuple[Response, int]:
        try:
            body = _read(request, deps.max_body_bytes)
        except RequestEntityTooLarge:
            too_large = reason("notice.body_too_large", limit_bytes=deps.max_body_bytes)
            _notice(deps, "too-large", too_large)
            return _refuse(deps, "size", 413, say(too_large))
        except (ClientDisconnected, OSError):
            return _refuse(deps, "payload", 400, "the connection ended before the body did")
        try:
            read = Body(body)
            accepted = deps.store.accept(read)
        except PayloadError as exc:
            _notice(deps, "unreadable", reason("notice.body_unreadable", error=str(exc)))
            return _refuse(deps, "payload", 400, str(exc))
        except StoreBroken:  # whoever noticed has logged it
            return _refuse(deps, "store", 503, "the alerts could not be stored; send them again")
        except StoreError as exc:
            log.error("alerts could not be stored; Alertmanager will send them again", extra={"error": str(exc)})
            return _refuse(deps, "store", 503, "the alerts could not be stored; send them again")
        if read.envelope.receiver == drill.SENDER:
            deps.wake()
            return jsonify(accepted=accepted.new, duplicates=accepted.duplicates), 202
        deps.metrics.received.inc(accepted.new + accepted.duplicates)
        deps.metrics.duplicates.inc(accepted.duplicates)
        if read.envelope.truncated_alerts:
            deps.metrics.truncated.inc(read.envelope.truncated_alerts)
            log.warning("Alertmanager left alerts out of a body; set max_alerts: 0", extra={"left_out": read.envelope.truncated_alerts})
        _note_sender(deps, read.envelope)
        deps.wake()
        return jsonify(accepted=accepted.new, duplicates=accepted.duplicates), 202

    return routes


def _read(request: Request, max_bytes: int) -> bytes:
    """The body. RequestEntityTooLarge above `max_bytes`; ClientDisconnected or OSError when it was torn.

    Werkzeug checks a stated length only: a chunked body it would cut at the limit without a word.
    """
    if request.content_length is not None or "wsgi.input_terminated" not in request.environ:
        return request.get_data(cache=False)
    body = bytearray()
    while block := request.environ["wsgi.input"].read(BLOCK_BYTES):
        body += block
        if len(body) > max_bytes:
            raise RequestEntityTooLarge
    return bytes(body)


def _notice(deps: IntakeDeps, kind: str, what: Reason) -> None:
    """An alert that cannot be read is still an alert: somebody must hear of it. Never in the way of the answer."""
    try:
        deps.notice(kind, what)
    except StoreError as exc:
        log.warning("a notice could not be stored", extra={"error": str(exc)})


def _note_sender(deps: IntakeDeps, notification: Notification) -> None:
    """What Alertmanager calls us, and what it left out: the rest is read there; where that cannot be, somebody must hear of it.

    The alerts at hand are stored already. What fails here is done with the next body: a repeat leaves out the same alerts.
    """
    try:
        deps.store.note_receiver(notification.receiver)
        if notification.truncated_alerts and deps.can_complete:
            with deps.store.record() as tx:
                reconcile.ask(tx, now=deps.store.now())
        elif notification.truncated_alerts:
            deps.notice("truncated", reason("notice.truncated", left_out=notification.truncated_alerts))
    except StoreError as exc:
        log.warning("who sent a body, or what it left out, could not be written down", extra={"error": str(exc)})


def _refuse(deps: IntakeDeps, code: str, status: int, text: str) -> tuple[Response, int]:
    deps.metrics.rejected.labels(code).inc()
    if code != "store":
        log.warning("webhook request refused", extra={"reason": code, "status": status, "error": text})
    response = jsonify(error=text)
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response, status
