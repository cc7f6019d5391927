"""One service over HTTP with bounded time, bounded bytes and one classification of what can go wrong.

Nothing here follows a redirect, reads the environment (a CA bundle or proxy meant for something else would break TLS to
the cluster), or puts a token, a path of a secret URL or a foreign body at full length into an error.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from receiver.domain.units import KIB, MIB
from receiver.errors import Forbidden, NotFound, SourceError, Throttled, TooLarge, Unreadable
from receiver.transport.breaker import Breaker
from receiver.transport.deadline import Deadline
from receiver.transport.exchange import Exchange
from receiver.transport.failures import ConnectionFailed, NotAsked, Unauthenticated, broken_off, failure, refusal
from receiver.transport.reply import Response, Tail, lower, parse_json, retry_after_s, said
from receiver.transport.session import Sessions
from receiver.transport.tls import TlsState
from receiver.transport.token import Token

RETRY_AFTER_CAP_S = 5.0  # API Priority & Fairness asks for 1 s; more than this and the incident's deadline is gone
CHUNK_BYTES = 16 * KIB
# How a question ended, for whoever counts them.
OK, REFUSED, FAILED = "ok", "refused", "failed"
ANSWERS = (OK, REFUSED, FAILED)
# What may come beside the bytes of a body: headers, and the framing of chunks, which can be as long as what is in them.
MOST_HEADER_BYTES = 256 * KIB
FRAMING_RATIO = 2
# Of a backup, as a whole: for as long as somebody waits at a terminal.
DOWNLOAD_S = 3600.0
MOST_DOWNLOADED_BYTES = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How to reach one service.

    `name`: what errors call it ("the Kubernetes API"). `token` and `token_path` become a bearer header; the file wins and is
    read again. `headers` may hold secrets too. `ca_path`: a CA file to trust instead of the public authorities.
    `connect_timeout_s`: of one address of the host; `read_timeout_s`: of a whole exchange, from the look-up of the name to the last
    byte of the answer. `tries`: attempts of one idempotent question, 1 for none more. `has_objects`: a 404 tells that an object is not
    there; elsewhere the address is wrong.
    """

    base_url: str = field(repr=False)
    name: str
    token: str = field(default="", repr=False)
    token_path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_path: str = ""
    connect_timeout_s: float = 3.05
    read_timeout_s: float = 10.0
    pool_size: int = 64  # eight incidents at once ask several things each; a fuller pool throws connections away
    tries: int = 3
    has_objects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One request as asked, whoever asks."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | bytes | None = None
    json_body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: Deadline | None = None
    max_bytes: int = MIB
    keep_bytes: int | None = None

    def left_s(self, without_deadline: float) -> float:
        return self.deadline.left_s() if self.deadline is not None else without_deadline


