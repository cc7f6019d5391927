"""Who looks at the pages, and the sessions of those who logged in: signed cookies, which any replica with the same tokens can read."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from itsdangerous import BadSignature, URLSafeSerializer

SESSION_S = 12 * 3600.0  # an on-call shift
READ, ACT = "read", "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who may see evidence. `csrf` goes into every form. `session_id`: of who logged in by the form; else empty."""

    role: str
    name: str = ""
    csrf: str = field(default="", repr=False)
    session_id: str = field(default="", repr=False)

    @property
    def may_act(self) -> bool:
        """Whether they may press something, too."""
        return self.role == ACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a cookie says. `until`: seconds since 1970."""

    id: str
    role: str
    until: float


class Sessions:
    """Makes and reads the cookies. `seed`: the tokens, so that a token that is changed ends all sessions; without any, one process's own."""

    def __init__(self, seed: str, *, clock: Callable[[], float]) -> None:
        # Slow on purpose: who stole a cookie cannot try tokens at the rate of a fast hash.
        salt = b"oomtriage pages"
        self._key = hashlib.scrypt(seed.encode(), salt=salt, n=2**14, r=8, p=1) if seed else secrets.token_bytes(32)
        self._signer = URLSafeSerializer(self._key, salt="session")
        self._clock = clock

    def begin(self, role: str) -> tuple[Session, str]:
        """A new session, and the cookie for it."""
        session = Session(id=secrets.token_urlsafe(18), role=role, until=round(self._clock() + SESSION_S))
        return session, str(self._signer.dumps([session.id, session.role, session.until]))

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is over, or none of ours."""
        try:
            session_id, role, until = self._signer.loads(cookie)
        except (BadSignature, ValueError, TypeError):
            return None
        if not isinstance(until, (int, float)) or role not in (READ, ACT) or self._clock() >= until:
            return None
        return Session(id=str(session_id), role=role, until=until)

    def csrf(self, about: str) -> str:
        """The word that a form of ours carries, for one session or one kind of visitor: a foreign page cannot know it."""
        return hmac.new(self._key, b"csrf:" + about.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:40]
