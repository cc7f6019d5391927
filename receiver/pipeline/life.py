"""What an incident remembers from one look to the next, and the view of it that messages show. Pure.

`data` of an incident:
    {"kills": {POD: n}, "first_kill_at", "last_kill_at": seconds, "pods": [POD, ...], "log": [[seconds, text], ...],
     "cause": name, "confidence", "limit_bytes", "image", "node", "never_up": bool, "never_up_since": seconds, "all_replicas": bool, "said": [slot, ...],
     "state", "severity", "told_at", "resolved_at", "verdict": words, "settings_changed": words, "owner": {"labels", "annotations"} that routes ask for}
A line of `log` has a third word when messages say it elsewhere: "standing" (shown as long as it holds), "checklist" (its item says
it, so that ticks do not push the rest out of the grey line). What people do: pipeline/people.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.diagnosis.causes.leaves import leaf_of
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.incident import IncidentView, LogEntry
from receiver.domain.report import CauseName, KillKind, Report
from receiver.domain.units import format_quantity, from_epoch
from receiver.pipeline import news
from receiver.pipeline.news import News
from receiver.render.wording import say
from receiver.store.conversations import Conversation
from receiver.store.incidents import Incident

KILLED = frozenset(
    {
        KillKind.CONTAINER_OOM,
        KillKind.CHILD_PROCESS_OOM,
        KillKind.NODE_OOM,
        KillKind.EVICTION,
        KillKind.SIGKILL_NOT_OOM,
        KillKind.SUSPECTED_OOM,
    }
)
MAX_PODS = 200
MAX_LOG = 20
STANDING, IN_CHECKLIST = "standing", "checklist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one look found new. `news`: what must be said beside the edit."""

    is_new_kill: bool = False
    is_first_look: bool = False
    news: News | None = None


def remember(
    data: Mapping[str, Any], report: Report | None, pods: Sequence[str], *, state: str, severity: str, now: float
) -> tuple[dict[str, Any], Change]:
    """The incident's memory after one more look, and what was new in it."""
    after: dict[str, Any] = dict(data)
    after["pods"] = list(dict.fromkeys([*data.get("pods", ()), *pods]))[:MAX_PODS]
    is_first_look = "state" not in data
    after.setdefault("told_at", now)
    found = _note_state(after, data, state=state, now=now) + _note_severity(after, severity, state=state)
    is_new_kill = False
    if report is not None:
        kills_before, last_before = sum(data.get("kills", {}).values()), data.get("last_kill_at")
        _note_kills(after, data, report)
        kills, times = sum(after["kills"].values()), after.get("last_kill_at")
        is_new_kill = kills > kills_before or (times is not None and times != last_before)
        _note_settings(after, data, report, now=now)
        after.update(_summary(report))
        after["never_up_since"] = (since if (since := data.get("never_up_since")) is not None else now) if after["never_up"] else None
        if "cause" in data:  # not the first look: the root already stands there, and its phone notification is gone
            if is_new_kill and kills_before == 0:
                found.insert(0, news.became_kill())
            found += news.escalations(after, data, kills=kills, kills_before=kills_before, now=now)
            found += _note_verdict(after, data, now=now)
            if after.get("settings_changed") != data.get("settings_changed"):
                found.append(news.fix_seen(after["settings_changed"]))
    return _with_news(after, found, is_first_look=is_first_look, is_new_kill=is_new_kill)


def _with_news(after: dict[str, Any], found: Sequence[News], *, is_first_look: bool, is_new_kill: bool) -> tuple[dict[str, Any], Change]:
    """The one message says the whole state, so what else was news in this look is said with it."""
    said = list(after.get("said", ()))
    chosen = news.first_fit(found, said)
    if chosen is not None:
        after["said"] = [*said, chosen.slot]
    return after, Change(is_new_kill=is_new_kill, is_first_look=is_first_look, news=chosen)


def _note_state(after: dict[str, Any], before: Mapping[str, Any], *, state: str, now: float) -> list[News]:
    """Resolved, or firing again; the latter is news when it was quiet for a while."""
    was = before.get("state", FIRING)
    after["state"] = state
    if was == state:
        return []
    if state != FIRING:
        log_entry(after, now, "alert resolved")
        after["resolved_at"] = now
        return []
    log_entry(after, now, "firing again")
    again = news.refired(before.get("resolved_at", now), now)
    if again is None:
        return []
    after.pop("acknowledged", None)  # it sounds again, so it is to be owned again
    return [again]


def _note_severity(after: dict[str, Any], severity: str, *, state: str) -> list[News]:
    """Critical now, and not when it was told: the root may have called nobody."""
    was, after["severity"] = after.get("severity", severity), severity
    return [news.became_critical()] if severity == "critical" != was and state == FIRING else []


def _note_verdict(after: dict[str, Any], before: Mapping[str, Any], *, now: float) -> list[News]:
    """The answer changed, or became sure. It is never swapped silently: the grey line keeps what was said before."""
    changed = news.verdict(after, before)
    if changed is None:
        return []
    log_entry(after, now, f"was '{before.get('verdict', before['cause'])}', now '{after['verdict']}'")
    return [changed]


def _note_kills(after: dict[str, Any], before: Mapping[str, Any], report: Report) -> None:
    kills = dict(before.get("kills", {}))
    for pod, count in _kills_by_pod(report).items():
        kills[pod] = max(kills.get(pod, 0), count)
    after["kills"] = kills
    times = _kill_times(report)
    if times:
        known = [t for t in (before.get("first_kill_at"), before.get("last_kill_at")) if t is not None]
        after["first_kill_at"], after["last_kill_at"] = min([*times, *known]), max([*times, *known])


