"""The page of an incident from what the store has of it, whatever that is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.domain.case import Case
from receiver.domain.incident import Message
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.reason import reason
from receiver.domain.report import Report
from receiver.render.page.model import IncidentPage
from receiver.render.text import sentence
from receiver.render.wording import say
from receiver.store import alike, conversations, outbox
from tests.unit.web.incident.kit import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


def pod(name: str) -> str:
    return f"{name}-655779759d-jst99"


def page(site: Site, incident_id: str, *, can_act: bool = True) -> IncidentPage:
    found = site.pages.page(incident_id, can_act=can_act)
    assert found is not None
    return found


def test_an_incident_that_was_looked_at_has_everything(site: Site) -> None:
    """Answer, chart, tree, nine items, patch, evidence, log, timeline, and the case to download."""
    found = page(site, site.looked_at(pod=pod("whole")))

    assert found.note == ""
    assert found.chart is not None
    assert found.tree is not None
    assert len(found.checklist) == 9
    assert found.change is not None
    assert found.evidence is not None
    assert {row.source for row in found.evidence.sources} >= {"pod", "log", "history"}
    assert found.log is not None
    assert found.timeline
    assert found.has_case


def test_one_that_nobody_has_looked_at_says_so(site: Site) -> None:
    """What the alert says is passed on, and it can be acknowledged."""
    found = page(site, site.alerted(pod=pod("new")))

    assert say(reason("page.note.not_looked_at")).split(":")[0] in repr(found.answer.parts)
    assert [b.press for b in found.answer.buttons][:1] == ["ack"]
    assert (found.chart, found.tree, found.checklist, found.evidence, found.has_case) == (None, None, (), None, False)


def test_one_whose_evidence_is_no_longer_kept_shows_its_report(site: Site) -> None:
    """With a note, and without what only evidence can show."""
    incident_id = site.looked_at(pod=pod("old"))
    site.run("UPDATE incident SET evidence = NULL, revision = revision + 1 WHERE id = :id", id=incident_id)
    found = page(site, incident_id)

    assert found.note == sentence(say(reason("page.note.evidence_gone")))
    assert found.chart is None
    assert found.tree is not None
    assert len(found.checklist) == 9


@pytest.mark.parametrize(
    "evidence", [b"no zlib", zlib.compress(b"no json"), zlib.compress(b'{"schema": "oomtriage.case/v9"}')], ids=["torn", "no-json", "newer"]
)
def test_evidence_that_cannot_be_read_costs_only_itself(site: Site, evidence: bytes, request: pytest.FixtureRequest) -> None:
    """The report that was made of it is still there."""
    incident_id = site.looked_at(pod=pod(request.node.callspec.id.replace("-", "")))
    site.run("UPDATE incident SET evidence = :evidence, revision = revision + 1 WHERE id = :id", evidence=evidence, id=incident_id)
    found = page(site, incident_id)

    assert found.note
    assert len(found.checklist) == 9


def test_a_report_of_another_release_shows_what_it_has(site: Site) -> None:
    """A document whose parts are of other kinds is no reason for an error."""
    document = {"schema": "oomtriage.report/v0", "tree": "leak", "checklist": [{"id": 1}], "proposal": [], "missing": {"a": 1}}
    incident_id = site.looked_at(pod=pod("strange"), document=document)
    site.run("UPDATE incident SET evidence = NULL, revision = revision + 1 WHERE id = :id", id=incident_id)

    assert page(site, incident_id).tree is None


def test_an_incident_in_a_storm_shows_the_storms_message(site: Site) -> None:
    """It has no message of its own."""
    incident_id = site.looked_at(pod=pod("stormy"))
    with site.application.store.write() as tx:
        storm = conversations.open_new(tx, kind=conversations.DIGEST, incident_id=None, sink="slack", channel="C1", mention="", now=1.0)
        outbox.desire(tx, storm.id, Message(slot="root", text="31 workloads", full_text="31 workloads are dying"), now=1.0)
        outbox.desire(tx, storm.id, Message(slot="digest-page:1", text="page", full_text="the whole list"), now=1.0)
        conversations.join_digest(tx, conversation_id=storm.id, incident_id=incident_id, now=1.0)
    (place,) = page(site, incident_id).told

    assert (place.is_storm, place.channel) == (True, "C1")
    assert [(m.slot, m.state) for m in place.messages] == [("root", "waiting")]
    assert "31 workloads are dying" in repr(place.messages[0].parts)


def test_messages_say_how_far_they_got(site: Site) -> None:
    """Sent, to be edited, refused for good with the reason."""
    incident_id = site.looked_at(pod=pod("told"))
    with site.application.store.write() as tx:
        own = conversations.open_new(
            tx, kind=conversations.INCIDENT, incident_id=incident_id, sink="slack", channel="C1", mention="", now=1.0
        )
        for slot in ("root", "evidence", "checklist"):
            outbox.desire(tx, own.id, Message(slot=slot, text=slot, full_text=slot, is_reply=slot != "root"), now=1.0)
    site.run("UPDATE message SET state = 'sent', sent_rev = 1, sent_at = 5.0 WHERE slot = 'root' AND conversation_id = :c", c=own.id)
    site.run("UPDATE message SET state = 'sent', sent_rev = 1, desired_rev = 2 WHERE slot = 'evidence' AND conversation_id = :c", c=own.id)
    site.run("UPDATE message SET state = 'dead', last_error = 'not_in_channel' WHERE slot = 'checklist' AND conversation_id = :c", c=own.id)
    (place,) = page(site, incident_id).told

    assert [(m.slot, m.state, m.error) for m in place.messages] == [
        ("root", "sent", ""), ("evidence", "waiting", ""), ("checklist", "dead", "not_in_channel"),
    ]  # fmt: skip


def test_a_test_alert_says_that_it_is_one(site: Site) -> None:
    """Its message is shown, and no diagnosis is pretended."""
    incident_id = site.alerted(pod=pod("drill"))
    site.run("UPDATE incident SET key = 'test/abc' WHERE id = :id", id=incident_id)

    assert page(site, incident_id).is_drill


def test_similar_incidents_say_by_which_rule_and_how_they_ended(site: Site) -> None:
    """The same workload before, and what came of it."""
    first, second = (site.looked_at(pod=pod(f"again{n}")) for n in (1, 2))
    both = [site.incident(incident_id) for incident_id in (first, second)]
    with site.application.store.write() as tx:
        for incident in both:
            alike.mark(tx, incident)
    row = next(r for r in page(site, second).alike if r.id == first)

    assert "workload" in row.rules
    assert len(row.because) == len(row.rules)
    assert row.ended


def test_a_case_is_judged_once_for_each_revision(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten people who watch cost one diagnosis; the next look another."""
    incident_id = site.looked_at(pod=pod("watched"))
    judged: list[Case] = []
    real = site.publisher.judged

    def count(case: Case, memory: IncidentMemory) -> Report:
        judged.append(case)
        return real(case, memory)

    monkeypatch.setattr(site.publisher, "judged", count)
    for _ in range(10):
        page(site, incident_id)
    site.run("UPDATE incident SET revision = revision + 1 WHERE id = :id", id=incident_id)
    page(site, incident_id)

    assert len(judged) == 2


@pytest.mark.parametrize(
    ("token", "given", "status"), [("", "", 403), ("s3cret", "", 401), ("s3cret", "wrong", 401), ("s3cret", "s3cret", 200)]
)
def test_evidence_is_not_shown_to_whoever_reaches_the_port(tmp_path: Path, token: str, given: str, status: int) -> None:
    """Beyond loopback the page wants ADMIN_TOKEN, and without one it is closed."""
    site = Site(tmp_path, LISTEN="0.0.0.0:8080", WEBHOOK_AUTH="none", **({"ADMIN_TOKEN": token} if token else {}))
    incident_id = site.looked_at()
    answer = site.client.get(f"/incidents/{incident_id}", headers={"Authorization": f"Bearer {given}"} if given else {})
    site.close()

    assert answer.status_code == status
    assert ("OOMKilled" in answer.text) == (status == 200)
