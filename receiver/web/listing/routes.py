"""/: the incidents as a page; /incidents.csv and /incidents.json: what is filtered there, as files; /api/v1/incidents: for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response, g, jsonify, request

from receiver.domain.units import from_epoch
from receiver.render.inline import when
from receiver.render.page.listing import cause_words, document_of, row_of, stage_words
from receiver.render.text import clean_line
from receiver.render.wording.forms import upper_first
from receiver.store import listing
from receiver.web.html import page
from receiver.web.listing.asked import CAUSES, Asked, asked_for
from receiver.web.listing.files import SCHEMA, as_csv, as_json
from receiver.web.listing.load import PAGE_SIZE, Found, IncidentList

SPANS = (("1h", "the last hour"), ("24h", "the last day"), ("7d", "the last week"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeps:
    """`refusal`: why whoever asks may not see evidence; `api_refusal`: the same for programs. `revision`: of the style and the script."""

    incidents: IncidentList
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]
    api_refusal: Callable[[], Response | None]
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One state to look at, with how many incidents are in it."""

    stage: str
    title: str
    count: int


def list_routes(deps: ListDeps) -> tuple[Blueprint, Blueprint]:
    """The blueprints of the page with its files, and of the JSON."""
    return _page(deps), _api(deps)


def _page(deps: ListDeps) -> Blueprint:
    routes = Blueprint("list", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/")
    def incident_list() -> Response:
        asked = asked_for(request.args, now=deps.incidents.now())
        found = deps.incidents.page(asked)
        tag = f"{found.tag}-{deps.revision}-{g.visitor.csrf[:8]}-{g.visitor.role}"
        if request.if_none_match.contains(tag):
            return _fresh(Response(status=304), tag)
        now = from_epoch(found.now)
        shown = page(
            deps.environment, "incidents.html.j2", rows=[row_of(known) for known in found.rows], found=found, asked=asked, chosen=asked.chosen, is_filtered=asked.is_filtered, tag=tag, tabs=_tabs(found),
            causes=[(cause, cause_words(cause)) for cause in CAUSES], severities=[(name, upper_first(name)) for name in listing.SEVERITIES],
            namespaces=[(name, clean_line(name, 60)) for name in found.namespaces], spans=SPANS, as_of=when(now, now), at=now,
        )  # fmt: skip
        return _fresh(shown, tag)

    @routes.get("/incidents.csv")
    def as_table() -> tuple[Response, int]:
        return _file(deps, "csv")

    @routes.get("/incidents.json")
    def as_document() -> tuple[Response, int]:
        return _file(deps, "json")

    return routes


def _api(deps: ListDeps) -> Blueprint:
    routes = Blueprint("incidents-api", __name__, url_prefix="/api/v1")
    routes.before_request(deps.api_refusal)

    @routes.get("/incidents")
    def incident_list() -> tuple[Response, int]:
        asked = asked_for(request.args, now=deps.incidents.now())
        if asked.problems:
            return _wrong(asked)
        found = deps.incidents.page(asked)
        return jsonify(
            schema=SCHEMA, total=found.total, page=found.page, pages=found.pages, page_size=PAGE_SIZE, counts=dict(found.counts),
            incidents=[document_of(known) for known in found.rows],
        ), 200  # fmt: skip

    return routes


def _file(deps: ListDeps, kind: str) -> tuple[Response, int]:
    asked = asked_for(request.args, now=deps.incidents.now())
    if asked.problems:
        return _wrong(asked)
    rows = deps.incidents.all(asked)
    lines, mimetype = (as_csv(rows), "text/csv") if kind == "csv" else (as_json(rows), "application/json")
    response = Response(lines, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="incidents.{kind}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response, 200


def _wrong(asked: Asked) -> tuple[Response, int]:
    said = "; ".join(f"{name} {why}" for name, why in asked.problems.items())
    return jsonify(error=said, parameters=dict(asked.problems)), 400


def _tabs(found: Found) -> list[Tab]:
    stages = [Tab(stage=stage, title=stage_words(stage), count=found.counts[stage]) for stage in listing.STAGES]
    return [
        Tab(stage="", title="All", count=listing.how_many(found.counts, "")),
        Tab(stage=listing.OPEN, title="Open", count=listing.how_many(found.counts, listing.OPEN)),
        *stages,
    ]


def _fresh(response: Response, tag: str) -> Response:
    """With what our script names when it asks again. Browsers keep nothing: it is evidence."""
    response.set_etag(tag)
    return response
