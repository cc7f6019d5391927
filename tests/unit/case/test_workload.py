"""Owners, revisions, siblings, autoscalers, and where a change belongs."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.case.workload import guessed_owner, workload_facts
from receiver.domain.facts import MemorySetting, Vpa
from receiver.domain.identity import Subject, Workload

MIB = 1024**2


def ref(kind: str, name: str, api: str = "apps/v1") -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}


def obj(kind: str, name: str, owner: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{name}", "ownerReferences": [owner] if owner else [], **fields.pop("metadata", {})}
    return {"kind": kind, "metadata": metadata, **fields}


def pod(owner: dict[str, Any] | None, **labels: str) -> dict[str, Any]:
    return obj("Pod", "api-5f6-x", owner, metadata={"labels": labels})


def facts(**answers: Any):
    return workload_facts(answers, Subject(namespace="shop", pod="api-5f6-x"), "app")


@pytest.mark.parametrize(
    ("answers", "workload", "chain"),
    [
        ({"pod": pod(None)}, ("Pod", "api-5f6-x"), ["Pod"]),
        ({"pod": pod(ref("StatefulSet", "kafka"))}, ("StatefulSet", "kafka"), ["Pod", "StatefulSet"]),
        ({"pod": pod(ref("ReplicaSet", "api-5f6"), **{"pod-template-hash": "5f6"})}, ("Deployment", "api"), ["Pod", "ReplicaSet", "Deployment"]),
        (
            {"pod": pod(ref("ReplicaSet", "api-5f6"), **{"rollouts-pod-template-hash": "5f6"})},
            ("Rollout", "api"), ["Pod", "ReplicaSet", "Rollout"],
        ),
        ({"pod": pod(ref("ReplicaSet", "bare-rs"))}, ("ReplicaSet", "bare-rs"), ["Pod", "ReplicaSet"]),
        (
            {"pod": pod(ref("ReplicaSet", "api-5f6"), **{"pod-template-hash": "5f6"}),
             "replicasets": {"items": [obj("", "api-5f6", ref("Rollout", "api-rollout", "argoproj.io/v1alpha1"))]}},
            ("Rollout", "api-rollout"), ["Pod", "ReplicaSet", "Rollout"],
        ),
        (
            {"pod": pod(ref("Job", "export-28", "batch/v1")), "owners": [obj("Job", "export-28", ref("CronJob", "export", "batch/v1")), obj("CronJob", "export")]},
            ("CronJob", "export"), ["Pod", "Job", "CronJob"],
        ),
        ({"pod": pod(ref("StrimziPodSet", "kafka", "core.strimzi.io/v1beta2"))}, ("StrimziPodSet", "kafka"), ["Pod", "StrimziPodSet"]),
        ({"pod": pod(ref("Node", "node-1", "v1"))}, ("Pod", "api-5f6-x"), ["Pod", "Node"]),
        (
            {"pod": pod(ref("StatefulSet", "es")), "owners": [obj("StatefulSet", "es", ref("Elasticsearch", "logs", "elasticsearch.k8s.elastic.co/v1"))]},
            ("StatefulSet", "es"), ["Pod", "StatefulSet"],
        ),
    ],
    ids=["bare", "statefulset", "deployment", "rollout by label", "bare replicaset", "rollout by reference", "cronjob", "unknown crd", "static pod", "operator"],
)  # fmt: skip
def test_the_owner_that_a_person_edits(answers, workload, chain):
    """The chain goes up to what holds the pod template; kinds that cannot be read are named from the reference."""
    found = facts(**answers)

    assert (found.workload.kind, found.workload.name) == workload
    assert [kind for kind, _ in found.chain] == chain
    assert not found.workload.is_inferred


def test_an_inferred_workload_where_the_pod_is_gone():
    """The name's shape is all there is, and it stays marked as inferred."""
    inferred = Workload(kind="Deployment", name="api", is_inferred=True)

    assert workload_facts({}, Subject(namespace="shop", pod="x", workload=inferred), "").workload == inferred
    assert workload_facts({}, Subject(namespace="shop", pod="x"), "") is None


def test_what_changed_between_revisions():
    """Image, limit and environment names of each revision, newest first as they were gathered."""

    def revision(number: str, image: str, limit: str) -> dict[str, Any]:
        container = {"name": "app", "image": image, "resources": {"limits": {"memory": limit}}, "env": [{"name": "A"}]}
        metadata = {"annotations": {"deployment.kubernetes.io/revision": number}, "creationTimestamp": "2026-11-23T00:00:00Z"}
        return obj(
            "ReplicaSet", f"api-{number}", metadata=metadata, spec={"replicas": 2, "template": {"spec": {"containers": [container]}}}
        )

    found = facts(pod=pod(None), replicasets={"items": [revision("10", "api:2", "96Mi"), revision("9", "api:1", "128Mi")]})

    assert [(r.revision, r.images["app"], r.limits_bytes["app"]) for r in found.revisions] == [
        (10, "api:2", 96 * MIB), (9, "api:1", 128 * MIB),
    ]  # fmt: skip


