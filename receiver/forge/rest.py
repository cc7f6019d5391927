"""One REST interface of a forge: a request sent once, and its refusals told apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from receiver.domain.units import MIB
from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, TooLarge, Unavailable, Unreadable
from receiver.forge.base import MOST_FILES, Moved
from receiver.transport import Http, HttpConfig, Response, Unauthenticated
from receiver.transport.reply import said

PER_PAGE = 100
SECONDARY_WAIT_S = 60.0  # a limit that names no time: at least a minute, says GitHub
LONGEST_WAIT_S = 3600.0
MOST_TREE_BYTES = 16 * MIB
LIMIT = re.compile(rb"rate[ -]limit", re.IGNORECASE)  # GitHub's secondary limit has no header and no code of its own


class Rest:
    """Requests to one forge. Nothing is sent twice: whoever got no answer looks first."""

    def __init__(self, config: HttpConfig, *, clock: Callable[[], float] = time.time) -> None:
        self._http = Http(config)
        self._name = config.name
        self._clock = clock

    def ask(self, path: str, params: Mapping[str, Any] | None = None, *, max_bytes: int = 4 * MIB) -> Any:
        """A GET's JSON."""
        return self._checked("GET", path, self._http.send("GET", path, params=params, max_bytes=max_bytes)).json()

    def ask_raw(self, path: str, *, max_bytes: int) -> bytes:
        """A GET's bytes."""
        return self._checked("GET", path, self._http.send("GET", path, max_bytes=max_bytes)).body

    def find(self, path: str) -> Any:
        """A GET's JSON; None for a 404."""
        try:
            return self.ask(path)
        except NotFound:
            return None

    def pages(self, path: str, params: Mapping[str, Any], *, most: int) -> Iterator[Any]:
        """The entries of a list over its pages, `most` pages at most."""
        for page in range(1, most + 1):
            entries = self.ask(path, {**params, "per_page": PER_PAGE, "page": page})
            if not isinstance(entries, list):
                raise Unreadable(f"{self._name} answered a list not as a list; is the address right?")
            yield from (e for e in entries if isinstance(e, Mapping))
            if len(entries) < PER_PAGE:
                return

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request that changes something; the object that it answers."""
        document = self._checked(method, path, self._http.send(method, path, json_body=dict(body))).json()
        if not isinstance(document, Mapping):
            raise Unreadable(f"{self._name} answered not with an object; is the address right?")
        return document

    def _checked(self, method: str, path: str, answer: Response) -> Response:
        if 200 <= answer.status < 300:
            return answer
        raise self._error(method, path, answer)

    def _error(self, method: str, path: str, answer: Response) -> SourceError:
        words = said(answer.body)
        error = self._kind(answer)(f"{self._name} answered {answer.status} to {method} {path[:120]}" + (f": {words}" if words else ""))
        error.said = words
        if isinstance(error, Throttled):
            error.retry_after_s = self._wait_s(answer)
        return error

    def _kind(self, answer: Response) -> type[SourceError]:
        match answer.status:
            case 401:
                return Unauthenticated
            case 403 if self._is_limit(answer):
                return Throttled
            case 403:
                return Forbidden
            case 404:
                return NotFound
            case 409:
                return Moved
            case 429:
                return Throttled
            case status if 300 <= status < 400:
                return Rejected  # never followed: the token would go along
            case status if status >= 500:
                return Unavailable
        return Moved if b"already exists" in answer.body else Rejected

    @staticmethod
    def _is_limit(answer: Response) -> bool:
        """Whether a 403 is a rate limit, which passes, and no missing permission."""
        return (
            "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0" or LIMIT.search(answer.body) is not None
        )

    def _wait_s(self, answer: Response) -> float:
        if answer.retry_after_s is not None:
            return min(answer.retry_after_s, LONGEST_WAIT_S)
        reset = answer.headers.get("x-ratelimit-reset") or answer.headers.get("ratelimit-reset") or ""
        if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
            return min(max(float(reset) - self._clock(), 1.0), LONGEST_WAIT_S)
        return SECONDARY_WAIT_S


def too_many(name: str) -> TooLarge:
    """More files than are read."""
    return TooLarge(f"{name} has more than {MOST_FILES} manifests and values below this path: set a narrower gitops path")
