"""The pulse of many incidents: few questions, each answer to whom it is about, and nothing concluded from silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.demo.standins import Recordings
from receiver.domain.identity import LabelNames, Subject, Workload, subject_of
from receiver.domain.pulse import MOST_PODS, ContainerPulse, Wanted
from receiver.errors import SourceError
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.pulse import MOST_POD_REQUESTS
from receiver.evidence.queries import MOST_QUERY_CHARS
from tests.fakes.kube import FakeKube, recorded, refuse
from tests.fakes.prometheus import FakePrometheus, series
from tests.unit.evidence.kit import Lab, lab, nothing_redacted

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
AT = NOW.timestamp()
LEAK, CHILD = "a-leak-crashloop", "d-child-oom"


def told(metric: str, value: float, pod: str, *, namespace: str = "shop", container: str = "app", **labels: str) -> dict[str, Any]:
    """One series with its newest value."""
    return series(metric, [(AT - 10, value)], namespace=namespace, pod=pod, container=container, **labels)


def restarts(n: float, pod: str, **labels: str) -> dict[str, Any]:
    """A restart count."""
    return told("kube_pod_container_status_restarts_total", n, pod, **labels)


@contextmanager
def asking(*found: dict[str, Any], kube: FakeKube | None = None, **config: Any) -> Iterator[tuple[FakePrometheus, Evidence]]:
    """A Prometheus with these series, and what asks it."""
    with FakePrometheus(found) as prometheus:
        evidence = Evidence(
            EvidenceConfig(cluster_name="lab"), kube=Kube(KubeConfig(api_url=kube.url)) if kube else None,
            prometheus=Prometheus(PrometheusConfig(url=prometheus.url, **config)), alertmanager=None, redact=nothing_redacted,
        )  # fmt: skip
        yield prometheus, evidence
        evidence.close()


def wanted(
    name: str, pod: str, container: str = "app", *, namespace: str = "shop", kind: str = "Deployment", cluster: str = "lab"
) -> Wanted:
    """An incident of a workload's container."""
    return Wanted(
        id=name,
        subject=Subject(cluster=cluster, namespace=namespace, pod=pod, container=container, workload=Workload(kind=kind, name=name)),
    )


CART, CART_TOO, WORKER = "cart-7d4b9c5f66-x2x4z", "cart-6c5b7d8f9c-bcdfg", "cart-worker-5c6b7d8f9c-bcdfg"


def test_one_question_for_all_and_each_has_its_own_answer() -> None:
    """Workloads whose names begin alike, the same name elsewhere, another container of the pod, a new ReplicaSet's pod."""
    found = (
        restarts(3, CART), restarts(0, CART_TOO), restarts(9, CART, container="proxy"), restarts(7, CART, namespace="test"), restarts(5, WORKER),
        restarts(2, "db-0", container="db"), restarts(4, "db-1", container="db"),
    )  # fmt: skip
    with asking(*found) as (prometheus, evidence):
        pulses = evidence.pulses.take(
            [wanted("cart", CART), wanted("cart-worker", WORKER), wanted("db", "db-0", "db", kind="StatefulSet")], now=NOW, deadline_s=5
        )
        asked = len(prometheus.asked)

    counts = {name: {pod: p.restarts for pod, p in pods.items()} for name, pods in pulses.pods.items()}
    assert counts == {"cart": {CART: 3, CART_TOO: 0}, "cart-worker": {WORKER: 5}, "db": {"db-0": 2, "db-1": 4}}
    assert (asked, pulses.requests, pulses.problems) == (1, {"prometheus": 1}, {})


def test_pods_whose_names_only_begin_like_the_workloads() -> None:
    """A StatefulSet and a DaemonSet beside the Deployment, with the same container; also where no pod of it is known."""
    nobody = replace(wanted("cart", ""), id="nobody")
    with asking(
        restarts(3, CART), restarts(9, "cart-db-0"), restarts(8, "cart-worker-x2x4z"), restarts(7, "cart-worker-5c6b7d8f9c-bcdfg")
    ) as (
        _,
        evidence,
    ):
        pulses = evidence.pulses.take([wanted("cart", CART), nobody], now=NOW, deadline_s=5)

    assert set(pulses.pods["cart"]) == set(pulses.pods["nobody"]) == {CART}


