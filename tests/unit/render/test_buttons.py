"""What people did stands in the grey line; buttons stand where there is something to press, and go when it was pressed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.advice.checklist import with_ticks
from receiver.domain.case import Missing
from receiver.domain.incident import RESOLVED, IncidentView, Message
from receiver.domain.incident_memory import STANDING, LogEntry
from receiver.domain.report import Tick
from receiver.render.wording import say
from tests.checks.slack_limits import budget_problems, problems
from tests.golden import Golden
from tests.support import said
from tests.unit.render import cases
from tests.unit.render.test_hostile import text
from tests.unit.render.test_renderer import as_text, assert_good, renderer

ACK, QUIET = ("ack", "Acknowledge"), ("silence_1h", "Silence 1 h")
MENU = [("silence_4h", "Silence 4 h"), ("fix", "Fix applied"), ("wrong", "Verdict is wrong"), ("unsilence", "Undo silence")]
WARNING_MENU = [("silence_4h", "Silence 4 h"), ("wrong", "Not useful here")]


def shown(name: str, **changes: Any) -> Message:
    """The root of a story, in a Slack app that can press and silence."""
    view, report = cases.CASES[name]()
    return renderer().incident(replace(view, **{"has_buttons": True, "can_silence": True, **changes}), report)[0]


def pressable(message: Message) -> list[Any]:
    """(action, words) of each button; a menu is a list of them."""
    found: list[Any] = []
    for block in message.blocks:
        if block["type"] == "actions":
            assert block is message.blocks[-1]
            for element in block["elements"]:
                if element["type"] == "overflow":
                    found.append([(o["value"].partition(":")[0], o["text"]["text"]) for o in element["options"]])
                else:
                    found.append((element["action_id"], element["text"]["text"]))
    return found


def grey(message: Message) -> str:
    return next((str(b["elements"][0]["text"]) for b in message.blocks if b["type"] == "context"), "")


def test_a_leak_with_buttons_reads_as_reviewed(golden: Golden) -> None:
    """The whole root, as Slack gets it."""
    golden("slack/buttons-a-leak.json", json.dumps(shown("a-leak").body()["blocks"][-1], ensure_ascii=False, indent=1))


def test_each_kind_has_the_buttons_that_make_sense() -> None:
    """Nothing to own for file cache; no fix for what killed nothing; no verdict where there is none."""
    by_kind = {name: pressable(shown(name)) for name in cases.CASES}

    for name in ("a-leak", "b-too-early", "c-limit-too-low", "d-not-oom", "e-child", "g-startup", "h-node"):
        assert by_kind[name] == [ACK, QUIET, MENU], name
    assert by_kind["f1-warning"] == [ACK, QUIET, WARNING_MENU]
    assert by_kind["f2-page-cache"] == [QUIET, WARNING_MENU]
    assert by_kind["m-unknown"] == [ACK, QUIET, [("silence_4h", "Silence 4 h"), ("unsilence", "Undo silence")]]


def test_a_pull_request_is_offered_only_where_one_can_be_opened() -> None:
    """In the menu, which takes five entries; not beside what killed nothing."""
    assert ("request", "Open pull request") in pressable(shown("a-leak", can_request=True))[-1]
    assert len(pressable(shown("a-leak", can_request=True))[-1]) <= 5
    for name in ("a-leak", "f1-warning", "f2-page-cache", "m-unknown"):
        offered = pressable(shown(name, can_request=name != "a-leak"))
        assert not any("request" in str(one) for one in offered), name


def test_without_an_alertmanager_nothing_offers_a_silence() -> None:
    """And a menu of one entry is a button."""
    assert pressable(shown("a-leak", can_silence=False)) == [ACK, [("fix", "Fix applied"), ("wrong", "Verdict is wrong")]]
    assert pressable(shown("f2-page-cache", can_silence=False)) == [("wrong", "Not useful here")]
    assert pressable(shown("m-unknown", can_silence=False)) == [ACK]


@pytest.mark.parametrize("name", list(cases.CASES))
def test_without_a_signing_secret_no_message_has_buttons(name: str) -> None:
    """Nobody could be heard."""
    assert pressable(shown(name, has_buttons=False)) == []


@pytest.mark.parametrize("name", list(cases.CASES))
def test_only_root_and_checklist_have_buttons_and_stay_within_their_limits(name: str) -> None:
    """Other replies, the one-message form of other sinks, and later states are for reading."""
    view, report = cases.CASES[name]()
    view = replace(
        view, has_buttons=True, can_silence=True, acknowledged=cases.ACKNOWLEDGED, silenced_until=view.opened_at + timedelta(days=30)
    )
    messages = renderer().incident(view, report)

    assert_good(messages)
    assert {m.slot for m in messages if pressable(m)} <= {"root", "checklist"}
    assert pressable(renderer().later(view, report)) == []


def test_after_acknowledging_the_button_goes_and_the_name_stands_there() -> None:
    """The others see who looks after it, once."""
    view, _ = cases.leak()
    entry = LogEntry(at=view.opened_at + timedelta(days=1), what=cases.ACKNOWLEDGED, shown=STANDING)
    message = shown("a-leak", acknowledged=cases.ACKNOWLEDGED, log=(entry,))

    assert pressable(message) == [QUIET, MENU]
    assert grey(message).startswith("Acknowledged by Ines. ")
    assert grey(message).lower().count("acknowledged") == 1


@pytest.mark.parametrize("state", ["firing", RESOLVED])
@pytest.mark.parametrize("name", list(cases.CASES))
def test_who_did_what_stays_when_the_message_is_too_long(name: str, state: str) -> None:
    """The button is gone, so the name must be there: of the grey line only the count of checks and what is missing may go."""
    view, report = cases.CASES[name]()
    entry = LogEntry(at=view.opened_at, what=cases.ACKNOWLEDGED, shown=STANDING)
    long = "It rose, and rose. " * 40
    if report is not None:
        words = said(long)
        cause = replace(report.cause, because=(words,), against=(words,))
        report = replace(
            report, cause=cause, kill=replace(report.kill, because=(words, words)), missing=(Missing(source="x" * 90, why="y" * 90),) * 9
        )
    seen = replace(
        view, state=state, has_buttons=True, can_silence=True, acknowledged=cases.ACKNOWLEDGED, log=(entry,), notes=(said("Template root/x.j2 is broken."),),
        alerts=tuple(replace(a, annotations={f"note{i}": long for i in range(9)}) for a in view.alerts),
    )  # fmt: skip
    message = renderer().incident(seen, report)[0]

    assert message.full_text.count("Template root/x.j2 is broken. ") == 1
    assert "cknowledged by Ines" in grey(message)
    assert_good((message,))


def test_a_silence_is_shown_until_it_ends() -> None:
    """With its end in UTC, because a grey line cannot localise."""
    _, report = cases.leak()
    assert report is not None
    on = shown("a-leak", silenced_until=report.facts.now + timedelta(hours=1), fix_noted=cases.FIX_APPLIED)
    over = shown("a-leak", silenced_until=report.facts.now - timedelta(hours=1))

    assert "Fix applied by Ines. Silenced until " in grey(on)
    assert " UTC. " in grey(on)
    assert "Silenced" not in grey(over)


def test_resolved_needs_no_owner_but_may_still_be_silenced(golden: Golden) -> None:
    """The history names who did what."""
    view, _ = cases.leak()
    log = (LogEntry(at=view.opened_at, what=cases.ACKNOWLEDGED, shown=STANDING), LogEntry(at=view.opened_at, what=cases.RESOLVED_THEN))
    message = shown("a-leak", state=RESOLVED, log=log, acknowledged=cases.ACKNOWLEDGED)

    assert pressable(message) == [QUIET, MENU]
    golden("slack/resolved-after-acknowledge.txt", as_text((message,)))


def test_without_buttons_a_link_leads_to_alertmanagers_form() -> None:
    """In the line under the header, beside the details; not once it is resolved."""
    url = "https://alerts.example.net/#/silences/new?filter=%7Bnamespace%3D%22shop%22%7D"
    firing = shown("a-leak", has_buttons=False, silence_url=url)
    resolved = shown("a-leak", has_buttons=False, silence_url=url, state=RESOLVED)

    assert [e["url"] for e in firing.blocks[1]["elements"][0]["elements"] if e.get("text") == "silence"] == [url]
    assert "silence" not in resolved.full_text
    assert_good((firing, resolved))


def ticked(**by: str) -> tuple[Message, Message]:
    """Root and checklist of the leak after somebody ticked items of it at 03:40."""
    view, report = cases.leak()
    assert report is not None
    ticks = {item: Tick(by=name, at=cases.at("03:40")) for item, name in by.items()}
    report = replace(report, checklist=with_ticks(report.checklist, ticks, now=report.facts.now))
    messages = renderer().incident(replace(view, has_buttons=True, can_silence=True), report)
    return messages[0], next(m for m in messages if m.slot == "checklist")


class TestChecklist:
    """What is left to a person can be ticked where it stands."""

    def test_a_ticked_checklist_reads_as_reviewed(self, golden: Golden) -> None:
        """Who did what and when; a button for what is left, and one to take each tick back; the root counts them."""
        root, message = ticked(monitor_48h="Ines", alerts_in_place="")

        assert_good((root, message))
        golden("slack/ticked-a-leak.txt", as_text((message,)))
        golden("slack/ticked-a-leak.json", json.dumps(message.body()["blocks"][-1], ensure_ascii=False, indent=1))
        assert "8 of 9 checks done" in grey(root)

    def test_only_what_is_left_to_a_person_is_offered(self) -> None:
        """Not what the evidence says, nor what could not be checked: that asks for a permission, not for a tick."""
        _, message = ticked()

        assert pressable(message) == [("tick:apply_fix", "Done: Apply the fix"), ("tick:monitor_48h", "Done: Watch 48 h")]

    def test_the_evidences_own_words_win_over_a_tick(self) -> None:
        """A root cause that the evidence names is not `done by Ines`, and there is nothing to take back."""
        before, after = ticked()[1], ticked(root_cause="Ines", exit_code="Otto")[1]

        assert after == before

    def test_yesterdays_tick_has_its_date(self) -> None:
        """An incident lives for days."""
        _, report = cases.leak()
        assert report is not None
        items = with_ticks(report.checklist, {"monitor_48h": Tick(by="Ines", at=cases.at("23:40", 22))}, now=report.facts.now)

        assert [say(i.result) for i in items if i.tick] == ["done by Ines, 2026-11-22 23:40 UTC"]

    def test_what_is_pressed_survives_a_checklist_that_is_too_long(self) -> None:
        """A message is cut from the end of its words, never its buttons."""
        view, report = cases.leak()
        assert report is not None
        long = tuple(replace(step, because=said("x" * 160)) for step in report.tree * 40)
        message = renderer().incident(replace(view, has_buttons=True), replace(report, tree=long))[2]

        assert "did not fit" in message.full_text
        assert pressable(message) != []
        assert_good((message,))


@given(st.lists(text, min_size=5, max_size=5), st.sampled_from(sorted(cases.CASES)))
@settings(max_examples=40, deadline=None)
def test_no_name_of_a_person_breaks_a_message(t: list[str], name: str) -> None:
    """Names come from Slack and from shells."""
    view, report = cases.CASES[name]()
    log = tuple(LogEntry(at=view.opened_at, what=said(x)) for x in t)
    seen: IncidentView = replace(view, has_buttons=True, can_silence=True, acknowledged=said(t[0]), fix_noted=said(t[1]), log=log)
    for state in ("firing", RESOLVED):
        message = renderer().incident(replace(seen, state=state), report)[0]
        assert problems(message.body()) == []
        assert budget_problems("root", message.body()) == []
