"""The one HTTP layer: every request this program makes goes through `Http`.

Answers: how to ask one service (Kubernetes, Prometheus, Alertmanager, Slack) with bounded time, bounded bytes and one
classification of what can go wrong. Leaves to its callers what the answers mean. Nothing here follows a redirect, reads
the environment (a CA bundle or proxy meant for something else would break TLS to the cluster), or puts a token, a path of
a secret URL or a foreign body at full length into an error.
"""

from __future__ import annotations

import json
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable, Unreadable

MIB = 1024**2
TOKEN_MAX_AGE_S = 60.0  # the kubelet replaces a projected token at 80 % of its life (an hour by default)
RETRY_AFTER_CAP_S = 5.0  # API Priority & Fairness asks for 1 s; more than this and the incident's deadline is gone
MESSAGE_MAX = 256  # characters of a foreign error body: enough for a Status message, too little to flood a log
CHUNK_BYTES = 16 * 1024
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
BREAKER_FAILURES = 3
BREAKER_OPEN_S = 10.0


class ConnectionFailed(Unavailable):
    """No HTTP answer. `maybe_received` is False only when the request surely never left: then it is safe to send again."""

    def __init__(self, message: str, *, maybe_received: bool) -> None:
        super().__init__(message)
        self.maybe_received = maybe_received


class NotAsked(ConnectionFailed):
    """The service did not answer at all lately, so it was not asked (see `Breaker`). Says what was met then."""


class Unauthenticated(Forbidden):
    """401: the token itself was refused (403 means the token is fine and a permission is missing)."""


