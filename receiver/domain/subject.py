"""Whom an alert is about, read from its labels: whoever wrote the rule, and however its metrics were scraped.

Sources of the names: kube-state-metrics' docs (`pod`, `deployment`, `job_name`, `created_by_name`, ...), Prometheus' docs on
`honor_labels` (`exported_`), cAdvisor (`container_label_io_kubernetes_*`), OpenTelemetry's resource attributes (`k8s.pod.name`, and
with underscores behind Prometheus' exporter), Datadog's tags (`kube_deployment`), Google Cloud (`namespace_name`), the recommended
rules of AKS (`controller`), kubernetes-mixin (`workload`, `workload_type`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.domain.kube_names import Workload, kind_named, owner_of, workload_from_pod_name

# A workload's name under a label that says its kind; the first that is there counts.
_KIND_LABELS: tuple[tuple[str, str], ...] = (
    ("deployment", "Deployment"), ("k8s.deployment.name", "Deployment"), ("k8s_deployment_name", "Deployment"), ("kube_deployment", "Deployment"),
    ("statefulset", "StatefulSet"), ("k8s.statefulset.name", "StatefulSet"), ("k8s_statefulset_name", "StatefulSet"), ("kube_stateful_set", "StatefulSet"),
    ("daemonset", "DaemonSet"), ("k8s.daemonset.name", "DaemonSet"), ("k8s_daemonset_name", "DaemonSet"), ("kube_daemon_set", "DaemonSet"),
    ("rollout", "Rollout"),
    ("cronjob", "CronJob"), ("k8s.cronjob.name", "CronJob"), ("k8s_cronjob_name", "CronJob"), ("kube_cronjob", "CronJob"),
    ("job_name", "Job"), ("k8s.job.name", "Job"), ("k8s_job_name", "Job"), ("kube_job", "Job"),
    ("replicaset", "ReplicaSet"), ("k8s.replicaset.name", "ReplicaSet"), ("k8s_replicaset_name", "ReplicaSet"), ("kube_replica_set", "ReplicaSet"),
)  # fmt: skip
# A workload's name beside a label with its kind, which may be missing.
_NAMED_KINDS: tuple[tuple[str, str], ...] = (
    ("created_by_name", "created_by_kind"), ("owner_name", "owner_kind"), ("controller", "controller_kind"), ("controller_name", "controller_kind"),
    ("top_level_controller_name", "top_level_controller_type"), ("metadata_system_top_level_controller_name", "metadata_system_top_level_controller_type"),
)  # fmt: skip
# All labels that may name a workload, for whoever has to name it back (a silence).
WORKLOAD_LABELS = tuple(name for name, _ in (*_KIND_LABELS, *_NAMED_KINDS))
_EXPORTED = ("exported_namespace", "exported_pod", "exported_container")
_STATE_METRICS = re.compile(r"(?:^|[-_/])kube-?state-?metrics(?:$|[-_/])")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """How the labels are called here: exporters scraped without honor_labels say `exported_pod` and so on."""

    cluster: tuple[str, ...] = ("cluster", "k8s.cluster.name", "k8s_cluster_name")
    namespace: tuple[str, ...] = (
        "namespace", "exported_namespace", "k8s.namespace.name", "k8s_namespace_name", "container_label_io_kubernetes_pod_namespace",
        "kube_namespace", "namespace_name", "kubernetes_namespace",
    )  # fmt: skip
    pod: tuple[str, ...] = (
        "pod", "pod_name", "exported_pod", "k8s.pod.name", "k8s_pod_name", "container_label_io_kubernetes_pod_name", "kubernetes_pod_name",
    )  # fmt: skip
    container: tuple[str, ...] = (
        "container", "container_name", "exported_container", "k8s.container.name", "k8s_container_name",
        "container_label_io_kubernetes_container_name", "kube_container_name", "kubernetes_container_name",
    )  # fmt: skip
    node: tuple[str, ...] = ("node", "nodename", "kubernetes_node", "k8s.node.name", "k8s_node_name")
    workload: tuple[str, ...] = ("workload",)
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
    labels = _of_the_dead(labels)

    def first(candidates: tuple[str, ...]) -> str:
        return next((labels[c] for c in candidates if labels.get(c)), "")

    pod = first(names.pod)
    stated = first(names.workload)
    workload = (
        Workload(kind=kind_named(first(names.workload_kind)), name=stated, is_inferred=True) if stated else _named_workload(labels, pod)
    )
    if workload is None and pod:
        workload = workload_from_pod_name(pod)
    return Subject(
        cluster=first(names.cluster) or default_cluster, namespace=first(names.namespace), pod=pod,
        container=first(names.container), node=first(names.node), workload=workload,
    )  # fmt: skip


def _of_the_dead(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels without those of the exporter that told them.

    Scraped without honor_labels, what the series itself says is called `exported_*`, and the plain names are the exporter's. A
    series about a workload has no pod of its own, so there the exporter's pod stays even with honor_labels.
    """
    exported = {name: labels[name] for name in _EXPORTED if labels.get(name)}
    is_exporter = _is_state_metrics(labels)
    if exported and (is_exporter or {"exported_namespace", "exported_pod"} <= exported.keys()):
        plain = {name.removeprefix("exported_"): value for name, value in exported.items()}
        kept = {k: v for k, v in labels.items() if k not in ("pod", "container")}
        return {**kept, **plain}
    if is_exporter and _named_workload(labels, "") is not None and not _is_own_workload(labels):
        return {k: v for k, v in labels.items() if k not in ("pod", "container")}
    return labels


def _is_state_metrics(labels: Mapping[str, str]) -> bool:
    """Whether pod or container are those of kube-state-metrics itself."""
    return any(_STATE_METRICS.search(labels.get(name, "")) for name in ("container", "pod", "job"))


def _is_own_workload(labels: Mapping[str, str]) -> bool:
    """Whether the alert is about kube-state-metrics as a workload."""
    workload = _named_workload(labels, "")
    return workload is not None and _STATE_METRICS.search(workload.name) is not None


def _named_workload(labels: Mapping[str, str], pod: str) -> Workload | None:
    """The workload under a label that only names workloads; beside a pod only where the pod's name bears it out."""
    named = [(labels[name], kind) for name, kind in _KIND_LABELS if labels.get(name)]
    named += [(labels[name], kind_named(labels.get(kind, ""))) for name, kind in _NAMED_KINDS if labels.get(name)]
    for name, kind in named:
        if kind not in ("Node", "Pod") and (not pod or pod.startswith(f"{name}-")):
            return owner_of(kind, name)
    return None
