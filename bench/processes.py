"""Servers under measurement: a receiver, and a bare Flask route that only makes a body durable."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BARE_APP = """
import os, tempfile, threading
from flask import Flask, request, jsonify
app = Flask(__name__)
lock = threading.Lock()
handle = os.open(os.path.join({folder!r}, "journal"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)

@app.post("/alerts")
def alerts():
    body = request.get_data()
    with lock:
        os.write(handle, body)
        os.fdatasync(handle)
    return jsonify(accepted=1), 202

@app.get("/readyz")
def readyz():
    return "ok"
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def receiver(source: Path | None = None, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`oomtriage serve` on a temporary store; yields its URL and its (parent) process. `source`: of another checkout."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environ = {
            "PATH": os.environ["PATH"], "HOME": folder, "LISTEN": f"127.0.0.1:{port}", "STORE_URL": f"sqlite:///{folder}/state.db", "LOG_LEVEL": "WARNING",
            "KUBE_API_URL": "http://127.0.0.1:9", **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "receiver", "serve"]
        with _running(command, environ, f"http://127.0.0.1:{port}", source or Path.cwd()) as process:
            yield f"http://127.0.0.1:{port}", process


@contextmanager
def bare_flask() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The floor: gunicorn, Flask, one fdatasync a request."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        (Path(folder) / "bare.py").write_text(BARE_APP.format(folder=folder))
        command = [sys.executable, "-m", "gunicorn", "-w", "1", "--threads", "16", "-k", "gthread", "-b", f"127.0.0.1:{port}", "bare:app"]
        environ = {"PATH": os.environ["PATH"], "HOME": folder}
        with _running(command, environ, f"http://127.0.0.1:{port}", Path(folder)) as process:
            yield f"http://127.0.0.1:{port}", process


@contextmanager
def _running(command: list[str], environ: dict[str, str], url: str, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environ, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_ready(url, process)
        yield process
    finally:
        with suppress(ProcessLookupError):  # ended already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_ready(url: str, process: subprocess.Popen[bytes], timeout_s: float = 30.0) -> None:
    """Poll /readyz until it answers 200."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"not ready after {timeout_s} s")


def children_of(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, todo = [], [pid]
    while todo:
        current = todo.pop()
        found.append(current)
        path = Path(f"/proc/{current}/task/{current}/children")
        todo += [int(c) for c in path.read_text().split()] if path.exists() else []
    return found


def pss_kib(pid: int) -> int:
    """Proportional set size of one process."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