def test_revisions_of_a_statefulset():
    """A ControllerRevision holds the template in its data."""
    template = {"spec": {"containers": [{"name": "app", "image": "kafka:3", "resources": {"limits": {"memory": "1Gi"}}}]}}
    entry = obj("ControllerRevision", "kafka-abc", revision=4, data={"spec": {"template": template}})

    (found,) = facts(pod=pod(None), replicasets={"items": [entry]}).revisions

    assert (found.revision, found.images, found.limits_bytes) == (4, {"app": "kafka:3"}, {"app": 1024 * MIB})


def test_siblings_and_replicas():
    """Is every replica affected, or one? The same container's restarts and last death tell."""
    status = {
        "name": "app",
        "restartCount": 4,
        "ready": True,
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-23T00:00:00Z"}},
    }
    other = {
        "metadata": {"name": "api-2"},
        "spec": {"nodeName": "n2", "containers": [{"name": "app"}]},
        "status": {"containerStatuses": [status]},
    }
    owner = obj("Deployment", "api", spec={"replicas": 3}, status={"readyReplicas": 2})

    found = facts(pod=pod(ref("ReplicaSet", "api-5f6"), **{"pod-template-hash": "5f6"}), owners=[owner], siblings={"items": [other]})

    (sibling,) = found.siblings
    assert (sibling.pod, sibling.node, sibling.restart_count, sibling.is_ready, sibling.last_reason) == (
        "api-2",
        "n2",
        4,
        True,
        "OOMKilled",
    )
    assert found.replicas_desired == 3


def test_autoscalers():
    """Bounds, current replicas and targets of the HPA; mode and target of the VPA."""
    hpa = {
        "metadata": {"name": "api"}, "spec": {"maxReplicas": 5, "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"averageUtilization": 70}}}]},
        "status": {"currentReplicas": 2},
    }  # fmt: skip
    vpa = {
        "metadata": {"name": "api-vpa"}, "spec": {"updatePolicy": {"updateMode": "Off"}},
        "status": {"recommendation": {"containerRecommendations": [{"containerName": "app", "target": {"memory": "200Mi"}}]}},
    }  # fmt: skip

    found = facts(pod=pod(None), hpa={"items": [hpa]}, vpa={"items": [vpa]})

    assert found.hpa == {"name": "api", "min": 1, "max": 5, "current": 2, "metrics": [{"type": "Resource", "name": "memory", "target": 70}]}
    assert found.vpa == Vpa(name="api-vpa", mode="Off")


def test_the_template_is_that_of_the_owner_in_words_of_its_author():
    """What the next rollout gives: in bytes, and as it is written; init containers too."""
    containers = [{"name": "app", "resources": {"limits": {"memory": "512M"}, "requests": {"memory": "200m"}}}]
    spec = {"template": {"spec": {"containers": containers, "initContainers": [{"name": "load"}]}}}
    owners = [obj("ReplicaSet", "api-5f6", ref("Deployment", "api")), obj("Deployment", "api", spec=spec)]

    found = facts(pod=pod(ref("ReplicaSet", "api-5f6")), owners=owners).template

    assert found == {
        "app": MemorySetting(limit_bytes=512_000_000, request_bytes=1, limit_text="512M", request_text="200m"),
        "load": MemorySetting(),
    }


def test_the_template_of_a_cronjob_stands_deeper():
    """Below its jobTemplate; the Job's own is what ran, not what runs next."""
    template = {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]}}
    cron = obj("CronJob", "export", spec={"jobTemplate": {"spec": {"template": template}}})
    owners = [
        obj("Job", "export-28", ref("CronJob", "export", "batch/v1"), spec={"template": {"spec": {"containers": [{"name": "app"}]}}}),
        cron,
    ]

    assert facts(pod=pod(ref("Job", "export-28", "batch/v1")), owners=owners).template["app"].limit_bytes == 1024 * MIB


def test_a_template_that_was_not_read_is_not_known():
    """None, not "sets nothing"."""
    assert facts(pod=pod(ref("ReplicaSet", "api-5f6"), **{"pod-template-hash": "5f6"})).template is None


@pytest.mark.parametrize("labels", [{}, {"pod-template-hash": ""}, {"pod-template-hash": "other"}])
def test_no_owner_is_guessed_from_a_name_alone(labels):
    """Only the hash label proves that the name is the Deployment's plus the hash."""
    assert guessed_owner(pod(ref("ReplicaSet", "api-5f6"), **labels)) is None
