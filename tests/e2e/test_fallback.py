"""The shipped Alertmanager configuration on a real one: what goes to the receiver, past it, and straight to Slack while it is down."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.rulepack import render_rules, rules_dir
from tests.e2e.exposition import MIB, Container, Exposition
from tests.e2e.receiver import Receiver
from tests.e2e.servers import FAST, Alertmanager, Prometheus, WebhookStub
from tests.places import REPO
from tests.support import wait_until

FOLDER = REPO / "deploy" / "alertmanager"
TOKEN = "e2e-token"
CONTAINER = {"cluster": "prod", "namespace": "shop", "pod": "cart-0", "container": "cart"}


@dataclass(frozen=True, kw_only=True)
class Slack:
    """Two stand-ins for Slack's incoming webhooks: the fallback's and the one for alerts about the receiver."""

    fallback: WebhookStub
    meta: WebhookStub

    @staticmethod
    def texts(stub: WebhookStub) -> list[str]:
        """What a person would read of each message."""
        return [f"{a['title']}\n{a['text']}" for delivery in stub.deliveries for a in delivery.body["attachments"]]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with WebhookStub() as fallback, WebhookStub() as meta:
        yield Slack(fallback=fallback, meta=meta)


def shipped(slack: Slack, receiver_url: str) -> dict[str, Any]:
    """deploy/alertmanager/alertmanager.yaml with a test's addresses, and without its waiting times."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "alertmanager.yaml").read_text())
    for route in config["route"]["routes"]:
        route.update(group_wait="1s", group_interval="1s", repeat_interval="1h")
    receivers = {one["name"]: one for one in config["receivers"]}
    (webhook,) = receivers["oomtriage"]["webhook_configs"]
    webhook["url"] = f"{receiver_url}/alerts"
    webhook["http_config"]["authorization"] = {"type": "Bearer", "credentials": TOKEN}
    for name, stub in (("oomtriage-fallback", slack.fallback), ("oomtriage-meta", slack.meta)):
        (one,) = receivers[name]["slack_configs"]
        del one["api_url_file"]
        one["api_url"] = stub.url
    return config


