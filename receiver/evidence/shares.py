"""How the cluster is spread over nodes, images and namespaces, counted by Prometheus: one query for whatever is asked."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.conversation_memory import BaseShare
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.queries import union
from receiver.promql.quoting import quoted
from receiver.transport import Deadline

DEADLINE_S = 10.0
NODE, IMAGE, NAMESPACE = "node", "image", "namespace"


class ClusterShares:
    """Counts what could have been hit: pods by their node, workloads by their namespace, containers by their image.

    kube-state-metrics' kube_pod_info and kube_pod_container_info (its docs: pod-metrics). Where they are not scraped nothing is known.
    """

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus

    def shares(self, wanted: Mapping[str, str], *, now: float) -> Mapping[str, BaseShare]:
        """See `ShareSource`."""
        answer = self._prometheus.instant(shares_query(self._prometheus.config, wanted), now, deadline=Deadline(DEADLINE_S))
        counted: dict[str, float] = {}
        for series in answer.series:
            name, value = str(series.get("metric", {}).get("q", "")), series.get("value")
            if isinstance(value, list) and len(value) == 2:
                counted[name] = float(value[1])
        found = {}
        for kind in wanted:
            part, whole, values = (counted.get(f"{kind}_{what}", 0.0) for what in ("part", "whole", "values"))
            if part and whole:  # of none there is none: what was hit there is not what was counted
                found[kind] = BaseShare(share=min(part / whole, 1.0), values=int(values))
        return found


def shares_query(config: PrometheusConfig, wanted: Mapping[str, str]) -> str:
    """For each kind that is wanted three numbers: `KIND_part` of `KIND_whole`, and how many `KIND_values` there are."""
    branches = [branch for kind, name in wanted.items() for branch in _branches(config, kind, name)]
    return union(*((name, f"count({what})") for name, what in branches))


def _branches(config: PrometheusConfig, kind: str, name: str) -> list[tuple[str, str]]:
    namespace = f"{config.state_label_prefix}{config.namespace_label}"
    one, any_one = f"={quoted(name)}", '!=""'
    if kind == NODE:
        return [
            ("node_part", _pods(config, f"node{one}")), ("node_whole", _pods(config, f"node{any_one}")),
            ("node_values", f"count by (node) ({_pods(config, f'node{any_one}')})"),
        ]  # fmt: skip
    if kind == NAMESPACE:
        by = f"count by ({namespace}, created_by_kind, created_by_name)"  # a workload with a hundred replicas is hit once
        return [
            ("namespace_part", f"{by} ({_pods(config, f'{namespace}{one}')})"),
            ("namespace_whole", f"{by} ({_pods(config, f'{namespace}{any_one}')})"),
            ("namespace_values", f"count by ({namespace}) ({_pods(config, f'{namespace}{any_one}')})"),
        ]
    return [
        ("image_part", f"{_containers(config, f'image{one}')} or {_containers(config, f'image_spec{one}')}"),
        ("image_whole", _containers(config, f"image{any_one}")),
        ("image_values", f"count by (image) ({_containers(config, f'image{any_one}')})"),
    ]


def _pods(config: PrometheusConfig, matcher: str) -> str:
    """The pods that have not ended."""
    pod = f"{config.state_label_prefix}{config.namespace_label}, {config.state_label_prefix}{config.pod_label}"
    ended = f'kube_pod_status_phase{{phase=~"Succeeded|Failed"{config.also}}} == 1'
    return f"kube_pod_info{{{matcher}{config.also}}} unless on ({pod}) ({ended})"


def _containers(config: PrometheusConfig, matcher: str) -> str:
    return f"kube_pod_container_info{{{matcher}{config.also}}}"
