"""What killed it: an ordered truth table over what Kubernetes, the node, the log, the counters and the alerts say.

Exit code 137 means SIGKILL and nothing more; reason OOMKilled comes with exit codes 0, 1, 137 and 143; Kubernetes
writes no event for an OOM kill of a container. So no single field decides: the first rule of `RULES` that knows an
answer does. Every rule says whether it is sure, and by which facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death import deaths as d
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.facts import EventFact, Termination
from receiver.domain.report import Kill, KillKind, Signature
from receiver.domain.units import human_duration, human_percent

SIGTERM_EXIT = 143  # 128 + SIGTERM (15)
FAR_FROM_LIMIT_RATIO = 0.75  # below it the node or something else is likelier; a fast allocation between two scrapes stays possible
OLD_KILL_S = 24 * 3600.0  # lastState keeps a death for ever: an early warning today is not about a kill of last week
MEMORY_EVICTION = re.compile(r"low on resource: memory|memory\.available|memory pressure", re.IGNORECASE)

# pod.status.reason values by which the kubelet or the control plane ends a pod as a whole, memory or not.
STOPPED_PODS = {
    "Preempting": "preemption by a pod of higher priority",
    "Preempted": "preemption by a pod of higher priority",
    "NodeShutdown": "node shutdown",
    "Terminated": "node shutdown",
    "Shutdown": "node shutdown",
    "NodeLost": "a lost node",
    "DeadlineExceeded": "activeDeadlineSeconds",
}


def kill_of(clues: Clues) -> Kill:
    """What ended the container, by the first rule that knows."""
    return next(kill for rule in RULES if (kill := rule(clues)) is not None)


# --- the pod as a whole ---------------------------------------------------------------------------------------------


def _evicted(clues: Clues) -> Kill | None:
    """status.reason Evicted beats every container state: lastState may hold an older OOMKilled."""
    pod = clues.facts.pod
    if pod is None or pod.reason != "Evicted":
        return None
    because = [f"the pod's status is Evicted: {pod.message.strip() or 'no message'}"]
    if not is_memory_eviction(clues):
        because.append("the message names another resource than memory")
    return _kill(clues, None, KillKind.EVICTION, sure=True, because=because, reason="Evicted")


def is_memory_eviction(clues: Clues) -> bool:
    """Whether an evicted pod had to go for the node's memory (not for disk or process ids). A silent status counts as memory."""
    message = clues.facts.pod.message if clues.facts.pod else ""
    return not message.strip() or MEMORY_EVICTION.search(message) is not None


def _stopped_with_its_pod(clues: Clues) -> Kill | None:
    pod = clues.facts.pod
    death = d.newest(clues)
    if pod is None or pod.reason not in STOPPED_PODS or (death is not None and death.reason == "OOMKilled"):
        return None
    what = STOPPED_PODS[pod.reason]
    return _kill(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, trigger=what, because=[f"the pod's status is {pod.reason}: {what}"])


# --- an OOM that Kubernetes recorded --------------------------------------------------------------------------------


def _old_news(clues: Clues) -> Kill | None:
    """An early warning about a running container is not about a kill of days ago."""
    death, container = d.newest(clues), clues.container
    if container is None or death is None or container.state != "running" or death.finished_at is None:
        return None
    alerts = clues.alert_names
    age_s = (clues.facts.now - death.finished_at).total_seconds()
    if not alerts or not alerts <= names.WARNING_ALERTS or age_s <= OLD_KILL_S:
        return None
    because = [f"running since, and the last death ({death.reason or 'no reason'}) was {human_duration(age_s)} ago"]
    return _kill(clues, None, KillKind.NONE, sure=True, because=because)


def _oom_without_limit(clues: Clues) -> Kill | None:
    """A container with no limit of its own or of its pod can only run out of the node's memory."""
    death = d.oom_death(clues)
    if death is None or clues.limit_bytes is not None or not clues.could_ask_kubernetes or clues.container is None:
        return None
    because = [d.oom_words(death), "neither the container nor its pod has a memory limit, so only the node's memory could run out"]
    because += d.node_words(clues, death)
    return _kill(clues, death, KillKind.NODE_OOM, sure=True, because=because)


