"""A real single-node VictoriaMetrics that holds given series, and its vmalert."""

from __future__ import annotations

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.e2e.backfilled import openmetrics
from tests.e2e.binaries import binary
from tests.support import wait_until


class RealVictoria:
    """As tests.e2e.backfilled.RealPrometheus: on a free port, holding these series and scraping nothing."""

    def __init__(self, folder: Path, recorded: Iterable[Mapping[str, Any]]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._text = _in_milliseconds(openmetrics(recorded))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                binary("victoria-metrics"),
                f"-storageDataPath={self._folder / 'data'}",
                f"-httpListenAddr=127.0.0.1:{self._port}",
                "-retentionPeriod=100y",
                "-search.latencyOffset=0s",
                "-loggerLevel=ERROR",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: self._answers("/health"), what="VictoriaMetrics is ready", timeout_s=30)
        self._post("/api/v1/import/prometheus", self._text)
        self._answers("/internal/force_flush")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(15)

    def _post(self, path: str, text: str) -> None:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=text.encode()), timeout=30):
            pass

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _in_milliseconds(text: str) -> str:
    """OpenMetrics' seconds as the older format has them."""
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return "\n".join(f"{rest} {round(float(time_s) * 1000)}" for rest, _, time_s in lines) + "\n"