def test_what_is_read_of_a_container() -> None:
    """Of a limit of CPU nothing; of how it ended now more than of how it did before."""
    found = (
        restarts(3, CART), told("kube_pod_container_resource_limits", 2, CART, resource="cpu", unit="core"),
        told("kube_pod_container_resource_limits", 100, CART, resource="memory", unit="byte"),
        told("kube_pod_container_status_last_terminated_reason", 1, CART, reason="Error"),
        told("kube_pod_container_status_last_terminated_reason", 0, CART, reason="Evicted"),
        told("kube_pod_container_status_terminated_reason", 1, CART, reason="OOMKilled"),
        told("kube_pod_container_status_last_terminated_timestamp", AT - 60, CART), told("kube_pod_container_status_ready", 0, CART),
        told("container_oom_events_total", 7, CART, id="/a"), told("container_oom_events_total", 2, CART, id="/b"),
    )  # fmt: skip
    with asking(*found) as (_, evidence):
        pulses = evidence.pulses.take([wanted("cart", CART)], now=NOW, deadline_s=5)

    assert pulses.pods["cart"][CART] == ContainerPulse(
        restarts=3,
        died_at=datetime.fromtimestamp(AT - 60, UTC),
        reason="OOMKilled",
        is_ended=True,
        oom_events=7,
        limit_bytes=100,
        is_ready=False,
    )


def test_exporters_that_disagree_about_labels() -> None:
    """kube-state-metrics without honor_labels: its own pod stands where ours is looked for."""
    theirs = {"namespace": "monitoring", "pod": "kube-state-metrics-0", "container": "kube-state-metrics"}
    exported = {"exported_namespace": "shop", "exported_pod": CART, "exported_container": "app"}
    found = (
        series("kube_pod_container_status_restarts_total", ((AT - 10, 3.0),), **theirs, **exported),
        told("container_oom_events_total", 7, CART, id="/a"),
    )
    with asking(*found, state_label_prefix="exported_") as (_, evidence):
        pulses = evidence.pulses.take([wanted("cart", CART)], now=NOW, deadline_s=5)

    assert pulses.pods == {"cart": {CART: ContainerPulse(restarts=3, oom_events=7)}}


@pytest.mark.parametrize("prefix", ["", "exported_"])
def test_questions_have_a_bounded_length(prefix: str) -> None:
    """A thousand workloads: few questions, none longer than what every Prometheus takes; nobody is left out."""
    many = [wanted(f"service-with-a-long-name-{i:04d}", f"service-with-a-long-name-{i:04d}-7d4b9c5f66-x2x4z", f"c{i}") for i in range(1000)]
    found = [restarts(1, w.subject.pod, container=w.subject.container) for w in many]
    if prefix:
        found = [
            {**s, "metric": {f"exported_{k}" if k in ("namespace", "pod", "container") else k: v for k, v in s["metric"].items()}}
            for s in found
        ]
    with asking(*found, state_label_prefix=prefix) as (prometheus, evidence):
        pulses = evidence.pulses.take(many, now=NOW, deadline_s=60)
        lengths = [len(a.params["query"]) for a in prometheus.asked]

    assert max(lengths) <= MOST_QUERY_CHARS
    assert len(lengths) <= (16 if prefix else 7)
    assert set(pulses.pods) == {w.id for w in many}


def test_of_a_large_workload_the_worst_pods_are_remembered() -> None:
    """Those with most restarts."""
    pods = [f"cart-7d4b9c5f66-b{a}{b}zz" for a in "bcdfghjklmnp" for b in "bcdfghjklmnp"]
    with asking(*(restarts(i, pod) for i, pod in enumerate(pods))) as (_, evidence):
        pulses = evidence.pulses.take([wanted("cart", pods[0])], now=NOW, deadline_s=5)

    assert len(pods) > MOST_PODS
    assert set(pulses.pods["cart"]) == set(pods[-MOST_PODS:])


def test_another_cluster_and_impossible_names_are_not_asked_for() -> None:
    """A pod of that name here is another pod; a label is no query."""
    strange = wanted("cart", 'x"} or vector(1) or {a="')
    with asking(restarts(3, CART)) as (prometheus, evidence):
        pulses = evidence.pulses.take([wanted("cart", CART, cluster="prod"), strange], now=NOW, deadline_s=5)
        asked = list(prometheus.asked)

    assert pulses.pods == {}
    assert asked == []


def subjects(running: Lab, *names: str) -> list[Wanted]:
    """The recorded pods as incidents."""
    return [Wanted(id=name, subject=running.subject(name)) for name in names]


def test_the_pod_itself_where_prometheus_does_not_know_it() -> None:
    """Its status tells the same, of the one pod."""
    with lab(LEAK, CHILD) as running:
        running.prometheus.fault("", refuse(503, "starting"))
        taken_at = running.incident(LEAK).taken_at
        pulses = running.evidence.pulses.take(subjects(running, LEAK, CHILD), now=taken_at, deadline_s=20)

    (pulse,) = pulses.pods[LEAK].values()
    assert (pulse.restarts, pulse.reason, pulse.limit_bytes) == (11, "OOMKilled", 96 * 1024**2)
    assert pulse.died_at is not None
    assert pulses.partial == {LEAK, CHILD}
    assert set(pulses.problems) == {"prometheus"}
    assert pulses.requests["kubernetes"] == 2