class Deadline:
    """A moment that several requests share. `left_s` never goes below 0."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._at - self._clock())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.left_s() <= 0.0


class Breaker:
    """Stops asking a service that does not answer at all, so that a storm of incidents does not wait for it one by one.

    Opens after BREAKER_FAILURES exchanges in a row without any HTTP answer, for BREAKER_OPEN_S; then one question is let
    through to see. An HTTP answer of any status means that the service is there.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self.last_error = ""  # what the exchange that opened it met

    def left_s(self) -> float:
        """Seconds for which nothing is asked; 0 when the caller may ask (and is the one who tries, after an opening)."""
        with self._lock:
            if self._failures < BREAKER_FAILURES:
                return 0.0
            left_s = self._open_until - self._clock()
            if left_s <= 0:
                self._open_until = self._clock() + BREAKER_OPEN_S  # the others wait for what this one finds
            return max(0.0, left_s)

    def answered(self) -> None:
        """The service is there."""
        with self._lock:
            self._failures = 0

    def failed(self, error: str = "") -> None:
        """No HTTP answer came, for this reason."""
        with self._lock:
            self._failures += 1
            self.last_error = error
            self._open_until = self._clock() + BREAKER_OPEN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How to reach one service.

    `name`: what errors call it ("the Kubernetes API"). `token` and `token_path` become a bearer header; the file wins and is
    read again. `headers` may hold secrets too. `ca_path`: a CA file to trust instead of the system's. `proxy_url`: an
    explicit proxy; proxies from the environment are not used. `tries`: attempts of one idempotent question, 1 for none more.
    """

    base_url: str = field(repr=False)
    name: str
    token: str = field(default="", repr=False)
    token_path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_path: str = ""
    proxy_url: str = field(default="", repr=False)
    connect_timeout_s: float = 3.05
    read_timeout_s: float = 10.0
    pool_size: int = 64  # eight incidents at once ask several things each; a fuller pool throws connections away
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A raw answer of whatever status, for callers that judge it themselves. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Unreadable when it is none."""
        return parse_json(self.body, "the answer")

    @property
    def retry_after_s(self) -> float | None:
        """The Retry-After header in seconds, when it is a number."""
        return _retry_after(self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The last bytes of a streamed text. `total_bytes` is what was read; `is_cut`: the stream was longer than was read."""

    body: bytes
    total_bytes: int
    is_cut: bool = False


class Token:
    """A bearer token: fixed, or in a file that is read again after a minute and after a 401."""

    def __init__(self, value: str = "", path: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._value = value.strip()
        self._read_at: float | None = None

    def value(self) -> str:
        """The token to send now; empty for none. Forbidden when its file cannot be read and none was read before."""
        with self._lock:
            if self._path and (self._read_at is None or self._clock() - self._read_at >= TOKEN_MAX_AGE_S):
                self._read()
            return self._value

    def refresh(self, refused: str) -> bool:
        """Read the file again because `refused` was answered 401. True when there is another token now."""
        with self._lock:
            if self._path and self._value == refused:
                self._read()
            return self._value != refused

    def _read(self) -> None:
        try:
            self._value = Path(self._path).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as exc:
            if not self._value:
                raise Unauthenticated(f"the token file {self._path} cannot be read: {type(exc).__name__}") from exc
        self._read_at = self._clock()


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

    def __init__(self, config: HttpConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.config = config
        parts = urlsplit(config.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the address of {config.name} must begin with http:// or https:// and name a host")
        self.origin = f"{parts.scheme}://{parts.hostname if ':' not in parts.hostname else f'[{parts.hostname}]'}" + (
            f":{parts.port}" if parts.port else ""
        )
        self._base = config.base_url.rstrip("/")
        self._token = Token(config.token, config.token_path)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._breaker = Breaker()
        self._session: requests.Session | None = None
        self._session_key: tuple[int, float] | None = None

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

        ConnectionFailed for transport faults, with `maybe_received`; Unreadable for an answer over `max_bytes` (it was received).
        """
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        body = data if form is None else form
        return self._once(
            _Question(
                method="POST", path=path, data=body, json_body=json_body, headers=headers or {}, deadline=deadline, max_bytes=max_bytes
            )
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, timeout_s: float | None = None, max_bytes: int = MIB) -> Response:
        """Ask once; whatever status comes back is the answer (for probes that report the status itself). Errors as `post`."""
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        return self._once(_Question(method="GET", path=path, params=params, deadline=deadline, max_bytes=max_bytes))

    def delete(self, path: str, *, timeout_s: float | None = None, max_bytes: int = MIB) -> Response:
        """Delete once; whatever status comes back is the answer. Errors as `post`."""
        deadline = Deadline(timeout_s) if timeout_s is not None else None
        return self._once(_Question(method="DELETE", path=path, deadline=deadline, max_bytes=max_bytes))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = self._session_key = None

    # -- one idempotent question, asked until answered

    def _asked(self, question: _Question) -> Tail:
        for attempt in range(1, self.config.tries + 1):
            try:
                return self._ask_unless_broken(question)
            except SourceError as exc:
                wait_s = _wait_before_retry_s(exc, attempt)
                if isinstance(exc, NotAsked) or not exc.retryable or attempt == self.config.tries or question.left_s(wait_s + 1) <= wait_s:
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
            if has_time:
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
        with closing(self._send(question, token)) as reply:
            if reply.status_code != 200:
                raise self._refusal(reply, question, token)
            if question.keep_bytes is not None:
                return self._read_tail(reply, question, question.keep_bytes)
            body = self._read(reply, question)
            return Tail(body=body, total_bytes=len(body))

    # -- one exchange

    def _once(self, question: _Question) -> Response:
        with closing(self._send(question, self._token.value())) as reply:
            body = self._read(reply, question)
            return Response(status=reply.status_code, headers=_lower(reply.headers), body=body)

    def _send(self, question: _Question, token: str) -> requests.Response:
        left_s = question.left_s(self.config.read_timeout_s)
        if left_s <= 0:
            raise ConnectionFailed(f"{self.config.name}: no time was left to ask", maybe_received=False)
        headers = {**self.config.headers, **question.headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        path = question.path
        try:
            return self._connected().request(
                question.method,
                f"{self._base}/{path.lstrip('/')}" if path else self._base,
                params=question.params,
                data=question.data,
                json=question.json_body,
                headers=headers,
                timeout=(min(self.config.connect_timeout_s, left_s), min(self.config.read_timeout_s, left_s)),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:  # some of urllib3's own slip through
            raise self._failure(exc) from None  # its text holds the whole address, which may be a secret

    def _chunks(self, reply: requests.Response, question: _Question) -> Iterator[bytes]:
        try:
            for chunk in reply.iter_content(CHUNK_BYTES):
                if question.left_s(1.0) <= 0:
                    raise ConnectionFailed(f"{self.config.name} was still sending at the deadline", maybe_received=True)
                yield chunk
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            raise ConnectionFailed(f"{self.config.name} broke off its answer ({_root_name(exc)})", maybe_received=True) from None

    def _read(self, reply: requests.Response, question: _Question) -> bytes:
        body = bytearray()
        for chunk in self._chunks(reply, question):
            body += chunk
            if len(body) > question.max_bytes:
                raise Unreadable(f"{self._what(question)} is larger than {question.max_bytes // 1024} KiB")
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

    # -- what went wrong, said once

    def _refusal(self, reply: requests.Response, question: _Question, token: str) -> SourceError:
        status = reply.status_code
        try:
            said = _message(self._read(reply, replace(question, max_bytes=64 * 1024)))
        except SourceError:
            said = ""
        if token:
            said = said.replace(token, "***")
        text = f"{self.config.name} answered {status}" + (f": {said}" if said else "")
        if status == 401:
            return Unauthenticated(text)
        if status == 403:
            return Forbidden(text)
        if status == 404:
            return NotFound(text)
        if status == 429:
            return Throttled(text, retry_after_s=_retry_after(_lower(reply.headers)))
        if status >= 500 or status == 408:
            return Unavailable(text)
        if 300 <= status < 400:
            return Rejected(f"{self.config.name} answered {status}: it redirects; set the address it redirects to")
        return Rejected(text)

    def _failure(self, exc: Exception) -> SourceError:
        name = self.config.name
        if isinstance(exc, requests.exceptions.ConnectTimeout):
            return ConnectionFailed(f"{name} at {self.origin} did not accept a connection in time", maybe_received=False)
        if isinstance(exc, (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)):
            return ConnectionFailed(f"{name} did not answer in time", maybe_received=True)
        if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader)):
            return Rejected(f"{name}: its address or a header is malformed ({type(exc).__name__})")
        causes = tuple(_causes(exc))
        if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
            return ConnectionFailed(f"the name of {name} does not resolve ({self.origin})", maybe_received=False)
        if any(isinstance(c, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProxyError)) for c in causes):
            return ConnectionFailed(f"{name} cannot be reached at {self.origin}: {_os_reason(causes)}", maybe_received=False)
        if isinstance(exc, requests.exceptions.SSLError):
            is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(exc)
            why = "its certificate is not trusted (set the CA file)" if is_certificate else "TLS failed"
            return ConnectionFailed(f"{name} at {self.origin}: {why}", maybe_received=not is_certificate)
        return ConnectionFailed(f"{name} broke the connection ({_root_name(exc)})", maybe_received=True)

    def _what(self, question: _Question) -> str:
        # A POST's address may be a secret (incoming webhooks); a GET's never is.
        return f"the answer of {self.config.name}" + (f" to GET {question.path[:120]}" if question.method == "GET" else "")

    # -- the session: per process (connections must not cross a fork) and per state of the CA file

    def _connected(self) -> requests.Session:
        key = (os.getpid(), self._ca_changed_at())
        with self._lock:
            if self._session is None or self._session_key != key:
                self._session = self._new_session()
                self._session_key = key
            return self._session

    def _ca_changed_at(self) -> float:
        if not self.config.ca_path:
            return 0.0
        try:
            return Path(self.config.ca_path).stat().st_mtime
        except OSError as exc:
            raise Rejected(f"{self.config.name}: the CA file {self.config.ca_path} cannot be read: {type(exc).__name__}") from exc

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": "oomtriage", "Accept": "*/*"})
        if self.config.ca_path:
            session.verify = self.config.ca_path
        if self.config.proxy_url:
            session.proxies = {"http": self.config.proxy_url, "https": self.config.proxy_url}
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=self.config.pool_size, max_retries=0)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session


def parse_json(body: bytes, what: str) -> Any:
    """Bytes as JSON. Unreadable, saying what was read, when they are none."""
    if not body.strip():
        raise Unreadable(f"{what} is empty")
    try:
        document = json.loads(body)
        if _LONE_SURROGATE.search(body):  # half a character: it could be read, but never be written again as UTF-8
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        return document
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} is not JSON: it begins with {_clean(body[:40].decode('utf-8', 'replace'))!r}") from None


def _wait_before_retry_s(exc: SourceError, attempt: int) -> float:
    if isinstance(exc, Throttled) and exc.retry_after_s is not None:
        return min(exc.retry_after_s, RETRY_AFTER_CAP_S)
    return float(0.2 * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311  jitter, not a secret


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None


def _message(body: bytes) -> str:
    """What an error body says: a Kubernetes Status's message, Prometheus' errorType and error, else its text."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _clean(body[: 4 * MESSAGE_MAX].decode("utf-8", "replace"))
    if isinstance(document, dict):
        for key in ("message", "error"):
            if isinstance(document.get(key), str) and document[key]:
                return _clean(document[key])
    return _clean(json.dumps(document))


def _clean(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:MESSAGE_MAX]


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and what lies under it: urllib3 wraps the reason in `args` or `reason`, not always in `__cause__`."""
    seen: set[int] = set()
    todo: list[object] = [exc]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]


def _os_reason(causes: tuple[BaseException, ...]) -> str:
    found = next((c for c in causes if isinstance(c, OSError) and c.strerror and not isinstance(c, requests.RequestException)), None)
    return str(found.strerror).lower() if found is not None else "no connection"


def _root_name(exc: BaseException) -> str:
    return type([*_causes(exc)][-1]).__name__


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {k.lower(): v for k, v in headers.items()}