def _oom_by_the_node(clues: Clues) -> Kill | None:
    """The kubelet saw the whole node run out in the same minutes, and this container was not at its own limit."""
    death = d.oom_death(clues)
    if death is None or not d.system_oom_events(clues, death):
        return None
    ratio = memory_ratio_before(clues, death.finished_at)
    if ratio is not None and ratio >= d.NEAR_LIMIT_RATIO:
        return None
    because = [d.oom_words(death), *d.node_words(clues, death)]
    if ratio is not None:
        because.append(f"its own memory was at {human_percent(ratio)} of its limit just before")
    return _kill(clues, death, KillKind.NODE_OOM, sure=ratio is not None and ratio < FAR_FROM_LIMIT_RATIO, because=because)


def _container_oom(clues: Clues) -> Kill | None:
    death = d.oom_death(clues)
    if death is None:
        return None
    because = [d.oom_words(death)]
    if death.exit_code not in (d.SIGKILL_EXIT, None):
        because.append(
            f"exit code {death.exit_code} is not a contradiction: the kernel killed a child process in the container, the main process then ended by itself"
        )
    if clues.limit_is_pod_level:
        because.append("the limit that was hit is the pod's: all its containers share it")
    ratio = memory_ratio_before(clues, death.finished_at)
    if ratio is not None and ratio >= d.NEAR_LIMIT_RATIO:
        because.append(f"memory was at {human_percent(ratio)} of the limit just before")
    return _kill(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)


def _oom_before_start(clues: Clues) -> Kill | None:
    """StartError, exit 128: the memory was full before the process began, as a memory-backed emptyDir leaves it."""
    container = clues.container
    deaths = (container.newest_termination, container.terminated, container.last_terminated) if container else ()
    death = next((dead for dead in deaths if d.is_start_oom(dead) and dead is not None and dead.reason != "OOMKilled"), None)
    if death is None:
        return None
    because = [f"reason {death.reason}, and its message says the container was OOM-killed while it was being started"]
    if clues.facts.pod and clues.facts.pod.memory_volumes:
        because.append(
            "an emptyDir in memory counts against the limit and outlives the restart, so memory is full before the process begins"
        )
    return _kill(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)


# --- a SIGKILL that was not an OOM ----------------------------------------------------------------------------------


def _probe_kill(clues: Clues) -> Kill | None:
    """The kubelet killed it for a failed probe. It drops some of its Killing events, so a failed probe near enough counts too."""
    death = d.sigkill_death(clues)
    if death is None:
        return None
    for event in d.events_near(clues, death, "Killing"):
        if probe := _probe_named(event):
            return _killed_by(clues, death, probe, sure=True, because=[f'event in the same minutes: "{d.quoted(event)}"'])
    for event in d.events_near(clues, death, "Unhealthy"):
        if probe := _probe_named(event):
            because = [f'event in the same minutes: "{d.quoted(event)}"']
            before = [e for e in clues.facts.events if e.reason == "Killing" and d.is_ours(clues, e) and _probe_named(e) == probe]
            because += [f'and earlier: "{d.quoted(e)}"' for e in before[:1]]
            is_far = (memory_ratio_before(clues, death.finished_at) or 0.0) < d.NEAR_LIMIT_RATIO
            return _killed_by(clues, death, probe, sure=bool(before) or is_far, because=because)
    return None


def _killed_by(clues: Clues, death: Termination, probe: str, *, sure: bool, because: list[str]) -> Kill:
    because += [d.not_oom_words(death), *d.ratio_words(clues, death)]
    return _kill(clues, death, KillKind.SIGKILL_NOT_OOM, sure=sure, trigger=f"{probe} probe", because=because)


def _probe_named(event: EventFact) -> str:
    """The probe that an event names as what failed; readiness never kills."""
    words = event.message.lower()
    return next((p for p in ("liveness", "startup") if f"{p} probe" in words), "")


