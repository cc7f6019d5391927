"""What the page of an incident knows: the message's own words, every branch of the tree, and what can be shown of a damaged report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.domain.change import Change
from receiver.domain.facts import LogFacts, Revision, WorkloadFacts
from receiver.domain.identity import Workload
from receiver.domain.incident_memory import FollowUp, IncidentMemory, LogEntry, Silence, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, KillKind, Signature
from receiver.render.document import report_document
from receiver.render.page.build import page_of
from receiver.render.page.document import page_document
from receiver.render.page.history import how_it_ended
from receiver.render.page.parts import text_of
from receiver.render.wording import say
from tests.support import said
from tests.unit.render import cases
from tests.unit.render.page.kit import known, page
from tests.unit.render.test_hostile import poisoned, text
from tests.unit.render.test_renderer import renderer


@pytest.mark.parametrize("name", list(cases.CASES))
def test_the_answer_is_the_messages_own(name: str) -> None:
    """Header and lines of the root message, word for word, and nothing is lost between block and page."""
    view, report = cases.CASES[name]()
    root = renderer().incident(replace(view, page_url=""), report, patch_place="below")[0]
    answer = page(name).answer
    shown = " ".join(_words(f"{line.label} {text_of(line)}") for part in answer.parts for line in part.lines)

    assert answer.header == root.full_text.split("\n")[0]
    assert [line for line in root.full_text.split("\n")[1:] if _words(line) not in shown and not line.startswith("[chart:")] == []


def _words(text: str) -> str:
    """Without the marks by which plain text tells a label from what follows it."""
    return " ".join(re.findall(r"\w+", text))


def test_what_can_be_pressed_is_what_the_message_has() -> None:
    """Acknowledge first; the menu's options stand beside it."""
    assert [b.press for b in page("a-leak").answer.buttons] == ["ack", "silence_1h", "silence_4h", "fix", "wrong"]
    assert page("a-leak").answer.buttons[0].is_first


def test_a_silence_can_be_undone_once_somebody_asked_for_one() -> None:
    """Before, the button would say nothing."""
    memory = IncidentMemory(silence=Silence(by="Ines", asked_at=cases.NOW, wanted_until=cases.NOW + timedelta(hours=1)))

    assert "unsilence" in [b.press for b in page("a-leak", memory=memory).answer.buttons]


def test_where_nothing_is_to_be_changed_the_page_says_why() -> None:
    """Such as for a bystander of a node's pressure, whose thread has no patch."""
    change = page("h-node").change
    assert change is not None

    assert change.copies == ()
    assert all(text_of(line) for line in change.intro)


@pytest.mark.parametrize("changes", [{"can_act": False}, {"is_closed": True}])
def test_nothing_can_be_pressed_where_nobody_may(changes: dict[str, object]) -> None:
    """By who may only read, and of an incident that is closed."""
    found = page("a-leak", **changes)

    assert found.answer.buttons == ()
    assert [row.press for row in found.checklist if row.press] == []


def test_items_can_be_ticked_that_evidence_leaves_open() -> None:
    """And ticks taken back; what is done by evidence, or does not apply, has no button."""
    document = {
        "checklist": [
            {"id": "exit_code", "text": "Exit code", "state": "done", "result": "137"},
            {"id": "root_cause", "text": "Root cause", "state": "todo", "result": ""},
            {"id": "alerts_in_place", "text": "Alerts", "state": "could_not_check", "result": "403"},
            {"id": "apply_fix", "text": "Fix", "state": "done", "result": "by Ines", "ticked": {"by": "Ines"}},
            {"id": "monitor_48h", "text": "Watch", "state": "not_applicable", "result": ""},
        ]
    }
    rows = page("a-leak", document=document).checklist

    assert [row.press for row in rows] == ["", "tick:root_cause", "tick:alerts_in_place", "untick:apply_fix", ""]


def test_every_branch_of_the_tree_has_its_reason() -> None:
    """What was refused says why, the end is lit, and what was not asked any more says so."""
    view, report = cases.CASES["c-limit-too-low"]()
    assert report is not None
    assert report.shape is not None
    report = replace(report, shape=replace(report.shape, refused={CauseName.UNKNOWN: said("never shown")}))
    tree = page_of(known(view, report)).tree
    assert tree is not None
    ends = [node for node in tree.nodes if node.is_end]

    assert len(ends) == 1
    assert all(node.because for node in tree.nodes if node.answer in ("no", "cannot_tell"))
    assert all(node.leaf for node in tree.nodes if node.is_end or node.answer == "not_asked")
    assert all(node.answer == "not_asked" for node in tree.nodes[tree.nodes.index(ends[0]) + 1 :])


