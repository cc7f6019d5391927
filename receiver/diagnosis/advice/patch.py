"""A change of memory settings as something to paste: a strategic-merge patch, kubectl commands, and lines for Git.

Names come from labels and APIs and are not trusted: a name that Kubernetes would not allow gets no command at all,
every word of a command is shell-quoted, and YAML is written by a YAML library.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from receiver.diagnosis.advice.starting_point import Start
from receiver.diagnosis.clues import Clues, newest_sibling
from receiver.domain.facts import Manager, MemorySetting
from receiver.domain.identity import Workload
from receiver.domain.kube_names import is_name
from receiver.domain.reason import Reason, reason
from receiver.domain.units import format_quantity

# Where the pod's spec stands in each owner.
_POD_SPEC_PATH: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}
# Kinds that merge containers by name; a custom resource (an Argo Rollout) would lose its other containers.
_API_VERSION: Mapping[str, str] = {
    "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1", "ReplicationController": "v1",
    "Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1",
}  # fmt: skip
_SHORT_KIND = {
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "CronJob": "cronjob",
    "ReplicaSet": "rs",
    "ReplicationController": "rc",
}
_SETTABLE = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
)  # kubectl set resources and patch work at once
_ROLLS = ("Deployment", "StatefulSet", "DaemonSet")  # kubectl rollout status waits for these


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new limit (and request) for one container, or for its pod when the limits stand there. Bytes; None: unchanged."""

    workload: Workload
    namespace: str
    pod: str
    container: str
    container_kind: str  # regular | init | sidecar | ephemeral
    is_pod_level: bool
    limit_before_bytes: int | None
    limit_bytes: int
    request_before_bytes: int | None
    request_bytes: int | None
    limit_before_text: str = ""  # as the template has it: `512M`; empty: in the usual form
    request_before_text: str = ""
    managed_by: Manager | None = None
    is_running: bool = False
    restarts_on_resize: bool = False
    is_resizing: bool = False  # a resize in place waits already


def change_of(clues: Clues, start: Start, *, limit_bytes: int, request_bytes: int | None) -> Change:
    """The change of this container's (or its pod's) limit, and of its request unless None. It starts from the template where that is known."""
    container, workload, subject = clues.container, clues.facts.workload, clues.facts.subject
    pod, is_running = subject.pod, container is not None and container.state == "running"
    if clues.facts.is_pod_gone:  # then it is about the one that took its place
        newest = newest_sibling(clues.facts)
        pod, is_running = (newest.pod, newest.is_running) if newest is not None else ("", False)
    before = start.template or MemorySetting(limit_bytes=clues.limit_bytes, request_bytes=clues.request_bytes)
    return Change(
        workload=clues.workload, namespace=subject.namespace, pod=pod, container=clues.container_name,
        container_kind=container.kind if container else "regular", is_pod_level=clues.limit_is_pod_level,
        limit_before_bytes=before.limit_bytes, limit_bytes=limit_bytes, request_before_bytes=before.request_bytes, request_bytes=request_bytes,
        limit_before_text=before.limit_text, request_before_text=before.request_text, managed_by=workload.managed_by if workload else None,
        is_running=is_running, is_resizing=start.waiting_bytes is not None,
        restarts_on_resize=container is not None and container.restarts_on_resize,
    )  # fmt: skip


def patch_of(change: Change) -> str:
    """The strategic-merge patch as YAML, for `kubectl patch --patch-file` or a Kustomize `patches` entry.

    Kustomize reads it only with apiVersion, kind and name. The namespace is left out, for an overlay often sets it: a
    `target` of kind and name finds the object with and without one.
    """
    workload = change.workload
    version = _API_VERSION.get(workload.kind)
    head = {"apiVersion": version, "kind": workload.kind, "metadata": {"name": workload.name}} if version else {}
    return _yaml({**head, **_patch_document(change)})


def _patch_document(change: Change) -> dict[str, Any]:
    body: Any = _pod_spec(change)
    for key in reversed(_POD_SPEC_PATH.get(change.workload.kind, ("spec", "template", "spec"))):
        body = {key: body}
    return dict(body)


def _pod_spec(change: Change) -> dict[str, Any]:
    resources = _resources(change)
    if change.is_pod_level:
        return {"resources": resources}
    field = "initContainers" if change.container_kind in ("init", "sidecar") else "containers"
    return {field: [{"name": change.container, "resources": resources}]}


def _resources(change: Change) -> dict[str, dict[str, str]]:
    resources = {"limits": {"memory": format_quantity(change.limit_bytes)}}
    if change.request_bytes is not None:
        resources["requests"] = {"memory": format_quantity(change.request_bytes)}
    return resources


def diff_of(change: Change) -> str:
    """The change as lines for Git: unchanged lines with two blanks before them, then `-` and `+`."""
    indent = ""
    lines = []
    if not change.is_pod_level:
        lines.append(f"  - name: {_yaml_scalar(change.container)}")
        indent = "  "
    lines.append(f"  {indent}resources:")
    lines += _diff_lines(indent, "limits", _as_written(change.limit_before_text, change.limit_before_bytes), change.limit_bytes)
    if change.request_bytes is not None:
        lines += _diff_lines(indent, "requests", _as_written(change.request_before_text, change.request_before_bytes), change.request_bytes)
    return "\n".join(lines)


def _as_written(written: str, n_bytes: int | None) -> str:
    return written or (format_quantity(n_bytes) if n_bytes is not None else "")


def _diff_lines(indent: str, what: str, before: str, after: int) -> list[str]:
    is_new = not before
    lines = [f"{'+' if is_new else ' '} {indent}  {what}:"]
    if before:
        lines.append(f"- {indent}    memory: {before}")
    lines.append(f"+ {indent}    memory: {format_quantity(after)}")
    return lines


