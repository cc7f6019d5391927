"""What could scale on the request rate: discovery, KEDA, adapters; what it costs and how it is missing."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.case import facts_of
from receiver.domain.case import Case
from receiver.domain.facts import Scaling
from receiver.evidence.look import COLD_BUDGET, SCALING_ROOM, WARM_BUDGET
from tests.fakes.kube import HANG, Fault, recorded, refuse
from tests.unit.evidence.kit import Lab, lab
from tests.unit.evidence.test_exports import exporting
from tests.unit.evidence.test_requests import DEPLOYMENT, with_replicas

OWNER = "orders-api"
TRIGGER = {"type": "prometheus", "metadata": {"serverAddress": "http://p:9090", "query": "sum(up)", "threshold": "5"}}


def scaled_object(name: str = "orders", *, target: str = OWNER, kind: str = "", namespace: str = "shop-v2") -> dict[str, Any]:
    reference = {"name": target, **({"kind": kind} if kind else {})}
    spec = {"scaleTargetRef": reference, "maxReplicaCount": 6, "triggers": [TRIGGER]}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def served(version: str, *names: str) -> dict[str, Any]:
    return {"kind": "APIResourceList", "groupVersion": version, "resources": [{"name": n} for n in names]}


def looked(*objects: dict[str, Any], metric: str = "http_requests_total", fault: tuple[str, Fault] | None = None, **labels: str) -> Case:
    recordings = recorded(DEPLOYMENT)
    recordings.objects += objects
    with lab(recordings=recordings) as running:
        exporting(running, *([metric] if metric else []), **labels)
        if fault is not None:
            running.kube.fault(*fault)
        return running.gather()


def scaling(case: Case) -> Scaling | None:
    workload = facts_of(case).workload
    assert workload is not None
    return workload.scaling


def test_without_a_rate_nothing_is_asked() -> None:
    """Most workloads: the API server is not even asked what it serves."""
    with lab(DEPLOYMENT) as running:
        case = running.gather()
        paths = {a.path for a in running.kube.asked}

    assert "/apis" not in paths
    assert scaling(case) is None
    assert "scaling" not in {m.source for m in case.missing}


def test_a_prometheus_that_hangs_does_not_make_it_missing() -> None:
    """Without a rate the question does not apply: nobody is told of a gap that is none."""
    with lab(DEPLOYMENT) as running:
        running.prometheus.fault("", HANG)
        case = running.gather(deadline_s=0.8)

    assert "traffic" in {m.source for m in case.missing}
    assert "scaling" not in {m.source for m in case.missing}


def test_a_cluster_with_nothing_of_the_kind_says_so() -> None:
    """Discovery answered, so it is known and not missing."""
    assert scaling(looked()) == Scaling()


@pytest.mark.parametrize("kind", ["", "Deployment"])
def test_the_workloads_own_scaled_object_is_read(kind: str) -> None:
    """Others of the namespace are not; a reference without a kind means a Deployment."""
    others = [scaled_object("b", target="another"), scaled_object("c", kind="StatefulSet"), scaled_object("d", namespace="elsewhere")]
    found = scaling(looked(*others, scaled_object(kind=kind)))

    assert found is not None
    assert found.has_keda
    assert found.scaled_object is not None
    assert found.scaled_object["metadata"]["name"] == "orders"
    assert found.scaled_object["spec"]["triggers"] == [TRIGGER]


def test_keda_without_an_object_of_this_workload() -> None:
    """It is there, and nothing of this workload is."""
    assert scaling(looked(scaled_object(target="another"))) == Scaling(has_keda=True)


@pytest.mark.parametrize(
    ("metric", "name", "found"),
    [
        ("http_requests_total", "pods/http_requests_per_second", "http_requests_per_second"),
        ("http_requests_total", "pods/http_requests", "http_requests"),
        ("http_requests_total", "namespaces/http_requests", ""),
        ("http_requests_total", "pods/http_requests_total", ""),  # that is the count since the start
        ("http_server_requests_seconds_count", "pods/http_server_requests_seconds_per_second", "http_server_requests_seconds_per_second"),
        ("http_server_requests_seconds_count", "pods/http_server_requests_seconds", ""),  # an average duration, as likely as not
    ],
)
def test_an_adapters_metric_is_known_by_its_name(metric: str, name: str, found: str) -> None:
    """What is a rate by its name, of this very counter."""
    assert scaling(looked(served("custom.metrics.k8s.io/v1beta1", "pods/memory_rss", name), metric=metric)) == Scaling(pods_metric=found)


def test_an_external_metric_where_no_custom_ones_are_served() -> None:
    """By its bare name."""
    assert scaling(looked(served("external.metrics.k8s.io/v1beta1", "http_requests_per_second"))) == Scaling(
        external_metric="http_requests_per_second"
    )


def test_keda_is_asked_and_no_adapter_beside_it() -> None:
    """KEDA itself registers external.metrics.k8s.io."""
    found = scaling(looked(scaled_object(), served("external.metrics.k8s.io/v1beta1", "http_requests_per_second")))

    assert found is not None
    assert (found.has_keda, found.external_metric) == (True, "")


@pytest.mark.parametrize(
    ("path", "hint"),
    [("/apis/keda.sh", "grant list scaledobjects.keda.sh"), ("/apis", "system:discovery")],
)
def test_a_refusal_is_a_gap_that_names_the_permission(path: str, hint: str) -> None:
    """The rest of the case is there all the same."""
    said = 'scaledobjects.keda.sh is forbidden: cannot list resource "scaledobjects"' if "keda" in path else "forbidden: cannot get path"
    recordings = recorded(DEPLOYMENT)
    recordings.objects.append(scaled_object())
    with lab(recordings=recordings) as running:
        exporting(running, "http_requests_total")
        running.gather()  # everything else is kept, so that only these are asked
        running.evidence._cache.drop(lambda key: str(key).startswith(("('apis',", "('apis/keda.sh")))
        running.kube.fault(path, refuse(403, said))
        missing = {m.source: m for m in running.gather().missing}

    assert hint in missing["scaling"].hint
    assert missing["scaling"].is_configuration


@pytest.mark.parametrize("fault", [refuse(503), refuse(404)])
def test_an_adapter_that_is_down_is_a_gap(fault: Fault) -> None:
    """A registered API whose server is away."""
    case = looked(served("custom.metrics.k8s.io/v1beta1", "pods/http_requests"), fault=("/custom.metrics", fault))

    assert "scaling" in {m.source for m in case.missing}
    assert scaling(case) is None


def test_a_discovery_that_hangs_costs_only_itself() -> None:
    """The case is out at the deadline."""
    recordings = recorded(DEPLOYMENT)
    with lab(recordings=recordings) as running:
        exporting(running, "http_requests_total")
        running.gather()
        running.evidence._cache.drop(lambda key: key == ("apis",))
        running.kube.fault("/apis", HANG)
        case = running.gather(deadline_s=1.5)

    assert "scaling" in {m.source for m in case.missing}


@pytest.mark.parametrize("replicas", [1, 3])
def test_what_it_costs(replicas: int) -> None:
    """Two requests at most, over the budget only by them, and kept: the second look of the cluster pays nothing."""

    def counted(running: Lab) -> tuple[int, set[str]]:
        running.kube.asked.clear()
        case = running.gather()
        assert scaling(case) is not None
        return case.notes["requests"]["kubernetes"], {a.path for a in running.kube.asked}

    recordings = with_replicas(DEPLOYMENT, replicas)
    recordings.objects.append(scaled_object())
    with lab(recordings=recordings) as running:
        exporting(running, "http_requests_total")
        (cold, first), (warm, second) = counted(running), counted(running)

    ours = {"/apis", "/apis/keda.sh/v1alpha1/namespaces/shop-v2/scaledobjects"}
    assert first >= ours
    assert not second & ours
    assert cold <= COLD_BUDGET + SCALING_ROOM
    assert warm <= WARM_BUDGET
