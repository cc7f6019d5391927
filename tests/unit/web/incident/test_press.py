"""What can be pressed on the page of an incident: by whom, once, and back to the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from receiver.store import incidents
from tests.places import REPO
from tests.unit.web.incident.kit import Site
from tests.unit.web.incident.test_load import pod


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), ALERTMANAGER_URL="http://127.0.0.1:9")
    yield site
    site.close()


@pytest.fixture
def incident_id(site: Site, request: pytest.FixtureRequest) -> str:
    """One that was looked at, of a workload of this test's own."""
    return site.looked_at(pod=pod(re.sub("[^a-z0-9]", "", request.node.name)[-40:]))


def _form(site: Site, incident_id: str, press: str, /, **changes: str) -> dict[str, str]:
    """What a browser sends when that button of the page is pressed."""
    html = site.client.get(f"/incidents/{incident_id}").text
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', html))
    assert f'value="{press}"' in html, f"no button {press} on the page"
    return hidden | {"press": press} | changes


def _press(site: Site, incident_id: str, press: str, /, **changes: str) -> TestResponse:
    return site.client.post(f"/incidents/{incident_id}/press", data=_form(site, incident_id, press, **changes))


def test_a_press_is_done_and_leads_back_to_the_page(site: Site, incident_id: str) -> None:
    """By 303, so that reloading the page does not press again."""
    answer = _press(site, incident_id, "ack")

    assert answer.status_code == 303
    assert answer.location.startswith(f"/incidents/{incident_id}?said=done")
    assert site.memory(incident_id).acknowledged is not None
    assert 'role="status"' in site.client.get(answer.location).text


@pytest.mark.parametrize(("press", "hours"), [("silence_1h", 1), ("silence_4h", 4)])
def test_a_silence_is_asked_for_as_by_a_button(site: Site, incident_id: str, press: str, hours: int) -> None:
    """Alertmanager is asked by the same job, for as long."""
    _press(site, incident_id, press)
    silence = site.memory(incident_id).silence
    assert silence is not None
    assert silence.wanted_until is not None

    assert (silence.wanted_until - silence.asked_at).total_seconds() == hours * 3600
    assert "unsilence" in site.client.get(f"/incidents/{incident_id}").text


def test_items_are_ticked_and_unticked(site: Site, incident_id: str) -> None:
    """And the reader goes on at the checklist."""
    answer = _press(site, incident_id, "tick:monitor_48h", back="checklist")
    ticked = dict(site.memory(incident_id).ticks)
    site.client.post(f"/incidents/{incident_id}/press", data=_form(site, incident_id, "ack") | {"press": "untick:monitor_48h"})

    assert answer.location.endswith("#checklist")
    assert set(ticked) == {"monitor_48h"}
    assert site.memory(incident_id).ticks == {}


def test_a_fix_and_a_wrong_verdict_are_noted(site: Site, incident_id: str) -> None:
    """The case of that moment is kept."""
    _press(site, incident_id, "fix")
    _press(site, incident_id, "wrong")
    memory = site.memory(incident_id)
    with site.application.store.read() as tx:
        kept = tx.run("SELECT kept_evidence IS NOT NULL AS kept FROM incident WHERE id = :id", id=incident_id)[0]["kept"]

    assert memory.fix is not None
    assert memory.wrong is not None
    assert kept


def test_the_same_form_sent_twice_is_done_once(site: Site, incident_id: str) -> None:
    """A double click, a reload, a proxy that sends again."""
    form = _form(site, incident_id, "silence_1h")
    first = site.client.post(f"/incidents/{incident_id}/press", data=form)
    asked = site.memory(incident_id).silence
    second = site.client.post(f"/incidents/{incident_id}/press", data=form)

    assert "said=done" in first.location
    assert "said=already" in second.location
    assert site.memory(incident_id).silence == asked


def test_a_closed_incident_says_that_it_is_closed(site: Site, incident_id: str) -> None:
    """Its page was open since before."""
    form = _form(site, incident_id, "ack")
    with site.application.store.write() as tx:
        incidents.close(tx, incident_id, now=site.application.store.now(), state="resolved")
    answer = site.client.post(f"/incidents/{incident_id}/press", data=form)

    assert "said=closed" in answer.location
    assert 'name="press"' not in site.client.get(f"/incidents/{incident_id}").text


@pytest.mark.parametrize(
    "changes",
    [
        {"press": ""}, {"press": "drop"}, {"press": "tick"}, {"press": "tick:../x"}, {"press": "ack:root_cause"}, {"click": ""},
        {"click": "x" * 100},
    ],
)  # fmt: skip
def test_what_is_no_button_changes_nothing(site: Site, incident_id: str, changes: dict[str, str]) -> None:
    """400, and a sentence."""
    before = site.memory(incident_id)
    answer = _press(site, incident_id, "ack", **changes)

    assert answer.status_code == 400
    assert answer.text.strip()
    assert site.memory(incident_id) == before


