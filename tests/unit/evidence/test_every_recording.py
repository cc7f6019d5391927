"""Every recorded incident, at every recorded moment: the right container, its log, its owner, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from receiver.case import facts_of
from receiver.domain.case import case_from_json
from receiver.domain.identity import Subject
from tests.unit.evidence.kit import Lab, lab

DEAD, PREVIOUS, RUNNING, NONE = "plain log of the dead instance", "previous log", "log of the running instance", "no log"

# incident, moment, pod: container, which log and its number of lines, owner.
TABLE = {
    ("a-leak-crashloop", "t1", 0): ("orders-api", PREVIOUS, 18, "Deployment/orders-api"),
    ("a-leak-crashloop", "t3", 0): ("orders-api", DEAD, 18, "Deployment/orders-api"),
    ("b-sidecar-oom", "t1", 0): ("log-shipper", RUNNING, 5, "Deployment/cart"),  # the dead one's was removed
    ("b-sidecar-oom", "t3", 0): ("log-shipper", DEAD, 5, "Deployment/cart"),
    ("c-init-oom", "t1", 0): ("load-index", DEAD, 4, "Deployment/catalog"),
    ("c-init-oom", "t3", 0): ("load-index", DEAD, 4, "Deployment/catalog"),
    ("cgroupv2-a-leak-crashloop", "t2", 0): ("orders-api", PREVIOUS, 18, "Deployment/orders-api"),
    ("cgroupv2-a-leak-crashloop", "t3", 0): ("orders-api", PREVIOUS, 18, "Deployment/orders-api"),
    ("cgroupv2-b-sidecar-oom", "t2", 0): ("log-shipper", DEAD, 5, "Deployment/cart"),
    ("cgroupv2-b-sidecar-oom", "t3", 0): ("log-shipper", DEAD, 5, "Deployment/cart"),
    ("cgroupv2-d-child-oom", "t2", 0): ("gunicorn", DEAD, 2, "Deployment/checkout"),
    ("cgroupv2-d-child-oom", "t3", 0): ("gunicorn", DEAD, 2, "Deployment/checkout"),
    ("cgroupv2-e-liveness-137", "t2", 0): ("search", PREVIOUS, 3, "Deployment/search"),
    ("cgroupv2-e-liveness-137", "t3", 0): ("search", DEAD, 2, "Deployment/search"),
    ("cgroupv2-j-eviction", "t3-eviction", 0): ("hungry", PREVIOUS, 27, "Deployment/hungry"),
    ("cgroupv2-k-steady-near-limit", "t2", 0): ("session-store", RUNNING, None, "Deployment/session-store"),
    ("cgroupv2-k-steady-near-limit", "t3", 0): ("session-store", RUNNING, 63, "Deployment/session-store"),
    ("cgroupv2-n-page-cache", "t2", 0): ("file-indexer", RUNNING, None, "Deployment/file-indexer"),
    ("cgroupv2-n-page-cache", "t3", 0): ("file-indexer", RUNNING, 51, "Deployment/file-indexer"),
    ("d-child-oom", "t1", 0): ("gunicorn", RUNNING, 32, "Deployment/checkout"),
    ("d-child-oom", "t3", 0): ("gunicorn", RUNNING, 186, "Deployment/checkout"),
    ("d2-child-oom-exit0", "t1", 0): ("thumbnailer", DEAD, 5, "Deployment/thumbnailer"),
    ("d2-child-oom-exit0", "t3", 0): ("thumbnailer", DEAD, 5, "Deployment/thumbnailer"),
    ("d4-child-oom-exit137", "t1", 0): ("sh-wrapper", DEAD, 2, "Deployment/sh-wrapper"),
    ("d4-child-oom-exit137", "t3", 0): ("sh-wrapper", DEAD, 2, "Deployment/sh-wrapper"),
    ("e-liveness-137", "t1", 0): ("search", PREVIOUS, 2, "Deployment/search"),
    ("e-liveness-137", "t3", 0): ("search", DEAD, 2, "Deployment/search"),
    ("f-job-oom", "t1", 0): ("export", DEAD, 5, "Job/nightly-export"),
    ("f-job-oom", "t3", 2): ("export", DEAD, 5, "Job/nightly-export"),
    ("g-no-limits", "t1", 0): ("legacy-cron", RUNNING, 7, "Deployment/legacy-cron"),
    ("g-no-limits", "t3", 0): ("legacy-cron", RUNNING, 44, "Deployment/legacy-cron"),
    ("h-guaranteed", "t1", 0): ("ledger", PREVIOUS, 16, "Deployment/ledger"),
    ("h-guaranteed", "t3", 0): ("ledger", DEAD, 16, "Deployment/ledger"),
    ("i-python-memoryerror", "t1", 0): ("invoice-worker", DEAD, 15, "Deployment/invoice-worker"),
    ("i-python-memoryerror", "t3", 0): ("invoice-worker", DEAD, 15, "Deployment/invoice-worker"),
    ("i3-java-exitonoom", "t1", 0): ("java-pricing", DEAD, 11, "Deployment/java-pricing"),
    ("i3-java-exitonoom", "t3", 0): ("java-pricing", DEAD, 11, "Deployment/java-pricing"),
    ("i6-node-heap", "t1", 0): ("node-report", DEAD, 21, "Deployment/node-report"),
    ("i6-node-heap", "t3", 0): ("node-report", DEAD, 21, "Deployment/node-report"),
    ("k-steady-near-limit", "t1", 0): ("session-store", RUNNING, 17, "Deployment/session-store"),
    ("k-steady-near-limit", "t3", 0): ("session-store", RUNNING, 109, "Deployment/session-store"),
    ("l-spike", "t1", 0): ("exporter", PREVIOUS, 3, "Deployment/exporter"),
    ("l-spike", "t3", 0): ("exporter", DEAD, 3, "Deployment/exporter"),
    ("m-startup-oom", "t1", 0): ("model-server", DEAD, 5, "Deployment/model-server"),
    ("m-startup-oom", "t3", 0): ("model-server", DEAD, 5, "Deployment/model-server"),
    ("n-page-cache", "t1", 0): ("file-indexer", RUNNING, 29, "Deployment/file-indexer"),
    ("n-page-cache", "t3", 0): ("file-indexer", RUNNING, 200, "Deployment/file-indexer"),
    ("o-tmpfs-oom", "t1", 0): ("tmp-uploader", NONE, None, "Deployment/tmp-uploader"),
    ("o-tmpfs-oom", "t3", 0): ("tmp-uploader", NONE, None, "Deployment/tmp-uploader"),
    ("p-sidecar-restartable-init", "t1", 0): ("mesh-proxy", DEAD, 5, "Deployment/proxy-app"),
    ("p-sidecar-restartable-init", "t3", 0): ("mesh-proxy", DEAD, 5, "Deployment/proxy-app"),
    ("q-pod-level-limits", "t1", 0): ("app-x", DEAD, 9, "Deployment/podlevel"),
    ("q-pod-level-limits", "t3", 0): ("app-x", DEAD, 9, "Deployment/podlevel"),
    ("s-statefulset-oom", "t1", 1): ("kafka", DEAD, 11, "StatefulSet/kafka"),
    ("s-statefulset-oom", "t3", 0): ("kafka", DEAD, 11, "StatefulSet/kafka"),
}


@pytest.fixture(scope="module")
def labs() -> Iterator[dict[str, Lab]]:
    with lab(moment="t1") as t1, lab(moment="t2") as t2, lab(moment="t3") as t3:
        yield {"t1": t1, "t2": t2, "t3": t3, "t3-eviction": t3}


def moment_lab(labs: dict[str, Lab], name: str, moment: str) -> Lab:
    return next(found for found in labs.values() if found.incident(name).moment == moment)


@pytest.mark.parametrize(("name", "moment", "pod"), TABLE, ids=str)
def test_the_container_that_was_killed_its_log_and_its_owner(labs, name, moment, pod):
    """Without a hint from the alert, the evidence is about the container that died, with the log of the instance that died."""
    container, which, lines, owner = TABLE[name, moment, pod]

    facts = facts_of(moment_lab(labs, name, moment).gather(name, pod))

    log = facts.log
    assert facts.subject.container == container
    assert f"{facts.workload.workload.kind}/{facts.workload.workload.name}" == owner
    if which == NONE:
        assert log is None
        assert any(m.source == "log" and "never started" in m.why for m in facts.missing)
    else:
        assert (log.container, log.is_previous, log.is_current) == (container, which == PREVIOUS, which == RUNNING)
        assert lines is None or len(log.lines) == lines
    assert facts.node.name == ("lab-node-2" if name.startswith("cgroupv2") else "lab-node-1")
    assert {e.object_kind for e in facts.events} >= {"Pod", "Node"}


@pytest.mark.parametrize("name", ["d-child-oom", "k-steady-near-limit"])
def test_a_container_that_lives_has_a_live_use(labs, name):
    """kubectl top works while the pod lives."""
    facts = facts_of(labs["t3"].gather(name))

    assert facts.usage_bytes is not None
    assert facts.usage_bytes > 1_000_000


def test_no_live_use_of_a_dead_container_is_normal(labs):
    """metrics.k8s.io answers 404 for a pod whose only container is down; nobody has to do anything about it."""
    case = labs["t3"].gather("a-leak-crashloop")

    gap = next(m for m in case.missing if m.source == "metrics")
    assert gap.is_normal
    assert "no container of the pod is running" in gap.why


def test_a_log_that_the_runtime_removed_is_missing_and_not_a_log(labs):
    """The API answers 200 with "unable to retrieve container logs": that sentence must not be shown as the log."""
    facts = facts_of(labs["t1"].gather("b-sidecar-oom"))

    assert "unable to retrieve" not in " ".join(facts.log.lines)
    gap = next(m for m in facts.missing if m.source == "log")
    assert "already removed by the runtime" in gap.why


def test_the_limit_in_force_after_an_in_place_resize(labs):
    """`k` was raised from 96Mi to 160Mi without a restart; the evidence says 160Mi, and the history both."""
    facts = facts_of(labs["t3"].gather("k-steady-near-limit"))

    container = facts.pod.container("session-store")
    assert container.limit_bytes == 160 * 1024**2
    assert container.restart_count == 0
    assert {s.limit_bytes for s in facts.history.samples} == {96 * 1024**2, 160 * 1024**2}


def test_limits_that_stand_on_the_pod(labs):
    """With pod-level resources the containers have none of their own, and the pod's limit is known."""
    facts = facts_of(labs["t3"].gather("q-pod-level-limits"))

    assert facts.pod.container("app-x").limit_bytes is None
    assert facts.pod.pod_limit_bytes == 96 * 1024**2


