"""Prometheus: whether it can be asked, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from receiver.case.access import get, objects, text
from receiver.doctor.contact import Service, is_json
from receiver.doctor.contact import reach as contact
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.errors import NotFound, Rejected, Unreadable
from receiver.transport import Deadline, Http, Response

CLOCK, VERSION = "prometheus.clock", "prometheus.version"  # notes: seconds that it is ahead of us; its release


def _is_query_answer(response: Response) -> bool:
    return response.status == 200 and is_json(response) and text(response.json(), "status") == "success"


SERVICE = Service(
    name="Prometheus", address="PROMETHEUS_URL", is_answer=_is_query_answer, token="PROMETHEUS_TOKEN", ca="PROMETHEUS_CA_PATH",  # noqa: S106
    paths=("/prometheus", "/select/0/prometheus", "/api/prom", "/prom"),  # as charts set it; VictoriaMetrics' cluster; Cortex
)  # fmt: skip


def reach(site: Site) -> Iterator[Finding]:
    """Its own time: a query that needs no series."""
    if site.prometheus is None:
        yield advice(reason("doctor.not_configured", setting=SERVICE.address), reason("doctor.do.prometheus"))
        return
    http, params = site.prometheus.http, dict(site.prometheus.config.params)

    def ask(at: Http) -> Response:
        return at.post("api/v1/query", form={**params, "query": "time()"}, timeout_s=site.question_s)

    found = contact(site, SERVICE, http, ask)
    if isinstance(found, Finding):
        yield found
        return
    site.notes[CLOCK] = site.ahead_s(_time(found.response.json()) or found.date)
    version = site.notes[VERSION] = _version(site, http)
    yield ok(reason("doctor.reach.ok", service=SERVICE.name, origin=http.origin, version=version))


def alertmanagers(site: Site) -> Iterator[Finding]:
    """Whom Prometheus sends alerts to, as it has found them."""
    assert site.prometheus is not None
    try:
        answer = site.prometheus.http.get_json(
            "api/v1/alertmanagers", dict(site.prometheus.config.params), deadline=Deadline(site.question_s)
        )
    except (NotFound, Rejected, Unreadable):
        yield unknown(reason("doctor.alertmanagers.not_told"))
        return
    data = get(answer, "data")
    if not isinstance(data, Mapping) or "activeAlertmanagers" not in data:
        yield unknown(reason("doctor.alertmanagers.not_told"))
        return
    active, dropped = objects(data, "activeAlertmanagers"), objects(data, "droppedAlertmanagers")
    if active:
        yield ok(reason("doctor.alertmanagers.ok", n=len(active)))
    else:
        yield problem(reason("doctor.alertmanagers.none", dropped=len(dropped)), reason("doctor.do.alerting"))


def receivers(site: Site) -> Iterator[Finding]:
    """Receivers with a state each: two that get the same alerts tell everything twice, and neither can know."""
    instances = tuple(sorted(labels.get("instance", "") for labels, _ in site.query("max by (instance) (oomtriage_store_ready) == 1")))
    if len(instances) > 1 and site.own.database is not None:
        yield ok(reason("doctor.receivers.replicas", n=len(instances)))
    elif len(instances) > 1:
        yield advice(reason("doctor.receivers.several", n=len(instances), instances=instances[:5]), reason("doctor.do.one_of_them"))
    elif instances:
        yield ok(reason("doctor.receivers.one"))
    else:
        yield unknown(reason("doctor.receivers.none"))


def _time(answer: Any) -> datetime | None:
    """Of `time()`: a scalar, or what a stand-in makes of it."""
    result = get(answer, "data", "result")
    try:
        return from_epoch(float(result[1])) if isinstance(result, list) and len(result) == 2 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _version(site: Site, http: Http) -> str:
    """Its release; empty where it is not told, or by something else that speaks the same API."""
    response = http.get("api/v1/status/buildinfo", timeout_s=site.question_s)
    data = get(response.json(), "data") if response.status == 200 and is_json(response) else None
    return text(data, "version") if isinstance(data, Mapping) and text(data, "goVersion") else ""