class Http:
    """One service over HTTP. Safe to share between threads and to build before a fork (connections are made later)."""

    def __init__(
        self, config: HttpConfig, *, sleep: Callable[[float], None] = time.sleep, count: Callable[[str], None] = lambda answer: None
    ) -> None:
        """`count`: told how each idempotent question ended, one of `ANSWERS`, when it is not asked again."""
        self.config = config
        self._count = count
        parts = urlsplit(config.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the address of {config.name} must begin with http:// or https:// and name a host")
        self.origin = f"{parts.scheme}://{parts.hostname if ':' not in parts.hostname else f'[{parts.hostname}]'}" + (
            f":{parts.port}" if parts.port else ""
        )
        self._base = config.base_url.rstrip("/")
        self._token = Token(config.token, config.token_path)
        self._sleep = sleep
        self._breaker = Breaker()
        self._tls = TlsState(config.name)
        self._sessions = Sessions(
            name=config.name,
            is_tls=parts.scheme == "https",
            ca_path=config.ca_path,
            pool_size=config.pool_size,
        )

    def get_json(
        self, path: str, params: Mapping[str, Any] | None = None, *, deadline: Deadline | None = None, max_bytes: int = 8 * MIB
    ) -> Any:
        """A GET's JSON answer. Raises a SourceError; asks again on 429, 5xx and transport faults while the deadline allows."""
        question = _Question(method="GET", path=path, params=params, deadline=deadline, max_bytes=max_bytes)
        return parse_json(self._asked(question).body, self._what(question))

    def post_form_json(self, path: str, form: Mapping[str, Any], *, deadline: Deadline | None = None, max_bytes: int = 8 * MIB) -> Any:
        """Like `get_json` for a question too long for an address (PromQL): a form-encoded POST that changes nothing."""
        question = _Question(method="POST", path=path, data=form, deadline=deadline, max_bytes=max_bytes)
        return parse_json(self._asked(question).body, self._what(question))

    def get_tail(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        keep_bytes: int,
        max_bytes: int = 16 * MIB,
        deadline: Deadline | None = None,
    ) -> Tail:
        """The last `keep_bytes` of a text, streamed; reading stops at `max_bytes`. Errors and retries as `get_json`."""
        return self._asked(_Question(method="GET", path=path, params=params, deadline=deadline, max_bytes=max_bytes, keep_bytes=keep_bytes))

    def post(
        self,
        path: str = "",
        *,
        json_body: Any = None,
        form: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MIB,
    ) -> Response:
        """Send once, never again by itself; whatever status comes back is the answer. An empty path is the base address.

        ConnectionFailed for transport faults, with `maybe_received`; TooLarge for an answer over `max_bytes` (it was received).
        """
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        body = data if form is None else form
        return self._once(
            _Question(
                method="POST", path=path, data=body, json_body=json_body, headers=headers or {}, deadline=deadline, max_bytes=max_bytes
            )
        )

    def download(self, path: str, write: Callable[[bytes], object]) -> None:
        """POST, and hand a long answer on piece by piece. A SourceError when it is refused, or ends before its length is reached."""
        question = _Question(method="POST", path=path, max_bytes=MOST_DOWNLOADED_BYTES)
        token = self._token.value()
        with self._exchange(question, token, limit_s=DOWNLOAD_S) as reply:
            if reply.status_code != 200:
                raise self._refusal(reply, question, token)
            left = int(reply.headers.get("Content-Length", "0"))
            for chunk in self._chunks(reply, question):
                write(chunk)
                left -= len(chunk)
        if left > 0:
            raise Unreadable(f"{self._what(question)} ended {left} bytes too early")

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = None, max_bytes: int = MIB) -> Response:
        """Ask once; whatever status comes back is the answer (for probes that report the status itself). Errors as `post`."""
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        return self._once(_Question(method="GET", path=path, params=params, deadline=deadline, max_bytes=max_bytes))

    def delete(self, path: str, *, timeout_s: float | None = None, max_bytes: int = MIB) -> Response:
        """Delete once; whatever status comes back is the answer. Errors as `post`."""
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        return self._once(_Question(method="DELETE", path=path, deadline=deadline, max_bytes=max_bytes))

    def send(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json_body: Any = None, max_bytes: int = MIB
    ) -> Response:  # fmt: skip
        """One request of any method, sent once; whatever status comes back is the answer. Errors as `post`."""
        return self._once(_Question(method=method, path=path, params=params, json_body=json_body, max_bytes=max_bytes))

    @property
    def tls_problem(self) -> str:
        """Why TLS connections cannot be made at present, in one sentence; empty when nothing is known against them."""
        return self._tls.problem

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._sessions.close()

    # -- one idempotent question, asked until answered

    def _asked(self, question: _Question) -> Tail:
        try:
            tail = self._asked_again(question)
        except NotFound:
            self._count(OK if self.config.has_objects else FAILED)
            raise
        except Forbidden:  # Unauthenticated is one too
            self._count(REFUSED)
            raise
        except SourceError:
            self._count(FAILED)
            raise
        self._count(OK)
        return tail

    def _asked_again(self, question: _Question) -> Tail:
        for attempt in range(1, self.config.tries + 1):
            try:
                return self._ask_unless_broken(question)
            except SourceError as exc:
                wait_s = _wait_before_retry_s(exc, attempt)
                if not _may_pass_at_once(exc) or attempt == self.config.tries or question.left_s(wait_s + 1) <= wait_s:
                    raise
            self._sleep(wait_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask_unless_broken(self, question: _Question) -> Tail:
        if self._breaker.left_s() > 0:
            raise NotAsked(self._breaker.last_error, maybe_received=False)
        has_time = question.left_s(1.0) > 0
        try:
            tail = self._ask_with_fresh_token(question)
        except ConnectionFailed as exc:
            if exc.tls is not None:
                self._breaker.answered()
            elif has_time:
                self._breaker.failed(str(exc))
            raise
        except SourceError:
            self._breaker.answered()
            raise
        self._breaker.answered()
        return tail

    def _ask_with_fresh_token(self, question: _Question) -> Tail:
        token = self._token.value()
        try:
            return self._ask(question, token)
        except Unauthenticated:
            if not self._token.refresh(token):
                raise
        return self._ask(question, self._token.value())

    def _ask(self, question: _Question, token: str) -> Tail:
        with self._exchange(question, token) as reply:
            if reply.status_code != 200:
                raise self._refusal(reply, question, token)
            if question.keep_bytes is not None:
                return self._read_tail(reply, question, question.keep_bytes)
            body = self._read(reply, question)
            return Tail(body=body, total_bytes=len(body))

    # -- one exchange

    def _once(self, question: _Question) -> Response:
        with self._exchange(question, self._token.value()) as reply:
            body = self._read(reply, question)
            return Response(status=reply.status_code, headers=lower(reply.headers), body=body)

    @contextmanager
    def _exchange(self, question: _Question, token: str, *, limit_s: float | None = None) -> Iterator[requests.Response]:
        """An answer while it is read. All of it, from the look-up of the name to the end of the body, is one exchange.

        `limit_s`: that it may take; without, `read_timeout_s`.
        """
        limit_s = limit_s if limit_s is not None else self.config.read_timeout_s
        left_s = min(question.left_s(limit_s), limit_s)
        if left_s <= 0:
            raise ConnectionFailed(f"{self.config.name}: no time was left to ask", maybe_received=False)
        exchange = Exchange(Deadline(left_s), most_bytes=FRAMING_RATIO * question.max_bytes + MOST_HEADER_BYTES)
        with self._sessions.exchanges.bounded_by(exchange):
            try:
                with closing(self._send(question, token, left_s)) as reply:
                    yield reply
            except ConnectionFailed as exc:
                if exchange.is_flooded:
                    raise TooLarge(f"{self._what(question)} is larger than {question.max_bytes // KIB} KiB") from None
                exc.maybe_received = exc.maybe_received and exchange.has_sent
                raise

    def _send(self, question: _Question, token: str, left_s: float) -> requests.Response:
        headers = {**self.config.headers, **question.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        path = question.path
        session = self._session()
        try:
            reply = session.request(
                question.method,
                f"{self._base}/{path.lstrip('/')}" if path else self._base,
                params=question.params,
                data=question.data,
                json=question.json_body,
                headers=headers,
                timeout=(min(self.config.connect_timeout_s, left_s), left_s),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:  # some of urllib3's own slip through
            error = failure(self.config.name, self.origin, exc)
            if isinstance(error, ConnectionFailed) and error.tls is not None:
                self._tls.refused(str(error))
            raise error from None  # the other's text holds the whole address, which may be a secret
        self._tls.accepted()
        return reply

    def _session(self) -> requests.Session:
        try:
            return self._sessions.current()
        except ConnectionFailed as exc:
            self._tls.refused(str(exc))
            raise

    def _chunks(self, reply: requests.Response, question: _Question) -> Iterator[bytes]:
        try:
            for chunk in reply.iter_content(CHUNK_BYTES):
                if question.left_s(1.0) <= 0:
                    raise ConnectionFailed(f"{self.config.name} was still sending at the deadline", maybe_received=True)
                yield chunk
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            exchange = self._sessions.exchanges.current
            if exchange is not None and exchange.is_over:
                raise ConnectionFailed(f"{self.config.name} was still sending at the deadline", maybe_received=True) from None
            raise broken_off(self.config.name, exc) from None

    def _read(self, reply: requests.Response, question: _Question) -> bytes:
        body = bytearray()
        for chunk in self._chunks(reply, question):
            body += chunk
            if len(body) > question.max_bytes:
                raise TooLarge(f"{self._what(question)} is larger than {question.max_bytes // KIB} KiB")
        return bytes(body)

    def _read_tail(self, reply: requests.Response, question: _Question, keep_bytes: int) -> Tail:
        kept, total = bytearray(), 0
        for chunk in self._chunks(reply, question):
            total += len(chunk)
            kept += chunk
            if len(kept) > 2 * keep_bytes:
                del kept[:-keep_bytes]
            if total >= question.max_bytes:
                return Tail(body=bytes(kept[-keep_bytes:]), total_bytes=total, is_cut=True)
        return Tail(body=bytes(kept[-keep_bytes:]), total_bytes=total)

    def _refusal(self, reply: requests.Response, question: _Question, token: str) -> SourceError:
        try:
            text = said(self._read(reply, replace(question, max_bytes=64 * KIB)))
        except SourceError:
            text = ""
        if token:
            text = text.replace(token, "***")
        return refusal(self.config.name, reply.status_code, text, retry_after_s(lower(reply.headers)))

    def _what(self, question: _Question) -> str:
        # A POST's address may be a secret (incoming webhooks); a GET's never is.
        return f"the answer of {self.config.name}" + (f" to GET {question.path[:120]}" if question.method == "GET" else "")


def _may_pass_at_once(exc: SourceError) -> bool:
    """Whether the same question may be answered a moment later: a certificate is not renewed meanwhile."""
    return exc.retryable and not (isinstance(exc, ConnectionFailed) and (isinstance(exc, NotAsked) or exc.tls is not None))


def _wait_before_retry_s(exc: SourceError, attempt: int) -> float:
    if isinstance(exc, Throttled) and exc.retry_after_s is not None:
        return min(exc.retry_after_s, RETRY_AFTER_CAP_S)
    return float(0.2 * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311  jitter, not a secret
