"""The application that the server serves: the receiver, or, while there is none because its state cannot be used, a clear refusal.

Alertmanager sends again what is refused with 503, so nothing is lost while the state is being opened anew; /healthz stays well, because
to kill the process would mend nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from receiver.app.build import Application

RETRY_AFTER_S = "5"
NO_STORE = b"# HELP oomtriage_store_ready 1 while alerts would be stored.\n# TYPE oomtriage_store_ready gauge\noomtriage_store_ready 0.0\n"

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Door:
    """A WSGI application. Open, it hands requests to a receiver; closed, it says why there is none."""

    def __init__(self) -> None:
        self._inside: Application | None = None
        self._why = "the receiver is starting"

    def open(self, application: Application) -> None:
        """From now on this receiver answers."""
        self._inside = application

    def close(self, why: str) -> None:
        """From now on nobody does."""
        self._why, self._inside = why, None

    def refused(self, status: int, path: str) -> None:
        """The server answered a request itself: for the receiver to count."""
        if self._inside is not None:
            self._inside.front.refused(status, path)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        inside = self._inside
        if inside is not None:
            return inside.web(environ, start_response)
        return self._refuse(environ.get("PATH_INFO", ""), start_response)

    def _refuse(self, path: str, start_response: StartResponse) -> Iterable[bytes]:
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [NO_STORE]
        status = HTTPStatus.OK if path == "/healthz" else HTTPStatus.SERVICE_UNAVAILABLE
        answers = {"/healthz": {"status": "ok", "store": self._why}, "/readyz": {"status": "not ready", "store": self._why}}
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Retry-After", RETRY_AFTER_S)]
        start_response(f"{status.value} {status.phrase}", headers)
        return [json.dumps(answers.get(path, {"error": self._why})).encode()]
