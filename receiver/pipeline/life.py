"""What an incident remembers after one more look, and what of it was new. Pure. What people do: pipeline/people.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.diagnosis.advice.follow_up import Verdict
from receiver.domain.alerts import FIRING
from receiver.domain.case import LIFE, Case
from receiver.domain.incident_memory import ContainerSettings, GivenVerdict, IncidentMemory, LookSummary, Notification
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, KillKind, Report
from receiver.domain.runs import Runs, runs_of
from receiver.domain.typed_json import to_json
from receiver.domain.units import from_epoch
from receiver.pipeline import fixes, news
from receiver.pipeline.news import News

MAX_PODS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one look found new. `news`: what must be notified beside the edit."""

    is_new_kill: bool = False
    is_first_look: bool = False
    news: News | None = None


def with_life(case: Case, memory: IncidentMemory) -> Case:
    """The case with what the incident remembers and its diagnosis needs, so that a saved case says the same when it is replayed."""
    known = to_json(fixes.known_of(memory))
    return replace(case, notes={**case.notes, LIFE: known}) if known else case


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedUp:
    """What a look that was due `after_s` after a fix says of it."""

    after_s: float
    verdict: Verdict
    is_last: bool


def remember(
    before: IncidentMemory, report: Report | None, pods: Sequence[str], *, state: str, severity: str, now: datetime,
    followed_up: FollowedUp | None = None,
) -> tuple[IncidentMemory, Update]:  # fmt: skip
    """The incident's memory after one more look, or after a change of state without one, and what was new in it."""
    after = replace(
        before, pods=tuple(dict.fromkeys([*before.pods, *pods]))[:MAX_PODS], first_notified_at=before.first_notified_at or now
    )  # fmt: skip
    after, found = _with_state(after, state=state, now=now)
    after = fixes.adopted(after)
    after, became_critical = _with_severity(after, severity, state=state)
    found += became_critical
    if report is not None:
        after = _with_settings(_with_kills(after, report), report)
        after, of_fix = fixes.with_fix(after, report, now=now)
        if followed_up is not None and not of_fix:
            after, of_fix = fixes.with_verdict(
                after, report, followed_up.verdict, after_s=followed_up.after_s, is_last=followed_up.is_last, now=now
            )
        after = _with_summary(after, report, now=now)
        found += of_fix if before.look is not None else [n for n in of_fix if n.is_due]
    after = _with_watched_kills(after)
    is_new_kill = after.kill_count > before.kill_count or after.last_kill_at != before.last_kill_at
    if before.look is not None:  # not the first look: the root already stands there, and its phone notification is gone
        if is_new_kill and before.kill_count == 0:
            found.insert(0, news.became_kill())
        if is_new_kill or report is not None:
            found += news.escalations(after, before, now=now)
        if report is not None:
            after, is_other_verdict = _with_verdict(after, before.look, now=now)
            if is_new_kill or after.standing_watch is None:  # somebody is at work, and nothing died since: the grey line tells it
                found += is_other_verdict
    unseen = news.killed_unseen(after) if state != FIRING else None
    found += [unseen] if unseen is not None else []
    chosen = news.first_fit(found, [n.slot for n in before.notifications])
    if chosen is not None:  # the one message shows the whole state, so what else was news in this look is in it
        after = replace(after, notifications=(*after.notifications, Notification(slot=chosen.slot, at=now)))
    return after, Update(is_new_kill=is_new_kill, is_first_look=not before.state, news=chosen)


def _with_state(memory: IncidentMemory, *, state: str, now: datetime) -> tuple[IncidentMemory, list[News]]:
    """Resolved, or firing again; the latter is news when it was quiet for a while."""
    was = memory.state or FIRING
    memory = replace(memory, state=state)
    if was == state:
        return memory, []
    if state != FIRING:
        return replace(memory.noted(now, reason("incident.log.resolved")), resolved_at=now), []
    memory = memory.noted(now, reason("incident.log.firing_again"))
    again = news.refired(memory.resolved_at or now, now)
    if again is None:
        return memory, []
    return replace(memory, acknowledged=None), [again]  # it sounds again, so it is to be owned again


def _with_severity(memory: IncidentMemory, severity: str, *, state: str) -> tuple[IncidentMemory, list[News]]:
    """Critical now, and not when it was first notified: the root may have called nobody."""
    is_worse = severity == "critical" != (memory.severity or severity) and state == FIRING
    return replace(memory, severity=severity), [news.became_critical()] if is_worse else []


def _with_verdict(memory: IncidentMemory, before: LookSummary, *, now: datetime) -> tuple[IncidentMemory, list[News]]:
    """The answer changed, or became sure. It is never swapped silently: the grey line keeps the old one."""
    changed = news.verdict(memory.look, before) if memory.look is not None else None
    if changed is None or memory.look is None:
        return memory, []
    what = reason("incident.log.verdict_changed", before=before.verdict.as_reason(), now=memory.look.verdict.as_reason())
    return memory.noted(now, what), [changed]


