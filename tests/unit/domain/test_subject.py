"""Whom an alert is about: labels as the rules and exporters that people have really write them."""

from __future__ import annotations

import pytest

from receiver.domain.identity import LabelNames, Subject, Workload, subject_of

STATE_METRICS = {"pod": "kube-state-metrics-7d9c5b6f4-x2x7k", "container": "kube-state-metrics", "job": "kube-state-metrics"}
ORDERS = Workload(kind="Deployment", name="orders", is_inferred=True)


def subject(**labels: str) -> Subject:
    return subject_of(labels, LabelNames())


@pytest.mark.parametrize(
    "labels",
    [
        {"namespace": "shop", "pod": "orders-7d9c5b6f4-x2x7k", "container": "app"},
        {**STATE_METRICS, "namespace": "monitoring", "exported_namespace": "shop", "exported_pod": "orders-7d9c5b6f4-x2x7k", "exported_container": "app"},
        {"namespace": "monitoring", "pod": "agent-x", "container": "agent", "exported_namespace": "shop", "exported_pod": "orders-7d9c5b6f4-x2x7k", "exported_container": "app"},
        {"exported_namespace": "shop", "exported_pod": "orders-7d9c5b6f4-x2x7k", "exported_container": "app"},
        {"container_label_io_kubernetes_pod_namespace": "shop", "container_label_io_kubernetes_pod_name": "orders-7d9c5b6f4-x2x7k", "container_label_io_kubernetes_container_name": "app"},
        {"k8s.namespace.name": "shop", "k8s.pod.name": "orders-7d9c5b6f4-x2x7k", "k8s.container.name": "app"},
        {"k8s_namespace_name": "shop", "k8s_pod_name": "orders-7d9c5b6f4-x2x7k", "k8s_container_name": "app", "k8s_deployment_name": "orders"},
        {"kube_namespace": "shop", "pod_name": "orders-7d9c5b6f4-x2x7k", "kube_container_name": "app", "kube_deployment": "orders"},
        {"namespace_name": "shop", "pod_name": "orders-7d9c5b6f4-x2x7k", "container_name": "app"},
    ],
    ids=["plain", "no-honor-labels", "other-exporter", "only-exported", "raw-cadvisor", "otel", "otel-in-prometheus", "datadog", "google"],
)  # fmt: skip
def test_the_pod_is_the_one_that_died(labels: dict[str, str]) -> None:
    """Never the exporter that told of it."""
    found = subject_of(labels, LabelNames())

    assert (found.namespace, found.pod, found.container) == ("shop", "orders-7d9c5b6f4-x2x7k", "app")
    assert found.workload == ORDERS


@pytest.mark.parametrize(
    ("labels", "workload"),
    [
        ({"deployment": "orders"}, ORDERS),
        ({"statefulset": "orders"}, Workload(kind="StatefulSet", name="orders", is_inferred=True)),
        ({"daemonset": "agent"}, Workload(kind="DaemonSet", name="agent", is_inferred=True)),
        ({"job_name": "reindex"}, Workload(kind="Job", name="reindex", is_inferred=True)),
        ({"job_name": "reindex-28391234"}, Workload(kind="CronJob", name="reindex", is_inferred=True)),
        ({"cronjob": "reindex"}, Workload(kind="CronJob", name="reindex", is_inferred=True)),
        ({"replicaset": "orders-7d9c5b6f4"}, ORDERS),
        ({"controller": "orders-7d9c5b6f4"}, ORDERS),
        ({"controller": "orders"}, Workload(kind="?", name="orders", is_inferred=True)),
        ({"created_by_kind": "ReplicaSet", "created_by_name": "orders-7d9c5b6f4"}, ORDERS),
        ({"owner_kind": "StatefulSet", "owner_name": "orders"}, Workload(kind="StatefulSet", name="orders", is_inferred=True)),
        ({"workload": "orders", "workload_type": "deployment"}, ORDERS),
        ({"kube_stateful_set": "orders"}, Workload(kind="StatefulSet", name="orders", is_inferred=True)),
        ({"top_level_controller_type": "Deployment", "top_level_controller_name": "orders"}, ORDERS),
        ({"job": "kube-state-metrics", "instance": "10.0.0.1:8080"}, None),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else None,
)
def test_a_workload_alert_names_its_workload(labels: dict[str, str], workload: Workload | None) -> None:
    """Without a pod label; Prometheus' own `job` is no Job."""
    found = subject(namespace="shop", **labels)

    assert (found.pod, found.workload) == ("", workload)


def test_the_exporters_pod_is_not_the_workloads() -> None:
    """A series about a workload carries the pod of kube-state-metrics even with honor_labels."""
    found = subject(**STATE_METRICS, namespace="shop", deployment="orders")

    assert (found.namespace, found.pod, found.container, found.workload) == ("shop", "", "", ORDERS)


@pytest.mark.parametrize("more", [{}, {"deployment": "kube-state-metrics"}])
def test_the_exporter_itself_may_die(more: dict[str, str]) -> None:
    """Then it is the one."""
    found = subject(**STATE_METRICS, namespace="monitoring", **more)

    assert (found.pod, found.container) == (STATE_METRICS["pod"], "kube-state-metrics")
    assert found.workload == Workload(kind="Deployment", name="kube-state-metrics", is_inferred=True)


def test_a_workload_label_that_the_pods_name_contradicts_is_not_its_owner() -> None:
    """An application's own label may be called so: `job_name` of a build server, `controller` of a web framework."""
    found = subject(namespace="shop", pod="orders-7d9c5b6f4-x2x7k", job_name="nightly", controller="CartController")

    assert found.workload == ORDERS
