"""A child process was killed and the container lives on: the API shows nothing."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.metrics import FAR_FROM_LIMIT, OOM_COUNTER
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.facts import ContainerFacts
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind, Sender


def child_oom(clues: Clues) -> Kill | None:
    """The kernel killed a child process; the container lives on, and the API shows nothing."""
    container = clues.container
    if container is not None and container.state != "running":
        return None
    counted = clues.facts.child_kills or 0
    is_counted = OOM_COUNTER.matches(counted)
    logged = _lines_about_children(clues)
    if not is_counted and not logged:
        return None
    because = [reason("death.oom_counter_rose", kills=counted)] if is_counted else []
    if logged and clues.signature is not None:
        because.append(reason("death.log_lines", lines=logged, line=quoted_line(clues.signature.line)))
    because.append(_lives_on(container))
    return killed(clues, None, KillKind.CHILD_PROCESS_OOM, sure=is_counted, because=because)


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
    return killed(clues, None, KillKind.SIGKILL_NOT_OOM, sure=True, sender=said.row.sender, because=because)


def child_sender_unknown(clues: Clues) -> Kill | None:
    """A line says that a child ended by SIGKILL, and memory was far from the limit all the time: evidence against a kill for memory."""
    container, history = clues.container, clues.facts.history
    if container is None or container.state != "running" or OOM_COUNTER.matches(clues.facts.child_kills or 0):
        return None
    if not _lines_about_children(clues) or clues.signature is None or history is None or clues.alert_names & names.CHILD_ALERTS:
        return None
    ratios = [s.working_set_bytes / limit for s in history.samples if (limit := s.limit_bytes or clues.limit_bytes)]
    highest = max(ratios, default=None)
    if not FAR_FROM_LIMIT.matches(highest) or highest is None:
        return None
    because = [
        reason("death.log_lines", lines=clues.signature.count, line=quoted_line(clues.signature.line)),
        reason("death.memory_highest", usage_ratio=highest),
        reason("death.between_scrapes"),
        _lives_on(container),
    ]
    return killed(clues, None, KillKind.SIGKILL_NOT_OOM, sure=False, sender=Sender.UNKNOWN, because=because)


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
    if container is None:
        return reason("death.status_unread")
    if container.restart_count:
        return reason("death.running_restarts_unchanged", restarts=container.restart_count)
    return reason("death.running_without_restart")
