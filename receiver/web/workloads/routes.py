"""/workloads, /workloads/ID, and the same as JSON below /api/v1. Nothing here asks the cluster anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response, jsonify, request

from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, day_of
from receiver.pipeline.workload_board import DAYS, Board, NamespaceLine, board, namespaces, worst_first
from receiver.store import incidents, workloads
from receiver.store.store import Store
from receiver.store.workloads import KillDay
from receiver.web.html import page
from receiver.web.workloads.document import list_document, one_document
from receiver.web.workloads.view import Asked, Chosen, chosen, list_of, page_of

MOST_INCIDENTS = 100  # of a workload, on its page
FILTER_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadDeps:
    """`refusal`: why whoever asks may not see evidence; `api_refusal`: the same for programs."""

    store: Store
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]
    api_refusal: Callable[[], Response | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _One:
    """What is known of one workload."""

    board: Board
    past: list[PastIncident]
    limits: list[SeenLimit]
    kills: list[KillDay]
    kept: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """A page of the list. `board`: the lines of the page."""

    board: Board
    of: Chosen
    namespaces: tuple[NamespaceLine, ...]


def workload_routes(deps: WorkloadDeps) -> tuple[Blueprint, Blueprint]:
    """The blueprints of the pages and of the JSON."""
    return _pages(deps), _api(deps)


def _pages(deps: WorkloadDeps) -> Blueprint:
    routes = Blueprint("workloads", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/workloads")
    def workload_list() -> Response:
        asked = _asked()
        found = _list(deps.store, asked)
        return page(deps.environment, "workloads.html.j2", page=list_of(found.board, found.of, found.namespaces, asked))

    @routes.get("/workloads/<workload_id>")
    def workload(workload_id: str) -> Response:
        found = _one(deps.store, workload_id)
        if found is None:
            return Response("Nothing is known of such a workload here (any more).\n", 404, mimetype="text/plain")
        shown = page_of(found.board, found.past, found.limits, found.kills, kept=found.kept)
        return page(deps.environment, "workload.html.j2", page=shown, days=found.board.days)

    return routes


def _api(deps: WorkloadDeps) -> Blueprint:
    routes = Blueprint("workloads-api", __name__, url_prefix="/api/v1")
    routes.before_request(deps.api_refusal)

    @routes.get("/workloads")
    def workload_list() -> Response:
        found = _list(deps.store, _asked())
        return jsonify(list_document(found.board, found.of, found.namespaces))

    @routes.get("/workloads/<workload_id>")
    def workload(workload_id: str) -> tuple[Response, int]:
        found = _one(deps.store, workload_id)
        if found is None:
            return jsonify(error="nothing is known of such a workload here (any more)"), 404
        return jsonify(one_document(found.board, found.past, found.limits)), 200

    return routes


def _asked() -> Asked:
    """What the address asks for; a page that is no number is the first."""
    given = request.args
    number = given.get("page", "1")
    return Asked(
        namespace=given.get("namespace", "").strip()[:FILTER_MAX], q=given.get("q", "").strip()[:FILTER_MAX],
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
    )  # fmt: skip


def _list(store: Store, asked: Asked) -> _List:
    """Sums of all workloads, and of those that are shown the rest."""
    now = store.now()
    first_day = day_of(now) - DAYS + 1
    past: list[PastIncident] = []
    kills: list[KillDay] = []
    with store.read() as tx:
        sums = worst_first(workloads.sums(tx, seen_since=first_day * DAY_S, first_day=first_day))
        fits = workloads.newest_fits(tx)
        of = chosen(sums, asked)
        for one in of.shown:
            past += [p for p in workloads.of_workload(tx, one.id, limit=MOST_INCIDENTS) if p.seen_at >= first_day * DAY_S]
            kills += workloads.kills_of(tx, one.id, since_at=first_day * DAY_S)
    ids = {one.id for one in of.shown}
    limits = {place: limit for place, (limit, _) in fits.items() if place[0] in ids}
    return _List(board=board(past, kills, limits, now=now), of=of, namespaces=namespaces(sums, fits))


def _one(store: Store, workload_id: str) -> _One | None:
    now = store.now()
    with store.read() as tx:
        past = workloads.of_workload(tx, workload_id, limit=MOST_INCIDENTS)
        if not past:
            return None
        kills = workloads.kills_of(tx, workload_id, since_at=now - workloads.KEPT_S)
        limits = workloads.limits_of(tx, workload_id)
        kept = incidents.are_there(tx, [one.id for one in past])
    newest = {(workload_id, limit.container): limit for limit in limits}
    return _One(board=board(past, kills, newest, now=now), past=past, limits=limits, kills=kills, kept=kept)
