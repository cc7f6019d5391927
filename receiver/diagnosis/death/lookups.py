"""What the witnesses say in this incident: which death counts, and which events, lines and numbers are about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death.kernel_lines import Victim, plain_uid, victim_of
from receiver.diagnosis.death.witnesses import Said, Says, Witness, witness_of
from receiver.diagnosis.death.witnesses.container_status import CONTAINER_STATUS, EXIT_CODES
from receiver.diagnosis.death.witnesses.events import EVENT_SLACK_S, NODE_EVENTS, POD_EVENTS
from receiver.diagnosis.death.witnesses.log_lines import LAST_WORDS, LOG_LINES
from receiver.diagnosis.death.witnesses.pod_status import DISRUPTIONS, POD_STATUS
from receiver.diagnosis.log.announced import LAST_WORDS_LINES, Announced
from receiver.diagnosis.log.plain import said
from receiver.diagnosis.log.runtimes import can_run
from receiver.domain.facts import EventFact, PodFacts, Termination
from receiver.domain.report import Signature

LIMIT_SLACK = 1.02  # a process in a container cannot hold more than its limit; the kernel counts a little beside
SPAM_BURST = 25  # client-go's event spam filter lets so many of one source about one object through, then one in five minutes
STAMP_SLACK_S = 5.0  # events and container times are stamped a moment apart


_STAMPS = timedelta(seconds=STAMP_SLACK_S)


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


def pod_says(clues: Clues) -> Says | None:
    """What the pod's status says of its end, taken for itself. An eviction that another witness told of counts as one for memory."""
    witness = pod_witness(clues)
    return witness.says if witness is not None else None


def disruption_witness(clues: Clues, death: Termination) -> Witness | None:
    """Who chose the pod to be ended, by its condition DisruptionTarget, where that was before this death."""
    disruption = clues.facts.pod.disruption if clues.facts.pod else None
    if disruption is None:
        return None
    is_later = disruption.at is not None and death.finished_at is not None and death.finished_at < disruption.at - _STAMPS
    return None if is_later else witness_of(DISRUPTIONS, disruption.reason, disruption.message)


def was_asked_to_stop(clues: Clues, death: Termination) -> bool:
    """Whether the pod was on its way out, or the container had been sent SIGTERM, when it died."""
    pod, witness = clues.facts.pod, pod_witness(clues)
    is_pod_ending = pod is not None and pod.deleted_at is not None
    is_stopped = witness is not None and witness.says is Says.SENT_BY
    events = [*events_near(clues, death, Says.ASKED_TO_STOP), *events_near(clues, death, Says.SENT_BY)]
    return is_pod_ending or is_stopped or bool(events) or disruption_witness(clues, death) is not None


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


def was_not_seen(death: Termination | None) -> bool:
    """Whether it is a placeholder: nobody saw the end, and its exit code stands for nothing."""
    return _status_says(death) is Says.NOT_SEEN


def is_cut_short(death: Termination | None) -> bool:
    """Whether its init process was gone while it was being set up, for a reason that the message does not give."""
    return _status_says(death) is Says.CUT_SHORT_BEFORE_START


def _status_says(death: Termination | None) -> Says | None:
    witness = witness_of(CONTAINER_STATUS, death.reason, death.message) if death is not None else None
    return witness.says if witness is not None else None


def sigkill_death(clues: Clues) -> Termination | None:
    """The newest death if it was a SIGKILL that is not called OOMKilled."""
    death = newest(clues)
    return death if death is not None and ended_by(death) is Says.SIGKILL and not is_oom_killed(death) and not was_not_seen(death) else None


def ended_by(death: Termination) -> Says | None:
    """The signal that the exit code names."""
    return next((row.says for row in EXIT_CODES if row.matches(death)), None)


def claims_oom(clues: Clues) -> bool:
    """Whether an alert of the incident claims an OOM kill."""
    return bool(clues.alert_names & (names.OOM_ALERTS | names.SUSPECT_ALERTS))


def is_early_warning(clues: Clues) -> bool:
    """Whether the incident is about memory that is high now: what ended before is not what it asks about."""
    return bool(clues.alert_names) and clues.alert_names <= names.WARNING_ALERTS


def before_start(clues: Clues) -> tuple[Said, Says] | None:
    """What the container's waiting state or an event says of an end before any process began; None when nothing does."""
    container = clues.container
    if container is not None and container.state == "waiting":
        witness = witness_of(CONTAINER_STATUS, container.state_reason, container.state_message)
        if witness is not None and witness.says in (Says.OOM_BEFORE_START, Says.CUT_SHORT_BEFORE_START):
            return Said(container.state_reason, container.state_message), witness.says
    for says in (Says.OOM_BEFORE_START, Says.CUT_SHORT_BEFORE_START):
        heard = next(iter(events_saying(clues, says)), None)
        if heard is not None:
            return Said(heard.event.reason, heard.event.message), says
    return None


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


def are_events_dropped(clues: Clues) -> bool:
    """Whether the kubelet had written so many events about the pod that it drops and delays further ones: their absence then proves nothing."""
    return sum(e.count for e in clues.facts.events if e.object_kind in ("", "Pod")) >= SPAM_BURST


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


@dataclass(frozen=True, slots=True)
class KernelKill:
    """An event about a kill by the kernel that fits a death. `is_of_pod`: its cgroup is the pod's, so it is about this pod for certain."""

    event: EventFact
    victim: Victim
    is_of_node: bool | None  # whose memory was full: the node's, a cgroup's, or None where that is not said
    is_of_pod: bool


