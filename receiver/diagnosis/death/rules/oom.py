"""An OOM kill that Kubernetes recorded: whose memory ran out, the container's or the node's."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.at_the_limit import at_the_limit, is_far
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses.container_status import SIGKILL_EXIT
from receiver.diagnosis.death.witnesses.metrics import NEAR_LIMIT
from receiver.domain.reason import reason
from receiver.domain.report import Kill, KillKind


def oom_without_limit(clues: Clues) -> Kill | None:
    """A container with no limit of its own or of its pod can only run out of the node's memory."""
    death = look.oom_death(clues)
    if death is None or clues.limit_bytes is not None or not clues.could_ask_kubernetes or clues.container is None:
        return None
    because = [why.oom_killed(death), reason("death.no_limit_anywhere"), *why.on_the_node(clues, death)]
    return killed(clues, death, KillKind.NODE_OOM, sure=True, because=because)


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
    container = clues.container
    deaths = (container.newest_termination, container.terminated, container.last_terminated) if container else ()
    death = next((dead for dead in deaths if dead is not None and look.is_start_oom(dead)), None)
    if death is None:
        return None
    because = [reason("death.oom_before_start", reason=death.reason)]
    if clues.facts.pod and clues.facts.pod.memory_volumes:
        because.append(reason("death.memory_volume_outlives_restart"))
    return killed(clues, death, KillKind.CONTAINER_OOM, sure=True, because=because)
