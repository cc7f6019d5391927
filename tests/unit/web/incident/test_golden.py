"""The page of an incident as it reads, and that nothing on it runs."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.domain.incident_memory import LogEntry
from receiver.render.page.build import page_of
from receiver.render.page.model import IncidentPage
from receiver.web.visitor import ACT, Visitor
from tests.checks.html_text import text_of
from tests.golden import Golden
from tests.places import REPO
from tests.support import said
from tests.unit.render import cases
from tests.unit.render.page.kit import known, page
from tests.unit.render.test_hostile import NASTY, poisoned

BASE = "{% block title %}{% endblock %}{% block body %}{% endblock %}"
NASTY_HTML = (
    "<script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "' onmouseover='alert(1)", "javascript:alert(1)",
    "</title><script>alert(1)</script>", "<!--", "]]>", "</svg><script>alert(1)</script>", "{{ 7 * 7 }}", "</textarea>", "&lt;script&gt;", "<base href=//evil>",
)  # fmt: skip
ALLOWED_TAGS = frozenset(
    ("a", "article", "b", "br", "button", "circle", "code", "details", "div", "figcaption", "figure", "form", "g", "h1", "h2", "h3", "header", "i", "input",
     "li", "mark", "nav", "ol", "p", "path", "pre", "rect", "section", "small", "span", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "time",
     "tr", "ul")
)  # fmt: skip


@cache
def environment() -> jinja2.Environment:
    """That of the pages, around nothing but the incident."""
    loader = jinja2.ChoiceLoader([jinja2.DictLoader({"base.html.j2": BASE}), jinja2.FileSystemLoader(REPO / "templates" / "web")])
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def html_of(found: IncidentPage, *, said: str = "") -> str:
    return (
        environment().get_template("incident.html.j2").render(page=found, click="CLICK", said=said, visitor=Visitor(role=ACT, csrf="CSRF"))
    )


@pytest.mark.parametrize("name", ["a-leak", "h-node", "m-unknown"])
def test_a_page_reads_as_reviewed(name: str, golden: Golden) -> None:
    """A leak with everything, a bystander of a node's pressure, and an alert that nobody knows."""
    golden(f"pages/incident-{name}.txt", text_of(html_of(page(name))))


@pytest.mark.parametrize("outcome", ["done", "already", "closed", "refused"])
def test_what_became_of_a_press_is_told(outcome: str) -> None:
    """At the top, to screen readers as well."""
    assert re.search(r'role="status">[A-Z]', html_of(page("a-leak"), said=outcome))


def test_whoever_may_only_read_sees_no_form() -> None:
    """Nor a button but those that copy, which need the script."""
    shown = html_of(page("a-leak", can_act=False))

    assert "<form" not in shown
    assert re.findall(r"<button(?![^>]*data-copy)[^>]*>", shown) == []


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]


@given(st.sampled_from(sorted(cases.CASES)), st.lists(st.sampled_from((*NASTY_HTML, *NASTY)), min_size=10, max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_from_outside_becomes_markup(name: str, t: list[str]) -> None:
    """Whatever labels, logs, events, reasons and annotations hold: no element, attribute or address of the page is made of it."""
    view, report = cases.CASES[name]()
    alert = replace(view.alerts[0], labels={"alertname": t[0], "severity": t[1]}, annotations={x or "empty": x for x in t})
    view = replace(
        view, alerts=(alert,), severity=t[1], log=tuple(LogEntry(at=view.opened_at, what=said(x)) for x in t[:3]), notes=(said(t[2]),)
    )
    if report is not None:
        report = poisoned(report, t)
        view = replace(view, subject=report.subject)
    found = _Tags()
    found.feed(html_of(page_of(known(view, report))))

    assert found.tags <= ALLOWED_TAGS
    assert [name for name in found.attributes if name.startswith("on") or name in ("style", "srcdoc")] == []
    assert [
        a for a in found.addresses if not a.startswith(("#", "/incidents/", "/runbooks/", "/causes/", "https://oomtriage.example.net/"))
    ] == []
