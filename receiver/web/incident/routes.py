"""/incidents/ID: the page of one incident, what can be pressed on it, and the same for programs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import jinja2
from flask import Blueprint, Response, g, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from receiver.errors import StoreError
from receiver.pipeline.actions import Actions
from receiver.pipeline.people import name_of
from receiver.pipeline.presses import meaning_of
from receiver.render.page.document import page_document
from receiver.web.html import page
from receiver.web.incident.load import IncidentPages

SAID = ("done", "already", "closed", "refused")  # what became of a press, as the page says it
SECTIONS = ("answer", "checklist")  # where a press was made, and where its reader goes on
CLICK_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeps:
    """`refusal`: why whoever asks may not see evidence. `wake`: whoever does what was asked for."""

    pages: IncidentPages
    actions: Actions
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]
    wake: Callable[[], None]


def incident_routes(deps: IncidentDeps) -> Blueprint:
    """The blueprint with /incidents/ID, /incidents/ID/press and /api/v1/incidents/ID."""
    routes = Blueprint("incident", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/incidents/<incident_id>")
    def incident(incident_id: str) -> Response:
        found = deps.pages.page(incident_id, can_act=g.visitor.may_act)
        if found is None:
            return _no_such_incident()
        said = request.args.get("said", "")
        return page(deps.environment, "incident.html.j2", page=found, click=secrets.token_urlsafe(12), said=said if said in SAID else "")

    @routes.get("/api/v1/incidents/<incident_id>")
    def document(incident_id: str) -> tuple[Response, int]:
        found = deps.pages.page(incident_id, can_act=False)
        if found is None:
            return jsonify(error="there is no such incident here (any more)"), 404
        return jsonify(page_document(found)), 200

    @routes.post("/incidents/<incident_id>/press")
    def press(incident_id: str) -> AnyResponse:
        pressed, click = request.form.get("press", ""), request.form.get("click", "")
        act = meaning_of(pressed)
        if act is None or not 0 < len(click) <= CLICK_MAX:
            return _refused("that is no button of this page", 400)
        named = request.authorization.username if request.authorization is not None else g.visitor.name
        by = name_of(named or "")
        try:
            outcome = deps.actions.take(incident_id, replace(act, by=by, click_id=f"page:{click}:{pressed}"))
        except StoreError as exc:
            return _refused(f"it could not be written down: {exc}", 503)
        if outcome.state == "unknown":
            return _no_such_incident()
        deps.wake()
        section = request.form.get("back", "")
        return redirect(f"/incidents/{incident_id}?said={outcome.state}#{section if section in SECTIONS else 'answer'}", 303)

    return routes


def _no_such_incident() -> Response:
    return Response("There is no such incident here (any more).\n", 404, mimetype="text/plain")


def _refused(why: str, status: int) -> Response:
    return Response(f"Nothing was changed: {why}.\n", status, mimetype="text/plain")
