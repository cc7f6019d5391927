"""An OOM kill that Kubernetes recorded: whose memory ran out, the container's or the node's."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import because as why
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.verdict import killed
from receiver.diagnosis.death.witnesses.container_status import SIGKILL_EXIT
from receiver.diagnosis.death.witnesses.metrics import FAR_FROM_LIMIT, NEAR_LIMIT
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
    """The kubelet saw the whole node run out in the same minutes, and this container was not at its own limit."""
    death = look.oom_death(clues)
    if death is None or not look.node_events(clues, death):
        return None
    ratio = memory_ratio_before(clues, death.finished_at)
    if NEAR_LIMIT.matches(ratio):
        return None
    because = [why.oom_killed(death), *why.on_the_node(clues, death)]
    if ratio is not None:
        because.append(reason("death.own_memory_before", usage_ratio=ratio))
    return killed(clues, death, KillKind.NODE_OOM, sure=FAR_FROM_LIMIT.matches(ratio), because=because)


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
    ratio = memory_ratio_before(clues, death.finished_at)
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
