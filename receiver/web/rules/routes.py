"""/rules: the alerts as they are now, and a backtest of them on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from receiver.domain.units import from_epoch
from receiver.pipeline.routing import Router
from receiver.rulepack.pack import Pack
from receiver.web.documents import Documents
from receiver.web.html import page
from receiver.web.rules.ask import RulesNow
from receiver.web.rules.desk import DAYS, BacktestDesk
from receiver.web.rules.timeline import COLUMNS
from receiver.web.rules.view import rules_page

REFRESH_S = 4  # while a backtest runs, the page is loaded again


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesParts:
    """`pack`: the shipped rules, read when they are first wanted. `ask`: what Prometheus and Alertmanager say of them now."""

    pack: Callable[[], Pack]
    ask: Callable[[Pack], RulesNow]
    router: Router
    desk: BacktestDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesDeps:
    """`refusal`: why whoever asks may not see it."""

    parts: RulesParts
    environment: jinja2.Environment
    refusal: Callable[[], Response | None]
    runbooks: Documents


def rules_routes(deps: RulesDeps) -> Blueprint:
    """The blueprint with /rules, /rules/backtest and /rules/backtest/cancel."""
    routes = Blueprint("rules", __name__)
    routes.before_request(deps.refusal)

    @routes.get("/rules")
    def rules() -> Response:
        pack, desk = deps.parts.pack(), deps.parts.desk
        found = rules_page(pack, deps.parts.ask(pack), deps.parts.router, deps.runbooks.names())
        running, done = desk.running, desk.done
        shown = page(
            deps.environment, "rules.html.j2", page=found, running=running, done=done, days=DAYS, columns=COLUMNS,
            is_possible=desk.is_possible, done_at=from_epoch(done.at) if done is not None else None,
        )  # fmt: skip
        if running is not None:
            shown.headers["Refresh"] = str(REFRESH_S)
        return shown

    @routes.post("/rules/backtest")
    def backtest() -> AnyResponse:
        days = request.form.get("days", "")
        if days not in [str(n) for n in DAYS]:
            return Response(f"Nothing was begun: days is one of {', '.join(map(str, DAYS))}.\n", 400, mimetype="text/plain")
        if not deps.parts.desk.start(int(days)):
            return Response("Nothing was begun: a backtest runs already, or PROMETHEUS_URL is not set.\n", 409, mimetype="text/plain")
        return redirect("/rules#backtest", 303)

    @routes.post("/rules/backtest/cancel")
    def cancel() -> AnyResponse:
        deps.parts.desk.cancel()
        return redirect("/rules#backtest", 303)

    return routes
