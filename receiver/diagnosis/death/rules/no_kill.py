"""It was not killed: it ended by itself, ended for another reason, or did not end."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.container_status import SIGKILL_EXIT, signal_of
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.reason import reason
from receiver.domain.report import Kill, KillKind

OLD_KILL_S = 24 * 3600.0  # lastState keeps a death for ever: an early warning today is not about a kill of last week


def old_news(clues: Clues) -> Kill | None:
    """An early warning about a running container is not about a kill of days ago."""
    death, container, alerts = look.newest(clues), clues.container, clues.alert_names
    if container is None or death is None or container.state != "running" or death.finished_at is None:
        return None
    age_s = (clues.facts.now - death.finished_at).total_seconds()
    if not alerts or not alerts <= names.WARNING_ALERTS or age_s <= OLD_KILL_S:
        return None
    return killed(clues, None, KillKind.NONE, sure=True, because=[reason("death.long_ago", reason=death.reason, age_s=age_s)])


def own_limit_of_runtime(clues: Clues) -> Kill | None:
    """The program gave up at a limit of its own; the kernel killed nothing."""
    death, full = look.newest(clues), look.own_limit(clues)
    if death is None or full is None or look.is_oom_killed(death) or death.exit_code in (SIGKILL_EXIT, 0, None):
        return None
    because = [
        reason("death.log_line", line=quoted_line(full.line)),
        reason("death.ended_itself", exit_code=death.exit_code, reason=death.reason),
    ]
    return killed(clues, death, KillKind.NONE, sure=True, because=because)


def not_seen(clues: Clues) -> Kill | None:
    """The status holds a placeholder: nobody saw how it ended, so no exit code is told. Memory just before, or an alert, may still speak."""
    death = look.newest(clues)
    if death is None or not look.was_not_seen(death):
        return None
    because = [reason("death.not_seen", reason=death.reason, exit_code=death.exit_code)]
    if look.claims_oom(clues):
        return None
    unseen = replace(death, exit_code=None, signal=None)
    return killed(clues, unseen, KillKind.NONE, sure=False, because=because)


def refuses_to_start(clues: Clues) -> Kill | None:
    """The program ended itself before it worked: the container's limit is below what it says it needs."""
    death, said = look.newest(clues), look.refuses_to_start(clues)
    if death is None or said is None or look.is_oom_killed(death):
        return None
    because = [reason("death.log_line", line=quoted_line(said.line)), reason("death.refused_to_start")]
    return killed(clues, death, KillKind.NONE, sure=True, because=because)


def other_end(clues: Clues) -> Kill | None:
    """It ended, and neither SIGKILL nor memory had to do with it."""
    death = look.newest(clues)
    if death is None:
        return None
    because = [reason("death.other_end", exit_code=death.exit_code, reason=death.reason)]
    if look.ended_by(death) is Says.SIGTERM:
        because.append(reason("death.sigterm"))
    elif (signal := signal_of(death)) is not None:
        because.append(reason("death.signal", exit_code=death.exit_code, signal=signal))
    return killed(clues, death, KillKind.NONE, sure=True, because=because)


def nothing_ended(clues: Clues) -> Kill | None:
    """The container was seen, and its status tells of no death."""
    container = clues.container
    if container is None:
        return None
    said = look.announced_children(clues) if clues.announced else None
    because = [reason("death.no_kill_so_far", state=container.state, restarts=container.restart_count)]
    if said is not None:
        because.insert(0, reason("death.announced", sender=said.row.sender.value, line=quoted_line(said.line)))
    if container.restart_count:
        because.append(reason("death.last_state_lost", restarts=container.restart_count))
    return killed(clues, None, KillKind.NONE, sure=not container.restart_count, because=because)


def nothing_known(clues: Clues) -> Kill | None:
    """Neither the pod nor an alert says anything: the last rule, which always answers."""
    return Kill(kind=KillKind.NONE, is_sure=False, because=(reason("death.no_alert_claims_a_kill"), why.pod_unread(clues)))
