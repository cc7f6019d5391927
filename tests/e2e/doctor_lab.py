"""A whole installation for `oomtriage doctor`: real Prometheus and Alertmanager, stand-ins of Kubernetes and Slack, over real HTTP.

One Prometheus holds the series of several clusters, told apart by the label `cluster`: PROMETHEUS_MATCHERS picks one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from receiver.app.doctor import Here, diagnose
from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.promql.selectors import Selector
from receiver.rulepack import read_pack, render_rules, rules_dir
from receiver.rulepack.needs import needs
from receiver.settings.load import read_settings
from tests.e2e.servers import Alertmanager, Prometheus
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.slack import FakeSlack
from tests.places import REPO
from tests.support import wait_until

WHOLE, DROPPED, ELSEWHERE, RENAMED = "whole", "dropped", "elsewhere", "renamed"
LISTEN = "0.0.0.0:8080"
TOKEN = "webhook-token-for-tests"
MOUNTS = "/dev/sda1 / ext4 rw 0 0\n"
READY_METRIC = "oomtriage_store_ready"
DROPS = ("container_memory_working_set_bytes", "kube_pod_container_status_restarts_total")


@dataclass(kw_only=True)
class Lab:
    """The installation. `examine` runs all checks against it."""

    kube: FakeKube
    slack: FakeSlack
    prometheus: Prometheus
    alertmanager: Alertmanager
    folder: Path

    def environ(self, **other: str) -> dict[str, str]:
        """Settings under which everything is fine, with some of them otherwise; an empty one is left out."""
        every = {
            "LISTEN": LISTEN, "WEBHOOK_TOKEN": TOKEN, "ADMIN_TOKEN": "admin-token-for-tests", "PUBLIC_URL": "http://oomtriage.oomtriage:8080",
            "STORE_URL": f"sqlite:///{self.folder}/state.db", "KUBE_API_URL": self.kube.url, "PROMETHEUS_URL": self.prometheus.url,
            "PROMETHEUS_MATCHERS": f'cluster="{WHOLE}"', "ALERTMANAGER_URL": self.alertmanager.url, "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.token, "SLACK_CHANNEL": "C1", "SLACK_SIGNING_SECRET": "signing-secret-for-tests", **other,
        }  # fmt: skip
        return {name: value for name, value in every.items() if value}

    def examine(self, *, config: Mapping[str, Any] | None = None, here: Here | None = None, **other: str) -> Found:
        """What doctor finds. `config`: the settings file."""
        file = self.folder / "config.yaml"
        file.write_text(yaml.safe_dump(dict(config or {})))
        settings, problems = read_settings(self.environ(**other), str(file))
        known = here or Here(ready=READY, environ={}, mounts=MOUNTS)
        return Found(diagnose(settings, dataclasses.replace(known, problems=problems)))


READY = {"status": "ready", "store": "ok", "dispatcher": "ok", "sink": {"slack": "ok"}, "configuration": []}


@dataclass(frozen=True)
class Found:
    """The document, as tests ask it."""

    document: Mapping[str, Any]

    def of(self, state: str) -> dict[str, str]:
        """`{id: code}` of the findings in that state."""
        return {c["id"]: c["code"] for c in self.document["checks"] if c["state"] == state}

    @property
    def problems(self) -> dict[str, str]:
        """What makes doctor fail."""
        return self.of("problem")

    def line(self, check_id: str) -> Mapping[str, Any]:
        """One entry."""
        return next(c for c in self.document["checks"] if c["id"] == check_id)


class Cluster(FakeKube):
    """With a metrics-server."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/apis/metrics.k8s.io/v1beta1":
            return json_reply({"kind": "APIResourceList", "groupVersion": "metrics.k8s.io/v1beta1", "resources": []})
        return super().answer(asked)


class Metrics(Standin):
    """What Prometheus scrapes: every metric that the pack reads, of a cluster as it should be and of some that are not."""

    def __init__(self, kube: FakeKube) -> None:
        super().__init__()
        self._pods = [r.pod for r in kube.recordings.pods.values()]
        self._lines = tuple(dict.fromkeys(self._every_line()))

    def answer(self, asked: Asked) -> Reply:
        is_cadvisor = asked.path == "/cadvisor"
        lines = [line for line in self._lines if line.startswith("container_") is is_cadvisor]
        return Reply(body=("\n".join(lines) + "\n").encode(), content_type="text/plain")

    def _every_line(self) -> Iterator[str]:
        pod = self._pods[0]["metadata"]
        ours = {"namespace": pod["namespace"], "pod": pod["name"], "node": self._pods[0]["spec"]["nodeName"]}
        theirs = {"namespace": "billing", "pod": "invoices-7d9f8b6c5-abcde", "node": "ip-10-0-0-1"}
        yield from _series(ours, WHOLE)
        yield from (line for line in _series(ours, DROPPED) if not line.startswith(DROPS))
        yield from _series(theirs, ELSEWHERE)
        renamed = {"namespace": "k8s_namespace_name", "pod": "k8s_pod_name", "container": "k8s_container_name"}
        yield from _series(ours, RENAMED, renamed)


