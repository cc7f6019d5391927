"""/health: the receiver's own condition, with dead letters to replay or drop; /doctor: what the doctor finds, examined now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from receiver.errors import StoreError
from receiver.store import alerts, jobs, outbox
from receiver.store.store import Store
from receiver.web.condition.view import STATES, Backlogs, condition_page
from receiver.web.health import readiness
from receiver.web.html import page

ALL = "all"
SAID = ("replayed", "dropped", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDeps:
    """`details`: what /readyz tells beside the store. `settings`: (name, value, origin), secrets masked. `examine`: the doctor's document;
    None while another is being made. `wake`: there may be something to send.
    """

    store: Store
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]
    details: Callable[[], Mapping[str, Any]]
    settings: Callable[[], Iterable[tuple[str, str, str]]]
    examine: Callable[[], Mapping[str, Any] | None]
    wake: Callable[[], None]
    version: str


def condition_routes(deps: ConditionDeps) -> Blueprint:
    """The blueprint with /health, /health/replay, /health/drop and /doctor."""
    routes = Blueprint("condition", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/health")
    def health() -> AnyResponse:
        try:
            found = _backlogs(deps.store)
        except StoreError as exc:
            return Response(f"The store cannot be read: {exc}\n", 503, mimetype="text/plain")
        shown = condition_page(readiness(deps.store, deps.details), found, deps.settings(), version=deps.version, now=deps.store.now())
        said, number = request.args.get("said", ""), request.args.get("n", "")
        return page(
            deps.environment, "health.html.j2", page=shown, said=said if said in SAID else "",
            number=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0,
        )  # fmt: skip

    @routes.post("/health/replay")
    def replay() -> AnyResponse:
        wanted = _wanted()
        if wanted is None:
            return _which()
        with deps.store.record() as tx:
            n = outbox.replay(tx, _one(wanted)) + jobs.replay(tx, _one(wanted), now=deps.store.now())
        deps.wake()
        return _back("replayed", n)

    @routes.post("/health/drop")
    def drop() -> AnyResponse:
        wanted = _wanted()
        if wanted is None:
            return _which()
        if request.form.get("sure") != "yes":
            return Response("Nothing was dropped: the form says for good, and was not sure.\n", 400, mimetype="text/plain")
        with deps.store.record() as tx:
            n = outbox.drop_dead(tx, _one(wanted)) + jobs.drop_dead(tx, _one(wanted))
        return _back("dropped", n)

    @routes.get("/doctor")
    def doctor() -> AnyResponse:
        found = deps.examine()
        checks = sorted(found["checks"], key=lambda one: STATES.index(one["state"]) if one["state"] in STATES else 0) if found else []
        return page(deps.environment, "doctor.html.j2", found=found, checks=checks, status=200 if found else 503)

    return routes


def _backlogs(store: Store) -> Backlogs:
    with store.read() as tx:
        return Backlogs(
            messages=outbox.backlog(tx), jobs=jobs.backlog(tx, now=store.now()), alerts=alerts.backlog(tx), dead_messages=outbox.dead(tx),
            dead_jobs=jobs.dead(tx),
        )  # fmt: skip


def _wanted() -> str | None:
    """Which dead letter a form means: an id, ALL, or None for none."""
    return request.form.get("id") or None


def _one(wanted: str) -> str | None:
    return None if wanted == ALL else wanted


def _which() -> Response:
    return Response("Nothing was changed: which dead letter?\n", 400, mimetype="text/plain")


def _back(said: str, n: int) -> AnyResponse:
    return redirect(f"/health?said={said if n else 'none'}&n={n}#dead", 303)
