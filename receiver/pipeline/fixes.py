"""A fix from one look to the next: seen or said, changed again, failed, undone, or held so far. Pure.

Everything that messages say of a fix is made from `IncidentMemory.watched`, so that no two of them disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from receiver.diagnosis.advice.changes import IN_TEMPLATE, is_on_new_setup, was_made_with
from receiver.diagnosis.advice.follow_up import DELAYS, FAILED, HELD, NO_EVIDENCE, Trial, Verdict, with_monitor
from receiver.diagnosis.advice.trim import trim_offer
from receiver.domain.change import Change, Known, What
from receiver.domain.incident_memory import FollowUp, IncidentMemory, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, Fix, Report
from receiver.pipeline import news
from receiver.pipeline.news import News

DID_NOT_HOLD, ONLY_DELAYED, UNDONE = "did_not_hold", "only_delayed", "undone"  # outcomes that end a fix
MOST_PAST = 8
MOST_TRIES, AGAIN_S = 3, 3600.0  # looks again where nothing was measured, before that is told
IMMINENT_S = 86_400.0
SAME_GROWTH = (0.6, 1.6)  # of the growth before: lives of one leak differ by less


def known_of(memory: IncidentMemory) -> Known:
    """What the next diagnosis needs of it."""
    fixes = (*memory.past_fixes, *([memory.watched] if memory.watched is not None else []))
    return Known(
        baseline=memory.baseline,
        raises=tuple(c for fix in fixes if not fix.is_watched for c in fix.changes if c.is_of_limit and not c.is_lower),
    )


def with_fix(memory: IncidentMemory, report: Report, *, now: datetime) -> tuple[IncidentMemory, list[News]]:
    """The memory with what a look with evidence found of a fix, and what of it is news."""
    memory = replace(memory, baseline=report.baseline)
    watched = memory.standing_watch
    if watched is not None and (killed_at := _killed_on_it(watched, report, memory)) is not None:
        memory, failed = _failed(memory, watched, report, killed_at=killed_at, now=now)
        return memory, [failed]
    if report.fix is not None:
        return _seen(memory, watched, report, report.fix, now=now)
    if watched is not None and watched.changes and _could_be_read(report, watched):
        memory, undone = _undone(memory, watched, report, now=now)
        return memory, [undone]
    return memory, []


def adopted(memory: IncidentMemory) -> IncidentMemory:
    """What somebody said to an older release is fixed is watched from then on."""
    fix = memory.standing_fix
    return said(memory, at=fix.at) if memory.watched is None and fix is not None else memory


def said(memory: IncidentMemory, *, at: datetime) -> IncidentMemory:
    """Somebody says that it is fixed: what was seen changed is watched from then on, and what was not seen as well."""
    watched = memory.standing_watch
    if watched is not None:
        return replace(memory, watched=replace(watched, since=max(watched.since, at), done=(), tries=0))
    return _with(memory, WatchedFix(number=_number(memory) + 1, since=at))


def taken_back(memory: IncidentMemory) -> IncidentMemory:
    """It is not fixed after all; what was seen changed is still watched."""
    watched = memory.standing_watch
    return replace(memory, watched=None) if watched is not None and not watched.changes else memory


def _seen(
    memory: IncidentMemory, watched: WatchedFix | None, report: Report, fix: Fix, *, now: datetime
) -> tuple[IncidentMemory, list[News]]:  # fmt: skip
    """Something is changed since the kill: for the first time, or more than before."""
    if watched is not None and _keys(watched.changes) == _keys(fix.changes):
        times = {c.key: c for c in watched.changes}
        changes = tuple(_with_first_time(c, times[c.key]) for c in fix.changes)
        return replace(memory, watched=replace(watched, changes=changes, forecast=fix.forecast, is_enough=fix.is_enough, pods=fix.pods)), []
    new = [c for c in fix.changes if watched is None or c.key not in _keys(watched.changes)]
    if watched is not None and not new:  # one of several was taken back; what is left stands
        return replace(memory, watched=replace(watched, changes=fix.changes, forecast=fix.forecast, is_enough=fix.is_enough)), []
    is_first = watched is None or not watched.changes
    number = watched.number if watched is not None and is_first else _number(memory) + 1
    since = max(c.at for c in new)
    shape = report.shape
    lives = [life.end_s - life.start_s for life in shape.lives if life.is_killed] if shape is not None else []
    of_old = watched is not None and watched.growth_before_bytes_per_h is not None
    found = WatchedFix(
        number=number, since=since, changes=fix.changes, forecast=fix.forecast, is_enough=fix.is_enough, pods=fix.pods,
        growth_before_bytes_per_h=watched.growth_before_bytes_per_h if watched and of_old else shape.growth_bytes_per_h if shape else None,
        life_before_s=watched.life_before_s if watched and of_old else median(lives) if lives else None,
    )  # fmt: skip
    said_at = memory.standing_fix.at if memory.standing_fix is not None else None
    if said_at is not None and watched is not None and is_first and said_at > since:
        found = replace(found, since=said_at)
    what = new[0].as_reason()
    memory = _with(memory, found).noted(now, reason("incident.log.fix_seen", what=what, by=new[0].by, at=new[0].at))
    return replace(memory, settings_change=what), [news.fix_seen(new[0], fix)]


def _failed(
    memory: IncidentMemory, watched: WatchedFix, report: Report, *, killed_at: datetime, now: datetime
) -> tuple[IncidentMemory, News]:  # fmt: skip
    """It was killed with the fix in force: that says more than any later look."""
    change = next((c for c in watched.changes if c.is_of_limit), None)
    # A pod of minutes tells no shape: then what was known of it before counts.
    cause = (
        report.cause.name.value if report.cause.name is not CauseName.UNKNOWN else memory.look.verdict.named_cause if memory.look else ""
    )
    is_delay = change is not None and not change.is_lower and cause == CauseName.LEAK.value
    after_s = max((killed_at - watched.since).total_seconds(), 0.0)
    what = watched.changes[0].as_reason() if watched.changes else reason("fix.said")
    why = (
        reason("follow_up.only_delayed", what=what, after_s=after_s, growth=_same_growth(report, watched))
        if is_delay
        else reason("follow_up.did_not_hold", what=what, after_s=after_s)
    )
    ended = FollowUp(after_s=after_s, at=killed_at, outcome=ONLY_DELAYED if is_delay else DID_NOT_HOLD, because=why)
    memory = replace(memory, watched=replace(watched, ended=ended, next_at=None), settings_change=None, acknowledged=None)
    return memory.noted(now, reason("incident.log.fix_failed")), news.fix_failed(watched.number, why)


def _undone(memory: IncidentMemory, watched: WatchedFix, report: Report, *, now: datetime) -> tuple[IncidentMemory, News]:
    """What was changed is as it was: a deploy, a rollout, or a hand took it back."""
    is_of_pod = all(not c.is_in_template for c in watched.changes)
    workload, container = report.facts.workload, report.subject.container
    written = [w for w in workload.writes if w.container == container and w.at > watched.since] if workload is not None else []
    by = max(written, key=lambda w: w.at, default=None) if not is_of_pod else None
    why = reason(
        "follow_up.undone", what=watched.changes[0].as_reason(), is_of_pod=is_of_pod, by=by.manager if by else "", at=by.at if by else None
    )
    ended = FollowUp(after_s=(now - watched.since).total_seconds(), at=now, outcome=UNDONE, because=why)
    memory = replace(memory, watched=replace(watched, ended=ended, next_at=None), settings_change=None, fix=None)
    return memory.noted(now, reason("incident.log.fix_undone", by=by.manager if by else "")), news.fix_undone(watched.number, why)


def _killed_on_it(watched: WatchedFix, report: Report, memory: IncidentMemory) -> datetime | None:
    """When it was killed again with the fix in force; None when it was not, as far as is known. A pod of before may die meanwhile."""
    times: list[datetime] = []
    kill = report.kill
    if kill.kind.is_kill and kill.at is not None and kill.at > watched.since and is_on_new_setup(report, watched.changes):
        times.append(kill.at)
    workload = report.facts.workload
    limit = next((c.after_bytes for c in watched.changes if c.what == What.LIMIT), None)
    for sibling in workload.siblings if workload is not None else ():
        died_at = sibling.last_finished_at
        has_it = limit in (None, sibling.limit_bytes) and was_made_with(sibling.created_at, watched.changes)
        if sibling.last_reason == "OOMKilled" and died_at is not None and died_at > watched.since and has_it:
            times.append(died_at)
    return min(times, default=None)


def _could_be_read(report: Report, watched: WatchedFix) -> bool:
    """Whether a look could have seen the change if it were there still: away is not undone."""
    workload = report.facts.workload
    missing = {m.source for m in report.facts.missing if not m.is_normal}
    if any(c.what in (What.HPA, What.VPA) for c in watched.changes):
        return not missing & {"hpa", "vpa", "owners"}
    if any(c.is_in_template for c in watched.changes):
        return workload is not None and bool(workload.template or workload.revisions) and not missing & {"owners", "replicasets"}
    return "pod" not in missing and "owners" not in missing


def _with(memory: IncidentMemory, watched: WatchedFix) -> IncidentMemory:
    """A new fix is watched; the one before it is kept for the story."""
    old = memory.watched
    is_same = old is None or old.number == watched.number
    past = memory.past_fixes if is_same or old is None else (*memory.past_fixes, old)[-MOST_PAST:]
    return replace(memory, watched=watched, past_fixes=past)


def _with_first_time(change: Change, first: Change) -> Change:
    """As it is now, with the time and the manager that were first known: a manager's later write is not the change."""
    return replace(change, at=first.at, is_time_known=first.is_time_known, by=first.by or change.by, cause=first.cause or change.cause)


