"""Somebody's program that takes JSON: remembers what it was sent, and answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/hooks/planted-secret?key=planted-too"


class JsonReceiver:
    """Listens on 127.0.0.1. `answers`: (status, headers) of the next requests, 200 when empty; status 0 hangs until the end."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self._changed = threading.Condition()
        self._ending = threading.Event()

    def __enter__(self) -> JsonReceiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver._changed:
                    receiver.requests.append(({k.lower(): v for k, v in self.headers.items()} | {"path": self.path}, body))
                    status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                    receiver._changed.notify_all()
                if status == 0:
                    receiver._ending.wait(60)
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in ({"Content-Length": "2"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{SECRET_PATH}"

    @property
    def documents(self) -> list[Any]:
        return [body for _, body in self.requests]

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait until something is true; looked at after every request."""
        with self._changed:
            assert self._changed.wait_for(predicate, timeout_s), f"not true in time; got {self.requests}"
