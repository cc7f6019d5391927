"""Slack's Socket Mode: what people press comes over a connection that we open, so that nothing needs a way in.

A press is written down, then its envelope is acknowledged: what Slack does not hear within 3 s it sends again, and a press counts
once. Slack ends each connection after some hours and says so before; the next is open before the old one is let go, and until then
both are read.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from receiver.domain.addresses import is_loopback
from receiver.errors import DeliveryError, PayloadError, RetryLater, SinkMisconfigured, StoreError, Unreadable
from receiver.pipeline.presses import Presses
from receiver.render.text import clean_line
from receiver.sinks.slack import ask_slack, is_slacks
from receiver.sinks.slack_errors import CONNECT
from receiver.telemetry import Metrics
from receiver.transport import ConnectionFailed, Http, HttpConfig, parse_json
from receiver.transport.websocket import WebSocket, WebSocketConfig

log = logging.getLogger(__name__)

NAME = "Slack's Socket Mode"
CONNECTING = "connecting"
STOP_WAIT_S = 3.0  # for a press that is being written down; nothing else is worth waiting for
DISABLED = f"{NAME} is switched off for this app: switch it on (Settings > Socket Mode), or unset SLACK_APP_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketModeConfig:
    """`token`: the app-level token, `xapp-...`; `token_path`: the file it is in, read again. `refused_s`: until Slack is asked again
    after it refused the token. A connection that does not last `steady_s` counts as a failure: the next waits `first_wait_s`, then
    twice as long each time, up to `longest_wait_s`. `drain_s`: how long the old connection is read beside the new one.
    """

    token: str = field(repr=False)
    token_path: str = ""
    api_url: str = "https://slack.com/api"
    refused_s: float = 300.0
    steady_s: float = 60.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    hello_s: float = 10.0
    drain_s: float = 10.0
    connection: WebSocketConfig = field(default_factory=lambda: WebSocketConfig(name=NAME))


class SocketMode:
    """Keeps one connection to Slack from `start` to `stop`, for whoever leads; both may follow each other."""

    def __init__(
        self, config: SocketModeConfig, presses: Presses, *, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock`: monotonic, for what lasts."""
        self._config = config
        self._presses = presses
        self._metrics = metrics
        self._clock = clock
        self._http = Http(HttpConfig(base_url=config.api_url, name="Slack", token=config.token, token_path=config.token_path, pool_size=1))
        self._is_local = is_loopback(_host(config.api_url))
        self._stopping = threading.Event()
        self._next = threading.Event()  # another connection is wanted
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._before: threading.Thread | None = None  # one that was told to end, and may be in the middle of an exchange
        self._links: list[_Link] = []  # the newest last; before it, those that are read to their end
        self._problem = CONNECTING

    @property
    def state(self) -> str:
        """`ok`, `connecting`, or in one sentence why there is no connection, or what speaks against the one that there is."""
        return self._problem or "ok"

    def start(self) -> None:
        """Open the connection and keep it, on threads of its own."""
        if self._thread is None:
            if self._before is not None:
                self._before.join()
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="slack-socket", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Acknowledge what was written down, and let go of the connection."""
        if self._thread is None:
            return
        self._before, self._thread = self._thread, None
        self._stopping.set()
        self._next.set()
        self._before.join(STOP_WAIT_S)
        self._http.close()

    # -- the thread that opens connections

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            began, wait_s = self._clock(), 0.0
            try:
                wait_s = self._keep_one()
            except Exception:  # and goes on: nobody could press anything any more
                log.exception("Slack's Socket Mode failed")
            failures = 0 if self._lasted(began) else failures + 1
            self._stopping.wait(max(wait_s, self._backoff_s(failures)))
        for link in self._links:
            link.end()
        self._metrics.socket_connected.set(0)
        self._problem = CONNECTING

    def _keep_one(self) -> float:
        """One connection, until the next is wanted; the seconds to wait for that at least."""
        began = self._clock()
        try:
            link = self._opened()
        except DeliveryError as exc:
            is_refused = not isinstance(exc, RetryLater)
            self._metrics.socket_connects.labels("refused" if is_refused else "failed").inc()
            self._say(str(exc))
            asked_s = exc.retry_after_s if isinstance(exc, RetryLater) else None
            return self._config.refused_s if is_refused else min(asked_s or 0.0, self._config.refused_s)
        except ConnectionFailed as exc:
            self._metrics.socket_connects.labels("failed").inc()
            self._say(str(exc))
            return 0.0
        before = [old for old in self._links if old.is_alive]
        with self._lock:
            self._links = [*before, link]
            self._next.clear()
            self._say(_shared(link.connections - len(self._links)))
        self._metrics.socket_connects.labels("ok").inc()
        self._metrics.socket_connected.set(1)
        for old in before:
            old.retire(self._config.drain_s)
        link.start()
        if not self._stopping.is_set():
            self._next.wait()
        return self._config.refused_s if link.is_disabled and not self._lasted(began) else 0.0

    def _opened(self) -> _Link:
        """A connection on which Slack has said hello. A DeliveryError when Slack refuses, ConnectionFailed when it is not reached."""
        answer, _ = ask_slack(self._http, CONNECT, form={}, is_repeatable=True)
        url = str(answer.get("url") or "")
        if not (is_slacks(url, scheme="wss") or (self._is_local and is_loopback(_host(url)))):
            raise SinkMisconfigured(f"{NAME}: the address that {CONNECT} answered is none of Slack's", code="address")
        link = _Link(WebSocket.open(url, self._config.connection, clock=self._clock), self, clock=self._clock)
        try:
            link.await_hello(self._config.hello_s)
        except ConnectionFailed:
            link.close()
            raise
        return link

    def _lasted(self, began: float) -> bool:
        return self._clock() - began >= self._config.steady_s

    def _backoff_s(self, failures: int) -> float:
        """Nothing after the first, so that a single lost connection is back at once."""
        if failures < 2:
            return 0.0
        longest_s = min(self._config.longest_wait_s, self._config.first_wait_s * 2.0 ** min(failures - 2, 10))
        return longest_s * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret

    def _say(self, problem: str) -> None:
        before, self._problem = self._problem, problem
        if problem and problem != before:
            log.warning("Slack's Socket Mode is in trouble", extra={"error": problem})
        elif before and not problem:
            log.info("connected to Slack for its buttons")

    # -- told by connections, on their threads

    def ends(self, link: _Link, why: str) -> None:
        """One is about to end (`why` empty), or of no more use."""
        with self._lock:
            if link is not self._links[-1] or self._stopping.is_set():
                return
            if why:
                self._say(why)
            if not link.is_alive:
                self._metrics.socket_connected.set(0)
            self._next.set()

    def take(self, envelope: Mapping[str, Any]) -> bool:
        """Do what an envelope asks for; whether Slack may forget it."""
        result = "ignored"
        try:
            if envelope.get("type") == "interactive" and self._presses.do(envelope.get("payload")):
                result = "done"
        except PayloadError as exc:  # it would be the same the next time
            log.warning("what came over Slack's Socket Mode is no interaction", extra={"error": str(exc)})
            result = "unreadable"
        except StoreError as exc:
            log.error("a click could not be stored", extra={"error": str(exc)})
            result = "not_stored"
        self.count(result)
        return result != "not_stored"

    def count(self, result: str) -> None:
        """One more envelope ended so."""
        self._metrics.socket_envelopes.labels(result).inc()


class _Link:
    """One connection with a thread that reads it."""

    def __init__(self, socket: WebSocket, mode: SocketMode, *, clock: Callable[[], float]) -> None:
        self._socket = socket
        self._mode = mode
        self._clock = clock
        self._over_at = float("inf")
        self._thread = threading.Thread(target=self._run, name="slack-socket-reader", daemon=True)
        self.is_alive = True
        self.is_disabled = False
        self.connections = 1  # to this app, ours among them, as Slack counted them at the hello

    def await_hello(self, limit_s: float) -> None:
        """ConnectionFailed when Slack does not say it."""
        until = self._clock() + limit_s
        while self._clock() < until:
            message = _parsed(self._socket.receive() or "{}")
            if message.get("type") == "hello":
                count = message.get("num_connections")
                self.connections = count if isinstance(count, int) else 1
                return
            if message.get("type") == "disconnect":
                raise ConnectionFailed(f"{NAME} is refused: {_reason(message)}", maybe_received=True)
        raise ConnectionFailed(f"{NAME}: no hello came", maybe_received=True)

    def start(self) -> None:
        """Read it."""
        self._thread.start()

    def retire(self, drain_s: float) -> None:
        """Another one has taken over: end when what is under way on this one has come."""
        self._over_at = self._clock() + drain_s

    def end(self) -> None:
        """End it now, and come back when it has ended."""
        self._socket.interrupt()
        self._thread.join(STOP_WAIT_S)

    def close(self) -> None:
        """Let go of what was never read."""
        self.is_alive = False
        self._socket.close()

    def _run(self) -> None:
        why = ""
        try:
            while self._clock() < self._over_at:
                text = self._socket.receive()
                if text is not None:
                    self._take(text)
        except ConnectionFailed as exc:
            why = str(exc)
        except Exception:
            log.exception("a connection to Slack failed")
            why = f"{NAME} failed"
        self.close()
        self._mode.ends(self, DISABLED if self.is_disabled else why)

    def _take(self, text: str) -> None:
        message = _parsed(text)
        envelope_id = message.get("envelope_id")
        if message.get("type") == "disconnect":
            self.is_disabled = message.get("reason") == "link_disabled"
            log.debug("Slack asks for another connection", extra={"reason": _reason(message)})
            self._mode.ends(self, DISABLED if self.is_disabled else "")
        elif isinstance(envelope_id, str) and envelope_id:
            if self._mode.take(message):
                self._socket.send(json.dumps({"envelope_id": envelope_id}))
        elif message.get("type") != "hello":
            self._mode.count("unreadable")


def _parsed(text: str) -> Mapping[str, Any]:
    """A message; empty for what is none."""
    try:
        message = parse_json(text.encode("utf-8", "replace"), "a message of Slack's Socket Mode")
    except Unreadable:
        return {}
    return message if isinstance(message, dict) else {}


def _reason(message: Mapping[str, Any]) -> str:
    return clean_line(str(message.get("reason") or "no reason given"), 80)


def _shared(others: int) -> str:
    """What to say of connections that are not ours."""
    if others <= 0:
        return ""
    return (
        f"connected, but {others} more connections are open to this Slack app: Slack gives each press to one of them at random, and one "
        "of another receiver is lost here; give each receiver an app of its own"
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