def _keys(changes: Sequence[Change]) -> tuple[str, ...]:
    return tuple(sorted(c.key for c in changes))


def _number(memory: IncidentMemory) -> int:
    return max((f.number for f in (*memory.past_fixes, *([memory.watched] if memory.watched else []))), default=0)


def _same_growth(report: Report, watched: WatchedFix) -> float | None:
    """The growth with the fix in force, where it is about what it was before: that makes it the same leak."""
    lives = report.shape.lives if report.shape is not None else ()
    before = watched.growth_before_bytes_per_h
    after = next((life.growth_bytes_per_h for life in reversed(lives) if life.is_killed and life.growth_bytes_per_h), None)
    return after if before and after and SAME_GROWTH[0] * before <= after <= SAME_GROWTH[1] * before else None


def with_verdict(
    memory: IncidentMemory, report: Report | None, verdict: Verdict, *, after_s: float, is_last: bool, now: datetime
) -> tuple[IncidentMemory, list[News]]:  # fmt: skip
    """The memory after a follow-up that was due `after_s` after the fix, and what of it must be said beside the edit.

    `report` None: nothing could be looked at.
    """
    watched = memory.standing_watch
    if watched is None:
        return memory, []
    if verdict.outcome == FAILED and verdict.killed_at is not None and report is not None:
        memory, failed = _failed(memory, watched, report, killed_at=verdict.killed_at, now=now)
        return memory, [failed]
    if verdict.outcome == NO_EVIDENCE and watched.tries < MOST_TRIES:
        again_at = now + timedelta(seconds=AGAIN_S)
        return replace(memory, watched=replace(watched, tries=watched.tries + 1, next_at=again_at)), []
    before = watched.done[-1].outcome if watched.done else ""
    found = FollowUp(after_s=after_s, at=now, outcome=verdict.outcome, because=verdict.because)
    once_more = verdict.again_at if is_last and verdict.again_at is not None and verdict.again_at > now else None
    memory = replace(memory, watched=replace(watched, done=(*watched.done, found), tries=0, next_at=once_more))
    is_told = verdict.outcome == HELD or (verdict.outcome in (DELAYS, NO_EVIDENCE) and verdict.outcome != before)
    if not is_told:
        return memory, []
    return memory, [news.follow_up(watched.number, label(after_s), verdict.because, is_bad=_is_imminent(verdict, now))]


