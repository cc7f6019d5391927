"""The pages a person opens: the incidents, and one incident with what was said of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response, request

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.units import format_time, from_epoch
from receiver.render.chart import chart_of
from receiver.render.wording import say
from receiver.store import alerts, conversations, incident_lists, incidents, outbox
from receiver.store.store import Store
from receiver.web.auth import Gate
from receiver.web.documents import Documents
from receiver.web.html import page

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDeps:
    """`environment` escapes HTML by itself. Evidence is shown to ADMIN_TOKEN, or on loopback (`is_open`)."""

    store: Store
    environment: jinja2.Environment
    gate: Gate
    is_open: bool
    runbooks: Documents


def page_routes(deps: PageDeps) -> Blueprint:
    """The blueprint with / and /incidents/ID."""
    routes = Blueprint("pages", __name__)

    @routes.before_request
    def check() -> Response | None:
        if not deps.is_open:
            return Response("Set ADMIN_TOKEN: without one the pages are open on a loopback address only.\n", 403, mimetype="text/plain")
        if not deps.gate.admits(request):
            return Response(
                "The pages show evidence: log in with any name and ADMIN_TOKEN as the password.\n", 401, mimetype="text/plain",
                headers={"WWW-Authenticate": 'Basic realm="oomtriage"'},
            )  # fmt: skip
        return None

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

    @routes.get("/incidents/<incident_id>")
    def incident(incident_id: str) -> Response:
        with deps.store.read() as tx:
            found = incidents.load(tx, incident_id)
            if found is None:
                return Response("There is no such incident here (any more).\n", 404, mimetype="text/plain")
            case = incidents.evidence_of(tx, incident_id)
            names = sorted({alert.name for alert in alerts.newest_of(tx, incident_id)})
            told = [
                {
                    "sink": c.sink,
                    "channel": c.channel,
                    "messages": outbox.texts(tx, c.id),
                }
                for c in conversations.of_incident(tx, incident_id)
            ]
        document = json.dumps(found.report, indent=1, ensure_ascii=False)
        history = [f"{format_time(from_epoch(round(e.at.timestamp())))} {say(e.what)}" for e in found.memory.log]
        return page(
            deps.environment, "incident.html.j2", id=found.id, state=found.state, history=history, told=told, report=document,
            chart=_chart(case), runbooks=[name for name in names if deps.runbooks.text(name) is not None],
        )  # fmt: skip

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


def _chart(case: Case | None) -> dict[str, str] | None:
    """The memory chart in both palettes, as addresses that hold the picture: an image cannot run anything."""
    chart = chart_of(diagnose(facts_of(case))) if case is not None else None
    if chart is None:
        return None
    return {"light": _data_url(chart.svg_light), "dark": _data_url(chart.svg_dark), "alt": chart.alt_text}


def _data_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
