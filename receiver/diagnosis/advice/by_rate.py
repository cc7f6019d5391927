"""An autoscaler on the request rate that memory follows: a KEDA ScaledObject, or an HPA on a metric that an adapter serves.

The target is the rate of one pod at which its memory stays safely below the limit in force: what memory = a + b x rate gives there.
What scales the workload already is amended: a second scaler of the same workload would fight the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.case.access import mapping, objects, text, whole
from receiver.diagnosis.advice import rate_model
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.memory.thresholds import TRAFFIC_CORRELATION
from receiver.domain.facts import RateSource, Scaling
from receiver.domain.reason import Reason, reason

SAFE_RATIO = 0.8  # of the limit: the warning line of the shipped rules; the rest is for what one pod gets more than the average
GROWTH, MOST_GROWTH = 2, 10  # x the present replicas: the first maximum at least, and at most however high the peak was
MIN_WINDOW_S = 300  # scale down slowly: the next burst may be near
ADDRESS = "http://prometheus.monitoring.svc:9090"  # where ours reaches it only from here, theirs is to be filled in


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to scale on: `rate` a second and pod, at most; `peak_rate` is the highest seen of one pod."""

    source: RateSource
    scaling: Scaling
    rate: float
    peak_rate: float
    safe_bytes: float

    @property
    def is_by_keda(self) -> bool:
        """Whether KEDA asks Prometheus itself; else an adapter serves the metric to an HPA."""
        return self.scaling.has_keda

    def because(self) -> tuple[Reason, ...]:
        """What the number is, and what to look at before it is applied."""
        found = [
            reason(
                "advice.rate_per_pod",
                rate=self.rate,
                unit=self.source.unit,
                metric=self.source.metric,
                safe_bytes=self.safe_bytes,
                safe_ratio=SAFE_RATIO,
            )
        ]
        if self.is_by_keda and not self.source.address:
            found.append(reason("advice.fill_in_address"))
        if self.is_by_keda and self.source.needs_login:
            found.append(reason("advice.keda_needs_login"))
        if not self.is_by_keda:
            pods, external = self.scaling.pods_metric, self.scaling.external_metric
            found.append(reason("advice.served_for_pods", name=pods) if pods else reason("advice.served_external", name=external))
        return tuple(found)


def target(clues: Clues) -> Target | Reason | None:
    """What to scale on, or why it cannot be the rate. None where memory does not follow one."""
    source = clues.facts.rate
    correlation = clues.shape.rate_correlation if clues.shape is not None else None
    if source is None or correlation is None or correlation < TRAFFIC_CORRELATION:
        return None
    scaling = clues.facts.workload.scaling if clues.facts.workload is not None else None
    if scaling is None:
        return reason("advice.scaler_not_checked", why=clues.missing_why("scaling") or "not asked")
    if not (scaling.has_keda or scaling.pods_metric or scaling.external_metric):
        return reason("advice.no_rate_scaler", metric=source.metric)
    if scaling.has_keda and not source.total_query:
        return reason("advice.rate_query_of_pod", setting=source.metric)
    model = rate_model.fit(clues.facts.history, correlation)
    replicas = replicas_of(clues) if source.is_total else 1
    safe_bytes = SAFE_RATIO * (clues.limit_bytes or 0)
    rate = (safe_bytes - model.base_bytes) / model.bytes_per_rate / replicas if model is not None else 0.0
    if model is None or rate <= 0:
        return reason("advice.no_safe_rate", metric=source.metric)
    return Target(source=source, scaling=scaling, rate=_rounded(rate), peak_rate=model.peak_rate / replicas, safe_bytes=safe_bytes)


def replicas_of(clues: Clues) -> int:
    """The replicas that there shall be, one at least."""
    return max((clues.facts.workload.replicas_desired if clues.facts.workload else None) or 1, 1)


def most_replicas(aim: Target, replicas: int) -> int:
    """A maximum that carries the highest rate seen, within reason."""
    needed = math.ceil(replicas * aim.peak_rate / aim.rate)
    return min(max(needed, replicas * GROWTH, replicas + 1), replicas * MOST_GROWTH)


