"""A receiver behind its real server, in this process, and raw requests to it over a socket."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from receiver.app.build import Application, build, make_admission
from receiver.app.front import Front, FrontConfig
from receiver.pipeline.fold import FoldConfig, fold
from receiver.settings import load_settings
from receiver.store import incident_lists
from tests.support import alert, payload

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
MAX_BODY = 200_000
NO_ANSWER_S = 0.1  # after a request that is not whole: to wait longer is no gain, none need come
ANSWER_S = 20.0


@dataclass(slots=True)
class Served:
    """A running receiver. `errors`: what it logged as an error: a 500 that a handler hid would stand there."""

    application: Application
    port: int
    incident_id: str = ""
    errors: list[str] = field(default_factory=list)

    def fold(self) -> None:
        """What the dispatcher does first with accepted alerts."""
        fold(self.application.store, FoldConfig())

    def send(self, request: bytes, *, is_whole: bool = True) -> tuple[int, bytes]:
        """Bytes on a fresh connection; the status, and all that came back. 0 when nothing did."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_S if is_whole else NO_ANSWER_S) as connection:
            answer = bytearray()
            try:
                connection.sendall(request)
                while block := connection.recv(65536):
                    answer += block
                    if is_complete(bytes(answer), is_head=not is_whole or request.startswith(b"HEAD")):
                        break
            except (TimeoutError, ConnectionError):
                pass  # answered before it had read everything, or it waits for more
        return status_of(bytes(answer)), bytes(answer)


def is_complete(answer: bytes, *, is_head: bool) -> bool:
    """Whether the last answer is there; of one to HEAD, and where nothing else is wanted, its header. Not every connection is closed
    behind it, whatever the request asked for.
    """
    while answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and (is_head or (length is not None and len(body) >= int(length[1])))


def status_of(answer: bytes) -> int:
    """Of the last answer in it; 100 Continue is none. 0 for none."""
    found = [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    return next((status for status in reversed(found) if status != HTTPStatus.CONTINUE), 0)


class _Errors(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(self.format(record))


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Served]:
    """A receiver with everything on, on loopback. It holds one incident, and its worker does not run."""
    environ = {
        "STORE_URL": f"sqlite:///{folder}/state.db", "LISTEN": "127.0.0.1:0", "MAX_BODY": str(MAX_BODY), "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_BOT_TOKEN": "xoxb-fake-0123456789", "SLACK_CHANNEL": "C1", "SLACK_API_URL": "http://127.0.0.1:9/api/", **settings,
    }  # fmt: skip
    loaded = load_settings(environ)
    application = build(loaded, monotonic=lambda: 0.0)  # its worker does not run, and is not stuck for that
    front = Front(
        application.web,
        FrontConfig(listen="127.0.0.1:0", max_body_bytes=MAX_BODY, admits=make_admission(loaded), refused=application.front.refused),
    )
    application.web.test_client().post("/alerts", json=payload(alert()))
    running = Served(application=application, port=front.port)
    running.fold()
    with application.store.read() as tx:
        running.incident_id = incident_lists.newest(tx, 1)[0].id
    handler = _Errors(running.errors)
    logging.getLogger().addHandler(handler)
    thread = threading.Thread(target=front.run, name="front")
    thread.start()
    try:
        yield running
    finally:
        front.end()
        thread.join()
        logging.getLogger().removeHandler(handler)
        application.close()
