"""What killed it: an ordered truth table over what Kubernetes, the node, the log, the counters and the alerts say.

Exit code 137 means SIGKILL and nothing more; reason OOMKilled comes with exit codes 0, 1, 137 and 143; Kubernetes
writes no event for an OOM kill of a container. So no single field decides: the first rule of `RULES` that knows an
answer does. Every rule says whether it is sure, and by which facts. What each field, event, line or number says for
itself is a row in `witnesses/`; a rule weighs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.lookups import own_limit, pod_says, refuses_to_start
from receiver.diagnosis.death.rules import child, no_kill, oom, pod, sigkill, without_status
from receiver.domain.reason import reason
from receiver.domain.report import Kill

__all__ = ["RULES", "Rule", "kill_of", "own_limit", "pod_says", "refuses_to_start"]

Rule: TypeAlias = Callable[[Clues], Kill | None]

RULES: tuple[Rule, ...] = (
    pod.evicted,
    pod.refused,
    pod.stopped_with_its_pod,
    no_kill.old_news,
    child.child_oom_now,
    oom.oom_flag_of_earlier,
    oom.oom_without_limit,
    oom.oom_by_the_node,
    oom.container_oom,
    oom.oom_before_start,
    oom.never_started,
    no_kill.not_seen,
    sigkill.announced_in_log,
    sigkill.announced,
    sigkill.check_failed,
    pod.chosen_to_go,
    sigkill.grace_period_over,
    sigkill.by_kernel_line,
    sigkill.check_failed_before,
    sigkill.asked_to_stop_in_log,
    child.child_ended_by_manager,
    child.child_sender_unknown,
    child.child_oom,
    no_kill.refuses_to_start,
    no_kill.own_limit_of_runtime,
    sigkill.sender_unknown,
    child.ended_after_child,
    without_status.by_metrics,
    without_status.by_alert,
    no_kill.other_end,
    no_kill.nothing_ended,
    no_kill.nothing_known,
)


def kill_of(clues: Clues) -> Kill:
    """What ended the container, by the first rule that knows."""
    found = next(kill for rule in RULES if (kill := rule(clues)) is not None)
    pod = clues.facts.pod
    if pod is None or not pod.is_pieced_together or found.at is None:
        return found
    # Prometheus tells the reason of the container's end and not what the node, its events and its log would add to it.
    return replace(found, is_sure=False, because=(*found.because, reason("death.from_metrics", why=clues.missing_why("pod"))))
