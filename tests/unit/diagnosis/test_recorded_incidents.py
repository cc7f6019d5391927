"""Every recorded incident of a real cluster, from its API answers to its verdict: kill, cause, and whether a raise is offered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.report import Report
from receiver.render.document import report_document
from tests.unit.evidence.kit import Lab, lab

OOM, NOT_OOM, CHILD, NODE, NONE = "container_oom", "sigkill_not_oom", "child_process_oom", "node_oom", "none"

# incident: kind of kill, exit code, cause with its detail, at most how sure, role of the proposal ("" for none)
TABLE = {
    "a-leak-crashloop": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "b-sidecar-oom": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "c-init-oom": (OOM, 137, "startup", "init_container", 1.0, "fix"),
    "cgroupv2-a-leak-crashloop": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "cgroupv2-b-sidecar-oom": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "cgroupv2-d-child-oom": (OOM, 137, "unknown", "", 0.5, "stop_gap"),
    "cgroupv2-e-liveness-137": (NOT_OOM, 137, "not_memory", "liveness_probe", 1.0, ""),
    "cgroupv2-k-steady-near-limit": (NONE, None, "unknown", "", 1.0, ""),
    "cgroupv2-n-page-cache": (NONE, None, "unknown", "", 1.0, ""),
    "d-child-oom": (CHILD, None, "unknown", "", 0.5, "stop_gap"),
    "d2-child-oom-exit0": (OOM, 0, "startup", "at_once", 0.9, "fix"),
    "d4-child-oom-exit137": (OOM, 137, "startup", "at_once", 0.9, "fix"),
    "e-liveness-137": (NOT_OOM, 137, "not_memory", "liveness_probe", 1.0, ""),
    "f-job-oom": (OOM, 137, "leak", "log", 0.5, "stop_gap"),
    "g-no-limits": (NONE, None, "unknown", "", 1.0, ""),
    "h-guaranteed": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "i-python-memoryerror": (NONE, 1, "leak", "runtime_limit", 0.84, ""),
    "i3-java-exitonoom": (NONE, 3, "leak", "runtime_limit", 0.84, ""),
    "i6-node-heap": (NONE, 139, "leak", "runtime_limit", 0.84, ""),
    "l-spike": (OOM, 137, "spike", "burst", 0.84, "fix"),
    "m-startup-oom": (OOM, 137, "startup", "loading", 1.0, "fix"),
    "n-page-cache": (NONE, None, "unknown", "", 1.0, ""),
    "o-tmpfs-oom": (OOM, 128, "startup", "memory_volume", 0.9, "stop_gap"),
    "p-sidecar-restartable-init": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "q-pod-level-limits": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
    "s-statefulset-oom": (OOM, 137, "leak", "log", 0.84, "stop_gap"),
}


@pytest.fixture(scope="module")
def later() -> Iterator[Lab]:
    """The cluster as it was a quarter of an hour in."""
    with lab(moment="t3") as running:
        yield running


def _report(running: Lab, name: str) -> Report:
    pod = 2 if name == "f-job-oom" else 0
    return diagnose(facts_of(running.gather(name, pod)))


@pytest.mark.parametrize("name", TABLE)
def test_verdict_of_a_recorded_incident(later: Lab, name: str) -> None:
    """What really happened there is what the report says, no surer than lives of seconds allow."""
    kind, code, cause, detail, most, role = TABLE[name]
    report = _report(later, name)

    assert (report.kill.kind, report.kill.exit_code, report.kill.is_sure) == (kind, code, True)
    assert report.cause.name == cause
    assert not detail or report.cause.detail == detail
    assert report.cause.confidence <= most
    assert report.proposal.role == role
    if role:
        assert yaml.safe_load(report.proposal.patch)
    else:
        assert report.proposal.none
    assert report_document(report)["schema"] == "oomtriage.report/v1"


def test_hungry_pod_that_the_node_killed() -> None:
    """No limit, no request, 2 GiB: the node killed it, for sure, and no limit is to be raised."""
    with lab("cgroupv2-j-eviction") as running:
        report = _report(running, "cgroupv2-j-eviction")

    assert (report.kill.kind, report.kill.is_sure) == (NODE, True)
    assert report.cause.name == "node_pressure"
    assert report.proposal.none
    assert "no_limit" in [w.id for w in report.warnings]


def test_limits_of_the_pod_are_patched_on_the_pod(later: Lab) -> None:
    """Where the limit stands on the pod, so does the proposal's."""
    patch = yaml.safe_load(_report(later, "q-pod-level-limits").proposal.patch)

    assert patch["spec"]["template"]["spec"] == {"resources": {"limits": {"memory": "192Mi"}, "requests": {"memory": "192Mi"}}}


def test_native_sidecar_is_patched_where_it_stands(later: Lab) -> None:
    """A restartable init container stands among the init containers."""
    patch = yaml.safe_load(_report(later, "p-sidecar-restartable-init").proposal.patch)

    assert list(patch["spec"]["template"]["spec"]) == ["initContainers"]
