"""/incidents/ID/case.json: an incident's evidence, to keep and to replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response

from receiver.store import incidents
from receiver.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDeps:
    """`refusal`: why whoever asks may not see evidence."""

    store: Store
    refusal: Callable[[], Response | None]


def page_routes(deps: PageDeps) -> Blueprint:
    """The blueprint with /incidents/ID/case.json."""
    routes = Blueprint("pages", __name__)

    routes.before_request(deps.refusal)

    @routes.get("/incidents/<incident_id>/case.json")
    def case_document(incident_id: str) -> Response:
        """For `oomtriage diagnose`: the case that somebody called wrong, else the newest."""
        with deps.store.read() as tx:
            document = incidents.case_for_replay(tx, incident_id)
        if document is None:
            return Response("There is no case of such an incident here (any more).\n", 404, mimetype="text/plain")
        return Response(json.dumps(document, ensure_ascii=False), mimetype="application/json")

    return routes
