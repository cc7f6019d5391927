"""Who may post alerts, and who may see evidence. Tokens are compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from flask import Request

WRONG_TOKEN = "wrong or missing token: send WEBHOOK_TOKEN as a bearer token or as the password of basic auth"  # noqa: S105  a sentence
CHALLENGE = 'Bearer realm="oomtriage", Basic realm="oomtriage"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets a request in that carries `token` as a bearer, or as the password of basic auth. No token: everybody."""

    token: str = field(repr=False)

    def admits(self, request: Request) -> bool:
        """Whether the request carries the token."""
        return self.admits_header(request.headers.get("Authorization", ""))

    def admits_header(self, authorization: str) -> bool:
        """Whether the header `Authorization`, as WSGI has it, carries the token."""
        return not self.token or hmac.compare_digest(_credential(authorization), self.token.encode())


def _credential(header: str) -> bytes:
    # WSGI hands bytes over as Latin-1; what a client sent for a token beyond ASCII is its UTF-8.
    scheme, _, rest = header.encode("latin-1", "replace").partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
