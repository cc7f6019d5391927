"""Who may see the pages and who may press something on them. Every route that shows evidence asks here, in its `before_request`.

How somebody comes in, in this order: a token as a bearer or as the password of basic auth; a cookie from the login form; a proxy
that logged them in (`TRUSTED_PROXIES`); or nothing at all, where there is no token and we listen on loopback only. ADMIN_TOKEN may act,
READ_TOKEN may read. What a form of ours sends carries `visitor.csrf`; scripts that send a bearer token need none.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from flask import Request, Response, g, request

from receiver.domain.addresses import is_loopback
from receiver.web.admin import foreign
from receiver.web.attempts import Attempts
from receiver.web.auth import Gate
from receiver.web.hosts import name_of
from receiver.web.visitor import ACT, READ, Session, Sessions, Visitor

NAME_MAX = 80
MAX_FORM_BYTES = 16 * 1024  # of what a page of ours sends
CSRF = "csrf"
COOKIE, SECURE_COOKIE = "oomtriage", "__Host-oomtriage"  # the second is set and sent over HTTPS only, by this host alone

CLOSED = "Set ADMIN_TOKEN: without one the pages are open on a loopback address only.\n"
WHO = "The pages show evidence: log in with any name and ADMIN_TOKEN as the password.\n"
ONLY_READS = "READ_TOKEN may look, and change nothing: use ADMIN_TOKEN.\n"
FOREIGN = "This form was not sent by a page of this session: open the page again, and press there.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntranceConfig:
    """`proxies`: whose `user_header` is believed, in lower case; `proxy_role`: what those may whom it names. `is_loopback`: nobody else
    reaches us. `is_http_allowed`: a login without HTTPS beyond loopback.
    """

    admin_token: str = field(default="", repr=False)
    read_token: str = field(default="", repr=False)
    is_loopback: bool = False
    public_url: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    user_header: str = ""
    proxy_role: str = ACT
    is_http_allowed: bool = False


class Entrance:
    """Decides who a request comes from. `is_ended`: whether a session, by its id, was logged out."""

    def __init__(
        self, config: EntranceConfig, *, clock: Callable[[], float], is_ended: Callable[[str], bool] = lambda session_id: False,
        attempts: Attempts | None = None,
    ) -> None:  # fmt: skip
        self.config = config
        self.sessions = Sessions("\0".join((config.admin_token, config.read_token)).strip("\0"), clock=clock)
        self.attempts = attempts or Attempts()
        of = ((config.admin_token, ACT), (config.read_token, READ))
        self._gates = tuple((Gate(token=token), role) for token, role in of if token)
        self._is_ended = is_ended

    @property
    def has_login(self) -> bool:
        """Whether there is a token to log in with."""
        return bool(self._gates)

    @property
    def is_open(self) -> bool:
        """Whether anybody can come in at all."""
        return self.has_login or self.config.is_loopback or bool(self.config.proxies)

    def role_of(self, token: str) -> str | None:
        """What the holder of a token may; None when it is none."""
        return next((role for gate, role in self._gates if gate.is_it(token)), None)

    def visitor(self, asked: Request) -> Visitor | None:
        """Who sends a request; None when that is nobody who may come in."""
        if asked.headers.get("Authorization"):
            return self._with_token(asked)
        session = self.session(asked)
        if session is not None:
            return Visitor(role=session.role, csrf=self.sessions.csrf(session.id), session_id=session.id)
        name = self._proxied(asked)
        if name:
            return Visitor(role=self.config.proxy_role, name=name, csrf=self.sessions.csrf(f"proxy:{name}"))
        if self.config.is_loopback and not self.has_login:
            return self._near()
        return None

    def session(self, asked: Request) -> Session | None:
        """The session of a request's cookie, as long as it lasts."""
        session = self.sessions.read(asked.cookies.get(SECURE_COOKIE) or asked.cookies.get(COOKIE) or "")
        return None if session is None or self._is_ended(session.id) else session

    def refusal(self, *, login: Callable[[], Response] | None = None) -> Response | None:
        """Why the request at hand is not answered; None when it is, with who sent it in `flask.g.visitor`.

        `login`: the page with the form, for people. Whatever is not GET must come from who may act, and from a page of ours.
        """
        if not self.is_open:
            return _text(CLOSED, 403)
        address = self.address(request)
        wait_s = self.attempts.wait_s(address) if request.headers.get("Authorization") else 0.0
        if wait_s:
            return _text("Too many wrong tokens from this address.\n", 429, {"Retry-After": str(int(wait_s) + 1)})
        g.visitor = visitor = self.visitor(request)
        if visitor is None:
            if request.headers.get("Authorization"):
                self.attempts.wrong(address)
            if login is not None and request.method == "GET" and self.has_login and request.accept_mimetypes.accept_html and _is_browser():
                return login()
            return _text(WHO, 401, {"WWW-Authenticate": 'Basic realm="oomtriage"'})
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        request.max_content_length = MAX_FORM_BYTES
        if not visitor.may_act:
            return _text(ONLY_READS, 403)
        if why := foreign(request):
            return _text(f"Nothing was changed: {why}.\n", 403)
        return None if self.is_own_form(visitor) else _text(FOREIGN, 403)

    def is_own_form(self, visitor: Visitor) -> bool:
        """Whether what was posted was sent by a page of ours, or by a script that named its token itself."""
        if request.headers.get("Authorization") and not ("Origin" in request.headers or "Sec-Fetch-Site" in request.headers):
            return True  # no browser: those say where a form comes from
        return hmac.compare_digest(request.form.get(CSRF, "").encode("utf-8", "replace"), visitor.csrf.encode())

    def address(self, asked: Request) -> str:
        """Where a request comes from: as a trusted proxy says, else whoever is connected."""
        peer = asked.remote_addr or ""
        said = asked.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return said if said and self._is_proxy(peer) else peer

    def is_secure(self, asked: Request) -> bool:
        """Whether the browser spoke HTTPS, as far as the way to us tells. Who lies about it gets a cookie that HTTPS alone sends back."""
        if asked.headers.get("X-Forwarded-Proto", asked.scheme).rpartition(",")[2].strip() == "https":
            return True
        return self.config.public_url.startswith("https://") and name_of(f"//{asked.host}") == name_of(self.config.public_url)

    def may_log_in(self, asked: Request) -> bool:
        """Whether a token may be typed into a form here: not over plain HTTP across a network, unless that is meant."""
        return self.is_secure(asked) or self.config.is_http_allowed or is_loopback(name_of(f"//{asked.host}"))

    def _with_token(self, asked: Request) -> Visitor | None:
        if self.config.is_loopback and not self.has_login:
            return self._near()
        role = next((role for gate, role in self._gates if gate.admits(asked)), None)
        return Visitor(role=role, csrf=self.sessions.csrf(f"token:{role}")) if role else None

    def _near(self) -> Visitor:
        return Visitor(role=ACT, csrf=self.sessions.csrf("loopback"))

    def _proxied(self, asked: Request) -> str:
        if not self.config.user_header or not self._is_proxy(asked.remote_addr or ""):
            return ""
        return "".join(c for c in asked.headers.get(self.config.user_header, "") if c.isprintable())[:NAME_MAX].strip()

    def _is_proxy(self, address: str) -> bool:
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in network for network in self.config.proxies)


def _is_browser() -> bool:
    """Curl and scripts accept anything; a browser asks for HTML by name."""
    return "text/html" in request.headers.get("Accept", "")


def _text(said: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(said, status, mimetype="text/plain", headers=headers)
