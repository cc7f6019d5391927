"""The pod to look at when an alert names a workload only: of its pods, the one that shows most."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from receiver.case.access import get, objects, text, whole
from receiver.case.events import newest_time
from receiver.domain.kube_names import UNKNOWN_KIND, Workload, workload_from_pod_name
from receiver.errors import NotFound, SourceError
from receiver.evidence.gatherers.owners import PLACES, read_owner
from receiver.evidence.kube import FROM_CACHE, is_kube_name, object_path
from receiver.evidence.look import Gap, Look
from receiver.evidence.selector import selector_text

_TRIED = ("Deployment", "StatefulSet", "DaemonSet")  # where the alert does not say the kind
_JOB_LABEL = "batch.kubernetes.io/job-name"
MAX_PODS = 500
_POD_OF_EVENT = re.compile(r"(?:Created|Deleted) pod: (\S+)")


def find_worst_pod(look: Look) -> Look:
    """The same look at the workload's worst pod. Unchanged where a pod is named, or no workload; `unfound` says why there is none."""
    workload = look.subject.workload
    if look.subject.names_a_pod or workload is None or not look.subject.namespace or look.kube is None:
        return look
    if not is_kube_name(workload.name):
        return replace(
            look,
            unfound=Gap(
                "the workload in the alert's labels cannot be a Kubernetes name",
                "set label_names if another label holds it",
                is_configuration=True,
            ),
        )
    try:
        pods = [p for p in _pods(look, workload) if isinstance(p, Mapping)]
    except Gap as gap:
        return replace(look, unfound=gap)
    except SourceError as exc:
        return replace(look, unfound=Gap(f"the pods of {workload.name} could not be read: {exc}", is_retryable=exc.retryable))
    gone = _newest_gone(look, workload) if not pods else ""
    if gone:
        return replace(look, subject=replace(look.subject, pod=gone))
    worst = worst_of(pods, look.subject.container)
    if worst is None:
        return replace(
            look, unfound=Gap(f"no pod of {workload.name} was found", "it may have been scaled down or deleted", is_normal=False)
        )
    subject = replace(look.subject, pod=text(worst, "metadata", "name"), node=text(worst, "spec", "nodeName"))
    return replace(look, subject=subject)


def worst_of(pods: Iterable[Mapping[str, Any]], container: str = "") -> Mapping[str, Any] | None:
    """The pod that shows most; None of none."""
    return max(pods, key=lambda pod: _badness(pod, container), default=None)


def _pods(look: Look, workload: Workload) -> Iterable[Any]:
    """The workload's pods, by its selector; those of a CronJob by its Jobs' label and their names."""
    path = object_path("api/v1", "pods", namespace=look.subject.namespace)
    if workload.kind == "Job":
        return look.get(path, {"labelSelector": f"{_JOB_LABEL}={workload.name}", **FROM_CACHE}).get("items") or ()
    if workload.kind == "CronJob":
        found = look.get(path, {"labelSelector": _JOB_LABEL, **FROM_CACHE}).get("items") or ()
        return [p for p in found if _is_of_cronjob(text(p, "metadata", "name"), workload.name)]
    selector = selector_text(_owner(look, workload))
    if not selector:
        return ()
    return look.get(path, {"labelSelector": selector, **FROM_CACHE, "limit": MAX_PODS}).get("items") or ()


def _newest_gone(look: Look, workload: Workload) -> str:
    """The newest pod that a Job's events tell of, when the Job controller deleted its pods; empty for none.

    The messages are "Created pod: NAME" and "Deleted pod: NAME" (pkg/controller/controller_utils.go).
    """
    if workload.kind != "Job":
        return ""
    path = object_path("api/v1", "events", namespace=look.subject.namespace)
    selector = f"involvedObject.kind=Job,involvedObject.name={workload.name}"
    try:
        events = objects(look.get(path, {"fieldSelector": selector}), "items")
    except SourceError:
        return ""
    told = [(newest_time(e), m[1]) for e in events if (m := _POD_OF_EVENT.fullmatch(text(e, "message")))]
    newest = max(told, key=lambda entry: entry[0].timestamp() if entry[0] is not None else 0.0, default=None)
    return newest[1] if newest is not None and is_kube_name(newest[1]) else ""


def _owner(look: Look, workload: Workload) -> Mapping[str, Any]:
    kinds = _TRIED if workload.kind == UNKNOWN_KIND else (workload.kind,)
    for kind in kinds:
        group = next((group for group, known in PLACES if known == kind), None)
        if group is None:
            raise Gap(
                f"{kind} {workload.name} is of a kind that is not read",
                "let the rule keep the labels namespace and pod",
                is_configuration=True,
            )
        try:
            return read_owner(look, group, kind, workload.name)
        except NotFound:
            continue
    raise Gap(
        f"there is no {kinds[0] if len(kinds) == 1 else 'workload'} {workload.name} in {look.subject.namespace}",
        "it may have been deleted or renamed",
    )


def _is_of_cronjob(pod: str, name: str) -> bool:
    owner = workload_from_pod_name(pod)
    return owner is not None and owner.kind == "CronJob" and owner.name == name


def _badness(pod: object, container: str) -> tuple[str, bool, int, str]:
    """The newest OOM kill first; then who is down, then restarts, then the newest pod."""
    statuses = [
        s
        for key in ("containerStatuses", "initContainerStatuses")
        for s in objects(pod, "status", key)
        if not container or text(s, "name") == container
    ]
    ends = [get(s, when, "terminated") for s in statuses for when in ("state", "lastState")]
    killed_at = max((text(e, "finishedAt") or "0" for e in ends if text(e, "reason") == "OOMKilled"), default="")
    is_down = any(get(s, "state", "running") is None for s in statuses)
    restarts = sum(whole(s, "restartCount") or 0 for s in statuses)
    return (killed_at, is_down, restarts, text(pod, "metadata", "creationTimestamp"))
