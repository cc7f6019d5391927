"""The list of incidents: for people, as files, and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.incident_memory import Acknowledgement, GivenVerdict, LookSummary, Owner
from receiver.domain.units import from_epoch
from receiver.store import incidents, listing
from receiver.web.listing import asked
from tests.places import REPO
from tests.unit.web.incident.kit import Site

HOSTILE = '<script>alert(1)</script>{{7*7}}" onload=x'
ADMIN = {"Authorization": "Bearer admin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A receiver with three incidents of one day."""
    site = Site(tmp_path_factory.mktemp("site"))
    for name in ("cart", "search"):
        judged(site, site.alerted(pod=f"{name}-655779759d-jst99", container=name), cause="leak")
    site.looked_at()
    own(site, "cart", by="=HYPERLINK(1)", team=HOSTILE)
    yield site
    site.close()


def judged(site: Site, incident_id: str, *, cause: str, confidence: float = 0.9) -> None:
    """A look found a cause, and three kills."""
    look = LookSummary(verdict=GivenVerdict(cause=cause, confidence=confidence, detail="x"), kill_kind="container_oom")
    memory = replace(site.memory(incident_id), look=look, kills={"a": 2, "b": 1})
    with site.application.store.write() as tx:
        incidents.save_memory(tx, incident_id, memory)


def answer(site: Site, query: str) -> dict[str, Any]:
    """What programs get."""
    document: dict[str, Any] = json.loads(site.client.get(f"/api/v1/incidents?{query}").text)
    return document


def id_of(site: Site, name: str) -> str:
    """Of the incident of a workload."""
    return str(answer(site, f"q={name}")["incidents"][0]["id"])


def own(site: Site, name: str, *, by: str, team: str) -> None:
    """Somebody acknowledges, and there were kills in the last hour."""
    one = id_of(site, name)
    now = site.application.store.now()
    memory = replace(site.memory(one), acknowledged=Acknowledgement(by=by, at=from_epoch(now)), owner=Owner(labels={"team": team}))
    with site.application.store.write() as tx:
        incidents.save_memory(tx, one, memory)
    killed(site, one, 3)


def killed(site: Site, incident_id: str, kills: int) -> None:
    """So many kills, just now."""
    now = site.application.store.now()
    with site.application.store.write() as tx:
        listing.note_kills(tx, incident_id, kills, [], known_until=None, newest_at=now, now=now)


def test_the_list_says_what_died_why_and_whose_it_is(site: Site) -> None:
    """With a link to the incident, and kills as a picture that is told, too."""
    text = site.client.get("/").text
    firing = text.index("search")

    assert f'href="/incidents/{id_of(site, "cart")}"' in text
    assert "Acknowledged by =HYPERLINK(1)" in text
    assert firing < text.index(">cart")
    assert 'aria-label="3 kills in the last 24 hours, most in one hour: ' in text


def test_nothing_on_the_list_runs(site: Site) -> None:
    """Whatever a label says."""
    text = site.client.get("/").text

    assert "<script>alert" not in text
    assert "{{7*7}}" in text
    assert 'onload=x"' not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=search", ["search"]),
        ("state=acknowledged", ["cart"]),
        ("q=LAB-node-1", ["exporter"]),
        ("namespace=nowhere", []),
        ("cause=leak", ["cart", "search"]),
        ("since=1h", ["cart", "exporter", "search"]),
        ("severity=info", []),
    ],
)
def test_a_filter_holds_for_the_page_the_files_and_programs(site: Site, query: str, names: list[str]) -> None:
    """The same address, the same incidents."""
    page = site.client.get(f"/?{query}").text
    table = list(csv.DictReader(io.StringIO(site.client.get(f"/incidents.csv?{query}").text)))
    document = json.loads(site.client.get(f"/incidents.json?{query}").text)
    told = answer(site, query)

    assert sorted(re.findall(r"<h2><a[^>]*>([^<]*)</a>", page)) == names
    assert sorted(row["workload"] for row in table) == names
    assert sorted(one["subject"]["workload"]["name"] for one in document["incidents"]) == names
    assert sorted(one["subject"]["workload"]["name"] for one in told["incidents"]) == names
    assert told["total"] == len(names)


def test_a_spreadsheet_computes_nothing(site: Site) -> None:
    """A cell that begins like a formula is a text."""
    rows = list(csv.DictReader(io.StringIO(site.client.get("/incidents.csv?q=cart").text)))

    assert rows[0]["acknowledged_by"] == "'=HYPERLINK(1)"
    assert rows[0]["kills_24h"] == "3"


def test_an_unchanged_list_costs_no_page(site: Site) -> None:
    """And a changed one comes whole."""
    first = site.client.get("/")
    again = site.client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    killed(site, id_of(site, "exporter"), 2)
    changed = site.client.get("/", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("state=dead", "state"), ("cause=magic", "cause"), ("since=tomorrowish", "since"), ("since=-1h", "since"), ("since=nan", "since"),
        ("page=0", "page"), ("page=x", "page"), ("page=99999999", "page"), ("q=" + "x" * 300, "q"), ("namespce=shop", "namespce"), ("q=%00", "q"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_said_to_programs_and_left_out_for_people(site: Site, query: str, name: str) -> None:
    """A program that misspells must not believe the answer; a person sees the list, and what was left out."""
    refused = site.client.get(f"/api/v1/incidents?{query}")
    file = site.client.get(f"/incidents.csv?{query}")
    page = site.client.get(f"/?{query}")

    assert (refused.status_code, file.status_code, page.status_code) == (400, 400, 200)
    assert list(json.loads(refused.text)["parameters"]) == [name]
    assert f"<code>{name}</code>" in page.text


@pytest.mark.parametrize("path", ["/", "/incidents.csv", "/incidents.json", "/api/v1/incidents"])
def test_who_may_not_look_gets_nothing(tmp_path: Path, path: str) -> None:
    """And READ_TOKEN is enough."""
    site = Site(tmp_path, ADMIN_TOKEN="a" * 20, READ_TOKEN="r" * 20)
    refused = site.client.get(path)
    read = site.client.get(path, headers={"Authorization": f"Bearer {'r' * 20}"})
    site.close()

    assert refused.status_code == 401
    assert read.status_code == 200


@pytest.mark.wording
@pytest.mark.parametrize(
    ("cause", "confidence", "says"),
    [
        ("leak", 0.9, "Likely leak"),
        ("leak", 0.7, "Looks like a leak"),
        ("leak", 0.5, "Cannot tell yet"),
        ("unknown", 0.9, "Cannot tell yet"),
    ],
)
def test_the_list_names_a_cause_as_the_message_does(tmp_path: Path, cause: str, confidence: float, says: str) -> None:
    """A verdict that the message's header does not name is not named here either."""
    site = Site(tmp_path)
    one = site.alerted()
    judged(site, one, cause=cause, confidence=confidence)
    text = site.client.get("/").text
    site.close()

    assert f'<p class="verdict">{says}</p>' in text
    assert "<b>3</b> kills" in text


def test_every_key_of_the_api_is_documented(site: Site) -> None:
    """Whoever writes a script reads docs/api.md."""
    text = (REPO / "docs" / "api.md").read_text().partition("## Incidents")[2].partition("\n## ")[0]
    told = answer(site, "")
    keys = {*told, *told["incidents"][0], *told["counts"], *asked.NAMES, *asked.CAUSES, *asked.STATES}

    assert {key for key in keys if f"`{key}`" not in text and f"`{key}[]`" not in text} == set()