def commands_of(change: Change) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """The kubectl commands that make the change now, and what must be said about them (or why there are none)."""
    kind, name = change.workload.kind, change.workload.name
    if not all(is_name(n) for n in (change.namespace, name, *(() if change.is_pod_level else (change.container,)))):
        commands: tuple[str, ...] = ()
        notes: tuple[Reason, ...] = (reason("patch.hostile_name"),)
    elif change.managed_by is not None and change.managed_by.tool == "operator":
        commands, notes = (), ()  # it would be put back at once
    elif kind in _SETTABLE:
        commands, notes = _for_controller(change)
    elif kind == "CronJob":
        commands, notes = (_patch_command(change, f"cronjob/{name}"),), (reason("patch.next_run_takes_it"),)
    elif kind == "Job":
        commands, notes = (), (reason("patch.job_is_immutable"),)
    elif kind == "Pod":
        commands = _resize(change)
        notes = (*_resize_note(change, commands), reason("patch.bare_pod"))
    else:
        commands, notes = (), (reason("patch.unknown_kind", kind=kind),)
    return commands, (*notes_of(change), *notes)


def restart_of(workload: Workload, namespace: str) -> tuple[str, ...]:
    """The command that replaces the pods of a controller; none for what has no rollout."""
    if workload.kind not in _ROLLS or not is_name(workload.name):
        return ()
    return (shlex.join(("kubectl", "-n", namespace, "rollout", "restart", f"{_SHORT_KIND[workload.kind]}/{workload.name}")),)


def _for_controller(change: Change) -> tuple[tuple[str, ...], tuple[Reason, ...]]:
    """One that replaces its pods, or whose pods are deleted by hand: a command for the template, and one for the pod that runs."""
    kind, name = change.workload.kind, change.workload.name
    target = f"{_SHORT_KIND[kind]}/{name}"
    commands = [_set_resources(change, target) if _can_set(change) else _patch_command(change, target)]
    if kind in _ROLLS:
        commands.append(shlex.join(("kubectl", "-n", change.namespace, "rollout", "status", target)))
    resize = _resize(change)
    notes = (
        *((reason("patch.owner_is_inferred", kind=kind, name=name),) if change.workload.is_inferred else ()),
        reason("patch.restarts_the_pods"),
        *_resize_note(change, resize),
        *((reason("patch.bare_replicaset"),) if kind == "ReplicaSet" else ()),
    )
    return (*commands, *resize), notes


def _resize_note(change: Change, resize: tuple[str, ...]) -> tuple[Reason, ...]:
    # Not as a comment behind the command: an interactive zsh would pass it on as arguments.
    if not resize:
        return ()
    return (reason("patch.resizes_with_restart"),) if change.restarts_on_resize else (reason("patch.resizes_in_place"),)


def _can_set(change: Change) -> bool:
    return change.container_kind == "regular" and not change.is_pod_level


def settable(workload: Workload) -> str | None:
    """`deploy/orders-api`, where kubectl set works on it at once."""
    return f"{_SHORT_KIND[workload.kind]}/{workload.name}" if workload.kind in _SETTABLE else None


def _set_resources(change: Change, target: str) -> str:
    words = ["kubectl", "-n", change.namespace, "set", "resources", target, "-c", change.container]
    words.append(f"--limits=memory={format_quantity(change.limit_bytes)}")
    if change.request_bytes is not None:
        words.append(f"--requests=memory={format_quantity(change.request_bytes)}")
    return shlex.join(words)


def _patch_command(change: Change, target: str) -> str:
    document = json.dumps(_patch_document(change), separators=(",", ":"))
    return shlex.join(("kubectl", "-n", change.namespace, "patch", target, "--type=strategic", "-p", document))


def _resize(change: Change) -> tuple[str, ...]:
    """Raising the limit of the running pod in place, without a restart.

    Not of a container that is down: its cgroup is raised and the pod's is not, so it is killed again (kubernetes/kubernetes#138760).
    """
    is_resizable = (
        change.is_running and not change.is_resizing and change.container_kind in ("regular", "sidecar") and not change.is_pod_level
    )
    if not is_resizable or not is_name(change.pod):
        return ()
    document = json.dumps({"spec": _pod_spec(change)}, separators=(",", ":"))
    words = ("kubectl", "-n", change.namespace, "patch", "pod", change.pod, "--subresource=resize", "--type=strategic", "-p", document)
    return (shlex.join(words),)


def notes_of(change: Change) -> tuple[Reason, ...]:
    """Where the change belongs when something else writes the object."""
    manager = change.managed_by
    if manager is None:
        return (reason("patch.in_git"),) if change.workload.kind in _API_VERSION else ()
    match manager.tool:
        case "argo_cd" | "flux_kustomization":
            return (reason("patch.managed_by_gitops", manager=manager.name),)
        case "flux_helm_release":
            return (reason("patch.managed_by_helm_release", manager=manager.name),)
        case "helm":
            return (reason("patch.managed_by_helm", manager=manager.name),)
        case "kustomize":
            return (reason("patch.managed_by_kustomize", manager=manager.name),)
        case "operator":
            return (reason("patch.managed_by_operator", manager=manager.name),)
        case _:
            return (reason("patch.managed_elsewhere", manager=manager.name),)


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False, allow_unicode=False, width=1000)


def _yaml_scalar(text: str) -> str:
    """A string as YAML writes it in one line: as it is when it is a plain name, else in double quotes."""
    if is_name(text) and yaml.safe_load(text) == text:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', width=10**6, allow_unicode=False)
    return quoted.strip()
