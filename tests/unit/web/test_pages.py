"""The pages show what the receiver knows, to whom may see it, and nothing on them runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.app.build import Application, build
from receiver.settings import load_settings
from receiver.store import incident_lists
from tests.support import alert, payload, wait_until

HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """A built receiver with the console as its sink, not started."""
    settings = load_settings({"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", "ENRICH_DEADLINE": "1s"})
    with (tmp_path / "console").open("w") as console:
        application = build(settings, console=console)
        yield application
        application.close()


def _tell(application: Application) -> str:
    """One hostile incident, worked on until nothing is left; its id."""
    client = application.web.test_client()
    client.post("/alerts", json=payload(alert(pod=f"{HOSTILE}-1", annotations={"summary": HOSTILE})))
    application.start()
    wait_until(lambda: bool(_reported(application)), what="the incident was looked at")
    return _reported(application)[0]


def _reported(application: Application) -> list[str]:
    with application.store.read() as tx:
        return [i.id for i in incident_lists.newest(tx, 1) if i.report is not None]


def test_an_incident_and_its_messages_are_shown(application: Application) -> None:
    """The index links to the incident, which shows what was said."""
    incident_id = _tell(application)
    client = application.web.test_client()
    index = client.get("/").get_data(as_text=True)
    page = client.get(f"/incidents/{incident_id}")
    text = page.get_data(as_text=True)

    assert f"/incidents/{incident_id}" in index
    assert re.search("<h3>console ?</h3>", text)
    assert "<script>" not in index + text
    assert "{{7*7}}" in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_an_incident_links_the_runbooks_of_its_alerts(application: Application) -> None:
    """Of those alerts that have one; a name that leads nowhere is no link."""
    client = application.web.test_client()
    client.post("/alerts", json=payload(alert("OOMKilled"), alert("HighMemoryUsage"), alert("TheirOwnAlert"), alert("../../README")))
    application.start()
    wait_until(lambda: bool(_reported(application)), what="the incident was looked at")
    text = client.get(f"/incidents/{_reported(application)[0]}").text

    assert re.findall(r'href="/runbooks/([^"]*)"', text) == ["HighMemoryUsage", "OOMKilled"]


def test_an_unknown_incident_is_404(application: Application) -> None:
    """Forgotten or never known."""
    assert application.web.test_client().get("/incidents/inc_NONE").status_code == 404
