"""What somebody may have meant who named a pod or a workload that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from receiver.app.deaths import list_pods
from receiver.case.access import controller_of, objects, text
from receiver.case.workload import guessed_owner
from receiver.domain.kube_names import Workload, is_name, workload_from_pod_name
from receiver.domain.target import Target
from receiver.errors import SourceError
from receiver.evidence.kube import Kube, object_path

MOST = 3
CUTOFF = 0.7  # difflib's ratio: two letters in a name of ten may be wrong


def near_names(kube: Kube, target: Target) -> str:
    """`; did you mean deployment/orders-api or orders-api-655779759d-jst99?`, or where else it is; empty when nothing is near."""
    wanted = target.pod or (target.workload.name if target.workload is not None else "")
    if not wanted or not target.namespace:
        return ""
    try:
        names = _named(list_pods(kube, Target(namespace=target.namespace)))
    except SourceError:
        return ""
    found = _near(target, wanted, names)
    if found:
        return f"; did you mean {' or '.join(found)}?"
    elsewhere = _elsewhere(kube, target)
    if elsewhere:
        return f"; there is one in namespace {' and '.join(elsewhere)}: use -n"
    return "" if names else f"; namespace {target.namespace} has no pods"


def _named(pods: Iterable[Mapping[str, Any]]) -> Mapping[str, Workload | None]:
    """Pods by name, with what owns them."""
    return {name: _owner(pod) for pod in pods if is_name(name := text(pod, "metadata", "name"))}


def _near(target: Target, wanted: str, names: Mapping[str, Workload | None]) -> list[str]:
    """A pod's workload when its name was given, pods of the same workload when one was replaced, then names that look alike."""
    workloads = {f"{w.kind.lower()}/{w.name}": w.name for w in names.values() if w is not None and is_name(w.name)}
    exact = [shown for shown, name in workloads.items() if name == wanted]
    found = exact or (_of_the_same(wanted, names) if target.pod else [])
    if found:
        return found[:MOST]
    alike = set(difflib.get_close_matches(wanted, workloads.values(), MOST, CUTOFF))
    like = [shown for shown, name in workloads.items() if name in alike]
    if target.workload is not None:
        return like
    return [*like, *difflib.get_close_matches(wanted, names, MOST, CUTOFF)][:MOST]


def _of_the_same(pod: str, names: Mapping[str, Workload | None]) -> list[str]:
    """The pods of the workload that a pod's name tells."""
    told = workload_from_pod_name(pod)
    return [name for name, owner in names.items() if owner is not None and owner.name == told.name] if told is not None else []


def _owner(pod: object) -> Workload | None:
    guess = guessed_owner(pod)
    if guess is not None:
        return guess
    reference = controller_of(pod)
    kind, name = text(reference, "kind"), text(reference, "name")
    return Workload(kind=kind, name=name) if kind and name and kind != "Node" else None


def _elsewhere(kube: Kube, target: Target) -> list[str]:
    """Namespaces that have a pod of exactly that name; who may not list the cluster's pods is not told."""
    if not target.pod:
        return []
    try:
        answer = kube.get(object_path("api/v1", "pods"), {"fieldSelector": f"metadata.name={target.pod}", "limit": 10})
    except SourceError:
        return []
    found = (text(pod, "metadata", "namespace") for pod in objects(answer, "items"))
    return sorted({name for name in found if is_name(name)})[:MOST]
