"""Every page before axe-core, light and dark, on a phone and wide: no serious finding."""

from __future__ import annotations

import json
import zipfile

import pytest

from receiver.domain.incident_memory import IncidentMemory
from receiver.pipeline import history
from receiver.store import incidents
from tests.pages.browser import PHONE, WIDE, Browser
from tests.places import cache
from tests.unit.web.incident.kit import Site

PATHS = (
    "/",
    "/incidents/{id}",
    "/login",
    "/workloads",
    "/workloads/{workload}",
    "/rules",
    "/health",
    "/doctor",
    "/runbooks",
    "/runbooks/OOMKilled",
    "/causes",
    "/causes/leak",
)
ASK = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 200)).join(' | ')}`))"""


@pytest.fixture(scope="session")
def axe() -> str:
    """Its source."""
    wheels = sorted((cache() / "axe").glob("axe_playwright_python-*.whl"))
    if not wheels:
        pytest.skip("no axe-core: `make pages` fetches it")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return wheel.read("axe_playwright_python/axe.min.js").decode()


@pytest.fixture(scope="module")
def names(site: Site) -> dict[str, str]:
    """What stands in the addresses."""
    incident = site.looked_at("java-cache", pod="java-cache-655779759d-jst99")
    with site.application.store.write() as tx:
        found = incidents.load(tx, incident)
        assert found is not None
        history.note(tx, found, before=IncidentMemory(), report=None, now=site.application.store.now())
    workloads = json.loads(site.client.get("/api/v1/workloads").text)["workloads"]
    return {"id": incident, "workload": workloads[0]["id"]}


@pytest.mark.parametrize(("width_px", "theme"), [(PHONE, "dark"), (WIDE, "light")])
@pytest.mark.parametrize("path", PATHS)
def test_no_serious_finding(browser: Browser, site: Site, axe: str, names: dict[str, str], path: str, width_px: int, theme: str) -> None:
    """Contrast, names, landmarks, order of headings."""
    browser.looks(width_px=width_px, theme=theme)
    browser.open(f"{site.url}{path.format(**names)}")
    browser.js(f"{axe}; true")

    assert browser.answer(ASK) == []
    assert browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
