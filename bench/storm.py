"""10,000 alerts in a minute, as a whole receiver takes them: one workload, 500 workloads, and pods that are all of workloads of their own.

A receiver process over stand-ins of Kubernetes, Prometheus and a Slack that takes one message a second and channel. Counted: what was
lost, how long accepting took, the receiver's memory, requests to each, and when the channel was true: everything folded, looked at and
told, and a storm's digest that counts every workload. `--before REVISION` has that revision go through the same.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import http.client
import json
import multiprocessing
import re
import sqlite3
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.front import peak_mib
from bench.growth import HERE, revision
from bench.processes import receiver
from receiver.demo.standins import PodRecording, Recordings
from receiver.store.store import Store
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack

ALERTS, A_POST, MINUTE_S = 10_000, 50, 60.0
SHAPES = {"one workload": 1, "500 workloads": 500, "10,000 workloads": 10_000}
QUIET_POSTS = 100
GIVE_UP_S = 10.0  # as Alertmanager does


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What one storm showed. Seconds, MiB, counts."""

    lost: int
    refused: int
    quiet_p50_s: float
    quiet_p99_s: float
    p50_s: float
    p99_s: float
    slowest_s: float
    pss_mib: float
    kube_requests: int
    prometheus_requests: int
    slack_messages: int
    slack_requests: int
    folded_after_s: float
    true_after_s: float
    counted: int
    counted_after_s: float


def pod_name(workload: int, pod: int) -> str:
    """As a Deployment names it."""
    return f"svc{workload:05d}-655779759d-{pod:05d}"


def cluster(workloads: int) -> Recordings:
    """A cluster in which every pod of the storm was just OOM-killed, as one was in a recording."""
    recordings = recorded("a-leak-crashloop", now=datetime.now(UTC))
    first = recordings.incidents[0].pods[0]
    old = first.pod["metadata"]["name"].rpartition("-")[0].rpartition("-")[0]
    owners = [o for o in recordings.objects if o.get("kind") in ("Deployment", "ReplicaSet")]
    for w in range(workloads):
        for owner in owners:
            recordings.objects.append(json.loads(re.sub(rf"\b{old}\b", f"svc{w:05d}", json.dumps(owner))))
    for i in range(ALERTS):
        name = pod_name(i % workloads, i)
        pod = copy.copy(first.pod)
        replica_set = {**first.pod["metadata"]["ownerReferences"][0], "name": name.rpartition("-")[0]}
        pod["metadata"] = {**first.pod["metadata"], "name": name, "uid": f"uid-{i}", "ownerReferences": [replica_set]}
        pod["spec"] = {**first.pod["spec"], "nodeName": f"node-{i // 50}"}
        recordings.pods["shop", name] = PodRecording(pod=pod, logs=first.logs, metrics=first.metrics)
    return recordings


def body(numbers: range, workloads: int, *, severity: str = "warning") -> bytes:
    """A POST of so many alerts."""
    started = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    entries = [
        {
            "status": "firing", "startsAt": started, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{i:016x}",
            "labels": {
                "alertname": "OOMKilled", "namespace": "shop", "pod": pod_name(i % workloads, i), "container": "orders-api", "severity": severity,
            },
            "annotations": {"summary": "was OOMKilled", "description": "x" * 300},
        }
        for i in numbers
    ]  # fmt: skip
    return json.dumps({"version": "4", "groupKey": "{}", "status": "firing", "receiver": "r", "alerts": entries}).encode()


def send(url: str, contents: list[bytes], over_s: float) -> tuple[list[float], int]:
    """Post them at an even pace, again after a 503 as Alertmanager would; how long each took, and how often one was refused."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=GIVE_UP_S)
    took, refused, due = [], 0, time.monotonic()
    for content in contents:
        time.sleep(max(0.0, due - time.monotonic()))
        while True:
            began = time.perf_counter()
            try:
                connection.request("POST", "/alerts", content, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                is_taken = response.status == 202
            except (OSError, http.client.HTTPException):
                connection.close()
                is_taken = False
            took.append(time.perf_counter() - began)
            if is_taken:
                break
            refused += 1
            time.sleep(1.0)
        due += over_s / len(contents)
    return took, refused


def metrics(url: str) -> dict[str, float]:
    """What the receiver says of itself."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name and not name.startswith("#")}


def is_true(url: str, slack: FakeSlack, workloads: int, seen: dict[str, float]) -> bool:
    """Whether nothing waits and the channel counts all workloads. Notes in `seen` when everything was folded."""
    try:
        now = metrics(url)
    except OSError:
        return False
    if not now.get("oomtriage_alerts_waiting", 0):
        seen.setdefault("folded", time.monotonic())
    roots = [r.message.shown() for r in slack.channel("C1").roots]
    told = max((int(m[1].replace(",", "")) for r in roots if (m := re.search(r"([\d,]+) workloads", r))), default=0)
    seen["counted"] = told or len(roots)
    if seen["counted"] >= (workloads if workloads > 50 else 1):
        seen.setdefault("counted_at", time.monotonic())
    is_counted = seen["counted"] >= (workloads if workloads > 50 else 1)
    waiting = ("oomtriage_alerts_waiting", "oomtriage_outbox_messages", "oomtriage_jobs_due")
    return is_counted and not any(now.get(name, 0) for name in waiting)


