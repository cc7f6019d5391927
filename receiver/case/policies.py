"""Node, LimitRange and ResourceQuota: how much room there is, and how the node fares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from receiver.case.access import objects, quantity_bytes, string_map, text
from receiver.case.events import event_facts
from receiver.case.killed import is_memory_death
from receiver.case.pod import deaths, limits_in_force
from receiver.domain.facts import NodeFacts
from receiver.domain.units import parse_bytes_or_none

SAME_KILL = timedelta(seconds=10)  # a SystemOOM event and the death that it is about
LATELY = timedelta(hours=1)  # other OOM kills on the node further back say nothing about this one


def node_facts(answers: Mapping[str, Any], pod_name: str, now: datetime) -> NodeFacts | None:
    """The node, with what its pods tell where they could be listed: up to 250 a node, so of each no more is read than is asked for."""
    node = answers.get("node")
    name = text(node, "metadata", "name")
    if not name:
        return None
    pressure = {text(c, "type"): text(c, "status") for c in objects(node, "status", "conditions")}.get("MemoryPressure")
    listed = answers.get("nodepods")
    pods = tuple(pod for pod in objects(listed, "items") if text(pod, "metadata", "name"))
    ran_out = _node_ran_out(answers)
    return NodeFacts(
        name=name,
        allocatable_bytes=quantity_bytes(node, "status", "allocatable", "memory"),
        has_memory_pressure={"True": True, "False": False}.get(pressure or ""),
        limits_total_bytes=sum(limits_in_force(p) for p in pods if text(p, "status", "phase") in ("Running", "Pending"))
        if listed is not None
        else None,
        other_oom_kills=tuple(kill for p in pods if text(p, "metadata", "name") != pod_name for kill in _recent_kills(p, now, ran_out)),
    )


def limit_range_max(answer: object) -> int | None:
    """The most memory that a LimitRange allows a container, the least of several; None for no bound."""
    bounds = [
        bound
        for entry in objects(answer, "items")
        for item in objects(entry, "spec", "limits")
        if text(item, "type") == "Container" and (bound := quantity_bytes(item, "max", "memory")) is not None
    ]
    return min(bounds, default=None)


def quota_free(answer: object, resource: str) -> int | None:
    """What ResourceQuotas leave of `limits.memory` or `requests.memory`, the least of several; None for no bound.

    A scoped quota counts some pods only, and whether these is not told here: it is left out.
    """
    free = []
    for entry in objects(answer, "items"):
        if objects(entry, "spec", "scopeSelector", "matchExpressions") or (entry.get("spec") or {}).get("scopes"):
            continue
        hard, used = string_map(entry, "status", "hard"), string_map(entry, "status", "used")
        for name in (resource, "memory") if resource == "requests.memory" else (resource,):  # `memory` is short for requests
            most, taken = parse_bytes_or_none(hard.get(name)), parse_bytes_or_none(used.get(name))
            if most is not None:
                free.append(most - (taken or 0))
    return min(free, default=None)


def _node_ran_out(answers: Mapping[str, Any]) -> tuple[datetime, ...]:
    """When the kubelet saw the whole node run out."""
    return tuple(e.at for e in event_facts(answers.get("nodeevents")) if e.reason == "SystemOOM" and e.at is not None)


def _recent_kills(pod: object, now: datetime, node_ran_out: tuple[datetime, ...]) -> tuple[str, ...]:
    """Its containers killed for memory lately. Where it is known when the node ran out, one that died at its limit at another time is none of them."""
    return tuple(
        f"{text(pod, 'metadata', 'namespace')}/{text(pod, 'metadata', 'name')} ({container})"
        for container, death in deaths(pod)
        if is_memory_death(death)
        and death.finished_at is not None
        and now - death.finished_at <= LATELY
        and (not node_ran_out or limits_in_force(pod) == 0 or any(abs(death.finished_at - at) <= SAME_KILL for at in node_ran_out))
    )
