"""Under which name a request may come: a page of the web can make its own name resolve to our address (DNS rebinding)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from receiver.domain.addresses import is_loopback

ALERTS = "/alerts"
FOR_ANYBODY = ("/runbooks/", "/causes/", "/static/")  # what everybody may have: browsers may keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRule:
    """Where no token protects a route, a request must name a loopback address or `public_host` as its Host.

    `is_open(path)`: whether the path can be had without a token here.
    """

    is_open: Callable[[str], bool]
    public_host: str = ""

    def refusal(self, host: str, origin: str | None, path: str) -> str:
        """Why the request is a foreign web page's; empty when it is not."""
        if not self.is_open(path):
            return ""
        if not self._is_ours(name_of(f"//{host}")):
            return "without a token this is served under a loopback name only, such as localhost, or under PUBLIC_URL's"
        if origin is not None and not self._is_own_page(origin, host):
            return "this request comes from another web page"
        return ""

    def _is_own_page(self, origin: str, host: str) -> bool:
        """Whether a page of ours asks: another server of the same machine has a page on loopback as well, at another port."""
        name = name_of(origin)
        return bool(name) and (name == self.public_host or _place_of(origin) == _place_of(f"{origin.partition(':')[0]}://{host}"))

    def _is_ours(self, name: str) -> bool:
        return is_loopback(name) or (bool(name) and name == self.public_host)


def name_of(url: str) -> str:
    """The host name of an address; empty for what is none (`http://[`)."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _place_of(url: str) -> tuple[str, int | None]:
    """Name and port of an address."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return "", None
    return name_of(url), port or {"http": 80, "https": 443}.get(url.partition(":")[0].lower())


def guard(app: Flask, rule: HostRule) -> None:
    """Refuse what the rule refuses, and let no browser or proxy keep evidence."""

    @app.before_request
    def check() -> tuple[Response, int] | None:
        why = rule.refusal(request.host, request.headers.get("Origin"), request.path)
        return (jsonify(error=why), 403) if why else None

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        if not request.path.startswith(FOR_ANYBODY):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
