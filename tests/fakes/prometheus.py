"""Prometheus for tests: the replaying stand-in with faults, series made from trace files, and the real server backfilled."""

from __future__ import annotations

import csv
import gzip
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from receiver.demo.standins import PrometheusStandin
from tests.e2e.binaries import binary
from tests.fakes.kube import Faulty


class FakePrometheus(Faulty, PrometheusStandin):
    """Series behind a Prometheus API that can be made to fail."""


def series(name: str, points: Iterable[tuple[float, float]], /, **labels: str) -> dict[str, Any]:
    """One series as a range answer holds it."""
    return {"metric": {"__name__": name, **labels}, "values": [[t, repr(float(v))] for t, v in points]}


def trace_series(path: Path, *, ends_s: float, namespace: str, pod: str, container: str) -> list[dict[str, Any]]:
    """The series that cAdvisor, kube-state-metrics and an application would have exported for a trace file.

    Each life of the container is a series of its own (label `id`), as in a cluster.
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    shift = ends_s - rows[-1]["t_seconds"]
    who = {"namespace": namespace, "pod": pod, "container": container}
    points: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        t, life = row["t_seconds"] + shift, str(int(row.get("restarts", 0)))
        for column, metric in (
            ("working_set_bytes", "container_memory_working_set_bytes"),
            ("rss_bytes", "container_memory_rss"),
            ("cache_bytes", "container_memory_cache"),
            ("limit_bytes", "container_spec_memory_limit_bytes"),
        ):
            if column in row:
                points[tuple({"__name__": metric, "id": f"/life/{life}", **who}.items())].append((t, row[column]))
        for column, metric in (("restarts", "kube_pod_container_status_restarts_total"), ("request_rate", "http_requests_total")):
            if column in row:
                points[tuple({"__name__": metric, **who}.items())].append((t, row[column]))
        if row.get("oom_kills"):
            reason = {"__name__": "kube_pod_container_status_last_terminated_reason", **who, "reason": "OOMKilled"}
            points[tuple(reason.items())].append((t, 1.0))
    return [{"metric": dict(labels), "values": [[t, repr(v)] for t, v in values]} for labels, values in points.items()]


class RealPrometheus:
    """The real server on a free port, holding these series and scraping nothing."""

    def __init__(self, folder: Path, recorded: Iterable[Mapping[str, Any]]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        (folder / "series.om").write_text(openmetrics(recorded))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        data = self._folder / "data"
        fill = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(self._folder / "series.om"), str(data)]
        subprocess.run(fill, check=True, capture_output=True, timeout=60)
        self._process = subprocess.Popen(
            [
                binary("prometheus"),
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 30
        while not self._is_ready():
            assert time.monotonic() < end, "Prometheus did not become ready"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(15)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def openmetrics(recorded: Iterable[Mapping[str, Any]]) -> str:
    """Series as OpenMetrics text, which promtool reads: grouped by metric; counters typed unknown, so that names may stay."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for entry in recorded:
        metric = dict(entry["metric"])
        name = metric.pop("__name__")
        labels = ",".join(f"{k}={json.dumps(v)}" for k, v in metric.items())
        by_name[name] += [f"{name}{{{labels}}} {value} {t}" for t, value in entry["values"]]
    lines = [line for name, samples in by_name.items() for line in (f"# TYPE {name} unknown", *samples)]
    return "\n".join([*lines, "# EOF", ""])
