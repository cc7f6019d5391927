"""The messages of one conversation, in the manner of its sink: a thread that is edited, single messages, or documents for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from receiver.domain.incident import FIRING, PICTURE, Destination, IncidentView, Message
from receiver.domain.reason import reason
from receiver.domain.report import Report
from receiver.pipeline import events
from receiver.pipeline.life import Update
from receiver.render.blocks import image
from receiver.render.chart import chart_of
from receiver.render.notice import test_message
from receiver.store import conversations, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx

ROOT, CHECKLIST, RESOLVED = "root", "checklist", "resolved"  # slots


class Rendering(Protocol):
    """What turns an incident into messages: the render layer."""

    def incident(self, view: IncidentView, report: Report | None, *, chart: Mapping[str, Any] | None = None) -> tuple[Message, ...]:
        """Root and replies; `chart`: an image block for the root."""

    def single(self, view: IncidentView, report: Report | None) -> Message:
        """One message with everything, for sinks without threads."""

    def later(self, view: IncidentView, report: Report | None) -> Message:
        """A short message about a later state, for sinks that cannot edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is to be shown. `document`: the report's, as stored. `prompt_slot`: the message whose edit somebody waits for."""

    view: IncidentView
    report: Report | None
    document: Mapping[str, Any] | None
    update: Update
    prompt_slot: str = ""


class Messages:
    """Writes desired messages. `threaded_sinks`: sinks that thread and edit; `document_sinks`: those that get the report document of
    each event; the others get one message, and short ones later.
    """

    def __init__(self, rendering: Rendering, *, threaded_sinks: frozenset[str], document_sinks: frozenset[str], has_charts: bool) -> None:
        self._rendering = rendering
        self._threaded_sinks = threaded_sinks
        self._document_sinks = document_sinks
        self._has_charts = has_charts

    def has_threads(self, sink: str) -> bool:
        """Whether that sink threads and edits."""
        return sink in self._threaded_sinks

    def show(self, tx: Tx, conversation: Conversation, place: Destination, content: Content, *, now: float) -> None:
        """Say what a conversation should show from now on."""
        if conversation.kind == conversations.TEST:
            self._test(tx, conversation, content, now=now)
        elif self.has_threads(conversation.sink):
            self._thread(tx, conversation, place, content, now=now)
        elif conversation.sink in self._document_sinks:
            self._event(tx, conversation, content, now=now)
        else:
            self._single(tx, conversation, content, now=now)

    def _test(self, tx: Tx, conversation: Conversation, content: Content, *, now: float) -> None:
        """A test alert, and where it can be edited, that it is over."""
        is_over = content.view.state != FIRING
        if not is_over or self.has_threads(conversation.sink):
            said = reason("notice.test_alert", at=content.view.opened_at)
            outbox.desire(tx, conversation.id, test_message(said, is_over=is_over), now=now)

    def _thread(self, tx: Tx, conversation: Conversation, place: Destination, content: Content, *, now: float) -> None:
        """The root and its replies as they are now, and what must be notified beside their edits."""
        is_first = not outbox.has_slot(tx, conversation.id, ROOT)
        # The post will call whom the incident calls for by then; edits call nobody, and after a storm only whom that did not call.
        if conversation.root_ts is None and conversation.kind != conversations.AFTER_STORM:
            content = replace(content, view=replace(content.view, mention=place.mention or conversation.mention))
        for message in self._root_and_replies(content.view, content.report):
            outbox.desire(tx, conversation.id, message, now=now, is_prompt=message.slot == content.prompt_slot)
        if is_first:
            return
        if content.view.state != FIRING and outbox.is_settled(tx, conversation.id, ROOT):
            self._say_resolved(tx, conversation, content, now=now)
        self._say_news(tx, conversation, place, content, now=now)

    def _say_resolved(self, tx: Tx, conversation: Conversation, content: Content, *, now: float) -> None:
        """The root cannot be edited any more, and would fire for ever."""
        ended = self._rendering.later(replace(content.view, mention=""), content.report)
        outbox.desire(tx, conversation.id, replace(ended, slot=RESOLVED, is_reply=True), now=now)

    def _say_news(self, tx: Tx, conversation: Conversation, place: Destination, content: Content, *, now: float) -> None:
        """An edit is silent, and the phone only ever showed the first text: this must be noticed, once."""
        news = content.update.news
        if news is None or (news.calls and (conversation.mention or not place.mention)):
            return
        view = replace(content.view, mention=place.mention, news=news.why, is_new_verdict=news.is_verdict, is_result=news.is_result)
        is_aloud = view.state == FIRING or news.is_due
        is_broadcast = news.is_broadcast and is_aloud and not place.options.get("is_quiet")
        later = self._rendering.later(view, content.report)
        outbox.desire(tx, conversation.id, replace(later, slot=news.slot, is_reply=True, is_broadcast=is_broadcast), now=now)

    def _root_and_replies(self, view: IncidentView, report: Report | None) -> tuple[Message, ...]:
        """Root and replies, the root with its chart where there is history enough for one."""
        chart = chart_of(report, view) if report is not None and self._has_charts else None
        if chart is None:
            return self._rendering.incident(view, report)
        root, *replies = self._rendering.incident(view, report, chart=image({"slack_file": {"id": PICTURE}}, chart.alt_text))
        return (replace(root, chart_svg=chart.svg_dark), *replies)

    def _single(self, tx: Tx, conversation: Conversation, content: Content, *, now: float) -> None:
        """A sink that cannot edit: the whole once, then a short message for each later state."""
        sent, report = conversation.memory.states, content.report
        fix = content.view.fix
        of_fix = f":fix {fix.number} {fix.ended.outcome if fix.ended is not None else ''}".rstrip() if fix is not None else ""
        state = f"{content.view.state}:{report.cause.name.value if report else 'none'}{of_fix}"
        if not sent:
            outbox.desire(tx, conversation.id, self._rendering.single(content.view, report), now=now)
        elif sent[-1] != state:
            later = self._rendering.later(content.view, report)
            outbox.desire(tx, conversation.id, replace(later, slot=f"later:{len(sent)}", is_reply=False), now=now)
        else:
            return
        conversations.save_memory(tx, conversation.id, replace(conversation.memory, states=(*sent, state)))

    def _event(self, tx: Tx, conversation: Conversation, content: Content, *, now: float) -> None:
        """A sink for programs: the document again whenever something of weight changed."""
        memory = conversation.memory
        state = events.event_state(content.view, content.document)
        event = events.next_event(state, memory.last_event)
        if event is None:
            return
        message = events.event_message(content.view, content.document, event, number=memory.event_count)
        outbox.desire(tx, conversation.id, message, now=now)
        conversations.save_memory(tx, conversation.id, replace(memory, event_count=memory.event_count + 1, last_event=state))