def _grace_period_kill(clues: Clues) -> Kill | None:
    """It was asked to stop and did not within its grace period."""
    death = d.sigkill_death(clues)
    if death is None:
        return None
    pod = clues.facts.pod
    stopped = [e for e in d.events_near(clues, death, "Killing") if "stopping container" in e.message.lower()]
    if not stopped and (pod is None or pod.deleted_at is None):
        return None
    why = f'event in the same minutes: "{d.quoted(stopped[0])}"' if stopped else "the pod was being deleted"
    because = [why, "what does not end within terminationGracePeriodSeconds is killed with SIGKILL", d.not_oom_words(death)]
    return _kill(clues, death, KillKind.SIGKILL_NOT_OOM, sure=True, trigger="grace period", because=because)


# --- kills of which the pod's status says nothing -------------------------------------------------------------------


def _child_oom(clues: Clues) -> Kill | None:
    """The kernel killed a child process; the container lives on, and the API shows nothing."""
    container = clues.container
    if container is not None and container.state != "running":
        return None
    counted = clues.facts.child_kills or 0
    logged = clues.signature.count if clues.signature is not None and clues.signature.kind == "child_killed" else 0
    log = clues.facts.log
    if container is not None and container.newest_termination is not None and log is not None and not log.is_current:
        logged = 0  # those lines are the dead instance's; its own death has its own rules
    if not counted and not logged:
        return None
    because = []
    if counted:
        times = "once" if counted == 1 else f"{counted} times"
        because.append(f"container_oom_events_total rose {times} without a restart")
    if logged and clues.signature is not None:
        because.append(f'the log says so in {logged} {"line" if logged == 1 else "lines"}: "{quoted_line(clues.signature.line)}"')
    if container is not None:
        restarts = container.restart_count
        because.append(
            f"the container is Running with its {restarts} restarts unchanged"
            if restarts
            else "the container is Running with 0 restarts, so kubectl shows nothing wrong"
        )
    else:
        because.append("the pod's status could not be read")
    return _kill(clues, None, KillKind.CHILD_PROCESS_OOM, sure=counted > 0, because=because)


def _child_oom_now(clues: Clues) -> Kill | None:
    """An alert about children of a running container is not about its own older OOM kill, which lastState keeps."""
    alerts = clues.alert_names
    is_about_children = bool(alerts & names.CHILD_ALERTS) and alerts <= names.CHILD_ALERTS | names.WARNING_ALERTS
    return _child_oom(clues) if is_about_children else None


def _own_limit_of_runtime(clues: Clues) -> Kill | None:
    """The program gave up at a limit of its own; the kernel killed nothing."""
    death = d.newest(clues)
    full = own_limit(clues)
    if death is None or full is None or death.reason == "OOMKilled" or death.exit_code in (d.SIGKILL_EXIT, 0, None):
        return None
    because = [
        f'the log says: "{quoted_line(full.line)}"',
        f"exit code {death.exit_code}, reason {death.reason or 'none'}: the program ended itself, the kernel killed nothing",
    ]
    return _kill(clues, death, KillKind.NONE, sure=True, because=because)


def own_limit(clues: Clues) -> Signature | None:
    """What the log names as full, where that is a limit of the program's own, or a refused allocation."""
    return clues.signature if clues.signature is not None and clues.signature.kind in ("own_limit", "refused") else None


def _unexplained_sigkill(clues: Clues) -> Kill | None:
    """137 and no word of who sent it: the runtime may have missed the OOM."""
    death = d.sigkill_death(clues)
    if death is None:
        return None
    ratio = memory_ratio_before(clues, death.finished_at)
    because = [f"exit code 137 is a SIGKILL; the reason is {death.reason or 'missing'}, not OOMKilled, and no event says who sent it"]
    if clues.missing_why("events"):
        because.append(f"events could not be read: {clues.missing_why('events')}")
    log_says = clues.signature is not None and clues.signature.kind in ("child_killed", "kernel")
    if log_says and clues.signature is not None:
        because.append(f'the log says: "{quoted_line(clues.signature.line)}"')
    if ratio is None:
        because.append("what its memory was just before is not known")
        return _kill(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)
    because.append(f"memory was at {human_percent(ratio)} of the limit just before")
    if ratio >= FAR_FROM_LIMIT_RATIO or log_says or d.claims_oom(clues):
        return _kill(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)
    if d.system_oom_events(clues, death):
        because += d.node_words(clues, death)
        return _kill(clues, death, KillKind.NODE_OOM, sure=False, because=because)
    because.append("an allocation that fills the rest between two scrapes cannot be excluded")
    return _kill(clues, death, KillKind.SIGKILL_NOT_OOM, sure=False, trigger="unknown", because=because)


