"""Alertmanager: whether it can be asked, and whether what it sends arrives."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.case.access import mapping, text
from receiver.doctor.contact import Service, is_json
from receiver.doctor.contact import reach as contact
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.transport import Response

CONFIG, VERSION = "alertmanager.config", "alertmanager.version"  # notes
_FAILED = 'sum(increase(alertmanager_notifications_failed_total{integration="webhook"}[1h]))'
_SENT = 'sum(increase(alertmanager_notifications_total{integration="webhook"}[1h]))'


def _is_status(response: Response) -> bool:
    return response.status == 200 and is_json(response) and "original" in mapping(response.json(), "config")


SERVICE = Service(
    name="Alertmanager", address="ALERTMANAGER_URL", is_answer=_is_status, token="ALERTMANAGER_TOKEN", ca="ALERTMANAGER_CA_PATH",  # noqa: S106
    paths=("/alertmanager",),
)  # fmt: skip


def reach(site: Site) -> Iterator[Finding]:
    """Its status, which holds the configuration that it runs with."""
    if site.alertmanager is None:
        yield advice(reason("doctor.not_configured", setting=SERVICE.address), reason("doctor.do.alertmanager"))
        return
    http = site.alertmanager.http
    found = contact(site, SERVICE, http, lambda h: h.get("api/v2/status", timeout_s=site.question_s, max_bytes=4 * 1024**2))
    if isinstance(found, Finding):
        yield found
        return
    status = found.response.json()
    site.notes[CONFIG] = text(status, "config", "original")
    version = site.notes[VERSION] = text(status, "versionInfo", "version")
    yield ok(reason("doctor.reach.ok", service=SERVICE.name, origin=http.origin, version=version))


def deliveries(site: Site) -> Iterator[Finding]:
    """What Alertmanager counts of its webhooks, where Prometheus scrapes it: the other end of the way to us."""
    failed, sent = (next((n for _, n in site.query(query)), None) for query in (_FAILED, _SENT))
    if failed is None or sent is None:
        yield unknown(reason("doctor.deliveries.not_counted"))
    elif failed >= 1:
        yield problem(reason("doctor.deliveries.failed", failed=round(failed), sent=round(sent)), reason("doctor.do.deliveries"))
    else:
        yield ok(reason("doctor.deliveries.ok", sent=round(sent)))
