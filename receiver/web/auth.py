"""Who may post alerts, and who may see evidence. Tokens are compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from flask import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets a request in that carries `token` as a bearer, or as the password of basic auth. No token: everybody."""

    token: str

    def admits(self, request: Request) -> bool:
        """Whether the request carries the token."""
        if not self.token:
            return True
        given = _credential(request.headers.get("Authorization", ""))
        return hmac.compare_digest(given, self.token.encode())


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
