"""/incidents/ID: the page of one incident, all that is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response

from receiver.web.html import page
from receiver.web.incident.load import IncidentPages


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeps:
    """`refusal`: why whoever asks may not see evidence."""

    pages: IncidentPages
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]


def incident_routes(deps: IncidentDeps) -> Blueprint:
    """The blueprint with /incidents/ID."""
    routes = Blueprint("incident", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/incidents/<incident_id>")
    def incident(incident_id: str) -> Response:
        found = deps.pages.page(incident_id, can_act=False)
        if found is None:
            return Response("There is no such incident here (any more).\n", 404, mimetype="text/plain")
        return page(deps.environment, "incident.html.j2", page=found, csrf="", click="", said="")

    return routes
