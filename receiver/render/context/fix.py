"""The fix part of the context: what was changed, what is left to do about it, and what came of it. All from one place."""

from __future__ import annotations

from datetime import datetime, timedelta

from receiver.diagnosis.advice.keep import KEEP
from receiver.diagnosis.advice.trim import TRIM
from receiver.domain.change import Change, What
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import WatchedFix
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.render.context.model import FixWords
from receiver.render.inline import Moment, when
from receiver.render.text import clean_line, sentence
from receiver.render.wording import say

A_MOMENT = timedelta(minutes=1)  # two sources tell one kill, rounded differently
HELD, WATCHED = "held", "watching"


def fix_words(view: IncidentView, report: Report | None, now: datetime) -> FixWords:
    """What messages say of the fix that stands; empty where there is none."""
    watched = view.fix
    if watched is None or watched.ended is not None:
        ended = watched.ended if watched is not None else None
        return FixWords(
            state="", short="", told="", forecast="", result="", do="", is_enough=False, is_news=False, next=None, last=None, since=None,
            held_for="", ended=ended.outcome if ended is not None else "",
            because=clean_line(say(ended.because), 300) if ended is not None else "",
            is_fresh=ended is not None and (view.last_kill_at is None or view.last_kill_at <= ended.at + A_MOMENT),
            lasted=f"{int(ended.after_s // 3600)} h" if ended is not None and ended.after_s >= 3600 else "",
        )  # fmt: skip
    newest = watched.newest
    is_final = newest is not None and view.next_follow_up is None
    state = WATCHED if newest is None else newest.outcome if newest.outcome != HELD or is_final or view.is_result else "held_so_far"
    return FixWords(
        state=state,
        short=clean_line(say(watched.changes[0].as_reason() if watched.changes else view.fix_noted), 60),
        told=_told(view, watched),
        forecast=clean_line(say(watched.forecast), 240),
        result=clean_line(say(newest.because), 300) if newest is not None else "",
        do=sentence(clean_line(say(_to_do(report, watched)), 240)),
        is_enough=watched.is_enough,
        is_news=view.is_result,
        next=_when(view.next_follow_up, now),
        last=_when(watched.since + timedelta(seconds=view.last_follow_up_s), now) if view.last_follow_up_s else None,
        since=when(watched.since, now),
        held_for=_hours(newest.after_s) if newest is not None else "",
        ended="",
        because="",
        is_fresh=False,
        lasted="",
    )  # fmt: skip


def _told(view: IncidentView, watched: WatchedFix) -> str:
    """What was changed, when, by whom, and how far it has got: one or two sentences."""
    if not watched.changes:
        return clean_line(sentence(say(reason("fix.only_said", said=view.fix_noted))), 240)
    told = [say(_one(watched.changes[0]))]
    others = tuple(c.as_reason() for c in watched.changes[1:4])
    if others:
        told.append(say(reason("fix.others", others=others)))
    if watched.pods is not None:
        told.append(say(watched.pods))
    return clean_line(sentence("; ".join(told)), 300)


def _one(change: Change) -> Reason:
    return reason(
        "fix.told", what=change.as_reason(), before_bytes=change.before_bytes, at=change.at, by=change.by, cause=change.cause,
        is_time_known=change.is_time_known, is_waiting=change.what == What.RESIZE and not change.is_rolled_out,
    )  # fmt: skip


def _to_do(report: Report | None, watched: WatchedFix) -> Reason:
    """What is left to do, beside waiting."""
    proposal = report.proposal if report is not None else None
    lasts_s = report.fix.lasts_s if report is not None and report.fix is not None else None
    is_resize = bool(watched.changes) and watched.changes[0].what == What.RESIZE
    if proposal is not None and proposal.role == TRIM:
        return reason("fix.do.trim", limit_before_bytes=proposal.limit_before_bytes, limit_bytes=proposal.limit_bytes)
    if proposal is None or proposal.role != KEEP or not proposal.limit_bytes:
        return reason("fix.do.nothing")
    left = (
        reason("fix.do.into_template", limit_bytes=proposal.limit_bytes)
        if is_resize
        else reason("fix.do.into_git", limit_bytes=proposal.limit_bytes)
    )
    return reason("fix.do.fix_the_code", lasts_s=lasts_s, left=left) if lasts_s is not None else left


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h"


def _when(at: datetime | None, now: datetime) -> Moment | None:
    return when(at, now) if at is not None else None
