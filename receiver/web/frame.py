"""What all pages have around them: navigation, stylesheet and script, served by us under addresses that change with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import jinja2
from flask import Blueprint, Response

# One after the other, in one file.
STYLES = ("static/pages.css", "incident/incident.css", "workloads/workloads.css", "rules/rules.css", "incidents/incidents.css")
SCRIPT = "static/pages.js"
YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page of the navigation. It is there when its route is."""

    path: str
    title: str

    def is_current(self, path: str) -> bool:
        """Whether the reader is on it, or on a page below it."""
        if self.path == "/":
            return path == "/" or path.startswith("/incidents/")
        return path == self.path or path.startswith(f"{self.path}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Given to every template as `frame`."""

    style: str
    script: str
    navigation: tuple[Entry, ...] = ()

    @property
    def style_url(self) -> str:
        """Of the stylesheet as it is now."""
        return f"/static/pages-{_mark(self.style)}.css"

    @property
    def revision(self) -> str:
        """Of all that stands around a page."""
        return _mark(f"{self.style}{self.script}{self.navigation}")

    @property
    def script_url(self) -> str:
        """Of the script as it is now."""
        return f"/static/pages-{_mark(self.script)}.js"


def make_frame(environment: jinja2.Environment, navigation: tuple[Entry, ...]) -> Frame:
    """The frame, with the files that the templates' loader finds."""
    return Frame(style="\n".join(_source(environment, name) for name in STYLES), script=_source(environment, SCRIPT), navigation=navigation)


def static_routes(frame: Frame) -> Blueprint:
    """The blueprint with the two files. They hold nothing of the cluster, so anybody may have and keep them."""
    routes = Blueprint("static", __name__)
    files = {frame.style_url: (frame.style, "text/css"), frame.script_url: (frame.script, "text/javascript")}

    @routes.get("/static/<name>")
    def static(name: str) -> Response:
        text, kind = files.get(f"/static/{name}", ("", ""))
        if not kind:
            return Response("There is no such file.\n", 404, mimetype="text/plain")
        response = Response(text, mimetype=kind)
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return routes


def _source(environment: jinja2.Environment, name: str) -> str:
    if environment.loader is None:
        raise jinja2.TemplateNotFound(name)
    return environment.loader.get_source(environment, name)[0]


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
