"""What of the namespace bounds or changes the workload's memory: autoscalers, LimitRange, ResourceQuota."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.diagnosis.reading.access import text
from receiver.errors import NotFound
from receiver.evidence.clean import Cleaner
from receiver.evidence.gatherers.owners import top_owner
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import Look


def ask_hpa(look: Look, clean: Cleaner) -> Any:
    """The HorizontalPodAutoscalers that scale the workload."""
    return _targeting(look, clean, "apis/autoscaling/v2", "horizontalpodautoscalers", "scaleTargetRef")


def ask_vpa(look: Look, clean: Cleaner) -> Any:
    """The VerticalPodAutoscalers of the workload; none where the CRD is not installed. Only where the budget has room."""
    path = object_path("apis/autoscaling.k8s.io/v1", "verticalpodautoscalers", namespace=look.subject.namespace)
    if not (look.has_room() or look.is_kept(path, FROM_CACHE)):
        return None
    try:
        return _targeting(look, clean, "apis/autoscaling.k8s.io/v1", "verticalpodautoscalers", "targetRef")
    except NotFound:
        return {"items": []}


def ask_limitrange(look: Look, clean: Cleaner) -> Any:
    """The namespace's LimitRanges."""
    return _of_namespace(look, clean, "limitranges")


def ask_resourcequota(look: Look, clean: Cleaner) -> Any:
    """The namespace's ResourceQuotas."""
    return _of_namespace(look, clean, "resourcequotas")


def _of_namespace(look: Look, clean: Cleaner, resource: str) -> Any:
    if not look.subject.namespace:
        return None
    path = object_path("api/v1", resource, namespace=look.subject.namespace)
    return clean.items(look.get_kept(path, FROM_CACHE, ttl_s=look.config.policy_ttl_s).get("items") or ())


def _targeting(look: Look, clean: Cleaner, api: str, resource: str, reference: str) -> Any:
    """The objects of the namespace that point at the workload; None when the workload is not known."""
    owner = top_owner(look)
    kind, name = text(owner, "kind"), text(owner, "metadata", "name")
    if not name:
        return None
    path = object_path(api, resource, namespace=look.subject.namespace)
    entries = look.get_kept(path, FROM_CACHE, ttl_s=look.config.policy_ttl_s).get("items") or ()
    return clean.items(
        e for e in entries
        if isinstance(e, Mapping) and text(e, "spec", reference, "kind") == kind and text(e, "spec", reference, "name") == name
    )  # fmt: skip
