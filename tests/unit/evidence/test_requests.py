"""What one incident costs the API server and Prometheus."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.case import facts_of
from receiver.demo.standins import Recordings
from receiver.domain.facts import Vpa
from receiver.domain.identity import LabelNames, subject_of
from receiver.evidence.look import COLD_BUDGET, WARM_BUDGET
from tests.fakes.kube import recorded, refuse
from tests.unit.evidence.kit import Lab, lab

DEPLOYMENT, STATEFULSET = "cgroupv2-a-leak-crashloop", "s-statefulset-oom"


def with_replicas(name: str, count: int) -> Recordings:
    """The recording with that many replicas of its pod."""
    recordings = recorded(name)
    first = recordings.incident(name).pods[0]
    for owner in recordings.objects:
        if owner.get("kind") == "Deployment":
            owner["spec"]["replicas"] = owner["status"]["replicas"] = count
    for i in range(1, count):
        metadata = {**first.pod["metadata"], "name": f"{first.pod['metadata']['name'][:-2]}{i:02d}", "uid": f"uid-{i}"}
        copy = type(first)(pod={**first.pod, "metadata": metadata}, logs=first.logs, metrics=first.metrics)
        recordings.pods[metadata["namespace"], metadata["name"]] = copy
    return recordings


def counted(running: Lab, pod: str = "") -> tuple[int, int]:
    """Requests to Kubernetes and to Prometheus of one look."""
    running.kube.asked.clear()
    running.prometheus.asked.clear()
    subject = running.subject()
    if pod:
        subject = subject_of({"namespace": subject.namespace, "pod": pod}, LabelNames())
    case = running.evidence.gather(subject, (), running.incident().taken_at)
    assert case.notes["requests"]["kubernetes"] == len(running.kube.asked)
    return len(running.kube.asked), len([a for a in running.prometheus.asked if not a.path.endswith("/rules")])


@pytest.mark.parametrize(("replicas", "cold", "warm"), [(1, 12, 5), (3, 12, 7)])
def test_a_deployments_pod_costs_at_most_twelve_requests_and_eight_when_known(replicas, cold, warm):
    """Owners and policies are kept, so the second look at a workload is cheaper."""
    with lab(recordings=with_replicas(DEPLOYMENT, replicas)) as running:
        first, second = counted(running), counted(running)

    assert first == (cold, 3)  # what it exports comes with the peaks; there is no counter whose rate could be asked
    assert second[0] == warm <= WARM_BUDGET
    assert first[0] <= COLD_BUDGET
    assert second[1] == 3


def test_a_statefulsets_pod_stays_within_the_same_budget():
    """Its revisions are ControllerRevisions: one list, as for a Deployment."""
    with lab(STATEFULSET) as running:
        first, second = counted(running), counted(running)

    assert first[0] <= COLD_BUDGET
    assert second[0] <= WARM_BUDGET


def test_what_is_not_there_is_not_asked_for_again():
    """The VPA's CRD is missing in most clusters: one question for all namespaces. A missing permission stays missing too."""
    with lab(DEPLOYMENT, "a-leak-crashloop") as running:
        running.kube.fault("/limitranges", refuse(403))
        for name in (DEPLOYMENT, "a-leak-crashloop") * 3:
            running.gather(name)
        paths = Counter(a.path for a in running.kube.asked)

    assert sum(n for path, n in paths.items() if "verticalpodautoscalers" in path) == 1
    assert paths["/api/v1/namespaces/shop/limitranges"] == paths["/api/v1/namespaces/shop-v2/limitranges"] == 1