def _series(place: Mapping[str, str], cluster: str, names: Mapping[str, str] | None = None) -> Iterator[str]:
    every = needs(read_pack(rules_dir()).rules)
    carried = {
        name: sorted({label for n in every if name in n.selector.names for label in n.labels}) for n in every for name in n.selector.names
    }
    for need in every:
        for metric in need.selector.names:
            if metric.startswith("kube_pod_init_") or metric == READY_METRIC:  # they would be twins of others
                continue
            labels = {label: place.get(label, f"some-{label}") for label in carried[metric]} | _wanted(need.selector)
            if metric.startswith("kube_node"):
                labels |= {"node": place["node"]}
            yield _line(metric, labels, cluster, names or {})
    inside = {**place, "container": "some-container"}
    for metric in ("container_memory_rss", "container_memory_cache", "http_requests_total"):
        yield _line(metric, {k: inside[k] for k in ("namespace", "pod", "container")}, cluster, names or {})
    yield _line(READY_METRIC, {"instance": "10.0.0.1:8080", "job": "oomtriage", "namespace": "oomtriage"}, cluster, {})
    for metric in ("alertmanager_notifications_total", "alertmanager_notifications_failed_total"):
        yield _line(metric, {"integration": "webhook"}, cluster, {}, value="0")


def _wanted(selector: Selector) -> dict[str, str]:
    """The values that a selector asks for; of a regular expression its first alternative."""
    return {m.label: m.wanted.partition("|")[0] for m in selector.matchers if m.operator in ("=", "=~")}


def _line(metric: str, labels: Mapping[str, str], cluster: str, names: Mapping[str, str], *, value: str = "1") -> str:
    shown = {names.get(k, k): v for k, v in labels.items() if v} | {"cluster": cluster}
    return f"{metric}{{{','.join(f'{k}={json.dumps(v)}' for k, v in sorted(shown.items()))}}} {value}"


def shipped_alertmanager() -> dict[str, Any]:
    """The shipped configuration, with Slack's secrets as values."""
    config: dict[str, Any] = yaml.safe_load((REPO / "deploy/alertmanager/alertmanager.yaml").read_text())
    for receiver in config["receivers"]:
        for slack in receiver.get("slack_configs", ()):
            slack["api_url"] = f"http://127.0.0.1:9/{'secret-of-slack'}"
            slack.pop("api_url_file", None)
        for webhook in receiver.get("webhook_configs", ()):
            webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": TOKEN}}
    return config


class AlertmanagerSays(Standin):
    """An Alertmanager with a configuration of ours, which nobody has to start."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self._config = config

    def answer(self, asked: Asked) -> Reply:
        status = {"config": {"original": yaml.safe_dump(dict(self._config))}, "versionInfo": {"version": "0.28.1"}}
        return json_reply(status) if asked.path == "/api/v2/status" else Reply(status=404, body=b"404 page not found\n")


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Everything running, and scraped."""
    with (
        Cluster(recorded("a-leak-crashloop")) as kube,
        FakeSlack() as slack,
        Metrics(kube) as metrics,
        Alertmanager(folder / "alertmanager", config=shipped_alertmanager()) as alertmanager,
        Prometheus(
            folder / "prometheus", rules=render_rules(rules_dir(), output_format="plain"), metrics=metrics.url.removeprefix("http://"),
            alertmanager=alertmanager.address,
        ) as prometheus,
    ):  # fmt: skip
        of_each = f'count by (__name__) ({{__name__=~"container_memory_rss|http_requests_total",cluster="{RENAMED}"}})'
        wait_until(lambda: len(prometheus.query(of_each)) == 2, what="both endpoints are scraped")
        wait_until(lambda: bool(prometheus.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"]), what="Alertmanager is found")
        wait_until(lambda: bool(prometheus.query("increase(alertmanager_notifications_total[1h])")), what="two scrapes")
        yield Lab(kube=kube, slack=slack, prometheus=prometheus, alertmanager=alertmanager, folder=folder)
