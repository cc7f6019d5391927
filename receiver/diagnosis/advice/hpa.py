"""An HPA beside the raise, for spikes that follow traffic: on CPU, never on memory.

Memory is the wrong signal to scale on: a process seldom gives memory back, so replicas added for a peak never go away,
and a leak would add replicas for ever. CPU follows requests, and each replica then holds fewer of them at a time.
"""

from __future__ import annotations

import yaml

from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.memory.thresholds import TRAFFIC_CORRELATION
from receiver.domain.confidence import UNSURE
from receiver.domain.kube_names import is_name
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Hpa

CPU_TARGET_PERCENT = 70  # of the CPU request: leaves room while new pods start
GROWTH = 2  # x the present replicas as the first maximum: halves what each holds at the peak
SCALABLE = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Rollout": "argoproj.io/v1alpha1"}
MIN_WINDOW_S = 300  # scale down slowly: the next burst may be near


def hpa_for(clues: Clues, cause: Cause) -> Hpa | None:
    """The manifest, or the change of the HPA that exists; None where more replicas would not help."""
    workload = clues.workload
    if not leaf_of(cause.name).scales_out or cause.confidence <= UNSURE or _is_batch(clues, cause):
        return None
    if workload.kind not in SCALABLE or not is_name(workload.name):
        return None
    existing = clues.facts.workload.hpa if clues.facts.workload else None
    return _wider(clues, dict(existing)) if existing else _new(clues)


def _is_batch(clues: Clues, cause: Cause) -> bool:
    """Whether the spikes are known not to be traffic: one big piece of work does not get smaller by more replicas."""
    correlation = clues.shape.rate_correlation if clues.shape is not None else None
    return cause.detail == "burst" or (correlation is not None and correlation < TRAFFIC_CORRELATION)


def _new(clues: Clues) -> Hpa:
    workload, namespace = clues.workload, clues.facts.subject.namespace
    replicas = max((clues.facts.workload.replicas_desired if clues.facts.workload else None) or 1, 1)
    manifest = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": workload.name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": SCALABLE[workload.kind], "kind": workload.kind, "name": workload.name},
            "minReplicas": replicas,
            "maxReplicas": max(replicas * GROWTH, replicas + 1),
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT}},
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": MIN_WINDOW_S}},
        },
    }
    because = [reason("advice.more_replicas", basis=_basis(clues))]
    if clues.container is not None and not clues.container.cpu_request:
        because.append(reason("advice.hpa_needs_cpu_request"))
    if workload.kind == "StatefulSet":
        because.append(reason("advice.replicas_must_be_alike"))
    return Hpa(manifest=_yaml(manifest), why=reason("advice.new_hpa", because=tuple(because)))


def _wider(clues: Clues, existing: dict[str, object]) -> Hpa | None:
    """New maxReplicas for an HPA that is at its end, or nothing when it still has room."""
    name, most, current = str(existing.get("name") or clues.workload.name), _number(existing.get("max")), _number(existing.get("current"))
    if most is None:
        return None
    patch = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": clues.facts.subject.namespace},
        "spec": {"maxReplicas": most * GROWTH},
    }
    is_by_memory = "memory" in str(existing.get("metrics", "")).lower()
    is_full = current is not None and current >= most
    if current is not None and not is_full and not is_by_memory:
        return None
    state = reason("advice.hpa_is_full", name=name, most=most) if is_full else reason("advice.hpa_goes_to", name=name, most=most)
    if is_by_memory:
        return Hpa(manifest=_yaml(patch), why=reason("advice.wider_hpa_by_memory", state=state, basis=_basis(clues)))
    return Hpa(manifest=_yaml(patch), why=reason("advice.wider_hpa", state=state, basis=_basis(clues)))


def _basis(clues: Clues) -> Reason:
    """How well it is known that the spikes are traffic."""
    correlation = clues.shape.rate_correlation if clues.shape is not None else None
    if correlation is not None:
        return reason("advice.follows_request_rate", correlation=correlation)
    return reason("advice.only_if_traffic")


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=False, width=1000)
