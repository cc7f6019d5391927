"""The other pods of the same workload: does every replica die, or one?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.case.access import get, text, whole
from receiver.evidence.clean import Cleaner, slim_pod
from receiver.evidence.gatherers.owners import top_owner
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import Look
from receiver.evidence.selector import selector_text

MAX_PODS = 100  # of a larger workload a page is enough: are others dying too?


def ask(look: Look, clean: Cleaner) -> Any:
    """The workload's pods in short, this one left out: of a pod that is gone, those that took its place."""
    owner = top_owner(look)
    selector = selector_text(owner)
    if not selector:
        return None
    is_there = "pod" in look.answers
    if is_there and text(owner, "kind") != "Job" and whole(owner, "spec", "replicas") == 1 and get(owner, "status", "replicas") == 1:
        return {"items": []}  # the owner itself says that there is no other
    path = object_path("api/v1", "pods", namespace=look.subject.namespace)
    is_large = (whole(owner, "status", "replicas") or 0) > MAX_PODS
    how = {"limit": MAX_PODS} if is_large else FROM_CACHE
    pods = look.get(path, {"labelSelector": selector, **how}).get("items") or ()
    others = (p for p in pods if isinstance(p, Mapping) and text(p, "metadata", "name") != look.subject.pod)
    return clean.items(slim_pod(p) for p in others)