@pytest.mark.parametrize(
    ("name", "kills"),
    [("a-leak-crashloop", 12), ("b-sidecar-oom", 12), ("m-startup-oom", 12), ("e-liveness-137", 0), ("i3-java-exitonoom", 0), ("o-tmpfs-oom", 9),
     ("d-child-oom", 0), ("s-statefulset-oom", 10)],
)  # fmt: skip
def test_the_kills_that_the_history_knows(labs, name, kills):
    """Each OOM kill once, with its exact time, also of lives that no scrape saw; deaths of another kind are none."""
    history = facts_of(labs["t3"].gather(name)).history

    assert len(history.kill_times_s) == kills
    assert all(b - a > 1 for a, b in zip(history.kill_times_s, history.kill_times_s[1:], strict=False))


def test_kills_that_the_container_survived(labs):
    """On cgroup v1 only container_oom_events_total tells of killed workers."""
    assert facts_of(labs["t3"].gather("d-child-oom")).child_kills == 78
    assert facts_of(labs["t3"].gather("k-steady-near-limit")).child_kills == 0
    assert facts_of(labs["t3"].gather("a-leak-crashloop")).child_kills is None


def test_siblings_of_a_statefulset(labs):
    """Both replicas die: the other one's restarts and reason are told."""
    facts = facts_of(labs["t3"].gather("s-statefulset-oom", 0))

    assert [(s.pod, s.restart_count, s.last_reason) for s in facts.workload.siblings] == [("kafka-1", 10, "OOMKilled")]
    assert facts.workload.replicas_desired == 2


