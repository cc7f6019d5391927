"""Settings of the sources, from the environment or YAML to what Prometheus and Alertmanager are asked with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.app.build import make_evidence, prometheus_labels
from receiver.case import facts_of
from receiver.domain.identity import Subject
from receiver.settings import load_settings
from tests.fakes.prometheus import FakePrometheus, series

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SUBJECT = Subject(namespace="shop", pod="api-1", container="app")


@pytest.mark.parametrize("way", ["environment", "yaml"])
def test_parameters_matchers_headers_and_the_token_reach_prometheus(tmp_path: Path, way: str) -> None:
    """What Thanos, Mimir and a Prometheus of several clusters need is set without code."""
    token, config = tmp_path / "token", tmp_path / "config.yaml"
    token.write_text("first\n")
    with FakePrometheus([]) as prometheus:
        environ = {"PROMETHEUS_URL": prometheus.url, "PROMETHEUS_TOKEN_FILE": str(token)}
        if way == "environment":
            environ |= {
                "PROMETHEUS_PARAMS": "max_source_resolution=5m\ntenant = a=b",
                "PROMETHEUS_MATCHERS": '{cluster="eu-1", env!="test"}',
            }
            settings = load_settings(environ)
        else:
            config.write_text(
                'prometheus_params: {max_source_resolution: 5m, tenant: a=b}\nprometheus_matchers: cluster="eu-1", env!="test"\n'
            )
            settings = load_settings(environ, str(config))
        make_evidence(settings).gather(SUBJECT, (), NOW)
        asked = [a for a in prometheus.asked if "query" in a.params]

    assert len(asked) == 3
    for one in asked:
        assert (one.params["max_source_resolution"], one.params["tenant"], one.headers["authorization"]) == ("5m", "a=b", "Bearer first")
        assert one.params["query"].count('cluster="eu-1", env!="test"') == one.params["query"].count("{")


def test_a_token_in_a_file_is_read_again_when_it_is_refused(tmp_path: Path) -> None:
    """Rotated tokens are taken up without a restart: the answer to a 401 is the file as it is now."""
    token = tmp_path / "token"
    token.write_text("first")
    with FakePrometheus([]) as prometheus:
        evidence = make_evidence(load_settings({"PROMETHEUS_URL": prometheus.url, "PROMETHEUS_TOKEN_FILE": str(token)}))
        prometheus.token = "first"
        before = evidence.gather(SUBJECT, (), NOW)
        token.write_text("second")
        prometheus.token = "second"
        after = evidence.gather(SUBJECT, (), NOW)

    assert [{"history", "peaks"} <= set(case.answers) for case in (before, after)] == [True, True]


@pytest.mark.parametrize(
    ("label_names", "expected"),
    [
        ({}, {}),
        ({"pod": "exported_pod", "namespace": ["exported_namespace"]}, {"state_label_prefix": "exported_"}),
        ({"pod": ["kubernetes_pod", "pod"]}, {"pod_label": "kubernetes_pod"}),
        ({"pod": "k8s.pod.name", "cluster": "region"}, {}),
    ],
)
def test_label_names_of_the_alerts_are_those_of_the_series(label_names: dict[str, object], expected: dict[str, str]) -> None:
    """Alerts carry the labels of the series they were made of."""
    assert prometheus_labels(label_names) == expected


def test_series_with_labels_of_other_names_are_understood(tmp_path: Path) -> None:
    """A cluster whose relabelling says kubernetes_pod: the history is found and read all the same."""
    at = NOW.timestamp()
    own = {"kubernetes_namespace": "shop", "kubernetes_pod": "api-1", "app_container": "app", "id": "/1"}
    recorded = [series("container_memory_working_set_bytes", [(at - 600 + i * 15, 1e6 * i) for i in range(40)], **own)]
    (tmp_path / "config.yaml").write_text("label_names: {namespace: kubernetes_namespace, pod: kubernetes_pod, container: app_container}\n")
    with FakePrometheus(recorded) as prometheus:
        settings = load_settings({"PROMETHEUS_URL": prometheus.url}, str(tmp_path / "config.yaml"))
        history = facts_of(make_evidence(settings).gather(SUBJECT, (), NOW)).history

    assert history is not None
    assert max(s.working_set_bytes for s in history.samples) == 39e6
