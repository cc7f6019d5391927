"""What the command line asks of a running receiver: dead letters, a backup, and what somebody did about an incident. The state file is locked, so it goes through here."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from flask import Blueprint, Request, Response, jsonify, request

from receiver.domain.units import format_time, from_epoch
from receiver.errors import StoreError
from receiver.pipeline.actions import ACKNOWLEDGE, FIXED, PROPOSE, TICK, UNTICK, Act, Actions
from receiver.pipeline.people import name_of
from receiver.render.wording import say
from receiver.store import jobs, outbox
from receiver.store.store import Store
from receiver.web.auth import AdminGate

ACTS = {"ack": ACKNOWLEDGE, "fixed": FIXED, "tick": TICK, "untick": UNTICK, "request": PROPOSE}
BLOCK_BYTES = 64 * 1024
STATUS_OF = {"unknown": 404, "closed": 409}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminDeps:
    """`triage`: looks at one pod; None when it cannot now."""

    store: Store
    gate: AdminGate
    wake: Callable[[], None]
    actions: Actions
    triage: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] = lambda asked: None


def admin_routes(deps: AdminDeps) -> Blueprint:
    """The blueprint under /admin."""
    routes = Blueprint("admin", __name__, url_prefix="/admin")
    copying = threading.Lock()

    @routes.before_request
    def check() -> tuple[Response, int] | None:
        if (refused := deps.gate.refusal(request)) is not None:
            return jsonify(error=refused[0]), refused[1]
        if request.method == "POST" and (why := foreign(request)):
            return jsonify(error=why), 403
        return None

    @routes.post("/triage")
    def triage() -> tuple[Response, int]:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            return jsonify(error='expected {"namespace": "shop", "pod": "orders-api-6557"}'), 400
        try:
            answer = deps.triage(asked)
        except (ValueError, TypeError) as exc:
            return jsonify(error=str(exc)), 400
        return (jsonify(answer), 200) if answer is not None else (jsonify(error="others are being answered; try again"), 503)

    @routes.get("/dead")
    def dead() -> Response:
        with deps.store.read() as tx:
            letters = [
                {"id": r["id"], "what": f"{r['slot']} in {r['sink']} {r['channel']}".strip(), "since": format_time(from_epoch(r["created_at"])),
                 "incident": r["incident_id"], "error": r["last_error"]}
                for r in outbox.dead(tx)
            ]  # fmt: skip
            letters += [
                {"id": f"job-{r['id']}", "what": f"job {r['kind']}", "since": format_time(from_epoch(r["created_at"])), "incident": r["subject_id"],
                 "error": r["last_error"]}
                for r in jobs.dead(tx)
            ]  # fmt: skip
        return jsonify(dead=letters)

    @routes.post("/replay")
    def replay() -> Response:
        wanted = request.args.get("id")
        with deps.store.record() as tx:
            n = outbox.replay(tx, wanted) + jobs.replay(tx, wanted, now=deps.store.now())
        deps.wake()
        return jsonify(replayed=n)

    @routes.post("/drop")
    def drop() -> Response:
        wanted = request.args.get("id")
        with deps.store.record() as tx:
            n = outbox.drop_dead(tx, wanted) + jobs.drop_dead(tx, wanted)
        return jsonify(dropped=n)

    @routes.post("/backup")
    def backup() -> tuple[Response, int]:
        if not copying.acquire(blocking=False):
            return jsonify(error="a backup is being taken already"), 409
        try:
            copy = deps.store.backup()
        except StoreError as exc:
            return jsonify(error=str(exc)), 503
        finally:
            copying.release()
        n_bytes = os.fstat(copy.fileno()).st_size
        return Response(_blocks(copy), content_type="application/vnd.sqlite3", headers={"Content-Length": str(n_bytes)}), 200

    @routes.post("/incidents/<incident_id>/<what>")
    def act(incident_id: str, what: str) -> tuple[Response, int]:
        if what not in ACTS:
            return jsonify(error=f"unknown action; known are {', '.join(ACTS)}"), 404
        # Only JSON: a foreign page in a browser can post a form to a loopback address, and nothing else without asking.
        body = _json(request)
        if not isinstance(body, dict):
            return jsonify(error='expected a JSON object such as {"by": "Ines"}'), 400
        item = str(body.get("item") or "") if what in ("tick", "untick") else ""
        if not item and what in ("tick", "untick"):
            return jsonify(error='which item of the checklist? {"item": "root_cause"}'), 400
        try:
            outcome = deps.actions.take(incident_id, Act(what=ACTS[what], item=item, by=name_of(body.get("by"))))
        except StoreError as exc:
            return jsonify(error=str(exc)), 503
        deps.wake()
        return jsonify(incident=incident_id, state=outcome.state, text=say(outcome.what)), STATUS_OF.get(outcome.state, 200)

    return routes


def _blocks(copy: BinaryIO) -> Iterator[bytes]:
    with copy:
        while block := copy.read(BLOCK_BYTES):
            yield block


def foreign(request: Request) -> str:
    """Why this request is a web page's rather than the command line's; empty when it is not.

    A page in the browser of whoever may act here can post here too. It cannot leave out its Origin. (One that had its own name
    resolve to our address is refused by its Host: `hosts.py`.)
    """
    origin = request.headers.get("Origin")
    if origin is not None and _netloc(origin) != request.host:
        return "this request comes from another web page"
    return ""


def _json(request: Request) -> object:
    """The body's JSON; None for a body of another type, and for what cannot be read."""
    if not request.is_json:
        return None
    try:
        return json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        return None


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # "http://["
        return None
