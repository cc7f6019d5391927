"""A real receiver process, started as users start it: `oomtriage serve` with settings in the environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.places import REPO
from tests.support import wait_until


class Receiver:
    """One `oomtriage serve` after another over the same state file. `start`, `kill` and `stop` may follow each other."""

    def __init__(self, folder: Path, *, config: str = "", **settings: str) -> None:
        """`config`: a settings file."""
        folder.mkdir(parents=True, exist_ok=True)
        self._config = config
        self.folder = folder
        self.settings = settings
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LISTEN": f"127.0.0.1:{self.port}", "LOG_LEVEL": "INFO",
            "STORE_URL": f"sqlite:///{self.folder}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", "SLACK_MIN_INTERVAL": "0", **self.settings,
        }  # fmt: skip

    def launch(self) -> None:
        """Start it and do not wait: it may be killed before it is ready."""
        words = ["serve", *(("--config", self._config) if self._config else ())]
        with (self.folder / "receiver.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "receiver", *words], env=self.environ(), cwd=REPO, stdout=log, stderr=log, start_new_session=True
            )

    def start(self) -> Self:
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        wait_until(lambda: self.get("/readyz")[0] == 200, what="the receiver is ready")

    def kill(self) -> None:
        """SIGKILL to every process of it, at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> float:
        """SIGTERM, as Kubernetes does; returns the seconds until it had ended."""
        started = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - started

    def log(self) -> str:
        return (self.folder / "receiver.log").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""

    def pause(self) -> None:
        """SIGSTOP: it runs no more, and its connections stay."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        self._signal(signal.SIGCONT)

    def post(self, body: dict[str, Any], *, timeout_s: float = 10.0, **headers: str) -> int:
        """Post a webhook body; the status, 0 when no answer came."""
        return self.send("/alerts", body, timeout_s=timeout_s, **headers)

    def send(self, path: str, body: dict[str, Any], *, timeout_s: float = 10.0, **headers: str) -> int:
        """Post JSON; the status, 0 when no answer came."""
        request = urllib.request.Request(
            f"{self.url}{path}", data=json.dumps(body).encode(), headers={"Content-Type": "application/json", **headers}
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            return exc.code
        except (urllib.error.URLError, OSError):
            return 0

    def _signal(self, how: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, how)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if how is signal.SIGKILL:
            os.killpg(self._process.pid, how)
        else:
            self._process.send_signal(how)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
