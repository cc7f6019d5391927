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
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode())


def _credential(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "surrogateescape")
        except (binascii.Error, ValueError):
            return ""
        return decoded.partition(":")[2]
    return ""
