"""An alert that names a workload only: its worst pod is looked at."""

from __future__ import annotations

from receiver.domain.identity import LabelNames, Subject, subject_of
from tests.fakes.kube import refuse
from tests.unit.evidence.kit import Lab, lab

CRASHLOOP = "a-leak-crashloop"


def named(running: Lab, **labels: str) -> Subject:
    """The recorded incident's workload, as an alert without a pod names it."""
    metadata = running.incident().pods[0].pod["metadata"]
    return subject_of({"namespace": metadata["namespace"], **labels}, LabelNames())


def owner(running: Lab) -> str:
    return str(running.incident().pods[0].pod["metadata"]["ownerReferences"][0]["name"])


def test_the_worst_pod_of_a_workload_is_looked_at() -> None:
    """By the ReplicaSet's name, as AKS' rules have it, and by the Deployment's."""
    with lab(CRASHLOOP) as running:
        pod = running.incident().pods[0].pod["metadata"]["name"]
        replicaset = owner(running)
        for labels in ({"controller": replicaset}, {"deployment": replicaset.rpartition("-")[0]}):
            case = running.evidence.gather(named(running, **labels), (), running.incident().taken_at)

            assert case.subject.pod == pod
            assert case.answers["pod"]["metadata"]["name"] == pod


def test_of_two_replicas_the_one_that_was_killed_last() -> None:
    """Both were; the newer kill is the news."""
    with lab("s-statefulset-oom") as running:
        pods = [p.pod for p in running.incident().pods]
        ends = {
            p["metadata"]["name"]: max(
                s.get(when, {}).get("terminated", {}).get("finishedAt", "")
                for s in p["status"]["containerStatuses"]
                for when in ("state", "lastState")
            )
            for p in pods
        }
        name = pods[0]["metadata"]["ownerReferences"][0]["name"]
        case = running.evidence.gather(named(running, statefulset=name), (), running.incident().taken_at)

        assert case.subject.pod == max(ends, key=lambda pod: ends[pod])


def test_a_workload_that_is_not_there_is_said() -> None:
    """A gap with its reason, not "no problem"."""
    with lab(CRASHLOOP) as running:
        case = running.evidence.gather(named(running, deployment="nobody"), (), running.incident().taken_at)

        assert case.subject.pod == ""
        assert next(m.source for m in case.missing if "nobody" in m.why) == "pod"


def test_pods_that_may_not_be_listed_are_said() -> None:
    """The refusal is the gap."""
    with lab(CRASHLOOP) as running:
        running.kube.fault("/pods", refuse(403, "pods is forbidden"))
        case = running.evidence.gather(named(running, controller=owner(running)), (), running.incident().taken_at)

        assert any(m.source == "pod" and "403" in m.why for m in case.missing)


def test_a_name_that_is_none_asks_nothing() -> None:
    """Labels are untrusted: no path is made of them."""
    with lab(CRASHLOOP) as running:
        case = running.evidence.gather(named(running, deployment="../../secrets"), (), running.incident().taken_at)

        assert any(m.source == "pod" and "Kubernetes name" in m.why for m in case.missing)
        assert not [asked for asked in running.kube.asked if "secrets" in asked.path]