# --- where the API has nothing ---------------------------------------------------------------------------------------


def _by_metrics(clues: Clues) -> Kill | None:
    """Kubernetes could not be asked, Prometheus had seen the OOM kill."""
    history = clues.facts.history
    times = history.kill_times_s if history is not None else ()
    if clues.could_ask_kubernetes or not times or not d.claims_oom(clues):
        return None
    at = clues.facts.now + timedelta(seconds=max(times) - clues.facts.now.timestamp())
    because = ["the metrics of Prometheus name an OOM kill, and the alert says the same", d.unread_words(clues)]
    return Kill(kind=KillKind.CONTAINER_OOM, reason="OOMKilled", at=at, is_sure=False, because=tuple(because))


def _by_alert(clues: Clues) -> Kill | None:
    """Only an alert's name says that something was killed."""
    alerts = clues.alert_names
    table = (
        (names.OOM_ALERTS | names.SUSPECT_ALERTS, KillKind.SUSPECTED_OOM),
        (names.CHILD_ALERTS, KillKind.CHILD_PROCESS_OOM),
        (names.NODE_OOM_ALERTS, KillKind.NODE_OOM),
        (names.EVICTION_ALERTS, KillKind.EVICTION),
    )
    for known, kind in table:
        found = sorted(alerts & known)
        if not found:
            continue
        death = d.newest(clues)
        because = [f"the alert {found[0]} says so"]
        if clues.container is None:
            because.append(d.unread_words(clues))
        elif death is not None:
            because.append(
                f"the newest death that Kubernetes keeps is {death.reason or 'without reason'}, exit code {death.exit_code}: the OOM kill may be an older one"
            )
        else:
            because.append("the pod's status tells of no death: the killed pod or process may be gone")
        return Kill(kind=kind, restarts=clues.container.restart_count if clues.container else None, is_sure=False, because=tuple(because))
    return None


# --- not killed for memory -------------------------------------------------------------------------------------------


def _other_end(clues: Clues) -> Kill | None:
    """It ended, and neither SIGKILL nor memory had to do with it."""
    death = d.newest(clues)
    if death is None:
        return None
    because = [
        f"exit code {death.exit_code if death.exit_code is not None else 'unknown'}, reason {death.reason or 'none'}: no SIGKILL and no OOM kill"
    ]
    if death.exit_code == SIGTERM_EXIT:
        because.append("143 is SIGTERM: it was asked to stop")
    return _kill(clues, death, KillKind.NONE, sure=True, because=because)


def _nothing_ended(clues: Clues) -> Kill | None:
    container = clues.container
    if container is None:
        return None
    because = [f"{container.state}, {container.restart_count} restarts: no kill so far"]
    return _kill(clues, None, KillKind.NONE, sure=True, because=because)


def _nothing_known(clues: Clues) -> Kill | None:
    return Kill(kind=KillKind.NONE, is_sure=False, because=("no alert claims a kill", d.unread_words(clues)))


RULES: tuple[Callable[[Clues], Kill | None], ...] = (
    _evicted,
    _stopped_with_its_pod,
    _old_news,
    _child_oom_now,
    _oom_without_limit,
    _oom_by_the_node,
    _container_oom,
    _oom_before_start,
    _probe_kill,
    _grace_period_kill,
    _child_oom,
    _own_limit_of_runtime,
    _unexplained_sigkill,
    _by_metrics,
    _by_alert,
    _other_end,
    _nothing_ended,
    _nothing_known,
)


def _kill(
    clues: Clues, death: Termination | None, kind: KillKind, *, sure: bool, because: list[str], trigger: str = "", reason: str = ""
) -> Kill:
    container = clues.container
    started = death.started_at if death and death.started_at and death.started_at.year > 1970 else None
    return Kill(
        kind=kind,
        reason=reason or (death.reason if death else ""),
        exit_code=death.exit_code if death else None,
        signal=death.signal if death else None,
        at=death.finished_at if death else None,
        started_at=started,
        restarts=container.restart_count if container else None,
        is_sure=sure,
        because=tuple(because),
        trigger=trigger,
    )
