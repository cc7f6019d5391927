"""Runs the demo: stand-ins, a receiver over a temporary store, real webhook requests, messages on the console.

Only Kubernetes and Prometheus are stood in for. The receiver is the one that `serve` runs, in this process.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from werkzeug.serving import BaseWSGIServer, make_server

from receiver.app.build import Application, build
from receiver.demo.scenarios import CLUSTER, SCENARIOS, webhook_body
from receiver.demo.standins import KubeStandin, PrometheusStandin, Recordings, load
from receiver.errors import ReceiverError
from receiver.rulepack import rules_dir
from receiver.rulepack.files import Rule, read_rule_files
from receiver.settings import load_settings
from receiver.store import alerts, jobs, outbox
from receiver.transport import Http, HttpConfig

RECORDINGS = Path(__file__).parent / "recordings"
QUIET_TIMEOUT_S = 60.0
POLL_S = 0.05


def run_demo(*, once: bool, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """Show every scenario. With `once` end after the last message; else serve the pages until interrupted."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line a request is no part of the demo
    now = datetime.now(UTC).replace(microsecond=0)
    recordings, bodies = _recordings(now)
    with (
        _standins(recordings) as (kube, prometheus),
        tempfile.TemporaryDirectory(prefix="oomtriage-demo-") as folder,
        _receiver(kube, prometheus, Path(folder), out) as (application, url),
    ):
        _introduce(err, kube, prometheus, url)
        http = Http(HttpConfig(base_url=url, name="the receiver"))
        for body in bodies:
            response = http.post("/alerts", json_body=body)
            if response.status != 202:
                raise ReceiverError(f"the receiver answered {response.status} to a webhook body")
            _wait_until_told(application)  # one after the other, so that they read in this order
        if not once:
            print(f"\nThe incidents are on {url}/ until you press Ctrl-C.", file=err, flush=True)
            threading.Event().wait()
    return 0


def _recordings(now: datetime) -> tuple[Recordings, list[dict[str, Any]]]:
    """All recordings, each moved so that it ends now, and the webhook bodies for them."""
    together = Recordings()
    bodies = []
    for scenario in SCENARIOS:
        found = load(RECORDINGS, only=[scenario.folder], now=now - timedelta(seconds=20))
        incident = found.incidents[0]
        together.add(incident)
        bodies.append(webhook_body(scenario, incident, now))
    together.objects += [o for o in found.objects if o.get("kind") == "Node"]
    return together, bodies


@contextmanager
def _standins(recordings: Recordings) -> Iterator[tuple[KubeStandin, PrometheusStandin]]:
    kube = KubeStandin(recordings)
    prometheus = PrometheusStandin(recordings.series, rule_groups=_rule_groups())
    with kube, prometheus:
        yield kube, prometheus


def _rule_groups() -> list[dict[str, Any]]:
    """The shipped rules as Prometheus' rules API would list them once they are loaded: recordings too, alerts read them."""
    return [
        {"name": file.name, "file": file.name, "interval": 60, "rules": [_listed(rule) for rule in file.rules()]}
        for file in read_rule_files(rules_dir())
    ]


def _listed(rule: Rule) -> dict[str, Any]:
    kind = {"type": "alerting", "state": "inactive", "alerts": []} if rule.alert else {"type": "recording"}
    return {**kind, "name": rule.name, "query": rule.expr, "health": "ok", "labels": dict(rule.body.get("labels", {}))}


@contextmanager
def _receiver(kube: KubeStandin, prometheus: PrometheusStandin, folder: Path, out: TextIO) -> Iterator[tuple[Application, str]]:
    settings = load_settings(
        {
            "KUBE_API_URL": kube.url, "PROMETHEUS_URL": prometheus.url, "CLUSTER_NAME": CLUSTER,
            "STORE_URL": f"sqlite:///{folder}/demo.db", "LOG_LEVEL": "WARNING",
        }
    )  # fmt: skip
    application = build(settings, console=out)
    server = make_server("127.0.0.1", 0, application.web, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
    thread.start()
    application.start()
    try:
        yield application, _url(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        application.close()


def _url(server: BaseWSGIServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def _introduce(err: TextIO, kube: KubeStandin, prometheus: PrometheusStandin, url: str) -> None:
    print("This is a demo. Kubernetes and Prometheus are stand-ins that replay:", file=err)
    for scenario in SCENARIOS:
        print(f"  - {scenario.origin}", file=err)
    print("Times are moved so that every incident ends now. The receiver, its store and the webhook requests are real.", file=err)
    print(f"Kubernetes {kube.url}  Prometheus {prometheus.url}  receiver {url}\n", file=err, flush=True)


def _wait_until_told(application: Application) -> None:
    """Wait until every alert was folded, looked at and delivered."""
    deadline = time.monotonic() + QUIET_TIMEOUT_S
    while time.monotonic() < deadline:
        with application.store.read() as tx:
            is_folded = not alerts.unfolded(tx, 1)
            due = jobs.next_due(tx)
            is_told = outbox.is_quiet(tx)
        is_idle = application.worker.dispatcher.running == 0 and (due is None or due > application.store.now())
        if is_folded and is_idle and is_told:
            return
        time.sleep(POLL_S)
    raise ReceiverError(f"the demo's messages did not all go out within {QUIET_TIMEOUT_S:.0f} s")