def test_a_saved_case_reads_the_same(labs):
    """`--save` and `diagnose` lose nothing that the diagnosis sees."""
    case = labs["t3"].gather("a-leak-crashloop")

    assert facts_of(case_from_json(json.loads(json.dumps(case.to_json())))) == facts_of(case)


def test_a_case_holds_no_managed_fields_and_stays_small(labs):
    """A case is kept in the store for each incident: it must not be megabytes."""
    sizes = {}
    for incident in (i for i in labs["t3"].recordings.incidents if i.pods):
        text = json.dumps(labs["t3"].gather(incident.name).to_json())
        assert "managedFields" not in text
        sizes[incident.name] = len(text)

    assert max(sizes.values()) < 300_000, sizes


def test_an_evicted_pod(labs):
    """The kubelet's word about the whole pod is kept beside the container's lost status; its owner and node are known."""
    subject = Subject(namespace="shop-v2", pod="renderer-b6c48c568-9qp46")
    facts = facts_of(labs["t3"].evidence.gather(subject, (), labs["t3"].incident("cgroupv2-b-sidecar-oom").taken_at))

    assert (facts.pod.reason, facts.subject.container) == ("Evicted", "renderer")
    assert facts.node.name == "lab-node-2"
    assert "EvictionThresholdMet" in {e.reason for e in facts.events}
    assert any("lab" in k or "shop-v2/" in k for k in facts.node.other_oom_kills)
