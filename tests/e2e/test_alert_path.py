"""Our rules in a real Prometheus, a real Alertmanager behind it, and what arrives at the webhook."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.rulepack import Level, Problem, check_data, read_pack, rules_dir
from receiver.rulepack.ask import Ask
from receiver.transport import Http, HttpConfig
from tests.e2e.exposition import MIB, Container, Exposition
from tests.e2e.servers import Alertmanager, Prometheus, WebhookStub, fast_rules
from tests.support import wait_until

TOKEN = "e2e-token"
CALM = Container(pod="web-7d4b9c-x2x4z", container="web")


@pytest.fixture
def metrics() -> Iterator[Exposition]:
    with Exposition() as exposition:
        exposition.set(CALM)
        yield exposition


def test_firing_update_repeat_and_resolved_arrive(tmp_path: Path, metrics: Exposition) -> None:
    """Kills, a second pod's kill, the repetition and the end each reach the webhook as one authenticated v4 payload."""
    with (
        WebhookStub() as webhook,
        Alertmanager(tmp_path / "am", webhook_url=webhook.url, bearer_token=TOKEN, repeat_interval="3s") as alertmanager,
        Prometheus(
            tmp_path / "prom",
            rules=fast_rules(),
            metrics=metrics.address,
            alertmanager=alertmanager.address,
            external_labels={"prometheus": "e2e"},
        ) as prometheus,
    ):
        wait_until(lambda: bool(prometheus.query("namespace_pod_container:memory_limit_usage:ratio")), what="the rules see the pod")
        assert list(webhook.deliveries) == []

        dying = Container(pod="orders-api-655779759d-jst99", container="orders-api", working_set_bytes=240 * MIB)
        killed = replace(dying, restarts=1, last_reason="OOMKilled", last_finished_at=time.time())
        both = {("firing", "OOMKilled", dying.pod), ("firing", "HighMemoryUsage", dying.pod)}
        metrics.set(CALM, killed)
        first = webhook.wait_for(lambda delivery: delivery.alerts == both)

        second_pod = replace(killed, pod="orders-api-655779759d-q7k2m", uid="00000000-0000-4000-8000-000000000002", working_set_bytes=MIB)
        three = both | {("firing", "OOMKilled", second_pod.pod)}
        metrics.set(CALM, killed, second_pod)
        update = webhook.wait_for(lambda delivery: delivery.alerts == three, after=first + 1)
        repeat = webhook.wait_for(lambda delivery: delivery.alerts == three, after=update + 1)

        metrics.set(CALM)
        gone = {alert for _, alert, pod in three}
        last = webhook.wait_for(lambda delivery: delivery.body["status"] == "resolved", after=repeat + 1)
        deliveries = webhook.deliveries

    assert {alert for status, alert, pod in deliveries[last].alerts if status == "resolved"} <= gone
    ended = {one for delivery in deliveries[repeat + 1 :] for one in delivery.alerts if one[0] == "resolved"}
    assert ended == {("resolved", alert, pod) for _, alert, pod in three}
    for delivery in deliveries:
        assert delivery.headers["Authorization"] == f"Bearer {TOKEN}"
        assert delivery.body["version"] == "4"
        assert delivery.body["commonLabels"]["incident"] == "memory"
    killed_alert = next(one for one in deliveries[first].body["alerts"] if one["labels"]["alertname"] == "OOMKilled")
    assert killed_alert["labels"] == {
        "alertname": "OOMKilled",
        "namespace": "shop",
        "pod": "orders-api-655779759d-jst99",
        "container": "orders-api",
        "severity": "warning",
        "incident": "memory",
        "prometheus": "e2e",
    }
    assert "shop/orders-api-655779759d-jst99 (orders-api) was OOMKilled" in killed_alert["annotations"]["description"]


def test_every_kind_of_kill_fires(tmp_path: Path, metrics: Exposition) -> None:
    """A Job's dead pod, an init container, a native sidecar and a child process are each seen by a running Prometheus."""
    now = time.time()
    job = Container(pod="reindex-x", container="reindex", uid="u1", working_set_bytes=None, dead_reason="OOMKilled")
    sidecar = Container(pod="cart-0", container="proxy", uid="u2", is_init=True, restarts=1, last_reason="OOMKilled", last_finished_at=now)
    old = Container(pod="old-0", container="old", uid="u3", restarts=4, last_reason="OOMKilled", last_finished_at=now - 86_400)
    workers = Container(pod="web-0", container="gunicorn", uid="u4")
    with Prometheus(tmp_path / "prom", rules=fast_rules(), metrics=metrics.address) as prometheus:
        metrics.set(job, sidecar, old, workers)
        wait_until(lambda: bool(prometheus.query('container_oom_events_total{pod="web-0"} == 0')), what="the counter starts at 0")
        metrics.set(job, sidecar, old, replace(workers, oom_events=1))
        expected = {("OOMKilled", "reindex-x"), ("OOMKilled", "cart-0"), ("ChildProcessOOMKilled", "web-0")}
        wait_until(lambda: prometheus.firing() >= expected, what="the three kills fire")

        assert prometheus.firing() == expected
        assert [rule["name"] for rule in prometheus.rules() if rule["health"] != "ok"] == []


def errors(ask: Ask) -> list[Problem]:
    return [problem for problem in check_data(read_pack(rules_dir()), ask) if problem.level is Level.ERROR]


def test_missing_limits_are_found_by_the_live_check(tmp_path: Path, metrics: Exposition) -> None:
    """Where neither cAdvisor nor kube-state-metrics tells a limit, HighMemoryUsage is dead in silence; the check says so."""
    with Prometheus(tmp_path / "prom", rules=fast_rules(), metrics=metrics.address) as prometheus:
        ask = Http(HttpConfig(base_url=prometheus.url, name="Prometheus")).post_form_json
        wait_until(lambda: errors(ask) == [], what="both exporters are scraped, and nothing is missing")

        limits = "kube_pod_container_resource_limits or container_spec_memory_limit_bytes"
        metrics.set(replace(CALM, limit_from=()))
        wait_until(lambda: not prometheus.query(limits), what="the limits are gone")
        problems = errors(ask)

    assert [problem.where for problem in problems] == ["container_spec_memory_limit_bytes", "kube_pod_container_resource_limits"]
    assert "HighMemoryUsage can never fire" in problems[0].hint
