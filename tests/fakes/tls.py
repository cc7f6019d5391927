"""Any stand-in over HTTPS, with the certificates of tests/fixtures/tls (make.sh says what each of them lacks)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.places import FIXTURES

TLS = FIXTURES / "tls"
PLAIN_CA = str(TLS / "plain-ca.crt")  # without keyUsage and key identifiers, its basicConstraints not critical
OTHER_CA = str(TLS / "other.crt")


@contextmanager
def over_tls(standin: Any, certificate: str) -> Iterator[str]:
    """Its https:// address while it runs with this certificate of tests/fixtures/tls."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{certificate}.crt", TLS / "server.key")
    with standin as running:
        running._server.socket = context.wrap_socket(running._server.socket, server_side=True)
        yield running.url.replace("http://", "https://")
