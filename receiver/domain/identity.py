"""Which incident an alert belongs to, from its labels alone.

An incident is one memory problem of one workload's container over time (docs/architecture.md). The key never holds a
startsAt, a groupKey, or, where the workload is known, a pod name. The workload is inferred from the pod's name here,
because asking the API for each of 1,000 alerts of one Deployment would cost 1,000 requests; the incident's enrichment
confirms it, and a better key then becomes an alias (never a re-keying).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.domain.alerts import Alert

# The API server draws random name parts from this alphabet: no vowels, no 0 1 3 (apimachinery/pkg/util/rand).
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
# The template hash is drawn from it too; other controllers write hashes with vowels, told from words by their digits.
_HASH = rf"(?:[{_SAFE}]{{6,10}}|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{{6,10}})"
_DEPLOYMENT_POD = re.compile(rf"(?P<name>.+)-{_HASH}-[a-z0-9]{{5}}")
_CRONJOB_POD = re.compile(rf"(?P<name>.+)-\d{{7,10}}-[{_SAFE}]{{5}}")  # the Job is named after the minute it was due
_GENERATED_POD = re.compile(rf"(?P<name>.+)-[{_SAFE}]{{5}}")
_ORDINAL_POD = re.compile(r"(?P<name>.+)-\d{1,4}")

UNKNOWN_KIND = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The owner that a person edits: Deployment, StatefulSet, DaemonSet, CronJob, Job, a CRD, or `Pod` for a bare pod.

    `is_inferred`: read off the pod's name or a label, not confirmed by the API. Kind is then often `?`.
    """

    kind: str
    name: str
    is_inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """How the labels are called here: exporters scraped without honor_labels say `exported_pod` and so on."""

    cluster: tuple[str, ...] = ("cluster",)
    namespace: tuple[str, ...] = ("namespace", "exported_namespace", "k8s.namespace.name")
    pod: tuple[str, ...] = ("pod", "pod_name", "exported_pod", "k8s.pod.name")
    container: tuple[str, ...] = ("container", "container_name", "exported_container", "k8s.container.name")
    node: tuple[str, ...] = ("node", "nodename", "kubernetes_node", "k8s.node.name")
    workload: tuple[str, ...] = ("workload", "k8s.deployment.name")
    workload_kind: tuple[str, ...] = ("workload_type", "workload_kind", "owner_kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert, a case or a report is about. Empty strings mean: not said."""

    cluster: str = ""
    namespace: str = ""
    pod: str = ""
    container: str = ""
    node: str = ""
    workload: Workload | None = None

    @property
    def names_a_pod(self) -> bool:
        """Whether there is a pod to gather evidence about."""
        return bool(self.namespace and self.pod)


def subject_of(labels: Mapping[str, str], names: LabelNames, *, default_cluster: str = "") -> Subject:
    """The subject that labels name. A missing cluster label means ours."""

    def first(candidates: tuple[str, ...]) -> str:
        return next((labels[c] for c in candidates if labels.get(c)), "")

    pod = first(names.pod)
    workload: Workload | None = None
    if stated := first(names.workload):
        workload = Workload(kind=kind_named(first(names.workload_kind)), name=stated, is_inferred=True)
    elif pod:
        workload = workload_from_pod_name(pod)
    return Subject(
        cluster=first(names.cluster) or default_cluster, namespace=first(names.namespace), pod=pod,
        container=first(names.container), node=first(names.node), workload=workload,
    )  # fmt: skip


def kind_named(text: str) -> str:
    """A workload kind as Kubernetes spells it, from the lower-case forms that rules use (`deployment`); `?` when not said."""
    known = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout", "Pod")
    return next((k for k in known if k.lower() == text.strip().lower()), text.strip() or UNKNOWN_KIND)


def workload_from_pod_name(pod: str) -> Workload | None:
    """The workload whose controller would name a pod like this, or None when the name has no such shape."""
    if match := _DEPLOYMENT_POD.fullmatch(pod):
        return Workload(kind="Deployment", name=match["name"], is_inferred=True)
    if match := _CRONJOB_POD.fullmatch(pod):
        return Workload(kind="CronJob", name=match["name"], is_inferred=True)
    if match := _GENERATED_POD.fullmatch(pod):
        return Workload(kind=UNKNOWN_KIND, name=match["name"], is_inferred=True)
    if match := _ORDINAL_POD.fullmatch(pod):
        return Workload(kind="StatefulSet", name=match["name"], is_inferred=True)
    return None


def workload_key(subject: Subject, workload: Workload) -> str:
    """The key of a workload's container."""
    return _join("workload", subject.cluster, subject.namespace, workload.kind, workload.name, subject.container)


def pod_key(subject: Subject) -> str:
    """The key of one pod's container."""
    return _join("pod", subject.cluster, subject.namespace, subject.pod, subject.container)


def incident_key(subject: Subject, alert: Alert) -> str:
    """The first identity that applies: workload, pod, node, namespace and alert, alert alone."""
    if subject.names_a_pod or (subject.namespace and subject.workload):
        if subject.workload is not None:
            return workload_key(subject, subject.workload)
        return pod_key(subject)
    if subject.node and not subject.namespace:
        return _join("node", subject.cluster, subject.node)
    if subject.namespace:
        return _join("namespace", subject.cluster, subject.namespace, alert.name)
    return _join("alert", subject.cluster, alert.name, alert.fingerprint)


def _join(*parts: str) -> str:
    # "/" cannot stand in a Kubernetes name; in a foreign label it is escaped so that two keys never collide.
    return "/".join(p.replace("%", "%25").replace("/", "%2F") for p in parts)
