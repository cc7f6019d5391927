"""What tells how much workloads have to do: a configured query, or counters that they export."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.case.access import text
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem
from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.domain.reason import reason
from receiver.errors import Rejected, SourceError
from receiver.evidence.counters import COUNTERS
from receiver.evidence.queries import fill


def found(site: Site) -> Iterator[Finding]:
    """Whether any is there at all. Which workload has one is told by its incidents."""
    if site.own.request_rate_query:
        yield from _configured(site)
        return
    names = "|".join(dict.fromkeys(c.metric for c in COUNTERS))
    there = {labels.get("__name__", "") for labels, _ in site.query(f'count by (__name__) ({{__name__=~"{names}"}})')} - {""}
    if there:
        yield ok(reason("doctor.counters.found", metrics=tuple(sorted(there))))
    else:
        yield advice(reason("doctor.counters.none"), reason("doctor.do.counters"))


def _configured(site: Site) -> Iterator[Finding]:
    """Filled in for some pod, it must be PromQL; whether it finds anything depends on the workload."""
    try:
        site.query(fill(site.own.request_rate_query, _some_pod(site)))
    except Rejected as exc:
        yield problem(reason("doctor.counters.refused", error=exc.said or str(exc)), reason("doctor.do.request_rate_query"))
        return
    yield ok(reason("doctor.counters.configured"))


def _some_pod(site: Site) -> Subject:
    namespace, pod = "default", "example-6d4cf56db6-x7k2p"
    try:
        first = next(iter(site.pods()), None)
    except SourceError:
        first = None
    if first is not None:
        namespace, pod = text(first, "metadata", "namespace"), text(first, "metadata", "name")
    return Subject(namespace=namespace, pod=pod, container="example", workload=workload_from_pod_name(pod))
