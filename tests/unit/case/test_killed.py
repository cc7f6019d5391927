"""Which container of a pod the incident is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from receiver.case import facts_of, pick_killed_container
from receiver.case.pod import pod_facts
from receiver.domain.case import Case
from receiver.domain.facts import ContainerFacts, EventFact, PodFacts, Termination
from receiver.domain.identity import Subject
from tests.fakes.kube import FIXTURES

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def died(reason: str = "OOMKilled", code: int | None = 137, ago_s: float | None = 60, message: str = "") -> Termination:
    at = NOW - timedelta(seconds=ago_s) if ago_s is not None else None
    return Termination(reason=reason, exit_code=code, finished_at=at, message=message)


def container(name: str, death: Termination | None = None, *, kind: str = "regular", restarts: int = 0) -> ContainerFacts:
    return ContainerFacts(name=name, kind=kind, state="running", last_terminated=death, restart_count=restarts)


def pod(*containers: ContainerFacts, **fields: object) -> PodFacts:
    return PodFacts(namespace="shop", name="web-1", containers=containers, **fields)  # type: ignore[arg-type]


def picked(pod: PodFacts, hint: str = "", **options: object) -> str:
    found = pick_killed_container(pod, hint, **options)  # type: ignore[arg-type]
    return found.name if found else ""


def test_the_sidecar_that_died_and_not_the_first_container():
    """The application never died; its log and limit would be the wrong ones."""
    assert picked(pod(container("cart"), container("log-shipper", died()))) == "log-shipper"


def test_the_container_that_the_alert_names():
    """HighMemoryUsage of one container is about that one, whatever else died."""
    assert picked(pod(container("cart"), container("log-shipper", died())), "cart") == "cart"


def test_a_container_label_of_another_pod_is_not_believed():
    """Without honor_labels the label names the exporter's own container."""
    assert picked(pod(container("cart"), container("log-shipper", died())), "kube-state-metrics") == "log-shipper"


def test_of_two_deaths_the_newer():
    """Both were OOM killed; the alert is about the last."""
    assert picked(pod(container("a", died(ago_s=600)), container("b", died(ago_s=30)))) == "b"


def test_an_oom_kill_before_an_ordinary_error_of_the_same_time():
    """When one container's death takes others down, the one killed for memory is the cause."""
    assert picked(pod(container("a", died(ago_s=40)), container("b", died("Error", 1, ago_s=20)))) == "a"


def test_an_old_oom_kill_does_not_hide_todays_crash():
    """lastState keeps a kill for weeks."""
    assert picked(pod(container("a", died(ago_s=86400)), container("b", died("Error", 1, ago_s=20)))) == "b"


def test_an_init_container_that_completed_did_not_die():
    """Completed with exit 0 is how init containers end."""
    assert picked(pod(container("init", died("Completed", 0, ago_s=5), kind="init"), container("app", died("Error", 1)))) == "app"


@pytest.mark.parametrize("code", [0, 1, 137, 143])
def test_an_oom_kill_with_any_exit_code(code):
    """OOMKilled with exit 0: a child was killed and the program ended in peace."""
    assert picked(pod(container("app"), container("worker", died(code=code)))) == "worker"


def test_a_restart_that_died_before_it_started():
    """StartError with the runtime's words about memory is a death for memory."""
    message = "failed to create containerd task: container init was OOM-killed (memory limit too low?)"

    assert (
        picked(pod(container("app"), container("tmp", died("StartError", 128, message=message)), container("c", died("Error", 1)))) == "tmp"
    )


def test_the_container_that_an_eviction_blames():
    """An evicted pod's containers are all dead with unknown status; the message names the one over its request."""
    evicted = died("ContainerStatusUnknown", 137, ago_s=None)
    message = "The node was low on resource: memory. Container renderer was using 180Mi, request is 64Mi, has larger consumption of memory."

    assert picked(pod(container("proxy", evicted), container("renderer", evicted), reason="Evicted", message=message)) == "renderer"


def test_a_death_without_a_time_is_taken_for_current():
    """The kubelet wrote no time: it lost the container just now."""
    assert picked(pod(container("a"), container("b", died("ContainerStatusUnknown", 137, ago_s=None)))) == "b"


def test_restarts_speak_where_the_status_has_forgotten():
    """No lastState but restarts: that one was in trouble."""
    assert picked(pod(container("a"), container("b", restarts=3))) == "b"


def test_an_event_names_the_container():
    """A failed liveness probe names its container in the field path."""
    event = EventFact(object_kind="Pod", object_name="web-1", reason="Unhealthy", container="b", is_memory_relevant=True, at=NOW)

    assert picked(pod(container("a"), container("b")), events=(event,)) == "b"


def test_where_nothing_died_the_one_that_uses_most():
    """Else the container that the pod names as its main one, else the first."""
    two = pod(container("a"), container("b"))
    annotated = pod(container("a"), container("b"), annotations={"kubectl.kubernetes.io/default-container": "b"})

    assert picked(two, busiest="b") == "b"
    assert picked(annotated) == "b"
    assert picked(two) == "a"
    assert picked(pod(container("init", kind="init"), container("a"))) == "a"
    assert picked(pod()) == ""


def test_the_really_evicted_pod_of_the_recordings():
    """Evicted with exit 137, unknown status and null times, and an older OOM kill in lastState: read whole, nothing lost."""
    items = json.loads((FIXTURES / "_cluster" / "podlist.json").read_text())["items"]
    evicted = pod_facts(next(p for p in items if p["status"].get("reason") == "Evicted"))

    assert evicted.phase == "Failed"
    assert evicted.reason == "Evicted"
    assert "low on resource: memory" in evicted.message
    assert evicted is not None
    only = pick_killed_container(evicted)
    assert only.name == "renderer"
    assert only.terminated.reason == "ContainerStatusUnknown"
    assert only.terminated.finished_at is None
    assert only.newest_termination is only.terminated


def test_every_pod_of_the_recorded_cluster_has_a_picked_container():
    """52 real pods: no shape of status is unknown, and every OOMKilled container is the one picked."""
    for entry in json.loads((FIXTURES / "_cluster" / "podlist.json").read_text())["items"]:
        facts = facts_of(Case(gathered_at=NOW, subject=Subject(namespace="x", pod=entry["metadata"]["name"]), answers={"pod": entry}))
        killed = [c.name for c in facts.pod.containers if c.newest_termination and c.newest_termination.reason == "OOMKilled"]
        assert facts.subject.container
        assert not killed or facts.pod.reason == "Evicted" or facts.subject.container in killed
