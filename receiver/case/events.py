"""v1 Events as `EventFact`: series folded, newest first, the ones about memory marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from receiver.case.access import get, mapping, objects, text, whole
from receiver.domain.facts import EventFact
from receiver.domain.units import parse_time

# Reasons that say something about a container's or node's memory trouble, or about what else killed it.
MEMORY_REASONS = frozenset(
    (
        "OOMKilling", "SystemOOM", "Evicted", "EvictionThresholdMet", "NodeHasInsufficientMemory", "Preempting", "Preempted",
        "Killing", "Unhealthy", "ProbeWarning", "BackOff", "Failed", "FailedScheduling", "ExceededGracePeriod",
        "TaintManagerEviction", "NodeNotReady", "Rebooted", "FailedCreate", "ResizeStarted", "ResizeCompleted", "ResizeDeferred",
        "ResizeInfeasible",
    )
)  # fmt: skip
_SAYS_OOM = re.compile(r"(?<![a-z])(?:system)?oom(?![a-z])|oom[-_ ]?kill", re.IGNORECASE)  # not the node "boomtown", nor a mushroom
_FIELD_PATH = re.compile(r"spec\.(?:initContainers|containers|ephemeralContainers)\{(?P<name>[^}]+)\}")


def event_facts(answer: object) -> tuple[EventFact, ...]:
    """All events of an answer, newest first."""
    folded: dict[tuple[str, ...], EventFact] = {}
    for entry in objects(answer, "items"):
        event = _event(entry)
        key = (event.object_kind, event.object_name, event.reason, event.message, event.container)
        folded[key] = _together(folded[key], event) if key in folded else event
    oldest = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return tuple(sorted(folded.values(), key=lambda e: e.at or oldest, reverse=True))


def newest_time(event: Mapping[str, Any]) -> datetime | None:
    """When the event last happened. The scheduler writes eventTime only, series count in `series`, the kubelet lastTimestamp."""
    times = (
        parse_time(get(event, "series", "lastObservedTime")),
        parse_time(event.get("lastTimestamp")),
        parse_time(event.get("eventTime")),
        parse_time(event.get("firstTimestamp")),
    )
    known = [t for t in times if t is not None]
    return max(known) if known else parse_time(get(event, "metadata", "creationTimestamp"))


def _event(entry: Mapping[str, Any]) -> EventFact:
    involved = mapping(entry, "involvedObject")
    in_container = _FIELD_PATH.fullmatch(text(involved, "fieldPath"))
    reason = text(entry, "reason")
    return EventFact(
        object_kind=text(involved, "kind"),
        object_name=text(involved, "name"),
        reason=reason,
        message=text(entry, "message"),
        type=text(entry, "type") or "Normal",
        count=max(1, whole(entry, "count") or 0, whole(entry, "series", "count") or 0),
        at=newest_time(entry),
        first_at=parse_time(entry.get("firstTimestamp")) or parse_time(entry.get("eventTime")),
        container=in_container["name"] if in_container else "",
        is_memory_relevant=reason in MEMORY_REASONS or _SAYS_OOM.search(text(entry, "message")) is not None,
    )


def _together(a: EventFact, b: EventFact) -> EventFact:
    """Two series of the same event (the kubelet starts a new one after a restart or an hour)."""
    times = [t for t in (a.at, b.at) if t is not None]
    firsts = [t for t in (a.first_at, b.first_at) if t is not None]
    return EventFact(
        object_kind=a.object_kind, object_name=a.object_name, reason=a.reason, message=a.message, type=a.type,
        count=a.count + b.count, at=max(times, default=None), first_at=min(firsts, default=None), container=a.container,
        is_memory_relevant=a.is_memory_relevant,
    )  # fmt: skip


def for_the_pod(events: Iterable[EventFact]) -> tuple[EventFact, ...]:
    """Those that tell something about a pod's end: all of the pod and its owners; of its node, shared by many, what is about memory or
    the node's going away. A kubelet's start, its registration and its advice are nobody's incident.
    """
    return tuple(e for e in events if e.object_kind != "Node" or e.is_memory_relevant)


def about(events: Iterable[EventFact], kind: str, name: str) -> tuple[EventFact, ...]:
    """The events of one object."""
    return tuple(e for e in events if e.object_kind == kind and e.object_name == name)
