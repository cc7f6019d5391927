"""A small HTTP server on 127.0.0.1 that remembers what it was asked; what it answers is its subclass's."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: path parts unquoted, parameters of the address or the form, headers in lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts."""
        return tuple(p for p in self.path.split("/") if p)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(document: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status=status, body=json.dumps(document).encode())


def api_status(status: int, message: str, reason: str = "") -> Reply:
    """An error as the API server words it."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }
    return json_reply(document, status)


class Standin:
    """An HTTP server on a free port of 127.0.0.1. Counts what it was asked; subclasses answer."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def answer(self, asked: Asked) -> Reply:
        """The answer to one request."""
        raise NotImplementedError

    def handle(self, asked: Asked, http: BaseHTTPRequestHandler) -> None:
        """Answer one request on its connection; faults that are no proper HTTP answer override this."""
        reply = self.answer(asked)
        http.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body)), **reply.headers}.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(reply.body)

    @property
    def url(self) -> str:
        """Its address, once started."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> Counter[str]:
        """How often each path was asked."""
        with self._lock:
            return Counter(a.path for a in self.asked)

    def start(self) -> str:
        """Listen; returns the address."""
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def note(self, asked: Asked) -> None:
        """Count one request."""
        with self._lock:
            self.asked.append(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler_of(standin: Standin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            params = {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "form-urlencoded" in (self.headers.get("Content-Type") or ""):
                params |= {k: v[-1] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()}
            headers = {k.lower(): v for k, v in self.headers.items()}
            asked = Asked(method=self.command, path=parts.path, params=params, headers=headers, body=body)
            standin.note(asked)
            try:
                standin.handle(asked, self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: stdout and stderr belong to the program."""

    return Handler
