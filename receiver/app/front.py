"""The HTTP server: waitress, with a deadline on every request and a bound on what may be under way.

One thread reads all connections and hands a request to a pool thread only when it is whole: a client that is slow, silent or
hostile costs a file descriptor and no thread. docs/decisions/0006 has the measurements.
"""

from __future__ import annotations

import copy
import json
import logging
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, RequestEntityTooLarge

from receiver.web.auth import CHALLENGE, WRONG_TOKEN
from receiver.web.hosts import ALERTS

log = logging.getLogger(__name__)

THREADS = 16
MOST_CONNECTIONS = 1000
REQUEST_DEADLINE_S = 20.0  # from a request's first byte to its last: Alertmanager gives up after 10 s
IDLE_S = 90.0  # between two requests; Alertmanager keeps its connection
LOOK_EVERY_S = 1
IN_MEMORY_BYTES = 64 * 1024  # of one body; what is larger waits in a temporary file
FRAMING_BYTES = 4096  # of chunks counts as body here, so the bound is a little wider; the application knows the exact one
MOST_HEADER_BYTES = 32 * 1024
TOO_LARGE_HERE = "the body is larger than anything that this route takes"
MOST_SMALL_BODY_BYTES = 1024**2  # of what strangers may send to any route; Slack's clicks hold the message that was clicked
DRAIN_S = 10.0  # at SIGTERM: for answers that are under way


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontConfig:
    """`listen`: host:port. `max_body_bytes`: of one request; larger ones are not read.

    `may_be_large(path)`: whether a body may be as large as that; all others are bound by `MOST_SMALL_BODY_BYTES`.
    `admits(path, authorization)`: whether the body of such a request is worth reading: its header is all that is known then.
    `refused(status, path)`: a request was answered here, and the application has not seen it; its path is empty when it could not
    be read.
    """

    listen: str
    max_body_bytes: int
    may_be_large: Callable[[str], bool] = lambda path: path == ALERTS
    admits: Callable[[str, str], bool] = lambda path, authorization: True
    refused: Callable[[int, str], None] = lambda status, path: None


class _Unauthorized(BadRequest):  # type: ignore[misc]
    code = 401
    reason = "Unauthorized"


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request that is looked at as soon as its header is there: a stranger's body is not read, nor a large one for a small route."""

    path = ""  # waitress leaves it away when it cannot read the request

    def __init__(self, adj: Any, small_adj: Any, config: FrontConfig) -> None:
        super().__init__(adj)
        self._small_adj = small_adj
        self._config = config
        self._is_checked = False

    def parse_header(self, header_plus: bytes) -> None:
        """As waitress does; what it falls over (`http://[`, a length of 5,000 digits) is a request that cannot be read."""
        try:
            super().parse_header(header_plus)
        except ValueError as exc:
            raise ParsingError("the request's first line or a header cannot be read") from exc
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("the request says the length of its body twice, as Content-Length and as Transfer-Encoding")

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        if self.headers_finished and not self._is_checked:
            self._is_checked = True
            if not self.chunked and self.content_length <= 0:
                self.expect_continue = False  # nothing is to come: waitress would wait for it
            elif not self.error:
                self._check()
        return consumed

    def _check(self) -> None:
        if not self._config.admits(self.path, self.headers.get("AUTHORIZATION", "")):
            self.error: Any = _Unauthorized(WRONG_TOKEN)
        elif not self._config.may_be_large(self.path):
            self.adj = self._small_adj  # for chunks that are still to come
            if self.content_length >= self.adj.max_request_body_size:
                self.error = RequestEntityTooLarge(TOO_LARGE_HERE)
        if self.error:
            self.completed, self.expect_continue = True, False


