"""What of the namespace bounds or changes the workload's memory: autoscalers, LimitRange, ResourceQuota."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.case.access import text
from receiver.errors import NotFound
from receiver.evidence.clean import Cleaner
from receiver.evidence.gatherers import node
from receiver.evidence.gatherers.owners import top_owner
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import Look

_VPA_API, _VPAS = "apis/autoscaling.k8s.io/v1", "verticalpodautoscalers"


def ask_hpa(look: Look, clean: Cleaner) -> Any:
    """The HorizontalPodAutoscalers that scale the workload."""
    return _targeting(look, clean, "apis/autoscaling/v2", "horizontalpodautoscalers", "scaleTargetRef")


def ask_vpa(look: Look, clean: Cleaner) -> Any:
    """The VerticalPodAutoscalers of the workload, where the budget has room; none where the CRD is not installed."""
    if not text(top_owner(look), "metadata", "name"):
        return None
    if look.is_absent(_VPAS):
        return {"items": []}
    if not look.is_kept(object_path(_VPA_API, _VPAS, namespace=look.subject.namespace), FROM_CACHE):
        look.need_room(2 if node.is_suspected(look) else 1)  # then the node's pods tell more than a VPA
    try:
        return _targeting(look, clean, _VPA_API, _VPAS, "targetRef")
    except NotFound:
        look.note_absent(_VPAS)  # whatever the namespace: the next one is not asked
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