def _with_kills(memory: IncidentMemory, report: Report) -> IncidentMemory:
    kills = dict(memory.kills)
    for pod, count in _kills_by_pod(report).items():
        kills[pod] = max(kills.get(pod, 0), count)
    times = [*kill_times(report), *(t for t in (memory.first_kill_at, memory.last_kill_at) if t is not None)]
    return replace(memory, kills=kills, first_kill_at=min(times, default=None), last_kill_at=max(times, default=None))


def _with_watched_kills(memory: IncidentMemory) -> IncidentMemory:
    """With what the watch has counted since, of pods that no look shows any more as well."""
    kills = dict(memory.kills)
    for pod, count in memory.watch.kills.items():
        kills[pod] = max(kills.get(pod, 0), count)
    times = [t for t in (memory.last_kill_at, memory.watch.last_kill_at) if t is not None]
    last_at = max(times, default=None)
    return replace(memory, kills=kills, first_kill_at=memory.first_kill_at or last_at, last_kill_at=last_at)


def _kills_by_pod(report: Report) -> Mapping[str, int]:
    """Kills known per pod. A restart count stands for kills only where the newest death was one (a lower bound for it is
    then still the series' count), because restarts have other reasons too.
    """
    counts: dict[str, int] = {}
    facts = report.facts
    in_series = len(report.shape.kills) if report.shape else 0
    if report.kill.kind.is_kill:
        counts[report.subject.pod] = max(1, in_series, _deaths(report))
    elif in_series:
        counts[report.subject.pod] = in_series
    for sibling in facts.workload.siblings if facts.workload else ():
        if sibling.last_reason == "OOMKilled":
            counts[sibling.pod] = max(1, sibling.restart_count)
    return counts


def _deaths(report: Report) -> int:
    restarts = report.kill.restarts or 0
    container = report.facts.pod.container(report.subject.container) if report.facts.pod else None
    is_down = container is not None and container.state != "running" and container.newest_termination is not None
    return restarts + 1 if is_down else restarts


def _processes(memory: IncidentMemory, report: Report) -> Mapping[str, int]:
    """Processes killed by life of a container that survived it. The kernel's counter begins anew with each life, the sum does not."""
    killed = report.facts.child_kills
    if not killed or report.kill.kind is not KillKind.CHILD_PROCESS_OOM:
        return memory.processes
    container = report.facts.pod.container(report.subject.container) if report.facts.pod else None
    began = container.state_since if container is not None else None
    life = f"{report.subject.pod}@{int(began.timestamp())}" if began is not None else report.subject.pod
    known = {**memory.processes, life: max(memory.processes.get(life, 0), killed)}
    return {name: known[name] for name in sorted(known, key=lambda name: -known[name])[:MAX_PODS]}


def kill_times(report: Report) -> list[datetime]:
    """When kills happened that a look knows the time of."""
    times = [report.kill.at] if report.kill.at is not None and report.kill.kind.is_kill else []
    if report.shape:
        times += [from_epoch(t) for t in report.shape.kills]
    workload = report.facts.workload
    if workload:
        times += [s.last_finished_at for s in workload.siblings if s.last_finished_at and s.last_reason == "OOMKilled"]
    return times


def _with_settings(memory: IncidentMemory, report: Report) -> IncidentMemory:
    """The limit and the image of the container as it is now."""
    container = report.facts.pod.container(report.subject.container) if report.facts.pod else None
    if container is None:
        return memory
    return replace(memory, settings=ContainerSettings(limit_bytes=container.limit_bytes, image=container.image))


def _with_summary(memory: IncidentMemory, report: Report, *, now: datetime) -> IncidentMemory:
    """The few facts that later looks and a storm's digest need."""
    facts = report.facts
    siblings = facts.workload.siblings if facts.workload else ()
    container = facts.pod.container(report.subject.container) if facts.pod else None
    runs_for_ever = runs_of(report.subject.workload, facts.pod) is Runs.FOR_EVER  # a run that failed is over, not down
    memory = replace(memory, processes=_processes(memory, report))
    look = LookSummary(
        verdict=GivenVerdict(cause=report.cause.name.value, confidence=report.cause.confidence, detail=report.cause.detail),
        kill_kind=report.kill.kind.value,
        node=report.subject.node or (facts.pod.node if facts.pod else ""),
        is_never_up=bool(
            runs_for_ever
            and container
            and not container.is_ready
            and report.has_come_up is False
            and report.cause.name is CauseName.STARTUP
        ),
        is_every_replica_killed=bool(siblings) and all(s.last_reason == "OOMKilled" for s in siblings) and report.kill.kind.is_kill,
        processes_killed=sum(memory.processes.values()) if report.kill.kind is KillKind.CHILD_PROCESS_OOM else None,
    )
    return replace(memory, look=look, never_up_since=(memory.never_up_since or now) if look.is_never_up else None)