def vpa_of(name: str, namespace: str = "shop-v2") -> dict[str, object]:
    spec = {"targetRef": {"kind": "Deployment", "name": name}, "updatePolicy": {"updateMode": "Recreate"}}
    return {"kind": "VerticalPodAutoscaler", "metadata": {"name": f"{name}-vpa", "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize(("replicas", "first"), [(1, {"vpa"}), (3, set())])
def test_a_vpa_is_read_where_it_fits_the_budget_and_said_to_be_left_out_else(replicas, first):
    """Three replicas leave no room at the first look: what is left out is named; the second look brings it."""
    recordings = with_replicas(DEPLOYMENT, replicas)
    recordings.objects += [vpa_of("orders-api"), vpa_of("another")]
    with lab(recordings=recordings) as running:
        cases = [running.gather() for _ in range(2)]
        counts = [c.notes["requests"]["kubernetes"] for c in cases]

    left_out = [{m.source for m in c.missing if m.why.startswith("not asked")} for c in cases]
    assert {"vpa"} & set(cases[0].answers) == first
    assert {"vpa", "nodepods"} == left_out[0] | (set(cases[0].answers) & {"vpa", "nodepods"})
    assert all(m.is_normal for m in cases[0].missing if m.source in left_out[0])
    assert facts_of(cases[1]).workload.vpa == Vpa(name="orders-api-vpa", mode="Recreate")
    assert counts[0] <= COLD_BUDGET
    assert counts[1] <= WARM_BUDGET


def test_the_nodes_pods_come_before_a_vpa_where_the_node_may_have_killed():
    """A kill that is not the container's own limit's: what else died there, and what is promised to whom, decides."""
    recordings = recorded("cgroupv2-j-eviction")
    recordings.objects.append(vpa_of("hungry"))
    with lab(recordings=recordings) as running:
        case = running.gather()
        facts = facts_of(case)

    assert "nodepods" in case.answers
    assert facts.node.limits_total_bytes is not None
    assert facts.node.other_oom_kills
    assert case.notes["requests"]["kubernetes"] <= COLD_BUDGET


def test_the_rules_are_asked_once_for_all_incidents():
    """They are large and change rarely."""
    with lab(DEPLOYMENT) as running:
        for _ in range(3):
            running.evidence.gather(running.subject(), (), running.incident().taken_at)

        assert running.prometheus.paths()["/api/v1/rules"] == 1


def test_workers_that_look_at_one_namespace_at_once_share_its_policies():
    """Eight incidents of one namespace in the same second ask for its LimitRange once."""
    with lab(recordings=with_replicas(DEPLOYMENT, 8)) as running:
        now = running.incident().taken_at
        pods = [name for namespace, name in running.recordings.pods if name.startswith("orders-api-59")]
        subjects = [subject_of({"namespace": "shop-v2", "pod": p}, LabelNames()) for p in pods]
        with ThreadPoolExecutor(8) as pool:
            cases = list(pool.map(lambda s: running.evidence.gather(s, (), now), subjects))

        paths = Counter(a.path for a in running.kube.asked)
    assert len(cases) == 8
    assert all("limitrange" in c.answers and "owners" in c.answers for c in cases)
    assert paths["/api/v1/namespaces/shop-v2/limitranges"] == 1
    assert paths["/apis/apps/v1/namespaces/shop-v2/deployments/orders-api"] == 1
    assert paths["/api/v1/nodes/lab-node-2"] == 1


def test_lists_come_from_the_api_servers_cache_and_large_ones_by_the_page():
    """A read of etcd for each incident is what API Priority & Fairness throttles; a thousand replicas are not fetched."""
    with lab(recordings=with_replicas(DEPLOYMENT, 3)) as running:
        counted(running)
        lists = {a.path.rsplit("/", 1)[-1]: a.params for a in running.kube.asked if "resourceVersion" in a.params or "limit" in a.params}
        for owner in running.recordings.objects:
            if owner.get("kind") == "Deployment":
                owner["status"]["replicas"] = 1000
        running.evidence._cache.clear()
        counted(running)
        siblings = next(a.params for a in running.kube.asked if a.path == "/api/v1/namespaces/shop-v2/pods")

    cached = {"pods", "replicasets", "horizontalpodautoscalers", "limitranges", "resourcequotas"}
    assert {name for name, params in lists.items() if params.get("resourceVersion") == "0"} == cached
    assert siblings["limit"] == "100"
