"""A v1 Pod as `PodFacts`: every container of every kind, spec beside status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from receiver.case.access import get, mapping, objects, quantity_bytes, string_map, text, texts, whole
from receiver.domain.facts import ContainerFacts, Disruption, MemorySetting, PodFacts, Termination, Write, newer_death
from receiver.domain.units import parse_bytes_or_none, parse_time

_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_STATES = ("running", "waiting", "terminated")
_CONDITION_SLACK = timedelta(seconds=2)  # startTime and the first conditions are written by the same sync, in whole seconds


def pod_facts(pod: object) -> PodFacts | None:
    """The pod, or None when this is none."""
    name = text(pod, "metadata", "name")
    if not name:
        return None
    statuses = {text(s, "name"): s for key in _STATUSES for s in objects(pod, "status", key)}
    return PodFacts(
        namespace=text(pod, "metadata", "namespace"),
        name=name,
        uid=text(pod, "metadata", "uid"),
        node=text(pod, "spec", "nodeName"),
        phase=text(pod, "status", "phase"),
        reason=text(pod, "status", "reason"),
        message=text(pod, "status", "message"),
        qos_class=text(pod, "status", "qosClass"),
        restart_policy=text(pod, "spec", "restartPolicy"),
        created_at=parse_time(text(pod, "metadata", "creationTimestamp")),
        started_at=parse_time(text(pod, "status", "startTime")),
        deleted_at=parse_time(text(pod, "metadata", "deletionTimestamp")),
        pod_limit_bytes=_in_force(pod, "limits"),
        pod_request_bytes=_in_force(pod, "requests"),
        asked=memory_setting(mapping(pod, "spec")),
        labels=string_map(pod, "metadata", "labels"),
        annotations=string_map(pod, "metadata", "annotations"),
        conditions={text(c, "type"): text(c, "status") for c in objects(pod, "status", "conditions")},
        resize=_resize(pod),
        disruption=_disruption(pod),
        memory_volumes=tuple(text(v, "name") for v in objects(pod, "spec", "volumes") if text(v, "emptyDir", "medium") == "Memory"),
        writes=writes(pod),
        containers=tuple(
            replace(container_facts(spec, status, kind), was_ready=_was_ready(pod, status))
            for key, kind in (("initContainers", "init"), ("containers", "regular"), ("ephemeralContainers", "ephemeral"))
            for spec in objects(pod, "spec", key)
            for status in (statuses.get(text(spec, "name"), {}),)
        ),
    )


def limits_in_force(pod: object) -> int:
    """A pod's memory limits together, in bytes: its own, else its containers' and native sidecars'. 0 without any."""
    of_pod = _in_force(pod, "limits")
    if of_pod is not None:
        return of_pod
    statuses = {text(s, "name"): s for key in _STATUSES for s in objects(pod, "status", key)}
    sidecars = (c for c in objects(pod, "spec", "initContainers") if c.get("restartPolicy") == "Always")
    counted = (*objects(pod, "spec", "containers"), *sidecars)
    return sum(quantity_bytes(_enforced(c, statuses.get(text(c, "name"), {})), "limits", "memory") or 0 for c in counted)


def deaths(pod: object) -> tuple[tuple[str, Termination], ...]:
    """The newest termination of each of a pod's containers that had one, with the container's name."""
    return tuple(
        (text(status, "name"), death)
        for key in _STATUSES
        for status in objects(pod, "status", key)
        if (death := newer_death(_termination(get(status, "state", "terminated")), _termination(get(status, "lastState", "terminated"))))
    )


def container_facts(spec: Mapping[str, Any], status: Mapping[str, Any], kind: str) -> ContainerFacts:
    """One container. `kind` is the list of the spec it stands in; a restartable init container is a sidecar."""
    if kind == "init" and spec.get("restartPolicy") == "Always":
        kind = "sidecar"
    state = next((s for s in _STATES if mapping(status, "state", s)), "unknown")
    current = mapping(status, "state", state)
    enforced = _enforced(spec, status)
    return ContainerFacts(
        name=text(spec, "name"),
        kind=kind,
        image=text(spec, "image") or text(status, "image"),
        command=texts(spec, "command") + texts(spec, "args"),
        env={text(e, "name"): text(e, "value") for e in objects(spec, "env") if "value" in e},
        limit_bytes=quantity_bytes(enforced, "limits", "memory"),
        request_bytes=quantity_bytes(enforced, "requests", "memory"),
        asked=memory_setting(spec),
        restarts_on_resize=any(
            text(p, "resourceName") == "memory" and text(p, "restartPolicy") == "RestartContainer" for p in objects(spec, "resizePolicy")
        ),
        cpu_request=text(enforced, "requests", "cpu") or None,
        state=state,
        state_reason=text(current, "reason"),
        state_message=text(current, "message"),
        state_since=_time(current, "startedAt") if state == "running" else _time(current, "finishedAt"),
        terminated=_termination(get(status, "state", "terminated")),
        last_terminated=_termination(get(status, "lastState", "terminated")),
        restart_count=whole(status, "restartCount") or 0,
        is_ready=status.get("ready") is True,
        is_probed_for_ready=bool(mapping(spec, "readinessProbe") or mapping(spec, "startupProbe")),
    )


