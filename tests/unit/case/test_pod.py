"""A pod as facts: containers of every kind, resources in force, states and times."""

from __future__ import annotations

import json

import pytest

from receiver.case.pod import pod_facts
from tests.fakes.kube import FIXTURES

MIB = 1024**2


def recorded_pod(path: str):
    return pod_facts(json.loads((FIXTURES / path).read_text()))


def test_a_native_sidecar_is_told_from_an_init_container():
    """Both stand under initContainers; the one that restarts always runs beside the application."""
    sidecar = recorded_pod("p-sidecar-restartable-init/t3/pod/pod.json")
    init = recorded_pod("c-init-oom/t3/pod/pod.json")

    assert [(c.name, c.kind) for c in sidecar.containers] == [("mesh-proxy", "sidecar"), ("app", "regular")]
    assert [(c.name, c.kind) for c in init.containers] == [("load-index", "init"), ("catalog", "regular")]


def test_the_state_of_a_crash_looping_container():
    """Waiting now, killed before, its restarts and both times of its last life."""
    container = recorded_pod("a-leak-crashloop/t3/pod/pod.json").container("orders-api")

    assert (container.state, container.state_reason, container.restart_count, container.is_ready) == (
        "waiting",
        "CrashLoopBackOff",
        11,
        False,
    )
    death = container.last_terminated
    assert (death.reason, death.exit_code) == ("OOMKilled", 137)
    assert (death.finished_at - death.started_at).total_seconds() == 13
    assert (container.limit_bytes, container.request_bytes) == (96 * MIB, 64 * MIB)


def test_in_the_back_off_the_newer_death_is_the_current_state():
    """lastState is the crash before: taking it would show the log of another instance."""
    container = recorded_pod("m-startup-oom/t3/pod/pod.json").container("model-server")

    assert container.newest_termination is container.terminated
    assert container.terminated.finished_at > container.last_terminated.finished_at


def test_a_start_error_never_started():
    """startedAt 1970 means never, not 56 years ago."""
    container = recorded_pod("o-tmpfs-oom/t3/pod/pod.json").container("tmp-uploader")

    death = container.newest_termination
    assert (death.reason, death.exit_code, death.started_at) == ("StartError", 128, None)
    assert death.finished_at is not None
    assert "OOM-killed" in death.message


def test_memory_volumes_are_named():
    """A tmpfs is charged to the pod and survives the container."""
    assert recorded_pod("o-tmpfs-oom/t3/pod/pod.json").memory_volumes == ("d",)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_in_place_resize(moment):
    """What the kubelet enforces counts; the spec may be ahead of it or behind."""
    pod = pod_facts(json.loads((FIXTURES / "_inplace-resize" / f"shop-{moment}.json").read_text()))

    container = pod.containers[0]
    assert container.limit_bytes == (96 if moment == "before" else 160) * MIB
    assert container.restart_count == 0


def test_a_resize_that_is_not_applied_yet():
    """Spec says 160Mi, the node still enforces 96Mi: 96Mi is what kills."""
    document = json.loads((FIXTURES / "_inplace-resize" / "shop-before.json").read_text())
    document["spec"]["containers"][0]["resources"]["limits"]["memory"] = "160Mi"

    container = pod_facts(document).containers[0]

    assert (container.limit_bytes, container.asked.limit_bytes) == (96 * MIB, 160 * MIB)


def test_resources_of_the_pod_itself():
    """Pod-level limits: the containers say nothing, QoS comes from the pod."""
    pod = recorded_pod("q-pod-level-limits/t3/pod/pod.json")

    assert (pod.pod_limit_bytes, pod.pod_request_bytes, pod.qos_class) == (96 * MIB, 96 * MIB, "Guaranteed")
    assert [c.limit_bytes for c in pod.containers] == [None, None]


def test_image_and_command():
    """They tell which runtime it is."""
    container = recorded_pod("e-liveness-137/t3/pod/pod.json").container("search")

    assert container.image
    assert container.command


@pytest.mark.parametrize("nothing", [None, {}, [], "x", 3, {"metadata": None}, {"metadata": {"name": 5}}])
def test_what_is_no_pod(nothing):
    """A foreign document reads as no pod."""
    assert pod_facts(nothing) is None


def test_limit_of_the_pod_that_a_resize_still_waits_for() -> None:
    """What its spec asks for beside what the kubelet gives: `status.resources` of the pod, Kubernetes 1.34 and later."""
    pending = {"type": "PodResizePending", "status": "True", "reason": "Deferred"}
    pod = pod_facts(
        {
            "metadata": {"name": "web-0"},
            "spec": {"resources": {"limits": {"memory": "1Gi"}}, "containers": [{"name": "app"}]},
            "status": {"resources": {"limits": {"memory": "128Mi"}}, "conditions": [pending]},
        }
    )

    assert pod is not None
    assert (pod.pod_limit_bytes, pod.asked.limit_bytes, pod.asked.limit_text, pod.resize) == (128 * MIB, 1024 * MIB, "1Gi", "deferred")