def kernel_kills(clues: Clues, death: Termination) -> list[KernelKill]:
    """The kernel's kills that may be this death: within seconds, of this pod's cgroup or at least of a process that can be its own.

    One event is one victim. So an event says nothing of what died a minute before or after, nor of a container in which no
    such process runs. What is of this pod for certain stands first.
    """
    kills = [k for e in clues.facts.events if (k := _kernel_kill(clues, e, death)) is not None]
    elsewhere = [k.victim for k in kills if not k.is_of_pod and (k.victim.pod_uid or k.victim.is_of_service)]
    foreign = {victim.pid for victim in elsewhere if victim.pid is not None}
    unnamed = [k for k in kills if not k.victim.pod_uid and not k.victim.is_of_service and k.victim.pid not in foreign]
    mine = [k for k in kills if k.is_of_pod] + [k for k in unnamed if can_be_ours(clues, k.victim)]
    return sorted(mine, key=lambda k: not k.is_of_pod)


def _kernel_kill(clues: Clues, event: EventFact, death: Termination) -> KernelKill | None:
    witness = witness_of(NODE_EVENTS, event.reason, event.message)
    if (
        witness is None
        or witness.says is Says.NODE_REBOOTED
        or (event.at is not None and death.finished_at is not None and not _is_within(event, death.finished_at, witness.reach_s))
    ):
        return None
    victim = victim_of(event.message)
    uids = uids_of(clues.facts.pod)
    is_of_node = {Says.NODE_OUT_OF_MEMORY: True, Says.OOM_KILLED: victim.is_above_pods}.get(witness.says)
    return KernelKill(event=event, victim=victim, is_of_node=is_of_node, is_of_pod=victim.pod_uid in uids)


def uids_of(pod: PodFacts | None) -> frozenset[str]:
    """Under which uids the node's cgroups know the pod. A static pod's is the hash of its file, not its mirror's uid.

    kubelet, pkg/kubelet/config: the uid of a pod from a file is its hash; kubernetes.io/config.hash repeats it on the mirror pod.
    """
    if pod is None:
        return frozenset()
    return frozenset(plain_uid(uid) for uid in (pod.uid, pod.annotations.get("kubernetes.io/config.hash", "")) if uid)


def _is_within(event: EventFact, at: datetime, reach_s: float) -> bool:
    """Of an event that was counted several times the first and the last time are known."""
    return any(t is not None and abs((t - at).total_seconds()) <= reach_s for t in (event.at, event.first_at))


def can_be_ours(clues: Clues, victim: Victim) -> bool:
    """Whether the process may run in this container. Only where it is known what runs there can it be ruled out."""
    if victim.anon_rss_bytes is not None and clues.limit_bytes is not None and victim.anon_rss_bytes > clues.limit_bytes * LIMIT_SLACK:
        return False
    return not victim.process or clues.container is None or can_run(clues.container, clues.runtime, victim.process)


def reboot(clues: Clues, death: Termination) -> EventFact | None:
    """The reboot of the node that this end belongs to. An end that nobody saw may have no time, or that of the restart."""
    for event in clues.facts.events:
        witness = witness_of(NODE_EVENTS, event.reason, event.message)
        if witness is None or witness.says is not Says.NODE_REBOOTED:
            continue
        if event.at is None or death.finished_at is None or _is_within(event, death.finished_at, witness.reach_s):
            return event
    return None


def node_out_of_memory(clues: Clues) -> list[EventFact]:
    """All events by which the whole node ran out, of whatever time and whoever was killed."""
    heard = ((e, witness_of(NODE_EVENTS, e.reason, e.message)) for e in clues.facts.events)
    return [e for e, w in heard if w is not None and w.says is Says.NODE_OUT_OF_MEMORY]


def node_kills(clues: Clues, death: Termination) -> list[KernelKill]:
    """Those of them by which the whole node ran out of memory."""
    return [k for k in kernel_kills(clues, death) if k.is_of_node]


def cgroup_kills(clues: Clues, death: Termination) -> list[KernelKill]:
    """Those of them by which a limit was full: the container's or its pod's."""
    return [k for k in kernel_kills(clues, death) if k.is_of_node is False]


# --- the log --------------------------------------------------------------------------------------------------------


def log_says(clues: Clues) -> Says | None:
    """What the memory error that the log names says of the death."""
    signature = clues.signature
    is_own = signature is not None and not signature.is_of_executor
    witness = witness_of(LOG_LINES, signature.kind, signature.line) if signature is not None and is_own else None
    return witness.says if witness is not None else None


def own_limit(clues: Clues) -> Signature | None:
    """What the log names as full, where that is a limit of the program's own, or a refused allocation."""
    return clues.signature if log_says(clues) is Says.OWN_LIMIT and refuses_to_start(clues) is None else None


def announced_at_the_end(clues: Clues) -> Announced | None:
    """The newest announced kill near the end of the dead instance's log."""
    log = clues.facts.log
    if log is None or log.is_current:
        return None
    return next((a for a in reversed(clues.announced) if a.is_at_the_end), None)


def asked_to_stop_in(clues: Clues) -> str:
    """The newest line near the end of the dead instance's log by which it was asked to stop, or an empty text."""
    log = clues.facts.log
    if log is None or log.is_current:
        return ""
    last = log.lines[-LAST_WORDS_LINES:]
    return next((line for line in reversed(last) if any(witness_of(LAST_WORDS, "", text) for text in said(line))), "")


def announced_children(clues: Clues) -> Announced | None:
    """The newest announced kill that explains the death of a child process."""
    return next((a for a in reversed(clues.announced) if a.explains or not a.row.kills_itself), None)


def refuses_to_start(clues: Clues) -> Signature | None:
    """What the program says it needs, where it refuses to start under the container's limit."""
    return clues.signature if clues.signature is not None and clues.signature.refuses_to_start else None
