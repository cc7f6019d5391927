"""Kubernetes' API: whether it can be asked."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.case.access import text
from receiver.doctor.contact import Service, is_json
from receiver.doctor.contact import reach as contact
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem
from receiver.domain.reason import reason
from receiver.errors import NotFound, Unavailable
from receiver.transport import Deadline, Response

CLOCK, VERSION = "kubernetes.clock", "kubernetes.version"  # notes: seconds that it is ahead of us; its release


def _is_version(response: Response) -> bool:
    return response.status == 200 and is_json(response) and bool(text(response.json(), "gitVersion"))


SERVICE = Service(name="the Kubernetes API", address="KUBE_API_URL", is_answer=_is_version, token="KUBE_TOKEN_PATH", ca="KUBE_CA_PATH")  # noqa: S106  names of settings


def reach(site: Site) -> Iterator[Finding]:
    """GET /version, which every account may."""
    if site.kube is None:
        what = reason("doctor.kubernetes.no_way", error=site.own.kubernetes_error or None)
        yield problem(what, reason("doctor.do.kubernetes"))
        return
    http = site.kube.http
    found = contact(site, SERVICE, http, lambda h: h.get("version", timeout_s=site.question_s))
    if isinstance(found, Finding):
        yield found
        return
    version = text(found.response.json(), "gitVersion")
    site.notes[CLOCK], site.notes[VERSION] = site.ahead_s(found.date), version
    yield ok(reason("doctor.reach.ok", service=SERVICE.name, origin=http.origin, version=version))


def metrics_server(site: Site) -> Iterator[Finding]:
    """Live use is asked there."""
    assert site.kube is not None
    try:
        site.kube.get("apis/metrics.k8s.io/v1beta1", deadline=Deadline(site.question_s))
    except NotFound:
        yield advice(reason("doctor.metrics_server.missing"), reason("doctor.do.metrics_server"))
        return
    except Unavailable as exc:
        yield advice(reason("doctor.metrics_server.away", error=str(exc)), reason("doctor.do.metrics_server_apiservice"))
        return
    yield ok(reason("doctor.metrics_server.ok"))
