"""/healthz, /readyz, /metrics: for the kubelet and for Prometheus, without a token."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from receiver.errors import StoreError
from receiver.store import alerts, jobs, outbox, quarantine
from receiver.store.database import Room
from receiver.store.store import Store
from receiver.store.volume import NEARLY_FULL_BYTES
from receiver.telemetry import Metrics

READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDeps:
    """`is_stuck`: work is due and nothing moves. `details`: what else /readyz tells; it never changes the code. `measure`: sets
    what is known only by looking, such as the process's memory.

    `stalled`: sinks in which nothing arrives though something is due, and why.
    """

    store: Store
    metrics: Metrics
    is_stuck: Callable[[], bool]
    details: Callable[[], Mapping[str, Any]]
    measure: Callable[[Metrics], None] = lambda metrics: None
    stalled: Callable[[], Mapping[str, str]] = dict


def health_routes(deps: HealthDeps) -> Blueprint:
    """The blueprint with /healthz, /readyz and /metrics."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> tuple[Response, int]:
        stuck, stalled = deps.is_stuck(), deps.stalled()
        # A sink that is away is no reason to start anew, so it does not change the code.
        return jsonify(
            status="stuck: no progress for 60 s" if stuck else "ok", **({"stalled": stalled} if stalled else {})
        ), 503 if stuck else 200

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        said = readiness(deps.store, deps.details)
        return jsonify(said), 200 if said["status"] == READY else 503

    @routes.get("/metrics")
    def metrics() -> Response:
        deps.metrics.store_ready.set(_is_ready(deps.store))
        with suppress(StoreError):  # the counters are worth having even then; /readyz says what is wrong
            _look_into(deps.store, deps.metrics)
        deps.measure(deps.metrics)
        return Response(deps.metrics.exposition(), content_type=CONTENT_TYPE_LATEST)

    return routes


def readiness(store: Store, details: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What /readyz tells: `status` is READY exactly when an alert posted now would be stored."""
    try:
        store.probe()
        quarantined = store.quarantined()
        volume = _volume(store.room())
    except StoreError as exc:
        return {"status": "not ready", "store": str(exc), **details()}
    more = {"quarantined": quarantined} if quarantined else {}
    return {"status": READY, "store": "ok", "volume": volume, **more, **details()}


def _volume(room: Room) -> dict[str, Any]:
    """The room of the store, and a word before it ends: on a full volume no alert can be accepted."""
    found: dict[str, Any] = {"store_bytes": room.store_bytes}
    if room.free_bytes is None:
        return found
    found["free_bytes"] = room.free_bytes
    if room.free_bytes < NEARLY_FULL_BYTES:
        found["problem"] = (
            f"nearly full: {room.free_bytes // 2**20} MiB are left; when none is, alerts are refused (503). Enlarge it, or lower STORE_MAX_BYTES"
        )
    return found


def _look_into(store: Store, metrics: Metrics) -> None:
    """Set what the store knows: what waits, and what was put aside."""
    now = store.now()
    with store.read() as tx:
        backlogs = (
            (metrics.outbox_waiting, metrics.outbox_oldest, outbox.backlog(tx)),
            (metrics.alerts_waiting, metrics.alerts_oldest, alerts.backlog(tx)),
            (metrics.jobs_due, metrics.jobs_oldest, jobs.backlog(tx, now=now)),
        )
    for waiting, age_s, (n, oldest) in backlogs:
        waiting.set(n)
        age_s.set(max(0.0, now - oldest) if oldest is not None else 0.0)
    room = store.room()
    metrics.store_bytes.set(room.store_bytes)
    metrics.store_free_bytes.set(room.free_bytes if room.free_bytes is not None else math.inf)
    metrics.dead_letters.set(store.dead_letters())
    quarantined = store.quarantined()
    for kind in quarantine.KINDS:
        metrics.quarantined.labels(kind).set(quarantined.get(kind, 0))


def _is_ready(store: Store) -> bool:
    try:
        store.probe()
    except StoreError:
        return False
    return True
