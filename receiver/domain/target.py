"""What a person names on the command line: a pod, a workload, a selector, or a namespace alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain.kube_names import Workload, is_name

# As kubectl calls them: singular, plural and short (`kubectl api-resources`).
KINDS: Mapping[str, str] = {
    "pod": "Pod", "pods": "Pod", "po": "Pod",
    "deployment": "Deployment", "deployments": "Deployment", "deploy": "Deployment",
    "statefulset": "StatefulSet", "statefulsets": "StatefulSet", "sts": "StatefulSet",
    "daemonset": "DaemonSet", "daemonsets": "DaemonSet", "ds": "DaemonSet",
    "replicaset": "ReplicaSet", "replicasets": "ReplicaSet", "rs": "ReplicaSet",
    "job": "Job", "jobs": "Job",
    "cronjob": "CronJob", "cronjobs": "CronJob", "cj": "CronJob",
    "rollout": "Rollout", "rollouts": "Rollout", "ro": "Rollout",
}  # fmt: skip
EXPECTED = "expected POD, or KIND/NAME with pod, deployment, statefulset, daemonset, replicaset, job, cronjob or rollout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of `pod`, `workload` and `selector` is set; none of them: everything in the namespace. `namespace` empty: all of them."""

    namespace: str = ""
    pod: str = ""
    workload: Workload | None = None
    selector: str = ""

    @property
    def is_everything(self) -> bool:
        """Whether it is a namespace (or the whole cluster), and no one thing in it."""
        return not (self.pod or self.workload or self.selector)

    def to_json(self) -> dict[str, Any]:
        """For another process (`target_from_json`)."""
        workload = f"{self.workload.kind}/{self.workload.name}" if self.workload is not None else ""
        return {"namespace": self.namespace, "pod": self.pod, "workload": workload, "selector": self.selector}


def target_of(words: Sequence[str], *, namespace: str = "", selector: str = "") -> Target:
    """The target of a command line: no word, `POD`, `KIND/NAME`, or `KIND NAME`. ValueError says what was expected."""
    if selector and words:
        raise ValueError(f"-l {selector!r} and {' '.join(words)!r}: expected one of them")
    if namespace and not is_name(namespace):
        raise ValueError(f"{namespace[:80]!r} is no namespace name: expected lower-case letters, digits, - and .")
    if not words:
        return Target(namespace=namespace, selector=selector)
    if len(words) > 2 or (len(words) == 2 and "/" in words[0]):
        raise ValueError(f"{' '.join(words)[:80]!r}: expected one pod or workload at a time")
    said, separator, name = words[0].partition("/") if len(words) == 1 else (words[0], "/", words[1])
    if not separator:
        said, name = "pod", words[0]
    kind = KINDS.get(said.partition(".")[0].lower())
    if kind is None:
        shown = f"{words[0][:80]!r} is no pod name" if len(words) == 1 else f"{said[:80]!r} is no kind that dies of memory"
        raise ValueError(f"{shown}: {EXPECTED}")
    if not is_name(name) or ".." in name:
        raise ValueError(f"{name[:80]!r} is no {kind.lower()} name: expected lower-case letters, digits, - and .")
    if kind == "Pod":
        return Target(namespace=namespace, pod=name)
    return Target(namespace=namespace, workload=Workload(kind=kind, name=name))


def target_from_json(value: Mapping[str, Any]) -> Target:
    """What `to_json` wrote. ValueError for what names nothing that can be."""
    named = str(value.get("workload") or value.get("pod") or "")
    return target_of([named] if named else [], namespace=str(value.get("namespace") or ""), selector=str(value.get("selector") or ""))
