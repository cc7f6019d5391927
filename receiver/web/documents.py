"""Pages from Markdown files: the runbooks that alerts link to, and the pages about causes that messages link to.

No token: they are text from files, the same for everybody, and hold no evidence. Whoever opens one at 03:14 has followed
a link on a phone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from receiver.render.markdown import first_sentence, to_html
from receiver.web.html import page

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")  # of a page; never a path
MAX_CHARS = 512 * 1024
CAUSES_INDEX = "README"
HABITS = "habits"  # the folder of what the pages about causes link to


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The pages in `folders`, each with NAME.md files; the first folder that has a name wins."""

    folders: Sequence[Path] = ()

    def names(self) -> list[str]:
        """Of every page."""
        return sorted({path.stem for folder in self.folders for path in folder.glob("*.md") if NAME.fullmatch(path.stem)})

    def text(self, name: str) -> str | None:
        """The Markdown of a page; None for a name that is none, or of which there is no file that can be read."""
        if not NAME.fullmatch(name):
            return None
        for folder in self.folders:
            try:
                with (folder / f"{name}.md").open(encoding="utf-8", errors="replace") as file:
                    return file.read(MAX_CHARS)
            except OSError:
                continue
        return None

    def below(self, folder: str) -> Documents:
        """The pages in a folder of that name in each of these."""
        return Documents(folders=tuple(f / folder for f in self.folders))


def runbook_routes(environment: jinja2.Environment, runbooks: Documents) -> Blueprint:
    """The blueprint with /runbooks and /runbooks/NAME."""
    routes = Blueprint("runbooks", __name__)

    def listed() -> list[tuple[str, str]]:
        return [(name, first_sentence(runbooks.text(name) or "")) for name in runbooks.names()]

    @routes.get("/runbooks")
    @routes.get("/runbooks/")
    def index() -> Response:
        return page(environment, "runbooks.html.j2", pages=listed(), missing="")

    @routes.get("/runbooks/<name>")
    def runbook(name: str) -> Response:
        text = runbooks.text(name)
        if text is None:
            return page(environment, "runbooks.html.j2", status=404, pages=listed(), missing=name)
        return page(environment, "runbook.html.j2", name=name, body=to_html(text))

    return routes


def cause_routes(environment: jinja2.Environment, causes: Documents) -> Blueprint:
    """The blueprint with /causes, /causes/NAME and /causes/habits/NAME."""
    routes = Blueprint("causes", __name__)
    habits = causes.below(HABITS)

    def shown(name: str, text: str | None) -> Response:
        if text is None:
            return page(environment, "cause.html.j2", status=404, name="No such page", body="")
        return page(environment, "cause.html.j2", name=name, body=to_html(text))

    @routes.get("/causes")
    @routes.get("/causes/")
    def index() -> AnyResponse:
        return redirect(url_for("causes.cause", name=CAUSES_INDEX))  # its links are relative to this folder

    @routes.get("/causes/<name>")
    def cause(name: str) -> Response:
        return shown(name, causes.text(name))

    @routes.get(f"/causes/{HABITS}/<name>")
    def habit(name: str) -> Response:
        return shown(name, habits.text(name))

    return routes