def scaled_object(aim: Target, *, name: str, namespace: str, reference: Mapping[str, str], least: int, most: int) -> dict[str, Any]:
    """A ScaledObject for a workload that nothing scales yet."""
    spec = {
        "scaleTargetRef": dict(reference),
        "minReplicaCount": least,
        "maxReplicaCount": most,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": MIN_WINDOW_S}}}},
        "triggers": [_trigger(aim)],
    }
    return change(name, namespace, spec)


def taken_over(manifest: dict[str, Any], hpa: str, metrics: tuple[Mapping[str, Any], ...]) -> dict[str, Any] | None:
    """The ScaledObject that takes over an HPA under its name, with its metrics; None where KEDA has no trigger for one of them."""
    kept = []
    for metric in metrics:
        resource, goal = text(metric, "resource", "name"), mapping(metric, "resource", "target")
        if text(metric, "type") != "Resource" or text(goal, "type") not in ("Utilization", "AverageValue"):
            return None
        value = goal.get("averageUtilization", goal.get("averageValue"))
        if resource != "memory":
            kept.append({"type": resource, "metricType": text(goal, "type"), "metadata": {"value": str(value)}})
    spec = manifest["spec"]
    spec["advanced"]["horizontalPodAutoscalerConfig"]["name"] = hpa
    spec["triggers"] = [*kept, *spec["triggers"]]
    manifest["metadata"]["annotations"] = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
    return manifest


def amended(aim: Target, existing: Mapping[str, Any], *, namespace: str, replicas: int, is_full: bool) -> dict[str, Any] | None:
    """A change of the ScaledObject: its triggers with ours among them, and a maximum that carries the peak. None: nothing to change."""
    triggers = [dict(t) for t in objects(existing, "spec", "triggers") if text(t, "type") != "memory"]
    same = next((t for t in triggers if text(t, "type") == "prometheus" and aim.source.metric in text(t, "metadata", "query")), None)
    most = whole(existing, "spec", "maxReplicaCount") or 100  # KEDA's default
    wanted = max(most, most_replicas(aim, replicas), most * GROWTH if is_full else 0)
    threshold = _number(text(same or {}, "metadata", "threshold"))
    if same is None:
        triggers.append(_trigger(aim))
    elif threshold is None or threshold > aim.rate:
        same["metadata"] = {**mapping(same, "metadata"), "threshold": f"{aim.rate:g}"}
    elif not is_full:
        return None
    return change(text(existing, "metadata", "name"), namespace, {"maxReplicaCount": wanted, "triggers": triggers})


def change(name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A ScaledObject's manifest with what is to be in its spec."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": dict(spec)}


def hpa_metric(aim: Target) -> dict[str, Any]:
    """The metric of an HPA, as the adapter serves it."""
    goal = {"type": "AverageValue", "averageValue": f"{max(round(aim.rate * 1000), 1)}m"}
    if aim.scaling.pods_metric:
        return {"type": "Pods", "pods": {"metric": {"name": aim.scaling.pods_metric}, "target": goal}}
    return {"type": "External", "external": {"metric": {"name": aim.scaling.external_metric}, "target": goal}}


def with_rate(metrics: tuple[Mapping[str, Any], ...], aim: Target) -> list[Any] | None:
    """The metrics of an HPA with the rate among them and memory not; None where the rate is there already."""
    ours = hpa_metric(aim)
    if any(_named(m) == _named(ours) for m in metrics):
        return None
    return [*(dict(m) for m in metrics if text(m, "resource", "name") != "memory"), ours]


def _named(metric: Mapping[str, Any]) -> str:
    return text(metric, "pods", "metric", "name") or text(metric, "external", "metric", "name")


def _trigger(aim: Target) -> dict[str, Any]:
    return {
        "type": "prometheus",
        "metadata": {"serverAddress": aim.source.address or ADDRESS, "query": aim.source.total_query, "threshold": f"{aim.rate:g}"},
    }


def _rounded(rate: float) -> float:
    """Two digits, downwards: more would be a pretence."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return float(f"{math.floor(rate / unit) * unit:.2g}")


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
