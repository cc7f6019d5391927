"""The weekly summary of a channel as one message. Names come from labels: they are cleaned, cut, and never parsed."""

from __future__ import annotations

from datetime import timedelta

from receiver.domain.incident import Message
from receiver.domain.reason import Reason, reason
from receiver.domain.weekly import WeeklyLine, WeeklyView
from receiver.render import blocks, inline
from receiver.render.root import fit, lock_screen, shorten
from receiver.render.text import clean_line, cut_middle
from receiver.render.wording import say

LISTED = 8
NAME_MAX = 44


def weekly_message(view: WeeklyView) -> Message:
    """The one message: how much was killed, where to start, what came of fixes, and the worst workloads."""
    killed = view.killed
    header = say(reason("weekly.header", kills=view.kills, workloads=len(killed), days=view.days))
    worst = _name(killed[0]) if killed else ""
    do = reason("weekly.start_with", name=worst, kills=killed[0].kills, all=view.kills) if killed else reason("weekly.nothing")
    has_fixes, has_limits = view.held or view.failed or view.watched, view.wasted_bytes or view.missing_bytes
    fixes = reason("weekly.fixes", held=view.held, failed=view.failed, watched=view.watched) if has_fixes else None
    limits = reason("weekly.limits", wasted_bytes=view.wasted_bytes, missing_bytes=view.missing_bytes) if has_limits else None
    listed = view.lines[:LISTED]
    parts = [
        blocks.header(fit([header], blocks.HEADER_MAX, "")),
        blocks.rich(blocks.labelled("Do", shorten(say(do))), blocks.labelled("Fixes", say(fixes)), blocks.labelled("Limits", say(limits))),
        blocks.rich(blocks.section(inline.bold(say(reason("weekly.worst")))), blocks.bullets(_bullet(line) for line in listed)) if listed else None,
        blocks.rich(blocks.section(inline.link(view.page_url, say(reason("weekly.page"))))) if view.page_url else None,
        blocks.context(say(_grey(view, len(view.lines) - len(listed)))),
    ]  # fmt: skip
    shown = tuple(part for part in parts if part is not None)
    text = lock_screen([f"{header}. {say(do)}" if killed else header, header], "")
    return Message(slot="root", text=text, blocks=shown, full_text=blocks.as_text(shown))


def _grey(view: WeeklyView, more: int) -> Reason:
    return reason(
        "weekly.grey", before=view.kills_before, days=view.days, more=max(more, 0), first=f"{view.since:%Y-%m-%d}",
        last=f"{view.until - timedelta(days=1):%Y-%m-%d}",
    )  # fmt: skip


def _bullet(line: WeeklyLine) -> str:
    verdict = say(line.verdict.named.as_reason()) if line.verdict is not None else ""
    name = inline.link(line.page_url, _name(line)) if line.page_url else inline.code(_name(line))
    return f"{name}{say(reason('weekly.line', kills=line.kills, verdict=verdict, fix=line.newest_fix))}"


def _name(line: WeeklyLine) -> str:
    return cut_middle(clean_line(f"{line.namespace}/{line.name}"), NAME_MAX)