def test_a_branch_that_was_not_reached_has_what_memory_says_of_it() -> None:
    """The shape may refuse a leaf that the walk never asked about."""
    view, report = cases.CASES["a-leak"]()
    assert report is not None
    assert report.shape is not None
    report = replace(report, shape=replace(report.shape, refused={CauseName.SPIKE: said("no peaks at all")}))
    tree = page_of(known(view, report)).tree
    assert tree is not None

    assert [node.because for node in tree.nodes if node.answer == "not_asked" and node.because] == ["No peaks at all."]


def test_a_walk_that_led_nowhere_ends_in_that() -> None:
    """Its last node is the verdict, without a question."""
    tree = page("b-too-early").tree
    assert tree is not None

    assert tree.nodes[-1].is_end
    assert tree.nodes[-1].question == ""
    assert tree.nodes[-1].leaf == tree.verdict


def test_the_line_that_named_the_error_is_marked() -> None:
    """Once, in the excerpt and in the whole log; its indentation stays."""
    view, report = cases.CASES["a-leak"]()
    assert report is not None
    log = LogFacts(container="app", lines=("starting", "  MemoryError", "bye"))
    signature = Signature(
        id="python.memory_error", runtime="python", meaning="Python ran out", advice="look", line="  MemoryError", line_index=1
    )
    found = page_of(known(view, replace(report, facts=replace(report.facts, log=log), signature=signature))).log
    assert found is not None

    assert [row.text for row in found.rows if row.is_match] == ["  MemoryError"]
    assert [row.text for row in found.excerpt if row.is_match] == ["  MemoryError"]
    assert found.meaning == "Python ran out"


def test_rollouts_say_what_they_changed() -> None:
    """Image, limit and flags of the container, and how long before the first kill."""
    view, report = cases.CASES["a-leak"]()
    assert report is not None
    kill_at = view.first_kill_at or cases.NOW
    container = report.subject.container
    new = Revision(
        name="orders-api-2", revision=2, created_at=kill_at - timedelta(minutes=12), images={container: "shop/orders:2"},
        limits_bytes={container: 160 * 2**20}, flags={container: ("--cache=off",)},
    )  # fmt: skip
    old = Revision(
        name="orders-api-1", revision=1, created_at=None, images={container: "shop/orders:1"}, limits_bytes={container: 80 * 2**20}
    )
    workload = WorkloadFacts(workload=Workload(kind="Deployment", name="orders-api"), revisions=(new, old))
    memory = IncidentMemory(first_kill_at=kill_at)
    rows = page_of(known(view, replace(report, facts=replace(report.facts, workload=workload)), memory=memory)).revisions

    assert rows[0].changes == ("Image shop/orders:1 to shop/orders:2", "Limit 80Mi to 160Mi", "Flags: with --cache=off")
    assert rows[0].before_kill == "12 min before the first kill"
    assert (rows[1].number, rows[1].changes, rows[1].at) == (1, (), None)


def test_the_timeline_has_everything_with_a_time_newest_first() -> None:
    """Alerts, kills, looks ahead, people, messages, and what follow-ups found."""
    view, report = cases.CASES["a-leak"]()
    view = replace(view, looks_at=(cases.NOW + timedelta(hours=1),), log=(LogEntry(at=cases.at("03:16"), what=cases.ACKNOWLEDGED),))
    held = FollowUp(after_s=86_400.0, at=cases.NOW + timedelta(days=1), outcome="held", because=said("No kill for 24 h."))
    memory = IncidentMemory(
        log=view.log, last_kill_at=cases.at("03:14"), watched=WatchedFix(number=1, since=cases.NOW, done=(held,)), first_kill_at=cases.at("03:14")
    )  # fmt: skip
    timeline = page_of(known(view, report, memory=memory)).timeline

    assert {"alert", "kill", "look", "person", "message", "fix"} <= {m.kind for m in timeline}
    assert [m.at for m in timeline] == sorted((m.at for m in timeline), reverse=True)
    assert [m.text for m in timeline if m.is_ahead] != []


CHANGE = Change(what="limit", at=cases.NOW, before_bytes=80 * 2**20, after_bytes=160 * 2**20)
HELD = FollowUp(after_s=86_400.0, at=cases.NOW, outcome="held", because=said("No kill for 24 h."))