class _Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """What never reaches the application is answered in its own form: JSON, one sentence."""

    def execute(self) -> None:
        error = self.request.error
        config = self.channel.server.config
        config.refused(error.code, self.request.path)
        text = error.body
        if error.code == 413:
            is_webhook = config.may_be_large(self.request.path)
            text = f"the body is larger than MAX_BODY ({config.max_body_bytes} bytes)" if is_webhook else TOO_LARGE_HERE
        body = json.dumps({"error": str(text)}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        if error.code == 401:
            self.response_headers.append(("WWW-Authenticate", CHALLENGE))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that remembers since when a request is being received."""

    error_task_class = _Refusal
    began_s: float | None = None

    def parser_class(self, adj: Any) -> _Parser:
        """Of the next request."""
        return _Parser(adj, self.server.small_adj, self.server.config)

    def received(self, data: bytes) -> bool:
        if self.began_s is None:
            self.began_s = time.time()
        taken = bool(super().received(data))
        if self.request is None:
            self.began_s = None
        return taken

    @property
    def is_waiting(self) -> bool:
        """Whether nothing of it is being worked on or answered."""
        return not self.requests and not self.total_outbufs_len

    def is_overdue(self, now_s: float) -> bool:
        """Whether its client has had its time: for the request it sends, for the answer it does not take, or between two."""
        if self.began_s is not None:
            return now_s - self.began_s > REQUEST_DEADLINE_S
        if self.total_outbufs_len:
            return bool(now_s - self.last_activity > REQUEST_DEADLINE_S)
        return self.is_waiting and bool(now_s - self.last_activity > IDLE_S)


class _Server(TcpWSGIServer):  # type: ignore[misc]
    channel_class = _Channel
    config: FrontConfig
    small_adj: Any

    def maintenance(self, now: float) -> None:
        """Close what is overdue; near the bound on connections also who has waited longest, so that others get in."""
        for channel in self._overdue(now):
            channel.will_close = True

    def _overdue(self, now: float) -> Iterable[_Channel]:
        channels = list(self.active_channels.values())
        yield from (c for c in channels if c.is_overdue(now))
        excess = len(channels) - MOST_CONNECTIONS * 9 // 10
        if excess > 0:
            yield from sorted((c for c in channels if c.is_waiting), key=lambda c: c.began_s or c.last_activity)[:excess]


class Front:
    """Serves a WSGI application until it is told to end."""

    def __init__(self, application: Any, config: FrontConfig) -> None:
        """Binds the address. OSError when that is not possible."""
        adjustments = Adjustments(
            listen=config.listen, threads=THREADS, ident=None, connection_limit=MOST_CONNECTIONS, backlog=512, asyncore_use_poll=True,
            channel_timeout=int(IDLE_S), cleanup_interval=LOOK_EVERY_S, max_request_header_size=MOST_HEADER_BYTES,
            max_request_body_size=config.max_body_bytes + config.max_body_bytes // 16 + FRAMING_BYTES, inbuf_overflow=IN_MEMORY_BYTES, clear_untrusted_proxy_headers=True,
            log_untrusted_proxy_headers=False, log_socket_errors=False, expose_tracebacks=False,
        )  # fmt: skip
        self._map: dict[int, Any] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(THREADS)
        self._server = _Server(application, self._map, dispatcher=self._dispatcher, adj=adjustments, sockinfo=adjustments.listen[0])
        self._server.config, self._server.small_adj = config, copy.copy(adjustments)
        self._server.small_adj.max_request_body_size = min(MOST_SMALL_BODY_BYTES, adjustments.max_request_body_size)
        self._is_ending = False

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.effective_port)

    def end(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Take no more connections, and return from `run` once what is under way is answered. Fit for a signal handler."""
        self._is_ending = True

    def end_on_signals(self) -> None:
        """SIGTERM and SIGINT end it."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.end)

    def run(self) -> None:
        """Serve; returns when `end` was called."""
        while not self._is_ending:
            self._turn(1.0)
        self._server.accepting = False
        self._server.del_channel()
        self._server.socket.close()
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline and any(not c.is_waiting or c.request is not None for c in self._server.active_channels.values()):
            self._turn(0.1)
        self._dispatcher.shutdown()
        wasyncore.close_all(self._map)

    def _turn(self, timeout_s: float) -> None:
        wasyncore.loop(timeout=timeout_s, use_poll=True, map=self._map, count=1)
