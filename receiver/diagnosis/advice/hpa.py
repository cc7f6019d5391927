"""An autoscaler beside the raise, for spikes that follow traffic: on the request rate where something serves it, else on CPU.

Never on memory: a process seldom gives memory back, so replicas added for a peak never go away, and a leak would add
replicas for ever. CPU follows requests, and each replica then holds fewer of them at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from receiver.diagnosis.advice import by_rate
from receiver.diagnosis.advice.by_rate import GROWTH, MIN_WINDOW_S, Target, replicas_of
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.memory.thresholds import TRAFFIC_CORRELATION
from receiver.domain.confidence import UNSURE
from receiver.domain.kube_names import is_name
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Hpa

KEDAS = "keda-hpa-"  # before the name of a ScaledObject: the HPA that KEDA makes of it
CPU_TARGET_PERCENT = 70  # of the CPU request: leaves room while new pods start
SCALABLE = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Rollout": "argoproj.io/v1alpha1"}


def hpa_for(clues: Clues, cause: Cause) -> Hpa | None:
    """The manifest, or the change of the HPA that exists; None where more replicas would not help."""
    workload = clues.workload
    if not leaf_of(cause.name).scales_out or cause.confidence <= UNSURE or _is_batch(clues, cause):
        return None
    if workload.kind not in SCALABLE or not is_name(workload.name):
        return None
    existing = clues.facts.workload.hpa if clues.facts.workload else None
    aim = by_rate.target(clues)
    if isinstance(aim, Target):
        manifest = _by_rate(clues, aim, existing)
        if manifest is not None:
            because = (reason("advice.more_replicas", basis=_basis(clues)), *aim.because(), *_caveats(clues))
            return Hpa(manifest=_yaml(manifest), why=reason("advice.new_hpa", because=because))
    scaling = clues.facts.workload.scaling if clues.facts.workload else None
    if scaling is not None and scaling.scaled_object is not None and (existing is None or isinstance(aim, Target)):
        return None  # a ScaledObject scales it, with room left; beside it a second scaler would fight
    why_not = aim if isinstance(aim, Reason) else None
    return _wider(clues, dict(existing), why_not) if existing else _new(clues, why_not)


def _by_rate(clues: Clues, aim: Target, existing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The manifest that scales on the rate, or the change of what scales already; None where that would change nothing."""
    workload, namespace, replicas = clues.workload, clues.facts.subject.namespace, replicas_of(clues)
    reference = {"apiVersion": SCALABLE[workload.kind], "kind": workload.kind, "name": workload.name}
    metrics = clues.facts.workload.hpa_metrics if clues.facts.workload else ()
    least = (_number(existing.get("min")) if existing else None) or replicas
    most = max((_number(existing.get("max")) if existing else None) or 0, by_rate.most_replicas(aim, replicas))
    if aim.is_by_keda:
        if aim.scaling.scaled_object is not None:
            is_full = existing is not None and _is_full(existing)
            return by_rate.amended(aim, aim.scaling.scaled_object, namespace=namespace, replicas=replicas, is_full=is_full)
        new = by_rate.scaled_object(aim, name=workload.name, namespace=namespace, reference=reference, least=least, most=most)
        return by_rate.taken_over(new, str(existing.get("name")), metrics) if existing else new
    if existing is None:
        return _manifest(clues, by_rate.hpa_metric(aim), most)
    with_rate = by_rate.with_rate(metrics, aim)
    return _patch(clues, existing, most, with_rate) if with_rate is not None else None


def _is_batch(clues: Clues, cause: Cause) -> bool:
    """Whether the spikes are known not to be traffic: one big piece of work does not get smaller by more replicas."""
    correlation = clues.shape.rate_correlation if clues.shape is not None else None
    return cause.detail == "burst" or (correlation is not None and correlation < TRAFFIC_CORRELATION)


def _new(clues: Clues, why_not: Reason | None) -> Hpa:
    replicas = replicas_of(clues)
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT}}}
    because = [reason("advice.more_replicas", basis=_basis(clues))]
    if why_not is not None:
        because.append(why_not)
    if clues.container is not None and not clues.container.cpu_request:
        because.append(reason("advice.hpa_needs_cpu_request"))
    manifest = _manifest(clues, cpu, max(replicas * GROWTH, replicas + 1))
    return Hpa(manifest=_yaml(manifest), why=reason("advice.new_hpa", because=(*because, *_caveats(clues))))


def _caveats(clues: Clues) -> tuple[Reason, ...]:
    found = [reason("advice.replicas_must_be_alike")] if clues.workload.kind == "StatefulSet" else []
    why = clues.missing_why("hpa")
    return (*found, reason("advice.hpa_not_read", why=why)) if why else tuple(found)


def _manifest(clues: Clues, metric: Mapping[str, Any], most: int) -> dict[str, Any]:
    workload = clues.workload
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": workload.name, "namespace": clues.facts.subject.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": SCALABLE[workload.kind], "kind": workload.kind, "name": workload.name},
            "minReplicas": replicas_of(clues),
            "maxReplicas": most,
            "metrics": [dict(metric)],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": MIN_WINDOW_S}},
        },
    }


def _patch(clues: Clues, existing: Mapping[str, Any], most: int, metrics: list[Any] | None = None) -> dict[str, Any]:
    name, namespace = str(existing.get("name") or clues.workload.name), clues.facts.subject.namespace
    if name.startswith(KEDAS):  # KEDA undoes what is changed in its own HPA
        return by_rate.change(name.removeprefix(KEDAS), namespace, {"maxReplicaCount": most})
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"maxReplicas": most, **({"metrics": metrics} if metrics else {})},
    }


def _wider(clues: Clues, existing: Mapping[str, Any], why_not: Reason | None) -> Hpa | None:
    """New maxReplicas for an HPA that is at its end, or nothing when it still has room."""
    name, most, current = str(existing.get("name") or clues.workload.name), _number(existing.get("max")), _number(existing.get("current"))
    if most is None:
        return None
    is_by_memory = "memory" in str(existing.get("metrics", "")).lower()
    is_full = _is_full(existing)
    if current is not None and not is_full and not is_by_memory:
        return None
    state = reason("advice.hpa_is_full", name=name, most=most) if is_full else reason("advice.hpa_goes_to", name=name, most=most)
    basis = _basis(clues)
    why = (
        reason("advice.wider_hpa_by_memory", state=state, basis=basis)
        if is_by_memory
        else reason("advice.wider_hpa", state=state, basis=basis)
    )
    if why_not is not None:
        why = reason("advice.new_hpa", because=(why, why_not))
    return Hpa(manifest=_yaml(_patch(clues, existing, most * GROWTH)), why=why)


def _is_full(existing: Mapping[str, Any]) -> bool:
    most, current = _number(existing.get("max")), _number(existing.get("current"))
    return most is not None and current is not None and current >= most


def _basis(clues: Clues) -> Reason:
    """How well it is known that the spikes are traffic."""
    correlation = clues.shape.rate_correlation if clues.shape is not None else None
    if correlation is not None:
        return reason("advice.follows_request_rate", correlation=correlation)
    return reason("advice.only_if_traffic")


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are: a query is to be read."""


def _as_written(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_written)


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=False, width=1000)
