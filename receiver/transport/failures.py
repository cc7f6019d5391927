"""What can go wrong between a question and its answer, classified once. Above this nobody looks at status codes or at
exceptions of the HTTP library.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

import requests
import urllib3

from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable
from receiver.transport.tls import TlsFault, TlsProblem, tls_fault


class Unreached(StrEnum):
    """At which step an exchange ended without an answer, as far as the next step of whoever mends it depends on that."""

    NAME = "name"  # the host's name does not resolve
    CONNECTION = "connection"  # refused, or no way there
    TIME = "time"  # no connection, or no answer, in time
    BROKEN = "broken"  # the connection ended, or nothing more is known


class ConnectionFailed(Unavailable):
    """No HTTP answer. `maybe_received` is False only when the request surely never left: then it is safe to send again."""

    def __init__(self, message: str, *, maybe_received: bool, tls: TlsFault | None = None, at: Unreached = Unreached.BROKEN) -> None:
        """`tls`: what TLS refused, where it was that. `at`: how far it came."""
        super().__init__(message)
        self.maybe_received = maybe_received
        self.tls = tls
        self.at = at


class NotAsked(ConnectionFailed):
    """The service did not answer at all lately, so it was not asked (see `Breaker`). Says what was met then."""


class Unauthenticated(Forbidden):
    """401: the token itself was refused (403 means the token is fine and a permission is missing)."""


def refusal(name: str, status: int, said: str, retry_after_s: float | None) -> SourceError:
    """An answer that is not 200, as an error. `said`: what its body says, cleaned and without secrets."""
    error = _refusal(name, status, said, retry_after_s)
    error.said = said
    return error


def _refusal(name: str, status: int, said: str, retry_after_s: float | None) -> SourceError:
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
        return ConnectionFailed(f"{name} at {origin} did not accept a connection in time", maybe_received=False, at=Unreached.TIME)
    if isinstance(exc, (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)):
        return ConnectionFailed(f"{name} did not answer in time", maybe_received=True, at=Unreached.TIME)
    if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader)):
        return Rejected(f"{name}: its address or a header is malformed ({type(exc).__name__})")
    causes = tuple(_causes(exc))
    if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
        return ConnectionFailed(f"the name of {name} does not resolve ({origin})", maybe_received=False, at=Unreached.NAME)
    if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
        text = f"{name} cannot be reached at {origin}: {_os_reason(causes)}"
        return ConnectionFailed(text, maybe_received=False, at=Unreached.CONNECTION)
    error = _tls_error(causes)
    if error is not None:
        return _tls_failed(name, origin, tls_fault(error))
    return ConnectionFailed(f"{name} broke the connection ({_root_name(causes)})", maybe_received=True)


def at_connecting(name: str, origin: str, exc: OSError) -> ConnectionFailed:
    """A connection of ours that was not made: the name, the way there, TLS, or no time left. As `failure` says it for HTTP."""
    if isinstance(exc, ssl.SSLError):
        return _tls_failed(name, origin, tls_fault(exc))
    if isinstance(exc, socket.gaierror):
        return ConnectionFailed(f"the name of {name} does not resolve ({origin})", maybe_received=False, at=Unreached.NAME)
    if isinstance(exc, TimeoutError):
        return ConnectionFailed(f"{name} at {origin} did not accept a connection in time", maybe_received=False, at=Unreached.TIME)
    text = f"{name} cannot be reached at {origin}: {_os_reason((exc,))}"
    return ConnectionFailed(text, maybe_received=False, at=Unreached.CONNECTION)


def broken_off(name: str, exc: Exception) -> ConnectionFailed:
    """An answer that ended before its end."""
    causes = tuple(_causes(exc))
    error = _tls_error(causes)
    why = f"TLS: {tls_fault(error).reason}" if error is not None else _root_name(causes)
    return ConnectionFailed(f"{name} broke off its answer ({why})", maybe_received=True)


def _tls_failed(name: str, origin: str, fault: TlsFault) -> ConnectionFailed:
    is_certificate = fault.problem is not TlsProblem.HANDSHAKE
    what = f"the certificate of {name} at {origin} is not trusted" if is_certificate else f"TLS with {name} at {origin} failed"
    return ConnectionFailed(f"{what}: {fault.reason}", maybe_received=not is_certificate, tls=fault)


def _tls_error(causes: tuple[BaseException, ...]) -> ssl.SSLError | None:
    return next((c for c in causes if isinstance(c, ssl.SSLError)), None)


def _root_name(causes: tuple[BaseException, ...]) -> str:
    """The class of what lies at the bottom."""
    return type(causes[-1]).__name__


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
