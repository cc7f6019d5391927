"""The replies of a thread: how much of a report they show, and where the rest is."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.log.runtimes import profiling_advice
from receiver.domain.incident import Message
from receiver.domain.report import LongTerm
from receiver.domain.units import MIB
from receiver.render.document import report_document
from receiver.render.wording import say
from tests.unit.render import cases
from tests.unit.render.test_renderer import assert_good, renderer


def _links(message: Message) -> list[str]:
    """Addresses that the message leads to."""
    waiting: list[object] = list(message.blocks)
    found = []
    for part in waiting:
        if isinstance(part, dict):
            found += [str(part["url"])] if part.get("type") == "link" else []
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _patch(fixes: tuple[LongTerm, ...], *, causes_url: str = cases.CAUSES) -> Message:
    view, report = cases.leak()
    messages = renderer().incident(replace(view, causes_url=causes_url), replace(report, long_term=fixes))
    assert_good(messages)
    return next(m for m in messages if m.slot == "patch")


def test_three_real_fixes_are_shown_and_the_rest_is_a_page_away() -> None:
    """What fits best stands in the thread; who wants more follows the link to the cause's page."""
    fixes = profiling_advice("jvm", 512 * MIB) + profiling_advice("go", None)
    message = _patch(fixes)

    assert [say(f.advice)[:60] in message.full_text for f in fixes] == [True] * 3 + [False] * (len(fixes) - 3)
    assert _links(message) == [f"{cases.CAUSES}/leak"]


def test_without_a_public_url_there_is_no_link() -> None:
    """Nobody could follow it."""
    assert _links(_patch(profiling_advice("jvm", None), causes_url="")) == []


def test_the_report_keeps_every_fix() -> None:
    """Who reads the JSON gets all of them, in the order of fit."""
    _, report = cases.leak()
    fixes = profiling_advice("jvm", 512 * MIB) + profiling_advice("go", None)

    assert [f["id"] for f in report_document(replace(report, long_term=fixes))["long_term"]] == [f.id for f in fixes]