def _enforced(spec: Mapping[str, Any], status: Mapping[str, Any]) -> object:
    """status.resources is what the kubelet enforces: after an in-place resize the spec may be ahead of it."""
    return status.get("resources") if mapping(status, "resources") else spec.get("resources")


def _was_ready(pod: object, status: Mapping[str, Any]) -> bool | None:
    """Whether a container was Ready at any time.

    The pod's condition Ready begins as False with the pod; a False of a later time was True before, and then every container
    was Ready. (The kubelet moves lastTransitionTime only with the status: pkg/kubelet/status/status_manager.go,
    updateLastTransitionTime.) One that never was True tells of this container only when no other one held it back.
    """
    if status.get("ready") is True:
        return True
    condition = next((c for c in objects(pod, "status", "conditions") if text(c, "type") == "Ready"), None)
    began_at, changed_at = parse_time(text(pod, "status", "startTime")), parse_time(text(condition, "lastTransitionTime"))
    if condition is None or began_at is None or changed_at is None:
        return None
    if text(condition, "status") == "True" or changed_at - began_at > _CONDITION_SLACK:
        return True
    others = [s for key in ("containerStatuses", "initContainerStatuses") for s in objects(pod, "status", key) if s is not status]
    is_held_back = any(s.get("ready") is not True for s in others)
    return None if is_held_back else False


def writes(obj: object) -> tuple[Write, ...]:
    """Who owns what of an object (`metadata.writes`), as far as the times could be read."""
    return tuple(
        Write(
            what=text(w, "what"),
            manager=text(w, "manager"),
            at=at,
            container=text(w, "container"),
            subresource=text(w, "subresource"),
        )
        for w in objects(obj, "metadata", "writes")
        if (at := parse_time(w.get("time"))) is not None
    )


def memory_setting(spec: object) -> MemorySetting:
    """What `resources` of a container (or of a pod's spec) says about memory."""
    return MemorySetting(
        limit_bytes=quantity_bytes(spec, "resources", "limits", "memory"),
        request_bytes=quantity_bytes(spec, "resources", "requests", "memory"),
        limit_text=_written(get(spec, "resources", "limits", "memory")),
        request_text=_written(get(spec, "resources", "requests", "memory")),
    )


def _written(quantity: object) -> str:
    """A quantity as it stands there; empty for none, and for what is none."""
    return str(quantity).strip() if parse_bytes_or_none(quantity) is not None else ""


def _resize(pod: object) -> str:
    """A resize in place that the kubelet has not done: conditions since Kubernetes 1.33, `status.resize` before."""
    held = {text(c, "type"): text(c, "reason") for c in objects(pod, "status", "conditions") if text(c, "status") == "True"}
    if "PodResizePending" in held:
        return "infeasible" if held["PodResizePending"] == "Infeasible" else "deferred"
    if "PodResizeInProgress" in held:
        return "in_progress"
    return {"Deferred": "deferred", "Infeasible": "infeasible", "InProgress": "in_progress", "Proposed": "in_progress"}.get(
        text(pod, "status", "resize"), ""
    )


def _disruption(pod: object) -> Disruption | None:
    for condition in objects(pod, "status", "conditions"):
        if text(condition, "type") == "DisruptionTarget" and text(condition, "status") == "True":
            at = parse_time(condition.get("lastTransitionTime"))
            return Disruption(reason=text(condition, "reason"), message=text(condition, "message"), at=at)
    return None


def _termination(state: object) -> Termination | None:
    if not isinstance(state, Mapping) or not state:
        return None
    return Termination(
        reason=text(state, "reason"),
        exit_code=whole(state, "exitCode"),
        signal=whole(state, "signal"),
        started_at=_time(state, "startedAt"),
        finished_at=_time(state, "finishedAt"),
        message=text(state, "message"),
    )


def _time(state: object, key: str) -> Any:
    at = parse_time(get(state, key))
    return at if at is not None and at.year > 1970 else None  # StartError has startedAt 1970-01-01: it never ran


def _in_force(pod: object, which: str) -> int | None:
    enforced = quantity_bytes(pod, "status", "resources", which, "memory")
    return enforced if enforced is not None else quantity_bytes(pod, "spec", "resources", which, "memory")
