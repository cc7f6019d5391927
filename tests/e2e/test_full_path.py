"""The whole way: a real Prometheus evaluates our rules, a real Alertmanager posts, the receiver asks, the channel shows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from receiver.demo.standins import KubeStandin, load
from tests.e2e.exposition import MIB, Container, Exposition
from tests.e2e.receiver import Receiver
from tests.e2e.servers import Alertmanager, Prometheus, fast_rules
from tests.fakes.kube import FakeKube, refuse
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload, wait_until

KUBERNETES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
TOKEN = "e2e-webhook-token"
POD = "orders-api-655779759d-jst99"


def test_from_a_kill_to_the_resolved_message(tmp_path: Path) -> None:
    """Firing, a second replica, repetition and resolve: one thread, which ends as "resolved, but not fixed"."""
    with (
        FakeSlack() as slack,
        KubeStandin(load(KUBERNETES, only=["a-leak-crashloop"], now=datetime.now(UTC))) as kube,
        Exposition() as metrics,
        Receiver(
            tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url, WEBHOOK_TOKEN=TOKEN
        ) as receiver,
        Alertmanager(tmp_path / "am", webhook_url=f"{receiver.url}/alerts", bearer_token=TOKEN, repeat_interval="3s") as alertmanager,
        Prometheus(tmp_path / "prom", rules=fast_rules(), metrics=metrics.address, alertmanager=alertmanager.address) as prometheus,
    ):  # fmt: skip
        dying = Container(pod=POD, container="orders-api", working_set_bytes=90 * MIB, limit_bytes=96 * MIB)
        metrics.set(dying)
        wait_until(lambda: bool(prometheus.query("namespace_pod_container:memory_limit_usage:ratio")), what="the rules see the pod")
        killed = replace(dying, restarts=11, last_reason="OOMKilled", last_finished_at=time.time())
        metrics.set(killed)
        slack.wait_for(lambda: bool(slack.channel("C1").roots) and len(slack.channel("C1").roots[0].replies) == 3, timeout_s=60)
        first = slack.channel("C1").roots[0].message.shown()

        second = replace(killed, pod="orders-api-655779759d-q7k2m", uid="00000000-0000-4000-8000-000000000002")
        metrics.set(killed, second)
        wait_until(lambda: _metric(receiver, "oomtriage_alerts_duplicate_total") >= 4, what="Alertmanager repeats itself")
        received = _metric(receiver, "oomtriage_alerts_received_total")
        roots_while_firing = len(slack.channel("C1").roots)

        metrics.set()
        slack.wait_for(lambda: "resolved" in slack.channel("C1").roots[0].message.shown().splitlines()[0], timeout_s=60)
        channel = slack.channel("C1")

    assert first.startswith("🔴 orders-api: OOMKilled")
    assert "exit 137" in first
    assert received > 4
    assert roots_while_firing == len(channel.roots) == 1
    header = channel.roots[0].message.shown().splitlines()[0]
    assert header.startswith("⏸️ orders-api: ")
    assert "resolved" in header
    assert "not fixed" in header
    assert "kubectl -n shop set resources deploy/orders-api" in channel.roots[0].replies[2].shown()
    assert slack.complaints == []


def _metric(receiver: Receiver, name: str) -> float:
    text = receiver.get("/metrics")[1]
    return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{name} ")), 0.0)


def test_with_everything_else_away_the_alert_still_arrives(tmp_path: Path) -> None:
    """Prometheus is stopped and Kubernetes answers 403 to all: what died is told, and what could not be read, with the permission to grant."""
    with (
        FakeSlack() as slack,
        FakeKube(load(KUBERNETES, only=["a-leak-crashloop"])) as kube,
        Receiver(
            tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url,
            PROMETHEUS_URL="http://127.0.0.1:9", ENRICH_DEADLINE="5s",
        ) as receiver,
    ):  # fmt: skip
        kube.fault("", refuse(403))
        started = time.monotonic()
        assert receiver.post(payload(alert(pod=POD, container="orders-api"))) == 202
        slack.wait_for(lambda: bool(slack.channel("C1").roots) and len(slack.channel("C1").roots[0].replies) >= 2, timeout_s=30)
        took_s = time.monotonic() - started
        text = slack.text("C1")

    assert took_s < 10
    assert "orders-api" in text
    assert "pods" in text
    assert "403" in text or "forbidden" in text.lower()
