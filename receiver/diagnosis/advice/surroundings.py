"""What else reacts to a new limit: the runtime's own heap flag, and autoscalers."""

from __future__ import annotations

from receiver.diagnosis.advice.starting_point import vpa_sets_limits
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.ceilings import allowance_of
from receiver.diagnosis.log.ceilings.advice import ceiling_advice, share_of_limit
from receiver.domain.reason import Reason, reason

HEAP_LEAVES_LITTLE = 0.75  # of the limit: threads, code and buffers of a runtime need about a quarter beside the heap


def heap_caveats(clues: Clues, limit: int) -> tuple[Reason, ...]:
    """What the program's ceilings mean for the new limit; a heap that filled the old one is not to be raised with it."""
    before, after = allowance_of(clues.settings, clues.limit_bytes), allowance_of(clues.settings, limit)
    if before is None or after is None or before.covering_bytes is None or before.decides[0].row.is_soft:
        return ceiling_advice(clues.settings, limit)
    allows, limit_before = before.allows_bytes, before.limit_bytes
    if HEAP_LEAVES_LITTLE * limit_before < allows < limit_before and allows <= HEAP_LEAVES_LITTLE * limit:
        return (reason("heap.leave_flag", flag=before.decides[0].quoted, use=share_of_limit(before)),)
    return ceiling_advice(clues.settings, limit)


def autoscaler_caveats(clues: Clues) -> tuple[Reason, ...]:
    """A VPA that undoes the change, an HPA that reacts to it."""
    workload = clues.facts.workload
    found = []
    if workload is not None and workload.vpa is not None and vpa_sets_limits(workload.vpa, clues.container_name):
        found.append(reason("advice.vpa_undoes_it", name=workload.vpa.name, mode=workload.vpa.mode))
    if workload is not None and workload.hpa and "memory" in str(workload.hpa.get("metrics", "")).lower():
        found.append(reason("advice.hpa_scales_later"))
    return tuple(found)