def _is_imminent(verdict: Verdict, now: datetime) -> bool:
    """Whether somebody must act within a day: a later kill is no reason to wake anybody."""
    next_at = verdict.because["next_at"] if verdict.outcome == DELAYS else None
    return isinstance(next_at, datetime) and (next_at - now).total_seconds() <= IMMINENT_S


def trial_of(watched: WatchedFix, *, after_s: float) -> Trial:
    """What a follow-up asks."""
    return Trial(
        since=watched.since, after_s=after_s, limit_bytes=next((c.after_bytes for c in watched.changes if c.is_of_limit), None),
        replaces_pods=any(c.what in IN_TEMPLATE for c in watched.changes),
        growth_before_bytes_per_h=watched.growth_before_bytes_per_h, life_before_s=watched.life_before_s,
    )  # fmt: skip


def label(after_s: float) -> str:
    """`24h`: in slots."""
    return f"{after_s / 3600:g}h"


def next_due(watched: WatchedFix, steps_s: Sequence[float]) -> tuple[float, datetime] | None:
    """The next follow-up of a fix: how long after it, and when; None when all were done or it ended."""
    if not watched.is_watched:
        return None
    done = {f.after_s for f in watched.done}
    left = [s for s in sorted(steps_s) if s not in done]
    if watched.next_at is not None:  # asked again, or one more because it was too early
        return (left[0] if left else round((watched.next_at - watched.since).total_seconds())), watched.next_at
    return (left[0], watched.since + timedelta(seconds=left[0])) if left else None


def shown(report: Report, memory: IncidentMemory, steps_s: Sequence[float]) -> Report:
    """The report with what the follow-ups found laid over it: the checklist's item, and the trim after the last quiet one."""
    watched = memory.standing_watch
    newest = watched.newest if watched is not None else None
    if watched is None or newest is None:
        return report
    is_final = next_due(watched, steps_s) is None
    report = replace(report, checklist=with_monitor(report.checklist, newest.outcome, newest.because, is_final=is_final))
    peak, limit = newest.because.by_name.get("peak_bytes"), newest.because.by_name.get("limit_bytes")
    if newest.outcome != HELD or not is_final or not isinstance(peak, (int, float)) or not isinstance(limit, int):
        return report
    offer = trim_offer(report.facts, peak_bytes=float(peak), limit_bytes=limit, quiet_s=newest.after_s)
    return report if offer is None else replace(report, proposal=offer)
