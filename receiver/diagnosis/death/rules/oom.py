"""An OOM kill that Kubernetes recorded: whose memory ran out, the container's or the node's."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.at_the_limit import at_the_limit, is_far
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.death.witnesses.container_status import SIGKILL_EXIT
from receiver.diagnosis.death.witnesses.metrics import NEAR_LIMIT
from receiver.domain.facts import Termination
from receiver.domain.reason import reason
from receiver.domain.report import Kill, KillKind
from receiver.domain.units import MIB

TINY_LIMIT_BYTES = 32 * MIB  # a runtime's init and the pause container need up to some 20 MiB for a moment: public issues name 4 to 16 MiB


def oom_without_limit(clues: Clues) -> Kill | None:
    """A container with no limit of its own or of its pod can only run out of the node's memory."""
    death = look.oom_death(clues)
    if death is None or clues.limit_bytes is not None or not clues.could_ask_kubernetes or clues.container is None:
        return None
    because = [why.oom_killed(death), reason("death.no_limit_anywhere"), *why.on_the_node(clues, death)]
    return killed(clues, death, KillKind.NODE_OOM, sure=True, because=because)


def oom_flag_of_earlier(clues: Clues) -> Kill | None:
    """OOMKilled, exit code 143: SIGTERM ended it. The runtime's flag is of the whole life, and may be about a child killed long before."""
    death = look.oom_death(clues)
    if death is None or look.ended_by(death) is not Says.SIGTERM:
        return None
    asked = look.was_asked_to_stop(clues, death)
    ended = reason("death.asked_to_stop") if asked else reason("death.ended_by_sigterm")
    because = [ended, reason("death.flag_of_the_life", exit_code=death.exit_code)]
    return killed(clues, death, KillKind.SUSPECTED_OOM if asked else KillKind.CONTAINER_OOM, sure=False, because=because)


def oom_by_the_node(clues: Clues) -> Kill | None:
    """The node ran out in the same seconds, of a process that can be its own, and nothing says that it was at its own limit."""
    death = look.oom_death(clues)
    kills = look.node_kills(clues, death) if death is not None else []
    if death is None or not kills or (not kills[0].is_of_pod and at_the_limit(clues, death)):
        return None
    because = [why.oom_killed(death), *why.on_the_node(clues, death)]
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    if ratio is not None:
        because.append(reason("death.own_memory_before", usage_ratio=ratio))
    return killed(clues, death, KillKind.NODE_OOM, sure=kills[0].is_of_pod or is_far(clues, ratio), because=because)


def container_oom(clues: Clues) -> Kill | None:
    """OOMKilled, and nothing says that it was the node's memory: the container's limit, or its pod's."""
    death = look.oom_death(clues)
    if death is None:
        return None
    because = [why.oom_killed(death)]
    if death.exit_code not in (SIGKILL_EXIT, None):
        because.append(reason("death.main_process_ended_itself", exit_code=death.exit_code))
    if clues.limit_is_pod_level:
        because.append(reason("death.limit_is_the_pods"))
    if look.kernel_kills(clues, death):
        because += at_the_limit(clues, death)
        return killed(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    if NEAR_LIMIT.matches(ratio):
        because.append(reason("death.memory_before", usage_ratio=ratio))
    return killed(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)


def oom_before_start(clues: Clues) -> Kill | None:
    """StartError, exit 128: the memory was full before the process began, as a memory-backed emptyDir leaves it."""
    death = next((dead for dead in _deaths(clues) if look.is_start_oom(dead)), None)
    if death is None:
        return None
    because = [reason("death.oom_before_start", reason=death.reason)]
    if clues.facts.pod and clues.facts.pod.memory_volumes:
        because.append(reason("death.memory_volume_outlives_restart"))
    return killed(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)


def never_started(clues: Clues) -> Kill | None:
    """No process began: the pod's sandbox, or the container's init, was killed for memory, or was gone for a reason not given.

    Under a limit of a few MiB the latter is most often memory; above it nobody can tell.
    """
    container = clues.container
    if container is not None and container.state == "running":
        return None
    dead = next((d for d in _deaths(clues) if look.is_cut_short(d)), None)
    history = clues.facts.history
    has_run = look.newest(clues) is not None or (not clues.could_ask_kubernetes and history is not None and bool(history.samples))
    heard = look.before_start(clues) if not has_run else None
    if dead is None and heard is None:
        return None
    said, message = (dead.reason, dead.message) if dead is not None else (heard[0].reason, heard[0].message) if heard else ("", "")
    if heard is not None and dead is None and heard[1] is Says.OOM_BEFORE_START:
        because = [reason("death.oom_before_start", reason=said)]
        return killed(clues, None, KillKind.CONTAINER_OOM, sure=True, because=because, reason=said)
    because = [reason("death.cut_short", reason=said, message=why.quoted_text(message))]
    if not (clues.limit_bytes and clues.limit_bytes < TINY_LIMIT_BYTES):
        return killed(clues, dead, KillKind.NONE, sure=False, because=because, reason=said)
    because.append(reason("death.limit_is_tiny", limit_bytes=clues.limit_bytes))
    return killed(clues, dead, KillKind.SUSPECTED_OOM, sure=False, because=because, reason=said)


def _deaths(clues: Clues) -> tuple[Termination, ...]:
    container = clues.container
    deaths = (container.newest_termination, container.terminated, container.last_terminated) if container else ()
    return tuple(dead for dead in deaths if dead is not None)
