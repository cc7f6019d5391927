"""/login and /logout: a token for a cookie, and back."""

from __future__ import annotations

from urllib.parse import urlsplit

import jinja2
from flask import Blueprint, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from receiver.errors import StoreError
from receiver.store import ended_sessions
from receiver.store.store import Store
from receiver.web.entrance import COOKIE, SECURE_COOKIE, Entrance
from receiver.web.html import page
from receiver.web.visitor import SESSION_S

TOKEN_MAX, PATH_MAX = 4096, 2000


def login_page(environment: jinja2.Environment, entrance: Entrance, *, to: str, said: str = "", status: int = 401) -> Response:
    """The form. `to`: where its reader wanted to go. `said`: what became of the last try: `wrong`, `often`, `old`; empty for none."""
    return page(environment, "login.html.j2", status=status, next=own_path(to), said=said, may_log_in=entrance.may_log_in(request))


def login_routes(environment: jinja2.Environment, entrance: Entrance, store: Store) -> Blueprint:
    """The blueprint with /login and /logout."""
    routes = Blueprint("login", __name__)

    @routes.get("/login")
    def form() -> AnyResponse:
        to = own_path(request.args.get("next", "/"))
        if entrance.visitor(request) is not None:
            return redirect(to, 303)
        return login_page(environment, entrance, to=to, status=200)

    @routes.post("/login")
    def log_in() -> AnyResponse:
        to, address = own_path(request.form.get("next", "/")), entrance.address(request)
        if not _is_from_here():
            return login_page(environment, entrance, to=to, said="old", status=403)
        if not entrance.may_log_in(request):
            return login_page(environment, entrance, to=to, status=403)
        wait_s = entrance.attempts.wait_s(address)
        if wait_s:
            refused = login_page(environment, entrance, to=to, said="often", status=429)
            refused.headers["Retry-After"] = str(int(wait_s) + 1)
            return refused
        role = entrance.role_of(request.form.get("token", "")[:TOKEN_MAX].strip())
        if role is None:
            entrance.attempts.wrong(address)
            return login_page(environment, entrance, to=to, said="wrong")
        _, cookie = entrance.sessions.begin(role)  # a new one each time: nobody can hand somebody a session that they know
        response = redirect(to, 303)
        _set_cookie(response, entrance, cookie, max_age=int(SESSION_S))
        return response

    @routes.post("/logout")
    def log_out() -> AnyResponse:
        session = entrance.session(request)
        if session is not None:
            visitor = entrance.visitor(request)
            if visitor is None or not entrance.is_own_form(visitor):
                return Response("This form was not sent by a page of this session.\n", 403, mimetype="text/plain")
            try:
                with store.record() as tx:
                    ended_sessions.end(tx, session.id, until=session.until, now=store.now())
            except StoreError as exc:
                return Response(f"The session could not be ended: {exc}\n", 503, mimetype="text/plain")
        g.pop("visitor", None)
        response = redirect("/login", 303)
        for name in (COOKIE, SECURE_COOKIE):
            response.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="Lax")
        return response

    return routes


def own_path(to: str) -> str:
    """A path of ours to go on to: what leads elsewhere leads to the start."""
    try:
        parts = urlsplit(to)
    except ValueError:
        return "/"
    is_ours = to.startswith("/") and not to.startswith("//") and not (parts.scheme or parts.netloc)
    is_plain = to.isprintable() and "\\" not in to and len(to) <= PATH_MAX
    return to if is_ours and is_plain and not to.startswith(("/login", "/logout")) else "/"


def _is_from_here() -> bool:
    """Whether a browser says that a page of ours sent the form: else a foreign page could log its reader in as somebody else."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def _set_cookie(response: AnyResponse, entrance: Entrance, value: str, *, max_age: int) -> None:
    is_secure = entrance.is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if is_secure else COOKIE, value, max_age=max_age, path="/", secure=is_secure, httponly=True, samesite="Lax"
    )