def first_pod(recordings: Recordings) -> Subject:
    """As an alert would name it."""
    metadata = recordings.incidents[0].pods[0].pod["metadata"]
    return subject_of({"namespace": metadata["namespace"], "pod": metadata["name"]}, LabelNames())


def test_who_replaced_a_pod_that_is_gone() -> None:
    """Found by the shape of its workload's names."""
    recordings = recorded(LEAK)
    found = first_pod(recordings)
    old = replace(found, pod="orders-api-7c9d8f6b5d-x2x4z")
    with FakeKube(recordings) as kube, asking(kube=kube) as (_, evidence):
        pulses = evidence.pulses.take([Wanted(id="a", subject=old)], now=NOW, deadline_s=5)

    assert found.pod in pulses.pods["a"]
    assert pulses.partial == frozenset()


def test_requests_for_pods_are_bounded_and_a_dead_api_is_not_asked_again() -> None:
    """A hundred incidents that Prometheus does not know."""
    recordings = recorded(LEAK)
    subject = first_pod(recordings)
    many = [Wanted(id=f"inc{i:03d}", subject=subject) for i in range(100)]
    with FakeKube(recordings) as kube, asking(kube=kube) as (_, evidence):
        pulses = evidence.pulses.take(many, now=NOW, deadline_s=30)
        kube.fault("", refuse(503))
        none = evidence.pulses.take(many, now=NOW, deadline_s=30)

    assert pulses.requests["kubernetes"] == MOST_POD_REQUESTS
    assert sorted(pulses.pods) == [f"inc{i:03d}" for i in range(MOST_POD_REQUESTS)]  # those first whose turn it is
    assert none.pods == {}
    assert none.requests["kubernetes"] == 1
    assert "kubernetes" in none.problems


def test_an_owners_mark_changes_with_what_it_asks_for() -> None:
    """Its limit; not its status. The next look reads what was read here, and not what it kept from before."""
    with lab(LEAK) as running:
        subject = replace(running.subject(LEAK), workload=Workload(kind="Deployment", name="orders-api"))
        taken_at = running.incident(LEAK).taken_at
        running.evidence.gather(subject, (), taken_at)
        first = running.evidence.pulses.owner(subject, deadline_s=5)
        (deployment,) = (o for o in running.recordings.objects if o["kind"] == "Deployment")
        deployment["status"]["observedGeneration"] = 99
        deployment["metadata"]["annotations"] = {"seen": "yes"}
        same = running.evidence.pulses.owner(subject, deadline_s=5)
        deployment["metadata"]["generation"] += 1
        deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = "200Mi"
        other = running.evidence.pulses.owner(subject, deadline_s=5)
        case = running.evidence.gather(subject, (), taken_at)

    assert first[0] == same[0] != other[0]
    assert other[0]
    seen = case.answers["owners"][-1]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert seen == "200Mi"


def test_autoscalers_that_do_not_answer_are_no_change() -> None:
    """Refused for good is as if there were none; away is an error, and the mark that is known stays."""
    with lab(LEAK) as running:
        subject = replace(running.subject(LEAK), workload=Workload(kind="Deployment", name="orders-api"))
        known = running.evidence.pulses.owner(subject, deadline_s=5)
        running.evidence.pulses.forget(subject)
        running.kube.fault("/horizontalpodautoscalers", refuse(503))
        with pytest.raises(SourceError):
            running.evidence.pulses.owner(subject, deadline_s=5)
        running.kube.fault("/horizontalpodautoscalers", refuse(403, "forbidden"))
        refused = running.evidence.pulses.owner(subject, deadline_s=5)

    assert refused[0] == known[0]


def test_what_is_forgotten_is_asked_anew() -> None:
    """After a rollout the kept revisions are old."""
    with lab(LEAK) as running:
        taken_at = running.incident(LEAK).taken_at
        running.gather(LEAK)
        kept = len(running.kube.asked)
        running.gather(LEAK)
        warm = len(running.kube.asked) - kept
        running.evidence.pulses.forget(running.subject(LEAK))
        running.evidence.gather(running.subject(LEAK), (), taken_at)
        anew = len(running.kube.asked) - kept - warm

    assert anew > warm


def test_an_owner_that_cannot_be_read_is_an_error_and_one_that_is_gone_is_none() -> None:
    """The watch tells them apart."""
    with lab(LEAK) as running:
        subject = replace(running.subject(LEAK), workload=Workload(kind="Deployment", name="nobody"))
        gone = running.evidence.pulses.owner(subject, deadline_s=5)
        running.kube.fault("", refuse(403, "forbidden"))
        with pytest.raises(SourceError):
            running.evidence.pulses.owner(subject, deadline_s=5)

    assert gone == ("", 1)