def test_the_way_back_is_the_page_alone(site: Site, incident_id: str) -> None:
    """No address in the form leads anywhere else."""
    answer = _press(site, incident_id, "ack", back="//evil.example/")

    assert answer.location == f"/incidents/{incident_id}?said=done#answer"


def test_what_became_of_it_is_one_of_few_words(site: Site, incident_id: str) -> None:
    """An address from elsewhere cannot make the page say anything."""
    assert 'role="status"' not in site.client.get(f"/incidents/{incident_id}?said=<b>Pwned").text


def test_an_unknown_incident_is_404(site: Site, incident_id: str) -> None:
    """Forgotten, or never known."""
    form = _form(site, incident_id, "ack")

    assert site.client.post("/incidents/inc_NONE/press", data=form).status_code == 404
    assert site.client.get("/incidents/inc_NONE").status_code == 404


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999", "http://["])
def test_another_web_page_cannot_press(site: Site, incident_id: str, origin: str) -> None:
    """A browser that is logged in here would send its token along; it cannot hide where the form came from."""
    form = _form(site, incident_id, "ack")
    answer = site.client.post(f"/incidents/{incident_id}/press", data=form, headers={"Origin": origin})

    assert answer.status_code == 403
    assert site.memory(incident_id).acknowledged is None


def test_the_pages_own_form_can(site: Site, incident_id: str) -> None:
    """Browsers name the origin of every form that is posted."""
    form = _form(site, incident_id, "ack")

    assert site.client.post(f"/incidents/{incident_id}/press", data=form, headers={"Origin": "http://localhost"}).status_code == 303


def test_who_pressed_is_the_name_of_the_login(tmp_path: Path) -> None:
    """Any name goes with ADMIN_TOKEN; without the token nothing is pressed."""
    site = Site(tmp_path, ADMIN_TOKEN="s3cret")
    incident_id = site.looked_at()
    data = {"press": "ack", "click": "x"}
    refused = site.client.post(f"/incidents/{incident_id}/press", data=data, auth=("Ines", "wrong"))
    taken = site.client.post(f"/incidents/{incident_id}/press", data=data, auth=("Ines", "s3cret"))
    acknowledged = site.memory(incident_id).acknowledged
    site.close()

    assert (refused.status_code, taken.status_code) == (401, 303)
    assert acknowledged is not None
    assert acknowledged.by == "Ines"


def test_who_may_only_look_sees_no_form_and_presses_nothing(tmp_path: Path) -> None:
    """READ_TOKEN shows the page, as a page and as JSON."""
    site = Site(tmp_path, ADMIN_TOKEN="s3cret", READ_TOKEN="look")
    incident_id = site.looked_at()
    shown = site.client.get(f"/incidents/{incident_id}", auth=("Ines", "look"))
    document = site.client.get(f"/api/v1/incidents/{incident_id}", headers={"Authorization": "Bearer look"})
    pressed = site.client.post(f"/incidents/{incident_id}/press", data={"press": "ack", "click": "x"}, auth=("Ines", "look"))
    acknowledged = site.memory(incident_id).acknowledged
    site.close()

    assert (shown.status_code, document.status_code, pressed.status_code) == (200, 200, 403)
    assert 'name="press"' not in shown.text
    assert acknowledged is None


@pytest.mark.parametrize("csrf", ["", "wrong", "ü"])
def test_a_form_without_the_word_of_its_session_is_refused(site: Site, incident_id: str, csrf: str) -> None:
    """Whatever its origin says."""
    form = _form(site, incident_id, "ack") | {"csrf": csrf}
    answer = site.client.post(f"/incidents/{incident_id}/press", data=form, headers={"Origin": "http://localhost"})

    assert answer.status_code == 403
    assert site.memory(incident_id).acknowledged is None


def test_programs_get_the_page_as_json(site: Site, incident_id: str) -> None:
    """The same facts; an unknown incident is 404, in JSON too."""
    document = site.client.get(f"/api/v1/incidents/{incident_id}").json
    missing = site.client.get("/api/v1/incidents/inc_NONE")

    assert document is not None
    assert document["schema"] == "oomtriage.incident/v1"
    assert document["id"] == incident_id
    assert document["answer"]["header"] in site.client.get(f"/incidents/{incident_id}").text.replace("&#39;", "'")
    assert (missing.status_code, sorted(missing.json or {})) == (404, ["error"])


def test_the_document_has_the_keys_that_are_documented(site: Site, incident_id: str) -> None:
    """docs/api.md names each; nothing is renamed under programs' hands."""
    document = site.client.get(f"/api/v1/incidents/{incident_id}").json
    text = (REPO / "docs" / "api.md").read_text()
    section = text[text.index("## One incident") : text.index("## Workloads")]
    named = set(re.findall(r"`([a-z_]+)", section))
    assert document is not None

    assert set(document) - named == set()
    assert {key for part in ("tree", "evidence", "log", "change") for key in document[part]} - named == set()
