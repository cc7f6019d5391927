"""Look-ups around a death: which one counts, which events are about it, and how to say what is known of it."""

from __future__ import annotations

import re
from datetime import timedelta

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import alert_names as names
from receiver.domain.facts import EventFact, Termination
from receiver.domain.units import human_bytes, human_percent

SIGKILL_EXIT = 137  # 128 + SIGKILL (9)
NEAR_LIMIT_RATIO = 0.9  # at or above it just before an unexplained SIGKILL, an OOM is the likely reason (alert SigkilledNearMemoryLimit)
EVENT_SLACK_S = 90.0  # a failed probe and the death it leads to; also by how much an event may come late
LONG_GRACE_S = 600.0  # a Killing event precedes the death by terminationGracePeriodSeconds (30 by default, minutes for some)
STAMP_SLACK_S = 5.0  # events and container times are stamped a moment apart
NODE_EVENT_SLACK_S = 120.0  # the kubelet notices a system OOM after the fact
OOM_START_MESSAGE = re.compile(r"\boom[- ]?kill", re.IGNORECASE)


def newest(clues: Clues) -> Termination | None:
    """The newest death of the container that its status tells of."""
    return clues.container.newest_termination if clues.container else None


def oom_death(clues: Clues) -> Termination | None:
    """The newest death if it is OOMKilled; the one before it when the alert claims an OOM kill (two deaths in a row)."""
    death, container = newest(clues), clues.container
    if death is not None and death.reason == "OOMKilled":
        return death
    before = container.last_terminated if container else None
    if before is not None and before.reason == "OOMKilled" and claims_oom(clues) and not is_start_oom(death):
        return before
    return None


def is_start_oom(death: Termination | None) -> bool:
    """Whether the death was an OOM kill before the process began: only the message tells."""
    return death is not None and OOM_START_MESSAGE.search(death.message) is not None


def sigkill_death(clues: Clues) -> Termination | None:
    """The newest death if it was a SIGKILL that is not called OOMKilled."""
    death = newest(clues)
    is_sigkill = death is not None and (death.exit_code == SIGKILL_EXIT or death.signal == 9) and death.reason != "OOMKilled"
    return death if is_sigkill else None


def claims_oom(clues: Clues) -> bool:
    """Whether an alert of the incident claims an OOM kill."""
    return bool(clues.alert_names & (names.OOM_ALERTS | names.SUSPECT_ALERTS))


def events_near(clues: Clues, death: Termination, reason: str) -> list[EventFact]:
    """The container's events of that reason that belong to this death: of its life, and late enough in it.

    Events are aggregated over their span, and the kubelet drops some. A death follows its Killing event by the grace
    period at most; a failed probe leads to one within moments.
    """
    found = []
    reach = timedelta(seconds=LONG_GRACE_S if reason == "Killing" else EVENT_SLACK_S)
    for event in clues.facts.events:
        if event.reason != reason or not is_ours(clues, event):
            continue
        if death.finished_at is None or event.at is None:
            found.append(event)
            continue
        first = min(event.first_at or event.at, event.at)
        since = death.finished_at - reach
        if death.started_at is not None:
            since = max(since, death.started_at - timedelta(seconds=STAMP_SLACK_S))
        if first <= death.finished_at + timedelta(seconds=EVENT_SLACK_S) and event.at >= since:
            found.append(event)
    return found


def is_ours(clues: Clues, event: EventFact) -> bool:
    """Whether the event may be about this container: events about the pod as a whole name none."""
    return event.object_kind in ("", "Pod") and event.container in ("", clues.container_name)


def quoted(event: EventFact) -> str:
    """The event's message for a quotation."""
    return short(event.message).rstrip(" :")


def system_oom_events(clues: Clues, death: Termination) -> list[EventFact]:
    """The kubelet's SystemOOM events of the node in the same minutes: the whole node ran out."""
    slack = timedelta(seconds=NODE_EVENT_SLACK_S)
    return [
        e
        for e in clues.facts.events
        if e.reason == "SystemOOM" and (e.at is None or death.finished_at is None or abs(e.at - death.finished_at) <= slack)
    ]


def node_words(clues: Clues, death: Termination) -> list[str]:
    """What the node says of the same minutes."""
    words = [f'node event in the same minutes: "{quoted(e)}"' for e in system_oom_events(clues, death)[:1]]
    node = clues.facts.node
    if node is not None and node.has_memory_pressure:
        words.append(f"node {node.name} reports memory pressure")
    return words


def oom_words(death: Termination) -> str:
    """That Kubernetes calls it an OOM kill."""
    code = f", exit code {death.exit_code}" if death.exit_code is not None else ""
    return f"reason OOMKilled{code}: the kernel killed it for memory"


def not_oom_words(death: Termination) -> str:
    """That Kubernetes does not."""
    return f"exit code 137, but reason {death.reason or 'missing'}, not OOMKilled"


def ratio_words(clues: Clues, death: Termination) -> list[str]:
    """How full it was just before, where that is known."""
    ratio = memory_ratio_before(clues, death.finished_at)
    if ratio is None:
        return []
    if ratio >= NEAR_LIMIT_RATIO:
        return [f"memory was at {human_percent(ratio)} of the limit just before: a container that thrashes at its limit may fail its probe"]
    limit = f" of {human_bytes(clues.limit_bytes)}" if clues.limit_bytes else ""
    return [f"memory was at {human_percent(ratio)}{limit} just before"]


def unread_words(clues: Clues) -> str:
    """That the pod could not be read, and why."""
    why = clues.missing_why("pod")
    return f"the pod could not be read: {why}" if why else "the pod could not be read"


def short(line: str, most: int = 160) -> str:
    """A line for a quotation, cut to `most` characters."""
    line = " ".join(line.split())
    return line if len(line) <= most else line[: most - 1] + "…"
