"""The Prometheus client and its queries: what is asked, what comes of each answer (on a real server: tests/e2e/test_prometheus_queries.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.case import facts_of
from receiver.domain.identity import Subject, Workload
from receiver.errors import Rejected, Unavailable, Unreadable
from receiver.evidence import queries
from receiver.evidence.counters import COUNTERS
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from tests.fakes.kube import body, refuse
from tests.fakes.prometheus import FakePrometheus
from tests.unit.evidence.kit import lab


def test_ranges_begin_and_end_at_multiples_of_the_step():
    """So that caches in front of Prometheus can answer the next incident."""
    with FakePrometheus([]) as fake:
        Prometheus(PrometheusConfig(url=fake.url)).range("up", start_s=61.5, end_s=361.5, step_s=60)

        asked = fake.asked[0]
    assert (asked.method, asked.params["start"], asked.params["end"]) == ("POST", "60", "360")


def test_headers_parameters_and_path_prefix_reach_the_server():
    """Mimir wants a tenant header, Thanos its parameters, a proxy its path."""
    with FakePrometheus([]) as fake:
        config = PrometheusConfig(
            url=f"{fake.url}/prometheus/", headers={"X-Scope-OrgID": "team"}, params={"max_source_resolution": "0s"}, token="abc"
        )
        Prometheus(config).instant("up", 1)

        asked = fake.asked[0]
    assert asked.path == "/prometheus/api/v1/query"
    assert asked.headers["x-scope-orgid"] == "team"
    assert asked.headers["authorization"] == "Bearer abc"
    assert asked.params["max_source_resolution"] == "0s"
    assert asked.params["partial_response"] == "false"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (body(b'{"status":"error","errorType":"timeout","error":"query timed out"}', status=503), Unavailable),
        (body(b'{"status":"error","errorType":"execution","error":"too many samples"}', status=422), Rejected),
        (body(b'{"status":"success","data":{"resultType":"vector"}}'), Unreadable),
        (body(b'{"hello":"I am Grafana"}'), Unreadable),
        (body(b'"x"'), Unreadable),
        (refuse(404), Exception),
    ],
)
def test_errors_of_prometheus_are_told_apart(answer, error):
    """Its own words stand in the error; what is no Prometheus is said to be none."""
    with FakePrometheus([]) as fake:
        fake.fault("/query", answer)

        with pytest.raises(error):
            Prometheus(PrometheusConfig(url=fake.url)).instant("up", 1)


def test_a_partial_answer_is_used_and_told_as_partial():
    """Thanos warns when a store is away; a hole must not pass for a quiet hour."""
    with lab("a-leak-crashloop") as running:
        content = b'{"status":"success","warnings":["store 10.0.0.1 unavailable"],"data":{"resultType":"matrix","result":[]}}'
        running.prometheus.fault("/query_range", body(content))

        facts = facts_of(running.gather())

    assert any("store 10.0.0.1 unavailable" in m.why for m in facts.missing)


@pytest.mark.parametrize(
    ("pod", "workload", "pattern"),
    [
        ("api-6d5f7c8b9d-x2x4z", Workload(kind="Deployment", name="api"), "api-[a-z0-9]+-[a-z0-9]+"),
        ("api-6d5f7c8b9d-x2x4z", None, "api-[a-z0-9]+-[a-z0-9]+"),
        ("kafka-0", None, "kafka-[0-9]+"),
        ("nightly-export-69pr5", None, "nightly-export-[a-z0-9]+"),
        ("debug-shell", None, "debug-shell"),
        ("a.b-0", None, r"a\.b-[0-9]+"),
        ("api-6d5f7c8b9d-x2x4z", Workload(kind="Deployment", name="other"), "api-6d5f7c8b9d-x2x4z"),
    ],
)
def test_the_pods_of_a_workload_by_their_names(pod, workload, pattern):
    """A workload's pods are found over rollouts, its namesakes' (`api-worker`) are not."""
    assert queries.pod_pattern(Subject(namespace="n", pod=pod, workload=workload)) == pattern


def test_kube_state_metrics_without_honor_labels():
    """Then its series carry exported_namespace and exported_pod."""
    config = PrometheusConfig(url="http://x", state_label_prefix="exported_")
    text = queries.history(queries.Selectors.of(config, Subject(namespace="shop", pod="a-1")))

    assert 'kube_pod_container_resource_limits{exported_namespace="shop",exported_pod="a-1"' in text
    assert 'container_memory_rss{namespace="shop",pod="a-1"' in text


def test_a_matcher_for_the_cluster_is_in_every_selector():
    """Under Thanos or Mimir two clusters have pods of one name."""
    config = PrometheusConfig(url="http://x", matchers='cluster="eu"')
    subject = Subject(namespace="shop", pod="a-1")
    selectors = queries.Selectors.of(config, subject)

    for text in (
        queries.history(selectors),
        queries.recent(selectors, config),
        queries.peaks(selectors, config, subject),
        *(queries.traffic(config, subject, counter, "") for counter in COUNTERS),
    ):
        assert text.count("{") == text.count('cluster="eu"')


HOSTILE = 'x"} or vector(1) or x{a="'


@pytest.mark.parametrize("name", ["workload", "container"])
def test_a_label_that_is_no_kubernetes_name_never_reaches_the_users_query(name):
    """The workload and container labels are untrusted: the query is not asked, the case says so, other evidence is read all the same."""
    query = f'sum(rate(orders_total{{app=~"${name}-.*"}}[5m]))'
    config = PrometheusConfig(url="http://127.0.0.1:9", request_rate_query=query)
    with FakePrometheus([]) as fake, lab("a-leak-crashloop", prometheus=replace(config, url=fake.url)) as running:
        subject = running.subject()
        workload = Workload(kind="Deployment", name=HOSTILE)
        hostile = replace(subject, workload=workload) if name == "workload" else replace(subject, container=HOSTILE)
        case = running.evidence.gather(hostile, (), running.incident().taken_at)
        asked = repr([a.params for a in fake.asked])

    assert "vector(1)" not in asked
    missing = next(m for m in case.missing if m.source == "traffic")
    assert "cannot be a Kubernetes name" in missing.why
    assert f"the {name} " in missing.why
    assert "pod" in case.answers


def test_usual_names_are_filled_in_as_they_are():
    """With and without braces, also beside other text."""
    subject = Subject(namespace="shop", pod="api-1", container="api", workload=Workload(kind="StatefulSet", name="api"))

    filled = queries.fill('x{ns="$namespace",pod=~"${workload}-.*",c="$container"} # $podium', subject)

    assert filled == 'x{ns="shop",pod=~"api-.*",c="api"} # $podium'
