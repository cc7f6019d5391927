"""Real Prometheus and Alertmanager processes for tests, on free ports of 127.0.0.1, in folders of their own.

    with Exposition() as metrics, WebhookStub() as webhook:
        with (
            Alertmanager(tmp_path / "am", webhook_url=webhook.url) as alertmanager,
            Prometheus(tmp_path / "prom", rules=fast_rules(), metrics=metrics.address, alertmanager=alertmanager.address),
        ):
            metrics.set(Container(pod="cart-0", container="cart", last_reason="OOMKilled", last_finished_at=time.time()))
            webhook.wait_for(lambda delivery: delivery.body["status"] == "firing")

Both are scraped, evaluated and grouped by the second. `fast_rules` is our own rule pack with shorter durations.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from receiver.rulepack import render_rules, rules_dir
from tests.e2e.binaries import binary
from tests.support import wait_until

TOO_BUSY_S = 30.0

READY_S = 30.0
STOP_S = 15.0
START_TRIES = 3  # a free port may be taken by somebody else between the look and the start

# The pack's expressions, thresholds, labels and texts stay; only the waiting is cut.
FAST: Mapping[str, Any] = {
    "interval": "1s",
    "alerts": {
        "HighMemoryUsage": {"for": "2s", "keep_firing_for": "0s"},
        "OOMKilled": {"keep_firing_for": "0s"},
        "OOMKilledRepeatedly": {"keep_firing_for": "0s"},
        "OOMKilledAtStartup": {"keep_firing_for": "0s"},
        "SigkilledNearMemoryLimit": {"keep_firing_for": "0s"},
        "ChildProcessOOMKilled": {"for": "2s", "keep_firing_for": "0s"},
        "OomtriageWatchdog": {"enabled": False},  # a heartbeat among the deliveries would be news to every test
    },
}


def fast_rules() -> str:
    """Our rules as one plain file, evaluated every second and without waiting times."""
    return render_rules(rules_dir(), output_format="plain", values=FAST)


class _Process:
    """One server process: `start`, `stop`, `kill`; as a context manager it is started and stopped. The port survives a restart."""

    name = ""
    ready_path = "/-/ready"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{self.address}"

    def arguments(self) -> list[str]:
        """Command line after the binary; writes the configuration that it names."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it is ready."""
        for _ in range(START_TRIES):
            with (self.folder / "log.txt").open("ab") as log:
                self._process = subprocess.Popen(
                    [binary(self.name), *self.arguments()], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            wait_until(self._is_decided, what=f"{self.name} is ready:\n{self.log()}", timeout_s=READY_S)
            if self._process.poll() is None:
                return
            self.port = _free_port()
        raise AssertionError(f"{self.name} does not start:\n{self.log()}")

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait; nothing when it is not running."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """SIGKILL, as a lost node would."""
        self._end(lambda process: process.kill())

    def log(self) -> str:
        """The last lines it wrote."""
        path = self.folder / "log.txt"
        return "\n".join(path.read_text(errors="replace").splitlines()[-20:]) if path.exists() else ""

    def get(self, path: str, **parameters: str) -> Any:
        """GET as JSON. Where it takes no more at once (Alertmanager: eight GETs), asked again."""
        give_up_at = time.monotonic() + TOO_BUSY_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as exc:
                if exc.code != 503 or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.05)

    def _is_decided(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return True
        try:
            with urllib.request.urlopen(self.url + self.ready_path, timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        how(process)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class Prometheus(_Process):
    """Scrapes an `Exposition` at `metrics` (host:port), evaluates `rules` (the text of a rule file), alerts `alertmanager` (host:port).

    Without `metrics` it scrapes nothing and answers from the blocks that `folder`/data holds.
    `receiver` (host:port): a running oomtriage, scraped as the job `oomtriage`.
    `external_labels` are added to every alert, as a cluster's name would be. `resend_delay`: an alert that is not sent
    again within four times this counts as resolved at Alertmanager.
    """

    name = "prometheus"

    def __init__(
        self,
        folder: Path,
        *,
        rules: str,
        metrics: str = "",
        receiver: str = "",
        alertmanager: str = "",
        external_labels: Mapping[str, str] | None = None,
        resend_delay: str = "5s",
    ) -> None:
        super().__init__(folder)
        self._rules = rules
        self._metrics = metrics
        self._receiver = receiver
        self._alertmanager = alertmanager
        self._external_labels = dict(external_labels or {})
        self._resend_delay = resend_delay

    def arguments(self) -> list[str]:
        jobs = (
            {"job_name": "kubelet", "metrics_path": "/cadvisor"},
            {"job_name": "kube-state-metrics", "metrics_path": "/ksm", "honor_labels": True},
        )
        scrapes = [{**job, "static_configs": [{"targets": [self._metrics]}]} for job in jobs if self._metrics]
        if self._receiver:
            scrapes.append({"job_name": "oomtriage", "static_configs": [{"targets": [self._receiver]}]})
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": self._external_labels},
            "rule_files": ["rules.yaml"],
            "scrape_configs": scrapes,
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self._alertmanager]}]}] if self._alertmanager else []},
        }
        (self.folder / "rules.yaml").write_text(self._rules)
        (self.folder / "prometheus.yaml").write_text(json.dumps(config))
        return [
            "--config.file=prometheus.yaml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={self.address}",
            f"--rules.alert.resend-delay={self._resend_delay}",
            "--log.level=warn",
        ]

    def query(self, expr: str) -> list[Any]:
        """The series an instant query returns."""
        result: list[Any] = self.get("/api/v1/query", query=expr)["data"]["result"]
        return result

    def firing(self) -> frozenset[tuple[str, str]]:
        """(alert, pod) of all firing alerts."""
        return frozenset((one["metric"]["alertname"], one["metric"].get("pod", "")) for one in self.query('ALERTS{alertstate="firing"}'))

    def rules(self) -> list[Any]:
        """Every rule with its health, as the rules API tells it."""
        groups = self.get("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


class Alertmanager(_Process):
    """Sends every alert to `webhook_url`. Durations are Alertmanager's; the repeat comes at the first group_interval after it is due.

    `config`: a whole configuration instead, such as the shipped one with addresses of a test.
    """

    name = "alertmanager"

    def __init__(
        self,
        folder: Path,
        *,
        webhook_url: str = "",
        config: Mapping[str, Any] | None = None,
        bearer_token: str = "",
        group_by: Sequence[str] = ("cluster", "namespace"),
        group_wait: str = "1s",
        group_interval: str = "1s",
        repeat_interval: str = "1h",
        send_resolved: bool = True,
        max_alerts: int = 0,
        peers: Sequence[str] | None = None,
    ) -> None:
        """`peers`: of a cluster, by `cluster_address`; () for its first member, None for one that is alone."""
        super().__init__(folder)
        self._peers = peers
        self.cluster_address = f"127.0.0.1:{_free_port()}"
        self._config = config
        self._route = {
            "receiver": "oomtriage",
            "group_by": list(group_by),
            "group_wait": group_wait,
            "group_interval": group_interval,
            "repeat_interval": repeat_interval,
        }
        self._webhook: dict[str, Any] = {"url": webhook_url, "send_resolved": send_resolved, "max_alerts": max_alerts}
        if bearer_token:
            self._webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": bearer_token}}

    def arguments(self) -> list[str]:
        config = self._config or {"route": self._route, "receivers": [{"name": "oomtriage", "webhook_configs": [self._webhook]}]}
        (self.folder / "alertmanager.yaml").write_text(json.dumps(config))
        return [
            "--config.file=alertmanager.yaml",
            "--storage.path=data",
            f"--web.listen-address={self.address}",
            *self._membership(),
            "--log.level=warn",
        ]

    def _membership(self) -> list[str]:
        if self._peers is None:
            return ["--cluster.listen-address="]
        seconds = ("--cluster.peer-timeout=1s", "--cluster.settle-timeout=1s", "--cluster.gossip-interval=50ms")
        return [f"--cluster.listen-address={self.cluster_address}", *seconds, *(f"--cluster.peer={peer}" for peer in self._peers)]

    def alerts(self) -> list[Any]:
        """What it holds, as its API v2 tells it."""
        held: list[Any] = self.get("/api/v2/alerts")
        return held


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One POST that reached the stub."""

    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def alerts(self) -> frozenset[tuple[str, str, str]]:
        """(status, alert, pod) of each alert in it."""
        return frozenset((one["status"], one["labels"]["alertname"], one["labels"].get("pod", "")) for one in self.body["alerts"])


class WebhookStub:
    """Takes what Alertmanager sends, answers as an incoming webhook of Slack's does and keeps it, as a context manager."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._deliveries: list[Delivery] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _webhook_handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All so far, in order of arrival."""
        with self._arrived:
            return tuple(self._deliveries)

    def add(self, delivery: Delivery) -> None:
        """Keep one more and wake who waits."""
        with self._arrived:
            self._deliveries.append(delivery)
            self._arrived.notify_all()

    def wait_for(self, wanted: Callable[[Delivery], bool], *, after: int = 0, timeout_s: float = 30.0) -> int:
        """Index of the first delivery from index `after` on that is wanted. Fails the test when none arrives."""
        end = time.monotonic() + timeout_s
        with self._arrived:
            index = after
            while True:
                if index < len(self._deliveries):
                    if wanted(self._deliveries[index]):
                        return index
                    index += 1
                else:
                    arrived = [sorted(delivery.alerts) for delivery in self._deliveries]
                    assert self._arrived.wait(max(0.0, end - time.monotonic())), f"no such delivery within {timeout_s:.0f} s: {arrived}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _webhook_handler(stub: WebhookStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.add(Delivery(headers=dict(self.headers), body=body))
            answer = b"ok"  # Slack's: a newer Alertmanager takes anything else for a failure and sends again
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    return Handler


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
