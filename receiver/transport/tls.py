"""TLS to servers: what their certificates must satisfy, and what was wrong when they do not."""

from __future__ import annotations

import logging
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from receiver.transport.exchange import Exchanges
from receiver.transport.sockets import BoundedAdapter, BoundedTlsSocket

log = logging.getLogger(__name__)


class TlsProblem(StrEnum):
    """What went wrong, as far as somebody can do something about it."""

    UNKNOWN_CA = "unknown_ca"
    DATES = "dates"  # expired, or not valid yet
    NAME = "name"  # of another host
    CERTIFICATE = "certificate"  # any other fault of it
    CA_FILE = "ca_file"  # the authorities cannot be read, so nobody was asked
    HANDSHAKE = "handshake"  # no certificate was refused: no TLS at that port, no common version, a client certificate wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFault:
    """A connection that TLS refused. `reason`: OpenSSL's own words for it, such as `certificate has expired`."""

    problem: TlsProblem
    reason: str


# OpenSSL's X509_V_ERR_*, include/openssl/x509_vfy.h.
_PROBLEM_BY_CODE = {
    2: TlsProblem.UNKNOWN_CA, 18: TlsProblem.UNKNOWN_CA, 19: TlsProblem.UNKNOWN_CA, 20: TlsProblem.UNKNOWN_CA, 21: TlsProblem.UNKNOWN_CA,
    9: TlsProblem.DATES, 10: TlsProblem.DATES, 62: TlsProblem.NAME, 64: TlsProblem.NAME,
}  # fmt: skip


def client_context(ca_path: str = "") -> ssl.SSLContext:
    """What checks chain, dates and host name, against the authorities in `ca_path` or else the public ones.

    As Go's clients do it, kubectl among them, and the same on every Python: what is in the file is trusted, intermediate
    authorities too, and no authority needs keyUsage or key identifiers, which those of old EKS and GKE clusters, of MicroK8s
    and of many companies lack. `ssl.create_default_context` asks for them from Python 3.13 on (VERIFY_X509_STRICT), and would
    read SSLKEYLOGFILE. OSError when the file cannot be read, ssl.SSLError (one of them) when it holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks the host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.sslsocket_class = BoundedTlsSocket
    context.load_verify_locations(cafile=ca_path or DEFAULT_CA_BUNDLE_PATH)
    return context


def authorities(ca_path: str) -> tuple[tuple[str, datetime], ...]:
    """The authorities in a file: each name, and when its certificate ends. OSError as `client_context`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca_path)
    return tuple(
        (_name_of(found.get("subject")), datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC))
        for found in context.get_ca_certs()
    )


def _name_of(subject: Any) -> str:
    """The most telling part of a name as the standard library tells it: pairs inside tuples."""
    parts = {str(pair[0]): str(pair[1]) for group in subject or () for pair in group}
    return parts.get("commonName") or parts.get("organizationName") or "without a name"


class TlsAdapter(BoundedAdapter):
    """Speaks HTTPS with one context and nothing beside it."""

    def __init__(self, context: ssl.SSLContext, exchanges: Exchanges | None = None, **pool: Any) -> None:
        self._context = context
        super().__init__(exchanges or Exchanges(), **pool)

    def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, verify: Any, cert: Any = None) -> Any:
        """What a connection is made with: our context in the place of certificate files."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the context has its authorities already, and requests would add the public ones to them."""


class TlsState:
    """What keeps TLS connections to one service from being made: logged once when it begins, changes and ends."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._problem = ""

    @property
    def problem(self) -> str:
        """The last refusal in one sentence; empty when the last connection was made."""
        return self._problem

    def refused(self, why: str) -> None:
        """A connection was refused, or the authorities cannot be read."""
        if self._is_new(why):
            log.warning("TLS fails", extra={"service": self._name, "error": why})

    def accepted(self) -> None:
        """The service answered."""
        if self._problem and self._is_new(""):
            log.info("TLS works again", extra={"service": self._name})

    def _is_new(self, problem: str) -> bool:
        with self._lock:
            before, self._problem = self._problem, problem
            return before != problem


def tls_fault(error: ssl.SSLError) -> TlsFault:
    """What OpenSSL met."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = _PROBLEM_BY_CODE.get(error.verify_code, TlsProblem.CERTIFICATE)
        return TlsFault(problem=problem, reason=error.verify_message.strip().rstrip("."))
    return TlsFault(problem=TlsProblem.HANDSHAKE, reason=reason_of(error))


def reason_of(error: OSError) -> str:
    """OpenSSL's words (`wrong version number`), else the system's for its number, else the error's class."""
    if isinstance(error, ssl.SSLError) and isinstance(error.reason, str):
        return error.reason.replace("_", " ").lower()
    return (error.strerror or type(error).__name__).lower()
