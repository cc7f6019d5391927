"""A rule pack as it is evaluated: what each rule reads, how far back, in which order; and a Prometheus to evaluate it on."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from receiver.promql.selectors import selectors
from receiver.promql.tokens import Kind, words
from receiver.rulepack.files import Rule, read_rule_files
from tests.e2e.servers import Prometheus

INTERVAL_S = 60.0
UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}

# What others ship, as expressions.
BASELINES = {
    "article: HighMemoryUsage": "container_memory_working_set_bytes / container_spec_memory_limit_bytes > 0.8",
    "samber: container memory": (
        '(sum by (instance, name) (container_memory_working_set_bytes{name!=""})'
        " / sum by (instance, name) (container_spec_memory_limit_bytes > 0) * 100) > 80"
    ),
    "samber: OOM killer": (
        "(kube_pod_container_status_restarts_total - kube_pod_container_status_restarts_total offset 10m >= 1)"
        ' and ignoring (reason) min_over_time(kube_pod_container_status_last_terminated_reason{reason="OOMKilled"}[10m]) == 1'
    ),
    "mixin: working set record": (
        'container_memory_working_set_bytes{job="kubelet", metrics_path="/metrics/cadvisor", image!=""}'
        " * on (cluster, namespace, pod) group_left (node)"
        ' topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))'
    ),
    "mixin: memory limits record": (
        'kube_pod_container_resource_limits{resource="memory", job="kube-state-metrics"}'
        " * on (namespace, pod, cluster) group_left ()"
        ' max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)'
    ),
}


class Measured(Prometheus):
    """A Prometheus that takes remote writes of any age, never compacts, and tells its CPU time."""

    def arguments(self) -> list[str]:
        more = ["--web.enable-remote-write-receiver", "--storage.tsdb.min-block-duration=1y", "--storage.tsdb.max-block-duration=1y"]
        return [*super().arguments(), *more]

    def cpu_ms(self) -> float:
        """CPU time so far, of all threads."""
        assert self._process is not None
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[0]) for path in tasks) / 1e6

    def ask(self, expr: str, at_s: float) -> list[Any]:
        """An instant query's series, with the time a large one takes."""
        body = urllib.parse.urlencode({"query": expr, "time": at_s, "timeout": "120s"}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query", data=body, timeout=150) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
        return found


def duration_s(text: str) -> float:
    """Seconds in a Prometheus duration such as 1h30m."""
    return sum(int(number) * UNITS_S[unit] for number, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text))


def reaches_s(expr: str) -> dict[str, float]:
    """How far back the expression looks into each of its metrics: range and offset, and the ranges of all subqueries."""
    found = words(expr)
    reaches: dict[str, float] = {}
    subqueries = sum(duration_s(a.text) for a, b in pairwise(found) if b.text == ":" and a.kind is Kind.DURATION)
    for one in selectors(expr):
        after = [token.text for token in found if token.start >= one.end][: 5 if one.window else 2]
        offset = duration_s(after[-1]) if len(after) > 1 and after[-2] == "offset" else 0.0
        for name in one.names:
            reaches[name] = max(reaches.get(name, 0.0), duration_s(one.window) + offset + subqueries)
    return reaches


def pack_of(directory: Path) -> list[tuple[Rule, float]]:
    """Every rule in its order, with its group's interval in seconds."""
    found = []
    for file in read_rule_files(directory):
        for group in file.groups:
            interval_s = duration_s(str(group["interval"])) if group.get("interval") else INTERVAL_S
            found += [(Rule(file=file.name, group=group["name"], body=body), interval_s) for body in group["rules"]]
    return found


def records_in_order(rules: Sequence[tuple[Rule, float]]) -> list[tuple[Rule, float]]:
    """The records alone, each after those that it reads, whatever file they are in."""
    left, ordered = [one for one in rules if not one[0].alert], []
    while left:
        unknown = {rule.name for rule, _ in left}
        ready = [one for one in left if not unknown & (reaches_s(one[0].expr).keys() - {one[0].name})] or left[:1]
        ordered += ready
        left = [one for one in left if one not in ready]
    return ordered
