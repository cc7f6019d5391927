"""/healthz, /readyz, /metrics: for the kubelet and for Prometheus, without a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from receiver.errors import StoreError
from receiver.store import outbox, quarantine
from receiver.store.store import Store
from receiver.telemetry import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDeps:
    """`is_stuck`: work is due and nothing moves. `details`: what else /readyz tells; it never changes the code."""

    store: Store
    metrics: Metrics
    is_stuck: Callable[[], bool]
    details: Callable[[], Mapping[str, Any]]


def health_routes(deps: HealthDeps) -> Blueprint:
    """The blueprint with /healthz, /readyz and /metrics."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> tuple[Response, int]:
        stuck = deps.is_stuck()
        return jsonify(status="stuck: no progress for 60 s" if stuck else "ok"), 503 if stuck else 200

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            deps.store.probe()
            quarantined = deps.store.quarantined()
        except StoreError as exc:
            return jsonify(status="not ready", store=str(exc), **deps.details()), 503
        return jsonify(status="ready", store="ok", **({"quarantined": quarantined} if quarantined else {}), **deps.details()), 200

    @routes.get("/metrics")
    def metrics() -> Response:
        try:
            with deps.store.read() as tx:
                waiting, oldest = outbox.backlog(tx)
            deps.metrics.outbox_waiting.set(waiting)
            deps.metrics.outbox_oldest.set(max(0.0, deps.store.now() - oldest) if oldest is not None else 0.0)
            deps.metrics.dead_letters.set(deps.store.dead_letters())
            quarantined = deps.store.quarantined()
            for kind in quarantine.KINDS:
                deps.metrics.quarantined.labels(kind).set(quarantined.get(kind, 0))
        except StoreError:
            pass  # the counters are worth having even then; /readyz says what is wrong
        return Response(deps.metrics.exposition(), content_type=CONTENT_TYPE_LATEST)

    return routes
