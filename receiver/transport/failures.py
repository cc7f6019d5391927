"""What can go wrong between a question and its answer, classified once. Above this nobody looks at status codes or at
exceptions of the HTTP library.
"""

from __future__ import annotations

from collections.abc import Iterator

import requests
import urllib3

from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable


class ConnectionFailed(Unavailable):
    """No HTTP answer. `maybe_received` is False only when the request surely never left: then it is safe to send again."""

    def __init__(self, message: str, *, maybe_received: bool) -> None:
        super().__init__(message)
        self.maybe_received = maybe_received


class NotAsked(ConnectionFailed):
    """The service did not answer at all lately, so it was not asked (see `Breaker`). Says what was met then."""


class Unauthenticated(Forbidden):
    """401: the token itself was refused (403 means the token is fine and a permission is missing)."""


def refusal(name: str, status: int, said: str, retry_after_s: float | None) -> SourceError:
    """An answer that is not 200, as an error. `said`: what its body says, cleaned and without secrets."""
    text = f"{name} answered {status}" + (f": {said}" if said else "")
    match status:
        case 401:
            return Unauthenticated(text)
        case 403:
            return Forbidden(text)
        case 404:
            return NotFound(text)
        case 429:
            return Throttled(text, retry_after_s=retry_after_s)
        case 408:
            return Unavailable(text)
        case _ if status >= 500:
            return Unavailable(text)
        case _ if 300 <= status < 400:
            return Rejected(f"{name} answered {status}: it redirects; set the address it redirects to")
    return Rejected(text)


def failure(name: str, origin: str, exc: Exception) -> SourceError:
    """An exchange without an HTTP answer, as an error. `origin`: scheme, host and port, which may be told."""
    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return ConnectionFailed(f"{name} at {origin} did not accept a connection in time", maybe_received=False)
    if isinstance(exc, (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)):
        return ConnectionFailed(f"{name} did not answer in time", maybe_received=True)
    if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader)):
        return Rejected(f"{name}: its address or a header is malformed ({type(exc).__name__})")
    causes = tuple(_causes(exc))
    if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
        return ConnectionFailed(f"the name of {name} does not resolve ({origin})", maybe_received=False)
    if any(isinstance(c, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProxyError)) for c in causes):
        return ConnectionFailed(f"{name} cannot be reached at {origin}: {_os_reason(causes)}", maybe_received=False)
    if isinstance(exc, requests.exceptions.SSLError):
        is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(exc)
        why = "its certificate is not trusted (set the CA file)" if is_certificate else "TLS failed"
        return ConnectionFailed(f"{name} at {origin}: {why}", maybe_received=not is_certificate)
    return ConnectionFailed(f"{name} broke the connection ({root_name(exc)})", maybe_received=True)


def root_name(exc: BaseException) -> str:
    """The class of what lies at the bottom."""
    return type([*_causes(exc)][-1]).__name__


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
