"""Whether the metrics are of the cluster whose API is asked. A Prometheus of another one answers everything, and nothing fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from receiver.case.access import text
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch, parse_time
from receiver.evidence.kube import is_kube_name
from receiver.evidence.queries import WORKING_SET, union
from receiver.promql.quoting import quoted

SAMPLE = 40  # pods that are looked for
YOUNG = timedelta(minutes=5)  # a pod needs a scrape or two


def same(site: Site) -> Iterator[Finding]:
    """Some running pods of the API, our own first, are looked for among the series; the nodes are compared beside that."""
    assert site.prometheus is not None
    config = site.prometheus.config
    pods = _sample(site)
    if not pods:
        yield unknown(reason("doctor.cluster.no_pods"))
        return
    names = sorted({text(p, "metadata", "name") for p in pods})
    namespaces = sorted({text(p, "metadata", "namespace") for p in pods})
    namespace, pod = config.namespace_label, config.pod_label
    theirs = f"{namespace}=~{_any_of(namespaces)},{pod}=~{_any_of(names)}"
    found = site.query(
        union(
            ("pods", f"count by ({namespace},{pod}) ({WORKING_SET}{{{theirs}}})"),
            ("all", f'count({WORKING_SET}{{{pod}!=""}})'),
            ("nodes", 'count by (node) ({__name__=~"kube_node_info|kube_node_status_condition|kube_pod_info",node!=""})'),
            ("clusters", f'count by (cluster) ({WORKING_SET}{{cluster!=""}})'),
        )
    )
    by: dict[str, list[Mapping[str, str]]] = {}
    for labels, _ in found:
        by.setdefault(labels.get("q", ""), []).append(labels)
    asked = {(text(p, "metadata", "namespace"), text(p, "metadata", "name")) for p in pods}
    seen = asked & {(one.get(namespace, ""), one.get(pod, "")) for one in by.get("pods", ())}
    ours = {text(p, "spec", "nodeName") for p in pods} - {""}
    nodes = {one["node"] for one in by.get("nodes", ())}
    yield _judged(len(seen), len(asked), has_any=bool(by.get("all")), ours=ours, nodes=nodes, such_as=sorted(asked)[0])
    clusters = tuple(sorted({one.get("cluster", "") for one in by.get("clusters", ())}))
    if len(clusters) > 1 and not config.matchers:
        yield advice(reason("doctor.cluster.several", clusters=clusters[:5], n=len(clusters)), reason("doctor.do.matchers"), part="several")


def _judged(seen: int, asked: int, *, has_any: bool, ours: set[str], nodes: set[str], such_as: tuple[str, str]) -> Finding:
    shared = len(ours & nodes)
    if not has_any:
        return unknown(reason("doctor.cluster.no_series"))
    if seen:
        if nodes and ours and not shared:
            return problem(reason("doctor.cluster.other_nodes", ours=len(ours), theirs=len(nodes)), reason("doctor.do.this_cluster"))
        return ok(reason("doctor.cluster.same", seen=seen, asked=asked))
    if shared:  # it is this cluster's, but these pods are not in it
        what = reason("doctor.cluster.pods_missing", asked=asked, shared=shared, namespace=such_as[0], pod=such_as[1])
        return problem(what, reason("doctor.do.scrape_kubelet"))
    what = reason("doctor.cluster.other", asked=asked, namespace=such_as[0], pod=such_as[1], ours=len(ours), theirs=len(nodes))
    return problem(what, reason("doctor.do.this_cluster"))


def _sample(site: Site) -> Sequence[Mapping[str, Any]]:
    """Pods that run long enough to have been scraped, our own first."""
    before = from_epoch(site.now()) - YOUNG
    running = [
        p for p in site.pods()
        if text(p, "status", "phase") == "Running" and is_kube_name(text(p, "metadata", "name"))
        and (since := parse_time(text(p, "status", "startTime"))) is not None and since < before
    ]  # fmt: skip
    own = (site.own.namespace, site.own.pod)
    return sorted(running, key=lambda p: (text(p, "metadata", "namespace"), text(p, "metadata", "name")) != own)[:SAMPLE]


def _any_of(names: Sequence[str]) -> str:
    return quoted("|".join(re.escape(name).replace("\\-", "-") for name in names))
