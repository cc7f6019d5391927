"""The Flask application: its blueprints and what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jinja2
from flask import Flask, Response, request

from receiver.domain.reason import Reason
from receiver.pipeline.actions import Actions
from receiver.pipeline.drills import Drills
from receiver.pipeline.presses import Presses
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.web.admin import AdminDeps, admin_routes
from receiver.web.auth import AdminGate, Gate
from receiver.web.condition.routes import ConditionDeps, condition_routes
from receiver.web.doctor import doctor_routes
from receiver.web.documents import Documents, cause_routes, runbook_routes
from receiver.web.drills import drill_routes
from receiver.web.entrance import Entrance, EntranceConfig
from receiver.web.frame import Entry, make_frame, static_routes
from receiver.web.health import HealthDeps, health_routes
from receiver.web.hosts import ALERTS, HostRule, guard, name_of
from receiver.web.incident.load import IncidentPages
from receiver.web.incident.routes import IncidentDeps, incident_routes
from receiver.web.intake import IntakeDeps, intake_routes
from receiver.web.listing.load import IncidentList
from receiver.web.listing.routes import ListDeps, list_routes
from receiver.web.login import login_page, login_routes
from receiver.web.pages import PageDeps, page_routes
from receiver.web.rules.routes import RulesDeps, RulesParts, rules_routes
from receiver.web.slack_actions import SlackDeps, slack_routes
from receiver.web.workloads.routes import WorkloadDeps, workload_routes


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """What the web layer is given. An empty token: anybody (`is_loopback`) or nobody (pages and actions elsewhere)."""

    store: Store
    metrics: Metrics
    environment: jinja2.Environment
    webhook_token: str = field(repr=False)
    admin_token: str = field(repr=False)
    entrance: Entrance | None = None  # None: ADMIN_TOKEN, or loopback, is all there is
    local_word: str = field(default="", repr=False)
    triage: Callable[[Mapping[str, Any]], Mapping[str, Any] | None] = lambda asked: None
    doctor: Callable[[], Mapping[str, Any] | None] = lambda: None
    is_loopback: bool
    public_url: str = ""
    max_body_bytes: int
    actions: Actions
    presses: Presses
    wake: Callable[[], None]
    notice: Callable[[str, Reason], object]
    is_stuck: Callable[[], bool]
    stalled: Callable[[], Mapping[str, str]] = dict
    details: Callable[[], Mapping[str, Any]]
    measure: Callable[[Metrics], None] = lambda metrics: None
    can_complete: bool = False  # Alertmanager can be asked for what a body leaves out
    slack_signing_secret: str = field(default="", repr=False)  # without it there is no /slack/actions
    runbooks: Documents = field(default_factory=Documents)
    causes: Documents = field(default_factory=Documents)
    drills: Drills | None = None
    incidents: IncidentPages | None = None
    rules: RulesParts | None = None
    version: str = ""
    settings: Callable[[], Iterable[tuple[str, str, str]]] = tuple  # (name, value, origin), secrets masked


def create_web(deps: WebDeps) -> Flask:
    """A Flask application with every route."""
    app = Flask("receiver", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = deps.max_body_bytes
    guard(app, HostRule(is_open=partial(_needs_no_token, deps), public_host=name_of(deps.public_url)))
    gate = Gate(token=deps.admin_token)
    is_open = bool(deps.admin_token) or deps.is_loopback
    admin_gate = AdminGate(gate=gate, is_open=is_open, local_word=deps.local_word)
    app.register_blueprint(
        intake_routes(
            IntakeDeps(
                store=deps.store, metrics=deps.metrics, gate=Gate(token=deps.webhook_token), max_body_bytes=deps.max_body_bytes,
                wake=deps.wake, notice=deps.notice, can_complete=deps.can_complete,
            )
        )
    )  # fmt: skip
    app.register_blueprint(
        health_routes(
            HealthDeps(
                store=deps.store, metrics=deps.metrics, is_stuck=deps.is_stuck, details=deps.details, stalled=deps.stalled, measure=deps.measure
            )
        )
    )  # fmt: skip
    app.register_blueprint(
        admin_routes(
            AdminDeps(
                store=deps.store,
                gate=admin_gate,
                wake=deps.wake,
                actions=deps.actions,
                triage=deps.triage,
            )
        )
    )
    if deps.drills is not None:
        app.register_blueprint(drill_routes(admin_gate, deps.drills))
    app.register_blueprint(doctor_routes(admin_gate, deps.doctor))
    if deps.slack_signing_secret:
        app.register_blueprint(slack_routes(SlackDeps(signing_secret=deps.slack_signing_secret, presses=deps.presses, now=deps.store.now)))
    app.register_blueprint(runbook_routes(deps.environment, deps.runbooks))
    app.register_blueprint(cause_routes(deps.environment, deps.causes))
    _register_pages(app, deps)
    return app


def _register_pages(app: Flask, deps: WebDeps) -> None:
    """What people look at: one entrance, one frame around all of it."""
    entrance = deps.entrance or Entrance(
        EntranceConfig(admin_token=deps.admin_token, is_loopback=deps.is_loopback, public_url=deps.public_url), clock=deps.store.now
    )
    navigation = [
        Entry(path="/", title="Incidents"),
        Entry(path="/workloads", title="Workloads"),
        *([Entry(path="/rules", title="Rules")] if deps.rules is not None else []),
        Entry(path="/health", title="Health"),
        Entry(path="/runbooks", title="Runbooks"),
        Entry(path="/causes", title="Causes"),
    ]
    frame = make_frame(deps.environment, tuple(navigation))
    deps.environment.globals["frame"] = frame

    def login() -> Response:
        return login_page(deps.environment, entrance, to=request.full_path.rstrip("?"))

    refusal = partial(entrance.refusal, login=login)
    app.register_blueprint(static_routes(frame))
    app.register_blueprint(login_routes(deps.environment, entrance, deps.store))
    if deps.incidents is not None:
        app.register_blueprint(
            incident_routes(
                IncidentDeps(pages=deps.incidents, actions=deps.actions, environment=deps.environment, wake=deps.wake, refusal=refusal)
            )
        )
    if deps.rules is not None:
        app.register_blueprint(
            rules_routes(RulesDeps(parts=deps.rules, environment=deps.environment, refusal=refusal, runbooks=deps.runbooks))
        )
    app.register_blueprint(
        condition_routes(
            ConditionDeps(
                store=deps.store, environment=deps.environment, refusal=refusal, details=deps.details, settings=deps.settings, examine=deps.doctor,
                wake=deps.wake, version=deps.version,
            )
        )
    )  # fmt: skip
    of_workloads = WorkloadDeps(store=deps.store, environment=deps.environment, refusal=refusal, api_refusal=entrance.refusal)
    for routes in workload_routes(of_workloads):
        app.register_blueprint(routes)
    of_list = ListDeps(
        incidents=IncidentList(deps.store), environment=deps.environment, refusal=refusal, api_refusal=entrance.refusal,
        revision=frame.revision,
    )  # fmt: skip
    for routes in list_routes(of_list):
        app.register_blueprint(routes)
    app.register_blueprint(page_routes(PageDeps(store=deps.store, refusal=refusal)))


def _needs_no_token(deps: WebDeps, path: str) -> bool:
    """Whether a path is protected by listening on loopback alone. What Slack signs is not, nor what nobody could have anyway."""
    token = deps.webhook_token if path == ALERTS else deps.admin_token
    return deps.is_loopback and not token and path != "/slack/actions"
