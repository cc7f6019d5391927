"""Which object decides when the workload itself is written by something else."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.case.managers import manager_of
from receiver.domain.facts import Manager


def owner(labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None, **reference: Any) -> dict[str, Any]:
    references = [{"controller": True, **reference}] if reference else []
    metadata = {"name": "api", "namespace": "shop", "labels": labels or {}, "annotations": annotations or {}, "ownerReferences": references}
    return {"kind": "Deployment", "metadata": metadata}


@pytest.mark.parametrize(
    ("labels", "annotations", "tool", "name"),
    [
        ({}, {"meta.helm.sh/release-name": "orders"}, "helm", "Helm release orders"),
        ({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "orders"}, {}, "helm", "Helm release orders"),
        ({"argocd.argoproj.io/instance": "shop"}, {}, "argo_cd", "Argo CD app shop"),
        (
            {}, {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/api", "meta.helm.sh/release-name": "x"},
            "argo_cd", "Argo CD app shop",
        ),
        ({"kustomize.toolkit.fluxcd.io/name": "apps"}, {}, "flux_kustomization", "Flux Kustomization apps"),
        (
            {"helm.toolkit.fluxcd.io/name": "orders", "helm.toolkit.fluxcd.io/namespace": "shop", "app.kubernetes.io/managed-by": "Helm"},
            {"meta.helm.sh/release-name": "orders"}, "flux_helm_release", "Flux HelmRelease shop/orders",
        ),
        ({"olm.owner": "etcd.v1", "olm.owner.kind": "ClusterServiceVersion"}, {}, "operator", "ClusterServiceVersion etcd.v1"),
        ({"app.kubernetes.io/managed-by": "strimzi-cluster-operator"}, {}, "operator", "strimzi-cluster-operator"),
        ({"app.kubernetes.io/managed-by": "kustomize-v5.3.0"}, {}, "kustomize", "Kustomize"),
        ({}, {"config.kubernetes.io/origin": "path: api.yaml"}, "kustomize", "Kustomize"),
        ({"app.kubernetes.io/managed-by": "pulumi"}, {}, "other", "pulumi"),
    ],
)  # fmt: skip
def test_where_a_change_belongs(labels: dict[str, str], annotations: dict[str, str], tool: str, name: str) -> None:
    """A patch by hand is undone by whatever manages the object: it is named, the one nearest to Git first."""
    assert manager_of((owner(labels, annotations),), {}) == Manager(tool=tool, name=name)


def test_nothing_is_said_where_nothing_says_so() -> None:
    """A workload without such labels is changed itself."""
    assert manager_of((owner(),), {}) is None


def test_an_operator_decides_before_the_tool_that_deployed_it() -> None:
    """The labels are often handed down from the custom resource: that one is what Git or Helm holds."""
    one = owner({"argocd.argoproj.io/instance": "shop"}, kind="Elasticsearch", apiVersion="elasticsearch.k8s.elastic.co/v1", name="logs")

    assert manager_of((one,), {}) == Manager(tool="operator", name="Elasticsearch shop/logs")


@pytest.mark.parametrize(
    ("kind", "api"),
    [("Deployment", "apps/v1"), ("CronJob", "batch/v1"), ("ReplicationController", "v1"), ("Rollout", "argoproj.io/v1alpha1")],
)
def test_kinds_of_kubernetes_are_no_operators(kind: str, api: str) -> None:
    """An owner that could not be read is one more link of the chain."""
    assert manager_of((owner(kind=kind, apiVersion=api, name="x"),), {}) is None


def test_pods_that_an_operator_makes_itself() -> None:
    """Some have no Deployment in between: the pod's own owner decides."""
    pod = {**owner(kind="StrimziPodSet", apiVersion="core.strimzi.io/v1beta2", name="events"), "kind": "Pod"}

    assert manager_of((), pod) == Manager(tool="operator", name="StrimziPodSet shop/events")
