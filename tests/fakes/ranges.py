"""A Prometheus that answers range queries with one series, and can be too small, busy, slow, strange or away."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOO_MANY = "query processing would load too many samples into memory in query execution"


@dataclass(kw_only=True)
class Asked:
    """One range query that came in."""

    query: str
    start_s: int
    end_s: int
    step_s: int
    form: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @property
    def points(self) -> int:
        """How many evaluations."""
        return (self.end_s - self.start_s) // self.step_s + 1


class RangePrometheus:
    """As a context manager. Faults are plain attributes, looked at by every request.

    `max_points`: more are answered 422. `broken_s`: a range that holds this moment is answered 422. `statuses`: answered
    first, one a request. `slow_s`: waits before every answer. `body`: answered instead of a result. `series`: the labels
    returned; each has a value at every evaluation. `tells_stats`: as Prometheus does and others do not.
    """

    def __init__(self) -> None:
        self.max_points = 11_000
        self.broken_s: int | None = None
        self.broken_text = "found duplicate series for the match group"
        self.statuses: list[int] = []
        self.slow_s = 0.0
        self.body: bytes | None = None
        self.series: list[dict[str, str]] = [{"__name__": "x", "namespace": "shop", "pod": "cart-0", "container": "cart"}]
        self.tells_stats = True
        self.samples_each = 1000  # that an evaluation reads
        self.warnings: list[str] = []
        self.asked: list[Asked] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body for one range query."""
        asked = Asked(
            query=form["query"], start_s=int(form["start"]), end_s=int(form["end"]), step_s=int(form["step"]), form=form, headers=headers
        )
        with self.lock:
            self.asked.append(asked)
            status = self.statuses.pop(0) if self.statuses else 200
        time.sleep(self.slow_s)
        if self.body is not None:
            return status, self.body
        if status != 200:
            return status, json.dumps({"status": "error", "errorType": "x", "error": f"refused with {status}"}).encode()
        if asked.points > self.max_points:
            return 422, json.dumps({"status": "error", "errorType": "execution", "error": TOO_MANY}).encode()
        if self.broken_s is not None and asked.start_s <= self.broken_s <= asked.end_s:
            return 422, json.dumps({"status": "error", "errorType": "execution", "error": self.broken_text}).encode()
        return 200, json.dumps(self._result(asked)).encode()

    def _result(self, asked: Asked) -> dict[str, Any]:
        times = range(asked.start_s, asked.end_s + 1, asked.step_s)
        result = [{"metric": labels, "values": [[at, "1"] for at in times]} for labels in self.series]
        data: dict[str, Any] = {"resultType": "matrix", "result": result}
        if self.tells_stats:
            data["stats"] = {"samples": {"totalQueryableSamples": self.samples_each * asked.points}}
        return {"status": "success", "data": data, "warnings": self.warnings}

    def stop(self) -> None:
        """Go away: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread.is_alive():
            self.stop()


def _handler(prometheus: RangePrometheus) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
            with prometheus.lock:
                prometheus.at_once += 1
                prometheus.most_at_once = max(prometheus.most_at_once, prometheus.at_once)
            try:
                self._send(*prometheus.answer(form, dict(self.headers)))
            finally:
                with prometheus.lock:
                    prometheus.at_once -= 1

        def do_GET(self) -> None:
            if urlsplit(self.path).path == "/api/v1/rules":
                self._send(200, b'{"status": "success", "data": {"groups": []}}')
            else:
                self._send(404, b"")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # a client that would not wait has left
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    return Handler
