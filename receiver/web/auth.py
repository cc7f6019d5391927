"""Who may post alerts, and who may see evidence. Tokens are compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from flask import Request

from receiver.domain.addresses import is_loopback

WRONG_TOKEN = "wrong or missing token: send WEBHOOK_TOKEN as a bearer token or as the password of basic auth"  # noqa: S105  a sentence
LOCAL = "X-Oomtriage-Local"
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

    def is_it(self, typed: str) -> bool:
        """Whether that is the token, typed into a form."""
        return bool(self.token) and hmac.compare_digest(typed.encode("utf-8", "replace"), self.token.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminGate:
    """Lets in who has ADMIN_TOKEN, anybody on loopback, and commands of our own user on this host.

    `is_open` False: no token is set and others can reach us. `local_word`: of those commands, in the header LOCAL; empty for none.
    """

    gate: Gate
    is_open: bool
    local_word: str = field(default="", repr=False)

    def refusal(self, request: Request) -> tuple[str, int] | None:
        """Why a request is not let in, and its status; None when it is."""
        if _is_local(request, self.local_word):
            return None
        if not self.is_open:
            return "set ADMIN_TOKEN: without one this is open on a loopback address only", 403
        return None if self.gate.admits(request) else ("wrong or missing ADMIN_TOKEN", 401)


def _is_local(request: Request, word: str) -> bool:
    """Whether a command of our own user on this host asks: `receiver/app/local_pass.py`."""
    given = request.headers.get(LOCAL, "").encode("latin-1", "replace")
    return bool(word) and is_loopback(request.remote_addr or "") and hmac.compare_digest(given, word.encode())


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
