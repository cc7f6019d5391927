"""A real Prometheus that holds given series."""

from __future__ import annotations

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

from tests.e2e.binaries import binary


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
