"""A child process was killed and the container lives on: the API shows nothing."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.lookups import KernelKill
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.metrics import FAR_FROM_LIMIT, NEAR_LIMIT, OOM_COUNTER
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.facts import ContainerFacts, Termination
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind, Sender


def child_oom(clues: Clues) -> Kill | None:
    """A process in the container was killed; the container lives on, and the API shows nothing.

    The kernel's counter and its own line are sure. A line of the log proves a SIGKILL and no more: with a memory that was full, or an alert that
    counts, it was probably the kernel; alone, nobody knows who sent it.
    """
    container = clues.container
    if container is not None and container.state not in ("running", "unknown"):
        return None
    counted, logged, kernel = clues.facts.child_kills or 0, _lines_about_children(clues), _kernel_line_of_child(clues)
    is_counted = OOM_COUNTER.matches(counted)
    if not is_counted and not logged and kernel is None:
        return None
    because = [reason("death.oom_counter_rose", kills=counted)] if is_counted else []
    because += [why.kernel_line(kernel)] if kernel is not None else []
    if logged and clues.signature is not None:
        because.append(reason("death.log_lines", lines=logged, line=quoted_line(clues.signature.line)))
    is_seen = is_counted or (kernel is not None and _is_only_container(clues))
    if is_seen or kernel is not None or clues.alert_names & names.CHILD_ALERTS:
        return killed(clues, None, KillKind.CHILD_PROCESS_OOM, sure=is_seen, because=[*because, _lives_on(container)])
    highest = _highest_ratio(clues)
    because.append(reason("death.memory_highest", usage_ratio=highest) if highest is not None else reason("death.memory_before_unknown"))
    because.append(_lives_on(container))
    if NEAR_LIMIT.matches(highest):
        return killed(clues, None, KillKind.CHILD_PROCESS_OOM, sure=False, because=because)
    return killed(clues, None, KillKind.SUSPECTED_OOM, sure=False, sender=Sender.UNKNOWN, because=because)


def _kernel_line_of_child(clues: Clues) -> KernelKill | None:
    """A kernel's line about a process of this pod's cgroup that no death of the container explains."""
    deaths = [d for d in (look.newest(clues), clues.container.last_terminated if clues.container else None) if d is not None]
    own = [k.event for d in deaths if d.finished_at is not None for k in look.kernel_kills(clues, d)]
    kills = look.kernel_kills(clues, Termination(reason="", exit_code=None))
    return next((k for k in kills if k.is_of_pod and k.event not in own and look.can_be_ours(clues, k.victim)), None)


def _is_only_container(clues: Clues) -> bool:
    return clues.facts.pod is not None and len(clues.facts.pod.containers) == 1


def _highest_ratio(clues: Clues) -> float | None:
    """The highest share of the limit in all scrapes."""
    history = clues.facts.history
    samples = history.samples if history is not None else ()
    return max((s.working_set_bytes / limit for s in samples if (limit := s.limit_bytes or clues.limit_bytes)), default=None)


def child_ended_by_manager(clues: Clues) -> Kill | None:
    """The container lives on, no counter counts an OOM kill, and its manager says that it killed a child itself.

    An early warning is about memory and not about this kill; it says so beside it (`no_kill.nothing_ended`).
    """
    container, said = clues.container, look.announced_children(clues)
    if said is None or container is None or container.state != "running" or look.newest(clues) is not None or _lines_about_children(clues):
        return None
    if OOM_COUNTER.matches(clues.facts.child_kills or 0) or clues.alert_names <= names.WARNING_ALERTS:
        return None
    because = [reason("death.announced", sender=said.row.sender.value, line=quoted_line(said.line)), _lives_on(container)]
    full = look.own_limit(clues) if said.row.for_memory else None
    if full is not None:  # a manager's own limit on memory: nothing of the kernel's, and about memory all the same
        because.insert(1, reason("death.own_limit_before", meaning=full.meaning))
        return killed(clues, None, KillKind.NONE, sure=True, sender=said.row.sender, because=because)
    return killed(clues, None, KillKind.SIGKILL_NOT_OOM, sure=True, sender=said.row.sender, because=because)


def child_sender_unknown(clues: Clues) -> Kill | None:
    """A line says that a child ended by SIGKILL, and memory was far from the limit all the time: evidence against a kill for memory."""
    container = clues.container
    if container is None or container.state != "running" or OOM_COUNTER.matches(clues.facts.child_kills or 0):
        return None
    if not _lines_about_children(clues) or clues.signature is None or clues.alert_names & names.CHILD_ALERTS:
        return None
    highest = _highest_ratio(clues)
    if not FAR_FROM_LIMIT.matches(highest) or highest is None or _kernel_line_of_child(clues) is not None:
        return None
    because = [
        reason("death.log_lines", lines=clues.signature.count, line=quoted_line(clues.signature.line)),
        reason("death.memory_highest", usage_ratio=highest),
        why.not_excluded(clues, container.state_since, clues.facts.now),
        _lives_on(container),
    ]
    return killed(clues, None, KillKind.SIGKILL_NOT_OOM, sure=False, sender=Sender.UNKNOWN, because=because)


def ended_after_child(clues: Clues) -> Kill | None:
    """The log of the dead instance says that a child ended by SIGKILL, the main process ended after it, and memory was full just before."""
    death = look.newest(clues)
    if death is None or death.exit_code in (0, None) or clues.is_log_of_survivor or clues.signature is None:
        return None
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    if look.log_says(clues) is not Says.CHILD_OOM_KILLED or not NEAR_LIMIT.matches(ratio):
        return None
    because = [
        reason("death.log_line", line=quoted_line(clues.signature.line)),
        reason("death.memory_before", usage_ratio=ratio),
        reason("death.main_process_followed", exit_code=death.exit_code),
    ]
    return killed(clues, death, KillKind.SUSPECTED_OOM, sure=False, because=because)


def child_oom_now(clues: Clues) -> Kill | None:
    """An alert about children of a running container is not about its own older OOM kill, which lastState keeps."""
    alerts = clues.alert_names
    is_about_children = bool(alerts & names.CHILD_ALERTS) and alerts <= names.CHILD_ALERTS | names.WARNING_ALERTS
    return child_oom(clues) if is_about_children else None


def _lines_about_children(clues: Clues) -> int:
    """How many lines of the log name a killed child of the instance that runs: those of a dead instance have its own rules."""
    if clues.signature is None or look.log_says(clues) is not Says.CHILD_OOM_KILLED:
        return 0
    log = clues.facts.log
    is_of_the_dead = look.newest(clues) is not None and log is not None and not log.is_current
    return 0 if is_of_the_dead else clues.signature.count


def _lives_on(container: ContainerFacts | None) -> Reason:
    if container is None or container.state == "unknown":
        return reason("death.status_unread")
    if container.restart_count:
        return reason("death.running_restarts_unchanged", restarts=container.restart_count)
    return reason("death.running_without_restart")
