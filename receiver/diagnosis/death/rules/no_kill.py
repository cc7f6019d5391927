"""It was not killed: it ended by itself, ended for another reason, or did not end."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.at_the_limit import is_far
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses.container_status import SIGKILL_EXIT, signal_of
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.facts import Termination
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill, KillKind

NEVER_RAN = ("StartError", "ContainerCannotRun", "CreateContainerError", "CreateContainerConfigError")  # the runtime's message says why
SENT_FROM_OUTSIDE = (1, 2, 3, 15)  # SIGHUP, SIGINT, SIGQUIT, SIGTERM: somebody asked; the others a program may send itself
GONE_WITH_ITS_NODE = 255  # what a runtime writes for a container that it finds gone when it starts

OLD_KILL_S = 24 * 3600.0  # lastState keeps a death for ever: an early warning today is not about a kill of last week


def old_news(clues: Clues) -> Kill | None:
    """An early warning about a running container is not about a kill of days ago."""
    death, container = look.newest(clues), clues.container
    if container is None or death is None or container.state != "running" or death.finished_at is None:
        return None
    age_s = (clues.facts.now - death.finished_at).total_seconds()
    if not look.is_early_warning(clues) or age_s <= OLD_KILL_S:
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
    if (rebooted := look.reboot(clues, death)) is not None:
        because.append(reason("death.node_rebooted", message=why.quoted(rebooted)))
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
    """It ended by itself, and no OOM kill was recorded. What speaks against memory stands beside it; without that nobody can be sure."""
    death = look.newest(clues)
    if death is None or (death.exit_code is None and not clues.could_ask_kubernetes):  # "Error" alone may be anything
        return None
    against = _against_memory(clues, death)
    because = [reason("death.other_end", exit_code=death.exit_code, reason=death.reason), *against]
    signal = signal_of(death)
    if signal is not None and not against:
        because.append(reason("death.signal", exit_code=death.exit_code, signal=signal))
    sure = death.exit_code == 0 or any(b.code != why.MEMORY_WAS_FAR for b in against)
    return killed(clues, death, KillKind.NONE, sure=sure, because=because)


def _against_memory(clues: Clues, death: Termination) -> list[Reason]:
    """What was seen that speaks for another end than memory (`why.AGAINST_MEMORY`). That nothing speaks for memory is not among it."""
    signal = signal_of(death)
    if death.reason in NEVER_RAN and death.message and not look.is_cut_short(death):
        return [reason("death.runtime_says", reason=death.reason, message=why.quoted_text(death.message))]
    if death.exit_code == GONE_WITH_ITS_NODE and (rebooted := look.reboot(clues, death)) is not None:
        return [reason("death.node_rebooted", message=why.quoted(rebooted))]
    if signal in SENT_FROM_OUTSIDE:
        return [reason("death.asked_by_signal", exit_code=death.exit_code, signal=signal)]
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    return [reason("death.memory_was_far", usage_ratio=ratio, limit_bytes=clues.limit_bytes)] if is_far(clues, ratio) else []


def nothing_ended(clues: Clues) -> Kill | None:
    """The container was seen, and its status tells of no death."""
    container = clues.container
    if container is None or not clues.could_ask_kubernetes:
        return None
    said = look.announced_children(clues) if clues.announced else None
    if container.restart_count:
        because = [reason("death.last_state_lost", state=container.state, restarts=container.restart_count)]
    else:
        because = [reason("death.no_kill_so_far", state=container.state, restarts=0)]
    if said is not None:
        because.insert(0, reason("death.announced", sender=said.row.sender.value, line=quoted_line(said.line)))
    return killed(clues, None, KillKind.NONE, sure=not container.restart_count, because=because)


def nothing_known(clues: Clues) -> Kill | None:
    """Neither the pod nor an alert says anything: the last rule, which always answers."""
    return Kill(kind=KillKind.NONE, is_sure=False, because=(reason("death.no_alert_claims_a_kill"), why.pod_unread(clues)))
