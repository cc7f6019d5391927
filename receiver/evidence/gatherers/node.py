"""The node under the pod: its room, its pressure, and who else dies there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.case.access import objects, text
from receiver.case.killed import pick_killed_container
from receiver.case.pod import pod_facts
from receiver.evidence.clean import Cleaner, slim_pod
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import Look


def ask(look: Look, clean: Cleaner) -> Any:
    """The v1 Node."""
    name = _name(look)
    if not name:
        return None
    node = clean.object(look.get_kept(object_path("api/v1", "nodes", name=name), ttl_s=look.config.node_ttl_s))
    node.get("status", {}).pop("images", None)  # a list of everything ever pulled there
    return node


def ask_events(look: Look, clean: Cleaner) -> Any:
    """The node's events: SystemOOM and eviction thresholds stand here, not with the pod."""
    name = _name(look)
    if not name:
        return None
    path = object_path("api/v1", "events", namespace="default")
    selector = f"involvedObject.kind=Node,involvedObject.name={name}"
    answer = look.get_kept(path, {"fieldSelector": selector, "limit": 200}, ttl_s=look.config.node_ttl_s)
    return clean.items(e for e in answer.get("items") or () if text(e, "involvedObject", "name") == name)


def ask_pods(look: Look, clean: Cleaner) -> Any:
    """Every pod of the node, in short: the sum of their limits, and other kills. Only where the request fits the budget."""
    name = _name(look)
    if not name:
        return None
    path, params = object_path("api/v1", "pods"), {"fieldSelector": f"spec.nodeName={name}", **FROM_CACHE}
    if not look.is_kept(path, params):
        look.need_room()
    answer = look.get_kept(path, params, ttl_s=look.config.node_ttl_s)
    return clean.items(slim_pod(p) for p in answer.get("items") or () if isinstance(p, Mapping))


def is_suspected(look: Look) -> bool:
    """Whether the node, and not the container's own limit, may have killed: then its other pods matter more than a VPA."""
    pod = pod_facts(look.answers.get("pod"))
    if pod is None:
        return bool(look.subject.node)
    killed = pick_killed_container(pod, look.subject.container)
    death = killed.newest_termination if killed else None
    is_unlimited = killed is not None and killed.limit_bytes is None and pod.pod_limit_bytes is None
    pressure = {text(c, "type"): text(c, "status") for c in objects(look.answers.get("node"), "status", "conditions")}.get("MemoryPressure")
    return bool(
        pod.reason == "Evicted" or is_unlimited or pressure == "True" or (death and death.exit_code == 137 and death.reason != "OOMKilled")
    )


def _name(look: Look) -> str:
    """The node, from the pod or the alert; empty for a pod that no node has taken yet. A Gap when the pod could not be read."""
    name = text(look.answers.get("pod"), "spec", "nodeName") or look.subject.node
    if not name:
        look.need("pod")
    return name
