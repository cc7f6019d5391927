"""Pages of the incidents that the message tests have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory, LookSummary
from receiver.domain.report import Report
from receiver.render.document import report_document
from receiver.render.page.build import Known, page_of
from receiver.render.page.history import Alike
from receiver.render.page.model import IncidentPage, SourceRow, ToldMessage, ToldPlace
from receiver.render.page.parts import parts_of
from receiver.render.renderer import BELOW
from tests.unit.render import cases
from tests.unit.render.test_renderer import renderer


def known(view: IncidentView, report: Report | None, /, **changes: Any) -> Known:
    """What is known of an incident of which a person may do something, told in one channel of Slack."""
    messages = renderer().incident(replace(view, has_buttons=True, can_silence=True, page_url=""), report, patch_place=BELOW)
    told = tuple(ToldMessage(slot=m.slot, state="sent", parts=parts_of(m.blocks), sent_at=cases.NOW) for m in messages)
    memory = IncidentMemory(log=view.log, first_kill_at=view.first_kill_at, last_kill_at=view.last_kill_at, state=view.state)
    return replace(
        Known(
            view=view, memory=memory, now=cases.NOW, messages=messages, document=report_document(report) if report is not None else None,
            report=report, told=(ToldPlace(sink="slack", channel="C1", messages=told),), alike=(like(),), gathered_at=cases.NOW,
            sources=(SourceRow(source="pod", what="The pod", at=cases.NOW),), runbooks=("OOMKilled",), known_causes=frozenset({"leak"}),
            has_case=True, can_act=True,
        ),
        **changes,
    )  # fmt: skip


def like() -> Alike:
    """An incident a week before, of the same workload."""
    memory = IncidentMemory(
        look=LookSummary(verdict=GivenVerdict(cause="leak", confidence=0.9), kill_kind="container_oom"), kills={"orders-api-1": 3}
    )  # fmt: skip
    return Alike(
        id="inc_01K7", opened_at=cases.NOW - timedelta(days=7), place="shop/orders-api", is_closed=True, state="resolved", memory=memory,
        rules=("workload", "image"),
    )  # fmt: skip


def page(name: str, **changes: Any) -> IncidentPage:
    """The page of a case."""
    return page_of(known(*cases.CASES[name](), **changes))
