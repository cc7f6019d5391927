"""What the witnesses say in this incident: which death counts, and which events, lines and numbers are about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death.witnesses import Says, Witness, witness_of
from receiver.diagnosis.death.witnesses.container_status import CONTAINER_STATUS, EXIT_CODES
from receiver.diagnosis.death.witnesses.events import EVENT_SLACK_S, NODE_EVENTS, POD_EVENTS
from receiver.diagnosis.death.witnesses.log_lines import LOG_LINES
from receiver.diagnosis.death.witnesses.pod_status import EVICTED, POD_STATUS
from receiver.domain.facts import EventFact, Termination
from receiver.domain.report import Signature

STAMP_SLACK_S = 5.0  # events and container times are stamped a moment apart


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the row of the table that speaks about it."""

    event: EventFact
    witness: Witness


# --- the pod --------------------------------------------------------------------------------------------------------


def pod_witness(clues: Clues) -> Witness | None:
    """What the pod's own status says of its end."""
    pod = clues.facts.pod
    return witness_of(POD_STATUS, pod.reason, pod.message) if pod is not None else None


def is_memory_eviction(clues: Clues) -> bool:
    """Whether an evicted pod had to go for the node's memory (not for disk or process ids). A silent status counts as memory."""
    witness = witness_of(POD_STATUS, EVICTED, clues.facts.pod.message if clues.facts.pod else "")
    return witness is not None and witness.says is Says.EVICTED_FOR_MEMORY


# --- the container's deaths -----------------------------------------------------------------------------------------


def newest(clues: Clues) -> Termination | None:
    """The newest death of the container that its status tells of."""
    return clues.container.newest_termination if clues.container else None


def oom_death(clues: Clues) -> Termination | None:
    """The newest death if it is OOMKilled; the one before it when the alert claims an OOM kill (two deaths in a row)."""
    death, container = newest(clues), clues.container
    if is_oom_killed(death):
        return death
    before = container.last_terminated if container else None
    return before if is_oom_killed(before) and claims_oom(clues) and not is_start_oom(death) else None


def is_oom_killed(death: Termination | None) -> bool:
    """Whether Kubernetes calls it OOMKilled."""
    return _status_says(death) is Says.OOM_KILLED


def is_start_oom(death: Termination | None) -> bool:
    """Whether the death was an OOM kill before the process began: only the message tells."""
    return _status_says(death) is Says.OOM_BEFORE_START


def _status_says(death: Termination | None) -> Says | None:
    witness = witness_of(CONTAINER_STATUS, death.reason, death.message) if death is not None else None
    return witness.says if witness is not None else None


def sigkill_death(clues: Clues) -> Termination | None:
    """The newest death if it was a SIGKILL that is not called OOMKilled."""
    death = newest(clues)
    return death if death is not None and ended_by(death) is Says.SIGKILL and not is_oom_killed(death) else None


def ended_by(death: Termination) -> Says | None:
    """The signal that the exit code names."""
    return next((row.says for row in EXIT_CODES if row.matches(death)), None)


def claims_oom(clues: Clues) -> bool:
    """Whether an alert of the incident claims an OOM kill."""
    return bool(clues.alert_names & (names.OOM_ALERTS | names.SUSPECT_ALERTS))


# --- events ---------------------------------------------------------------------------------------------------------


def events_saying(clues: Clues, says: Says) -> list[Heard]:
    """The container's events that say this, of whatever time."""
    heard = (Heard(e, w) for e in clues.facts.events if _is_ours(clues, e) and (w := witness_of(POD_EVENTS, e.reason, e.message)))
    return [h for h in heard if h.witness.says is says]


def events_near(clues: Clues, death: Termination, says: Says) -> list[Heard]:
    """Those of them that belong to this death: of its life, and late enough in it.

    Events are aggregated over their span, and the kubelet drops some. A death follows its Killing event by the grace
    period at most; a failed probe leads to one within moments.
    """
    return [h for h in events_saying(clues, says) if _is_near(h.event, death, h.witness.reach_s)]


def _is_near(event: EventFact, death: Termination, reach_s: float) -> bool:
    if death.finished_at is None or event.at is None:
        return True
    first = min(event.first_at or event.at, event.at)
    since = death.finished_at - timedelta(seconds=reach_s)
    if death.started_at is not None:
        since = max(since, death.started_at - timedelta(seconds=STAMP_SLACK_S))
    return first <= death.finished_at + timedelta(seconds=EVENT_SLACK_S) and event.at >= since


def _is_ours(clues: Clues, event: EventFact) -> bool:
    """Whether the event may be about this container: events about the pod as a whole name none."""
    return event.object_kind in ("", "Pod") and event.container in ("", clues.container_name)


def node_events(clues: Clues, death: Termination) -> list[EventFact]:
    """The events by which the whole node ran out of memory in the same minutes."""
    found = []
    for event in clues.facts.events:
        witness = witness_of(NODE_EVENTS, event.reason, event.message)
        if witness is None or witness.says is not Says.NODE_OUT_OF_MEMORY:
            continue
        reach = timedelta(seconds=witness.reach_s)
        if event.at is None or death.finished_at is None or abs(event.at - death.finished_at) <= reach:
            found.append(event)
    return found


# --- the log --------------------------------------------------------------------------------------------------------


def log_says(clues: Clues) -> Says | None:
    """What the memory error that the log names says of the death."""
    signature = clues.signature
    witness = witness_of(LOG_LINES, signature.kind, signature.line) if signature is not None else None
    return witness.says if witness is not None else None


def own_limit(clues: Clues) -> Signature | None:
    """What the log names as full, where that is a limit of the program's own, or a refused allocation."""
    return clues.signature if log_says(clues) is Says.OWN_LIMIT else None