@pytest.mark.parametrize(
    ("memory", "state", "is_closed", "code"),
    [
        (IncidentMemory(), "firing", False, "page.ended.firing"),
        (IncidentMemory(), "resolved", True, "page.ended.not_fixed"),
        (IncidentMemory(watched=WatchedFix(number=1, since=cases.NOW, changes=(CHANGE,))), "resolved", True, "page.ended.fixed"),
        (IncidentMemory(watched=WatchedFix(number=1, since=cases.NOW, changes=(CHANGE,), done=(HELD,))), "resolved", True, "page.ended.fix_held"),
        (IncidentMemory(watched=WatchedFix(number=1, since=cases.NOW, changes=(CHANGE,), ended=HELD)), "resolved", True, "page.ended.fix_failed"),
    ],
)  # fmt: skip
def test_what_ended_another_incident_is_told(memory: IncidentMemory, state: str, is_closed: bool, code: str) -> None:
    """A fix that held, that failed, or nothing that anybody saw."""
    what = how_it_ended(memory, state=state, is_closed=is_closed)

    assert what.code == code
    assert say(what)


def test_a_report_without_its_evidence_shows_what_it_says() -> None:
    """The case is gone after a while: tree, checklist, patch and log stand in the report."""
    whole, bare = page("a-leak"), page("a-leak", report=None, sources=(), why_not=reason("page.note.evidence_gone"))

    assert bare.note
    assert bare.chart is None
    assert [(n.question, n.answer) for n in bare.tree.nodes if n.answer != "not_asked"] == [
        (n.question, n.answer) for n in whole.tree.nodes if n.answer != "not_asked"
    ]
    assert bare.checklist == whole.checklist
    assert bare.change == whole.change
    assert bare.log.rows[-1].text == whole.log.rows[-1].text


SPOILERS: tuple[object, ...] = (
    None,
    7,
    "text",
    [],
    {},
    [None],
    ["x"],
    [{}],
    {"id": 1},
    True,
    [{"state": "new in another release", "answer": "maybe"}],
)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_stored_report_holds_there_is_a_page(data: st.DataObject) -> None:
    """Of an older release, of a newer one, or damaged: what can be read is shown."""
    view, report = cases.CASES["a-leak"]()
    assert report is not None
    document = json.loads(json.dumps(report_document(report)))
    for _ in range(data.draw(st.integers(1, 4))):
        node = document
        while isinstance(node, dict) and node:
            key = data.draw(st.sampled_from(sorted(node)))
            if isinstance(node[key], dict) and node[key] and data.draw(st.booleans()):
                node = node[key]
                continue
            node[key] = data.draw(st.sampled_from(SPOILERS))
            break

    found = page_of(known(view, None, document=document, why_not=reason("page.note.evidence_gone")))

    assert found.id == view.id


@given(st.sampled_from(sorted(cases.CASES)), st.lists(text, min_size=10, max_size=10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_from_outside_hides_or_moves_anything(name: str, t: list[str]) -> None:
    """No control character, no bidi mark and no half of a letter reaches the page, whatever the cluster calls its things."""
    view, report = cases.CASES[name]()
    if report is not None:
        report = poisoned(report, t)
        view = replace(view, subject=report.subject, log=tuple(LogEntry(at=view.opened_at, what=said(x)) for x in t[:3]))
    found = page_of(known(view, report))
    shown = repr(found)

    for hidden in ("\\x1b", "\\x00", "\\u202e", "\\u2066", "\\ud800", "\\u200b"):
        assert hidden not in shown
    assert all(m.at.tzinfo is UTC for m in found.timeline)


@pytest.mark.parametrize("name", list(cases.CASES))
def test_programs_get_the_same_as_plain_json(name: str) -> None:
    """Times are texts, lines are lines, and there is neither a picture nor a button."""
    found = page(name)
    document = page_document(found)
    text = json.dumps(document)

    assert document["schema"] == "oomtriage.incident/v1"
    assert document["answer"]["header"] == found.answer.header
    assert all(isinstance(line, str) for line in document["answer"]["parts"])
    assert document["opened_at"].endswith("Z")
    assert (document["cause"] in {*CauseName, ""}, document["kill"] in {*KillKind, ""}) == (True, True)
    assert "<svg" not in text
    assert "silence_1h" not in text