def storm(workloads: int, source: Path, *, most_s: float, settings: Mapping[str, str] | None = None) -> Storm:
    """One storm over one receiver."""
    recordings = cluster(workloads)
    with ExitStack() as stack:
        slack = stack.enter_context(FakeSlack(min_interval_s=1.0))
        kube = stack.enter_context(FakeKube(recordings))
        prometheus = stack.enter_context(FakePrometheus(recordings.series))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        month_ago = time.time() - 30 * 86_400.0  # else all of it is an inventory of what was dying before there was a receiver
        Store.open_sqlite(folder / "state.db", clock=lambda: month_ago).close()
        url, process = stack.enter_context(
            receiver(
                source=source, STORE_URL=f"sqlite:///{folder}/state.db", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url,
                PROMETHEUS_URL=prometheus.url, **(settings or {}),
            )
        )  # fmt: skip
        # From a process of its own: the stand-ins here are busy with what the receiver asks, and would be measured instead.
        elsewhere = stack.enter_context(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")))
        begins = range(20_000_000, 20_000_000 + QUIET_POSTS * A_POST, A_POST)
        first = [body(range(n, n + A_POST), 1, severity="none") for n in begins]
        quiet, _ = elsewhere.submit(send, url, first, MINUTE_S / 4).result()
        ended = threading.Event()
        highest: list[float] = []
        watching = threading.Thread(target=lambda: highest.extend(_paced(peak_mib(process, ended))))
        watching.start()
        began = time.monotonic()
        contents = [body(range(n, n + A_POST), workloads) for n in range(0, ALERTS, A_POST)]
        took, refused = elsewhere.submit(send, url, contents, MINUTE_S).result()
        seen: dict[str, float] = {}
        sent_at = time.monotonic()
        while not (done := is_true(url, slack, workloads, seen)) and time.monotonic() - sent_at < most_s:
            time.sleep(1.0)
        true_at = time.monotonic() if done else float("nan")
        ended.set()
        watching.join()
        asked = len(kube.asked), len(prometheus.asked)
        process.terminate()
        process.wait(30)
        slack.complaints.clear()  # what the stories' budget says of a message is no matter here
        with contextlib.closing(sqlite3.connect(folder / "state.db")) as connection:
            (kept,) = connection.execute("SELECT COUNT(*) FROM alert WHERE incident_id IS NOT NULL").fetchone()
        messages = slack.channel("C1").messages
        return Storm(
            lost=ALERTS - kept, refused=refused, quiet_p50_s=statistics.median(quiet), quiet_p99_s=percentile_99(quiet), p50_s=statistics.median(took),
            p99_s=percentile_99(took), slowest_s=max(took), pss_mib=max(highest, default=0.0), kube_requests=asked[0],
            prometheus_requests=asked[1], slack_messages=len(messages), slack_requests=len(messages) + sum(m.edits for m in messages),
            folded_after_s=seen.get("folded", float("nan")) - began - MINUTE_S, true_after_s=true_at - began - MINUTE_S, counted=int(seen.get("counted", 0)),
            counted_after_s=seen.get("counted_at", float("nan")) - began - MINUTE_S,
        )  # fmt: skip


def percentile_99(took: list[float]) -> float:
    """All but one in a hundred took no longer."""
    return sorted(took)[max(0, int(len(took) * 0.99) - 1)]


def _paced(found: Iterator[float]) -> Iterator[float]:
    """Not so often that looking is what costs."""
    for value in found:
        yield value
        time.sleep(0.2)


def show(name: str, found: Storm) -> None:
    """One storm, a line a number."""
    rows: list[tuple[str, Any]] = [
        ("lost", found.lost), ("posts refused, sent again", found.refused),
        ("accept of 50 when quiet, p50 / p99", " / ".join(f"{s * 1e3:.0f} ms" for s in (found.quiet_p50_s, found.quiet_p99_s))),
        ("accept of 50 in the storm, p50 / p99 / slowest", " / ".join(f"{s * 1e3:.0f} ms" for s in (found.p50_s, found.p99_s, found.slowest_s))),
        ("memory, peak PSS", f"{found.pss_mib:.0f} MiB"), ("requests to Kubernetes / Prometheus", f"{found.kube_requests} / {found.prometheus_requests}"),
        ("Slack messages / with edits", f"{found.slack_messages} / {found.slack_requests}"),
        ("workloads that the channel counts", found.counted),
        ("channel counts all, after the last alert", f"{found.counted_after_s:.0f} s"),
        ("all folded, after the last alert", f"{found.folded_after_s:.0f} s"), ("all looked at and told, after the last alert", f"{found.true_after_s:.0f} s"),
    ]  # fmt: skip
    print(f"-- {name}")
    for what, value in rows:
        print(f"  {what:<48}{value}", flush=True)


def main(options: list[str] | None = None) -> None:
    """Each shape in turn."""
    parser = argparse.ArgumentParser(prog="python -m bench storm", description=__doc__)
    parser.add_argument("--before", metavar="REVISION")
    parser.add_argument("--only", choices=SHAPES, action="append")
    parser.add_argument("--most", type=float, default=240.0, metavar="SECONDS", help="wait for a true channel so long")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of the receiver's environment")
    asked = parser.parse_args(options or [])
    settings = dict(one.split("=", 1) for one in asked.set)
    for name in asked.only or SHAPES:
        if asked.before:
            with revision(asked.before) as source:
                show(f"{name}, before", storm(SHAPES[name], source, most_s=asked.most, settings=settings))
        show(name, storm(SHAPES[name], HERE.parents[1], most_s=asked.most, settings=settings))
