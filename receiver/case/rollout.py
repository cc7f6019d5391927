"""How far a workload's newest template has got."""

from __future__ import annotations

from receiver.case.access import text, whole
from receiver.domain.facts import Rollout


def rollout_of(owner: object) -> Rollout | None:
    """Of a Deployment, StatefulSet, DaemonSet or Rollout; None for kinds that roll nothing out, and where the status does not say.

    Complete as `kubectl rollout status` sees it: the status is of this generation, and every pod is of the newest template and ready.
    """
    kind = text(owner, "kind")
    if kind == "DaemonSet":
        desired, updated = whole(owner, "status", "desiredNumberScheduled"), whole(owner, "status", "updatedNumberScheduled") or 0
        total, ready = desired, whole(owner, "status", "numberAvailable") or 0
    elif kind in ("Deployment", "StatefulSet", "Rollout"):
        desired, updated = whole(owner, "spec", "replicas"), whole(owner, "status", "updatedReplicas") or 0
        total, ready = whole(owner, "status", "replicas") or 0, whole(owner, "status", "readyReplicas") or 0
    else:
        return None
    if desired is None:
        return None
    generation, seen = whole(owner, "metadata", "generation"), whole(owner, "status", "observedGeneration")
    is_seen = generation is None or seen is None or seen >= generation
    return Rollout(
        updated=updated, desired=desired, is_complete=is_seen and updated >= desired and (total or 0) <= updated and ready >= desired
    )
