"""What an incident remembers from one look to the next, and the view of it that messages show. Pure.

`data` of an incident:
    {"kills": {POD: n}, "first_kill_at", "last_kill_at": seconds, "pods": [POD, ...], "log": [[seconds, text], ...],
     "cause": name, "confidence", "limit_bytes", "image", "node", "never_up": bool, "all_replicas": bool, "said": [slot, ...]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.domain.alerts import FIRING, Alert
from receiver.domain.incident import IncidentView, LogEntry
from receiver.domain.report import CauseName, KillKind, Report
from receiver.domain.units import format_quantity, from_epoch
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one look found new."""

    is_new_kill: bool = False
    is_first_kill_after_warning: bool = False
    is_settings_change: bool = False


def remember(data: Mapping[str, Any], report: Report | None, alerts: Sequence[Alert], pods: Sequence[str]) -> tuple[dict[str, Any], Change]:
    """The incident's memory after one more look, and what was new in it."""
    after: dict[str, Any] = dict(data)
    after["pods"] = list(dict.fromkeys([*data.get("pods", ()), *pods]))[:MAX_PODS]
    if report is None:
        return after, Change()
    kills = dict(data.get("kills", {}))
    total_before = sum(kills.values())
    last_before = data.get("last_kill_at")
    for pod, count in _kills_by_pod(report).items():
        kills[pod] = max(kills.get(pod, 0), count)
    after["kills"] = kills
    times = _kill_times(report)
    if times:
        after["first_kill_at"] = min([*times, *([data["first_kill_at"]] if data.get("first_kill_at") else [])])
        after["last_kill_at"] = max([*times, *([last_before] if last_before else [])])
    change = _note_settings(after, data, report)
    after.update(_summary(report))
    is_new_kill = sum(kills.values()) > total_before or bool(times and (last_before is None or max(times) > last_before))
    was_looked_at = "cause" in data
    return after, Change(
        is_new_kill=is_new_kill, is_first_kill_after_warning=is_new_kill and was_looked_at and total_before == 0, is_settings_change=change
    )


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
) -> IncidentView:
    """The incident as messages show it."""
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
        log=tuple(LogEntry(at=from_epoch(at), text=text) for at, text in data.get("log", ())),
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        previous_id=previous.id if previous else "",
        previous_opened_at=from_epoch(previous.opened_at) if previous else None,
        mention=conversation.mention if conversation else "",
        because_degraded=because_degraded,
        has_buttons=has_buttons,
        settings_changed=data.get("settings_changed", ""),
    )


def log_entry(data: dict[str, Any], at: float, text: str) -> None:
    """Add a line to the incident's history; the oldest go first when there are too many."""
    data["log"] = [*data.get("log", []), [at, text]][-MAX_LOG:]


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


def _note_settings(after: dict[str, Any], before: Mapping[str, Any], report: Report) -> bool:
    """Notice that the limit or the image is no longer what it was when the incident was first looked at."""
    container = report.facts.pod.container(report.subject.container) if report.facts.pod else None
    if container is None:
        return False
    was_limit, was_image = before.get("limit_bytes"), before.get("image")
    after["limit_bytes"], after["image"] = container.limit_bytes, container.image
    if "limit_bytes" not in before:
        return False
    if was_limit and container.limit_bytes and container.limit_bytes != was_limit:
        direction = "raised" if container.limit_bytes > was_limit else "lowered"
        after["settings_changed"] = f"limit {direction} to {format_quantity(container.limit_bytes)}"
        return True
    if was_image and container.image and container.image != was_image:
        after["settings_changed"] = "image changed"
        return True
    return False


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
        "node": report.subject.node or (facts.pod.node if facts.pod else ""),
        "never_up": bool(container and not container.is_ready and report.cause.name is CauseName.STARTUP),
        "all_replicas": bool(siblings) and all(s.last_reason == "OOMKilled" for s in siblings) and report.kill.kind in KILLED,
    }


def _time(seconds: float | None) -> datetime | None:
    return from_epoch(seconds) if seconds is not None else None
