"""What could scale the workload on its request rate: KEDA, or an adapter that serves the rate as a custom or external metric.

Asked only where a rate was found, and last: two requests at most, which may exceed what one incident may cost otherwise. Discovery and the
lists of metrics are open to every account (ClusterRole system:discovery) and are kept for the whole cluster.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from receiver.case.access import mapping, objects, text
from receiver.errors import Forbidden
from receiver.evidence.clean import Cleaner
from receiver.evidence.gatherers.owners import top_owner
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import SCALING_ROOM, Gap, Look

KEDA, CUSTOM, EXTERNAL = "keda.sh", "custom.metrics.k8s.io", "external.metrics.k8s.io"


def ask(look: Look, clean: Cleaner) -> Any:
    """The API groups that serve rates, the workload's ScaledObjects, and the names under which an adapter serves this very rate."""
    counter = mapping(look.answers.get("traffic"), "counter")
    owner = top_owner(look) if counter else {}
    if not text(owner, "metadata", "name"):
        return None
    groups = _groups(look)
    found: dict[str, Any] = {"groups": sorted(groups)}
    if KEDA in groups:
        return {**found, **_scaled_objects(look, clean, owner)}
    names = _rate_names(text(counter, "metric"))
    if CUSTOM in groups and counter.get("is_on_pod"):
        found["pods_metric"] = next((n for n in names if f"pods/{n}" in _served(look, groups[CUSTOM])), "")
    elif EXTERNAL in groups:
        found["external_metric"] = next((n for n in names if n in _served(look, groups[EXTERNAL])), "")
    return found


def _groups(look: Look) -> dict[str, str]:
    """The groups that matter here, and the version in which each is preferred."""
    found = objects(_kept(look, "apis"), "groups")
    return {name: text(g, "preferredVersion", "groupVersion") for g in found if (name := text(g, "name")) in (KEDA, CUSTOM, EXTERNAL)}


def _served(look: Look, version: str) -> frozenset[str]:
    return frozenset(text(r, "name") for r in objects(_kept(look, f"apis/{version}"), "resources"))


def _kept(look: Look, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    if not look.is_kept(path, params):
        look.need_room(1, beyond=SCALING_ROOM)
    try:
        return look.get_kept(path, params, ttl_s=look.config.policy_ttl_s)
    except Forbidden as exc:
        if params is not None:
            raise
        raise Gap(str(exc), "bind the ClusterRole system:discovery to the receiver", is_configuration=True) from None


def _scaled_objects(look: Look, clean: Cleaner, owner: Mapping[str, Any]) -> dict[str, Any]:
    path = object_path(f"apis/{KEDA}/v1alpha1", "scaledobjects", namespace=look.subject.namespace)
    target = (text(owner, "kind"), text(owner, "metadata", "name"))
    kept = _kept(look, path, FROM_CACHE).get("items") or ()
    own = [o for o in kept if isinstance(o, Mapping) and _target(o) == target]
    return clean.items(own)


def _target(scaled_object: Mapping[str, Any]) -> tuple[str, str]:
    reference = mapping(scaled_object, "spec", "scaleTargetRef")
    return text(reference, "kind") or "Deployment", text(reference, "name")  # KEDA's default


def _rate_names(metric: str) -> tuple[str, ...]:
    """What an adapter calls the rate of a counter: prometheus-adapter's shipped rules take off `_total`, people add what it is."""
    base = re.sub(r"_(total|count)$", "", metric)
    rates = (f"{base}_per_second", f"{base}_rate", f"{metric}_per_second", f"{metric}_rate")
    return (*rates, base) if metric.endswith("_total") else rates