def view_of(
    incident: Incident,
    alerts: tuple[Alert, ...],
    data: Mapping[str, Any],
    *,
    conversation: Conversation | None = None,
    public_url: str = "",
    previous: Incident | None = None,
    because_degraded: str = "",
    has_buttons: bool = False,
    looks_at: Sequence[float] = (),
    silence_url: str = "",
    can_silence: bool = False,
) -> IncidentView:
    """The incident as messages show it. `looks_at`: when it will be looked at again, seconds since 1970."""
    firing = [a for a in alerts if a.status == FIRING]
    return IncidentView(
        id=incident.id,
        state=incident.state,
        subject=incident.subject,
        severity=incident.severity,
        opened_at=from_epoch(incident.opened_at),
        alerts=alerts,
        resolved_at=from_epoch(incident.resolved_at) if incident.resolved_at is not None and not firing else None,
        kill_count=sum(data.get("kills", {}).values()),
        first_kill_at=_time(data.get("first_kill_at")),
        last_kill_at=_time(data.get("last_kill_at")),
        pods=tuple(data.get("pods", ())),
        log=tuple(
            LogEntry(at=from_epoch(at), text=text, is_standing=STANDING in more)
            for at, text, *more in data.get("log", ())
            if IN_CHECKLIST not in more
        ),
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        previous_id=previous.id if previous else "",
        previous_opened_at=from_epoch(previous.opened_at) if previous else None,
        mention=conversation.mention if conversation else "",
        because_degraded=because_degraded,
        has_buttons=has_buttons,
        settings_changed=data.get("settings_changed", ""),
        looks_at=tuple(from_epoch(at) for at in looks_at),
        acknowledged=_said("acknowledged", data.get("acknowledged")),
        fix_noted=_said("fix applied", standing_fix(data)),
        silenced_until=_time((data.get("silence") or {}).get("until") or None),
        silence_url=silence_url,
        can_silence=can_silence,
    )


def standing_fix(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Who said when that it is fixed, as long as nothing was killed since."""
    fixed_at = data.get("fixed_at")
    if fixed_at is None or fixed_at < (data.get("last_kill_at") or 0.0):
        return None
    return {"by": "", "at": fixed_at, **(data.get("fixed") or {})}


def log_entry(data: dict[str, Any], at: float, text: str, *, kind: str = "") -> None:
    """Add a line to the incident's history; the oldest go first when there are too many.

    `kind`: STANDING or IN_CHECKLIST when messages say it elsewhere.
    """
    entry = [at, text, kind] if kind else [at, text]
    data["log"] = [*data.get("log", []), entry][-MAX_LOG:]


def _kills_by_pod(report: Report) -> dict[str, int]:
    """Kills known per pod. A restart count stands for kills only where the newest death was one (a lower bound for it is
    then still the series' count), because restarts have other reasons too.
    """
    counts: dict[str, int] = {}
    facts = report.facts
    in_series = len(report.shape.kills) if report.shape else 0
    if report.kill.kind in KILLED:
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


def _kill_times(report: Report) -> list[float]:
    times = [report.kill.at.timestamp()] if report.kill.at is not None and report.kill.kind in KILLED else []
    if report.shape:
        times += report.shape.kills
    workload = report.facts.workload
    if workload:
        times += [s.last_finished_at.timestamp() for s in workload.siblings if s.last_finished_at and s.last_reason == "OOMKilled"]
    return times


def _note_settings(after: dict[str, Any], before: Mapping[str, Any], report: Report, *, now: float) -> None:
    """Notice that the limit or the image is no longer what it was when the incident was first looked at."""
    container = report.facts.pod.container(report.subject.container) if report.facts.pod else None
    if container is None:
        return
    after["limit_bytes"], after["image"] = container.limit_bytes, container.image
    was_limit, was_image = before.get("limit_bytes"), before.get("image")
    if was_limit and container.limit_bytes and container.limit_bytes != was_limit:
        direction = "raised" if container.limit_bytes > was_limit else "lowered"
        after["settings_changed"] = f"limit {direction} to {format_quantity(container.limit_bytes)}"
        log_entry(after, now, after["settings_changed"])
    elif was_image and container.image and container.image != was_image:
        after["settings_changed"] = "image changed"
        log_entry(after, now, "image changed")


def _summary(report: Report) -> dict[str, Any]:
    """The few words that a storm's digest needs of an incident."""
    facts = report.facts
    workload = facts.workload
    siblings = workload.siblings if workload else ()
    container = facts.pod.container(report.subject.container) if facts.pod else None
    return {
        "cause": report.cause.name.value,
        "kind": report.kill.kind.value,
        "confidence": report.cause.confidence,
        "verdict": say(leaf_of(report.cause.name).said(report.cause.confidence, report.cause.detail)),
        "node": report.subject.node or (facts.pod.node if facts.pod else ""),
        "never_up": bool(container and not container.is_ready and report.cause.name is CauseName.STARTUP),
        "all_replicas": bool(siblings) and all(s.last_reason == "OOMKilled" for s in siblings) and report.kill.kind in KILLED,
    }


def _said(what: str, record: Mapping[str, Any] | None) -> str:
    """`acknowledged by Ines`, from what is kept of it; empty when nobody did."""
    if not record:
        return ""
    return f"{what} by {record['by']}" if record.get("by") else what


def _time(seconds: float | None) -> datetime | None:
    return from_epoch(seconds) if seconds is not None else None
