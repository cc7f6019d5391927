"""The pages a person opens: the incidents, and one incident with what was said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response

from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.units import format_time, from_epoch
from receiver.render.wording import say
from receiver.store import incident_lists, incidents
from receiver.store.store import Store
from receiver.web.html import page

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDeps:
    """`environment` escapes HTML by itself. `refusal`: why whoever asks may not see evidence."""

    store: Store
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]


def page_routes(deps: PageDeps) -> Blueprint:
    """The blueprint with / and /incidents/ID/case.json."""
    routes = Blueprint("pages", __name__)

    routes.before_request(deps.refusal)

    @routes.get("/")
    def index() -> Response:
        with deps.store.read() as tx:
            found = incident_lists.newest(tx, PAGE_SIZE)
        rows = [
            {
                "id": i.id, "state": i.state, "severity": i.severity, "cause": _cause(i.memory), "kills": i.memory.shown_kill_count,
                "namespace": i.subject.namespace, "name": i.subject.workload.name if i.subject.workload else i.subject.pod or i.key,
                "container": i.subject.container, "last_seen": format_time(from_epoch(round(i.last_seen))),
            }
            for i in found
        ]  # fmt: skip
        return page(deps.environment, "index.html.j2", incidents=rows)

    @routes.get("/incidents/<incident_id>/case.json")
    def case_document(incident_id: str) -> Response:
        """For `oomtriage diagnose`: the case that somebody called wrong, else the newest."""
        with deps.store.read() as tx:
            document = incidents.case_for_replay(tx, incident_id)
        if document is None:
            return Response("There is no case of such an incident here (any more).\n", 404, mimetype="text/plain")
        return Response(json.dumps(document, ensure_ascii=False), mimetype="application/json")

    return routes


def _cause(memory: IncidentMemory) -> str:
    """As the incident's message names it; empty while nothing was found out."""
    return say(memory.look.verdict.named.as_reason()) if memory.look is not None else ""
