"""A change of the VPA that decides the limit, as something to paste: a JSON patch of its containerPolicies, and lines for Git.

A VPA is a custom resource and its policies are a list, so a merge patch would replace them all. Each operation names the
policy by its place, behind a test that this place is still the container's.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from receiver.diagnosis.advice.patch import restart_of
from receiver.diagnosis.advice.starting_point import Start, request_for_limit
from receiver.diagnosis.clues import Clues
from receiver.domain.facts import EVERY_CONTAINER, Vpa
from receiver.domain.kube_names import is_name
from receiver.domain.units import format_quantity

_POLICIES = "/spec/resourcePolicy/containerPolicies"


@dataclass(frozen=True, slots=True, kw_only=True)
class VpaChange:
    """The commands that change the VPA and make a new pod, and the lines for Git. Both empty where the VPA could not be read."""

    commands: tuple[str, ...] = ()
    diff: str = ""


def vpa_change(clues: Clues, start: Start, *, need_bytes: int) -> VpaChange:
    """What makes the VPA give the container `need_bytes` or what its template asks for, whichever is more."""
    workload, namespace, container = clues.facts.workload, clues.facts.subject.namespace, clues.container_name
    vpa = workload.vpa if workload is not None else None
    if vpa is None or start.vpa not in ("", vpa.name) or not all(is_name(n) for n in (vpa.name, namespace, container)):
        return VpaChange()
    wanted = _wanted(vpa, container, start, need_bytes=need_bytes)
    operations = json.dumps(_operations(vpa, container, wanted), separators=(",", ":"))
    patch = shlex.join(("kubectl", "-n", namespace, "patch", "vpa", vpa.name, "--type=json", "-p", operations))
    return VpaChange(commands=(patch, *restart_of(clues.workload, namespace)), diff=_diff(vpa, container, wanted))


def _wanted(vpa: Vpa, container: str, start: Start, *, need_bytes: int) -> dict[str, Any]:
    """What the container's policy must say. A template that gives enough is left to give it; else the VPA's bounds of requests do."""
    if (start.template_bytes or 0) >= need_bytes:
        return {"controlledValues": "RequestsOnly"}
    request = request_for_limit(start.template, need_bytes)
    most = vpa.most_bytes(container)
    bound = {"memory": format_quantity(request)}
    return {"minAllowed": bound, **({"maxAllowed": bound} if most is not None and most < request else {})}


def _operations(vpa: Vpa, container: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """RFC 6902. `add` replaces a member that is there already, and wants the object around it to be there."""
    at, policy = _own_policy(vpa, container)
    if policy is None:
        added = _new_policy(vpa, container, wanted)
        if vpa.policies:
            return [{"op": "add", "path": f"{_POLICIES}/-", "value": added}]
        return [{"op": "add", "path": "/spec/resourcePolicy", "value": {"containerPolicies": [added]}}]
    operations: list[dict[str, Any]] = [{"op": "test", "path": f"{_POLICIES}/{at}/containerName", "value": container}]
    for key, value in wanted.items():
        is_inside = isinstance(value, Mapping) and isinstance(policy.get(key), Mapping)
        inner = value["memory"] if is_inside else value
        operations.append({"op": "add", "path": f"{_POLICIES}/{at}/{key}{'/memory' if is_inside else ''}", "value": inner})
    return operations


def _own_policy(vpa: Vpa, container: str) -> tuple[int, Mapping[str, Any] | None]:
    return next(((i, p) for i, p in enumerate(vpa.policies) if p.get("containerName") == container), (-1, None))


def _new_policy(vpa: Vpa, container: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A container with a policy of its own has nothing of the one for all others any more, so it begins as a copy of that."""
    general = next((p for p in vpa.policies if p.get("containerName") == EVERY_CONTAINER), {})
    policy = {"containerName": container, **{k: v for k, v in general.items() if k != "containerName"}}
    for key, value in wanted.items():
        before = policy.get(key)
        policy[key] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return policy


def _diff(vpa: Vpa, container: str, wanted: Mapping[str, Any]) -> str:
    """The policy as lines for Git: unchanged lines with two blanks before them, then `-` and `+`."""
    _, policy = _own_policy(vpa, container)
    head = ["  resourcePolicy:", "    containerPolicies:"]
    if policy is None:
        is_first = not vpa.policies
        new = yaml.safe_dump([_new_policy(vpa, container, wanted)], sort_keys=False, default_flow_style=False, width=1000).splitlines()
        return "\n".join([*([f"+ {line[2:]}" for line in head] if is_first else head), *(f"+   {line}" for line in new)])
    lines = [*head, f"    - containerName: {container}"]
    for key, value in wanted.items():
        before = policy.get(key)
        if not isinstance(value, Mapping):
            lines += [*([f"-     {key}: {before}"] if before else []), f"+     {key}: {value}"]
            continue
        is_there = isinstance(before, Mapping)
        was = before.get("memory") if isinstance(before, Mapping) else None
        lines.append(f"{' ' if is_there else '+'}     {key}:")
        lines += [*([f"-       memory: {was}"] if was is not None else []), f"+       memory: {value['memory']}"]
    return "\n".join(lines)