def fire(alertmanager: Alertmanager, *alerts: dict[str, str]) -> None:
    """Post alerts as Prometheus would, all at once."""
    now = datetime.now(UTC)
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(minutes=5)).isoformat()}
    body = [
        {"labels": labels, "annotations": {"description": f"{labels.get('fallback_for', labels['alertname'])}."}, **times}
        for labels in alerts
    ]
    request = urllib.request.Request(
        f"{alertmanager.url}/api/v2/alerts", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def copy(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": "OomtriageFallback", "fallback_for": name, "incident": "memory-fallback", "severity": "warning", **labels}


CASES = {
    "a crash loop": (
        ["OOMKilledRepeatedly", "OOMKilledAtStartup", "OOMKilled", "SigkilledNearMemoryLimit", "ChildProcessOOMKilled", "HighMemoryUsage", "MemoryLimitImminent"],
        {"OOMKilledRepeatedly"},
    ),
    "killed while starting": (["OOMKilledAtStartup", "OOMKilled", "HighMemoryUsage"], {"OOMKilledAtStartup"}),
    "killed": (["OOMKilled", "SigkilledNearMemoryLimit", "ChildProcessOOMKilled", "MemoryLimitImminent"], {"OOMKilled"}),
    "a child process": (["ChildProcessOOMKilled", "HighMemoryUsage"], {"ChildProcessOOMKilled"}),
    "nearly full": (["HighMemoryUsage", "MemoryLimitImminent"], {"HighMemoryUsage"}),
    "a leak says more than that it is full": (["HighMemoryUsage", "MemoryLeakSuspected"], {"HighMemoryUsage", "MemoryLeakSuspected"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_line_a_container_in_the_fallback(name: str, tmp_path: Path, slack: Slack) -> None:
    """Of the alerts that one death raises, the fallback shows the one that says most; those of another container stay."""
    names, expected = CASES[name]
    other = {**CONTAINER, "container": "proxy"}
    with Alertmanager(tmp_path, config=shipped(slack, "http://127.0.0.1:9")) as alertmanager:
        fire(alertmanager, *(copy(one, **CONTAINER) for one in names), copy("MemoryLimitImminent", **other))
        wait_until(lambda: bool(slack.fallback.deliveries), what="the fallback reaches Slack")
        wait_until(lambda: _inhibited(alertmanager) == len(names) - len(expected), what="inhibition has settled")

    (text,) = Slack.texts(slack.fallback)
    assert {line.rstrip(".") for line in text.splitlines()[1:]} == {*expected, "MemoryLimitImminent"}
    assert text.startswith("Memory alerts in shop, without a diagnosis: oomtriage is down")


def test_pressure_speaks_for_the_evictions_of_its_own_node_only(tmp_path: Path, slack: Slack) -> None:
    """A node under pressure is one line; evictions on another node are another matter, and the title needs no namespace."""
    with Alertmanager(tmp_path, config=shipped(slack, "http://127.0.0.1:9")) as alertmanager:
        fire(
            alertmanager,
            copy("NodeMemoryPressure", cluster="prod", node="node-1"),
            copy("PodsEvictedForMemory", cluster="prod", node="node-1"),
            copy("PodsEvictedForMemory", cluster="prod", node="node-2"),
        )
        wait_until(lambda: bool(slack.fallback.deliveries), what="the fallback reaches Slack")

    (text,) = Slack.texts(slack.fallback)
    assert text.splitlines() == [
        "Memory alerts, without a diagnosis: oomtriage is down",
        "NodeMemoryPressure.",
        "PodsEvictedForMemory.",
    ]


def _inhibited(alertmanager: Alertmanager) -> int:
    return sum(bool(one["status"]["inhibitedBy"]) for one in alertmanager.alerts())


def test_inhibition_never_hides_an_alert_from_the_receiver(tmp_path: Path, slack: Slack) -> None:
    """The receiver folds the alerts of a workload itself: it gets all of them, and none of those about itself."""
    originals = [{"alertname": name, "incident": "memory", "severity": "warning", **CONTAINER} for name in CASES["a crash loop"][0]]
    about_itself = [{"alertname": name, "incident": "meta", "severity": "critical"} for name in ("OomtriageDown", "OomtriageBacklog")]
    watchdog = {"alertname": "OomtriageWatchdog", "incident": "memory", "severity": "none"}
    with WebhookStub() as receiver, Alertmanager(tmp_path, config=shipped(slack, receiver.url.removesuffix("/alerts"))) as alertmanager:
        fire(alertmanager, *originals, *about_itself, watchdog)
        wait_until(lambda: len(slack.meta.deliveries) == 2 and len(receiver.deliveries) == 2, what="everything has arrived")

        told = {alert for delivery in receiver.deliveries for _, alert, _ in delivery.alerts}

    assert told == {"OomtriageWatchdog", *(one["alertname"] for one in originals)}
    assert {text.split(" ")[0] for text in Slack.texts(slack.meta)} == {"OomtriageDown", "OomtriageBacklog"}
    assert receiver.deliveries[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert slack.fallback.deliveries == ()


def rules_with_fallback() -> str:
    """The pack and the fallback by the second: 8 s without the receiver are its 3 minutes.

    OomtriageDown holds for longer than the 2 s after the first scrape in which the receiver was not yet there three times.
    """
    down = {"for": "4s", "keep_firing_for": "0s"}
    pack = render_rules(rules_dir(), output_format="plain", values={**FAST, "alerts": {**FAST["alerts"], "OomtriageDown": down}})
    fallback = render_rules(
        FOLDER / "fallback",
        output_format="plain",
        values={"interval": "1s", "alerts": {"OomtriageFallback": {"for": "1s", "keep_firing_for": "5s"}}},
    )
    assert pack.count("[5m:1m]") == fallback.count("[3m]") == 1
    documents = yaml.safe_load(pack.replace("[5m:1m]", "[5s:1s]")), yaml.safe_load(fallback.replace("[3m]", "[8s]"))
    return yaml.safe_dump({"groups": [group for document in documents for group in document["groups"]]})


# A machine that is too busy to answer scrapes within their second makes a receiver look down that is not, and then that is told.
LOOKED_DOWN = 'max_over_time(ALERTS{alertname=~"OomtriageDown|OomtriageFallback", alertstate="firing"}[1h])'


def killed(namespace: str, pod: str) -> Container:
    return Container(
        namespace=namespace,
        pod=pod,
        container="app",
        uid=pod,
        working_set_bytes=240 * MIB,
        restarts=1,
        last_reason="OOMKilled",
        last_finished_at=time.time(),
    )


def test_no_kill_is_lost_while_the_receiver_is_down(tmp_path: Path, slack: Slack) -> None:
    """Up: nothing but the receiver. Down: one Slack message for the kill, one about the receiver. Back: it gets what it missed."""
    receiver = Receiver(tmp_path / "receiver", WEBHOOK_TOKEN=TOKEN, ENRICH_DEADLINE="1s")
    with ExitStack() as stack:
        metrics = stack.enter_context(Exposition())
        stack.enter_context(receiver)
        alertmanager = stack.enter_context(Alertmanager(tmp_path / "am", config=shipped(slack, receiver.url)))
        prometheus = stack.enter_context(
            Prometheus(
                tmp_path / "prom",
                rules=rules_with_fallback(),
                metrics=metrics.address,
                receiver=receiver.url.removeprefix("http://"),
                alertmanager=alertmanager.address,
            )
        )
        wait_until(
            lambda: bool(prometheus.query("count_over_time(oomtriage_alerts_received_total[5s]) > 3")), what="the receiver is scraped"
        )
        first = killed("shop", "orders-0")
        metrics.set(first)
        wait_until(lambda: ">orders" in receiver.get("/?namespace=shop")[1], what="the receiver has the first kill")
        up = Slack.texts(slack.fallback), Slack.texts(slack.meta)
        looked_down = bool(prometheus.query(LOOKED_DOWN))

        receiver.kill()
        second = killed("pay", "ledger-0")
        metrics.set(first, second)
        wait_until(lambda: any("pay" in text for text in Slack.texts(slack.fallback)), what="the fallback has told the second kill")
        wait_until(lambda: any("OomtriageDown" in text for text in Slack.texts(slack.meta)), what="the receiver's absence is told")
        wait_until(lambda: ("HighMemoryUsage", "ledger-0") in prometheus.firing(), what="its other alert fires too")
        receiver.start()
        wait_until(lambda: ">ledger" in receiver.get("/?namespace=pay")[1], what="the receiver has got what it missed")
        index = receiver.get("/")[1]

    assert up == ([], []) or looked_down
    of_second = [text for text in Slack.texts(slack.fallback) if " pay," in text]
    assert len(of_second) == 1
    assert of_second[0].splitlines()[1:] == ["OOMKilled: pay/ledger-0 (app). By hand: oomtriage triage -n pay ledger-0"]
    assert "Oomtriage" not in index
