"""A VerticalPodAutoscaler: its mode, and what its policies allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.case.access import objects, quantity_bytes, text, texts
from receiver.domain.facts import EVERY_CONTAINER, Vpa


def vpa_of(items: tuple[Mapping[str, Any], ...]) -> Vpa | None:
    """The first of the workload's VPAs; None for none."""
    if not items:
        return None
    vpa = items[0]
    listed = tuple(objects(vpa, "spec", "resourcePolicy", "containerPolicies"))
    policies = {text(p, "containerName") or EVERY_CONTAINER: p for p in listed}
    return Vpa(
        name=text(vpa, "metadata", "name"),
        mode=text(vpa, "spec", "updatePolicy", "updateMode") or "Auto",
        min_bytes=dict(_bounds(policies, "minAllowed")),
        max_bytes=dict(_bounds(policies, "maxAllowed")),
        requests_only=frozenset(name for name, p in policies.items() if text(p, "controlledValues") == "RequestsOnly"),
        left_alone=frozenset(name for name, p in policies.items() if _leaves_alone(p)),
        policies=listed,
    )


def _bounds(policies: Mapping[str, Mapping[str, Any]], which: str) -> Iterator[tuple[str, int]]:
    for name, policy in policies.items():
        if (bound := quantity_bytes(policy, which, "memory")) is not None:
            yield name, bound


def _leaves_alone(policy: Mapping[str, Any]) -> bool:
    controlled = texts(policy, "controlledResources")
    return text(policy, "mode") == "Off" or (bool(controlled) and "memory" not in controlled)
