"""What else reacts to a new limit: the runtime's own heap flag, and autoscalers."""

from __future__ import annotations

from receiver.diagnosis.advice.starting_point import vpa_sets_limits
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.runtimes.heap import heap_advice, heap_settings, share_of_limit
from receiver.domain.reason import Reason, reason

HEAP_LEAVES_LITTLE = 0.75  # of the limit: threads, code and buffers of a runtime need about a quarter beside the heap


def heap_caveats(clues: Clues, limit: int) -> tuple[Reason, ...]:
    """What a heap flag means for the new limit; a heap that filled the old one is not to be raised with it."""
    settings = heap_settings(clues.container) if clues.container is not None else None
    if settings is None or settings.max_bytes is None or not clues.limit_bytes or settings.is_soft:
        return heap_advice(settings, limit)
    ratio = settings.max_bytes / clues.limit_bytes
    if HEAP_LEAVES_LITTLE < ratio < 1 and settings.max_bytes <= HEAP_LEAVES_LITTLE * limit:
        return (reason("heap.leave_flag", flag=settings.flag, use=share_of_limit(settings.max_bytes, clues.limit_bytes)),)
    return heap_advice(settings, limit)


def autoscaler_caveats(clues: Clues) -> tuple[Reason, ...]:
    """A VPA that undoes the change, an HPA that reacts to it."""
    workload = clues.facts.workload
    found = []
    if workload is not None and workload.vpa is not None and vpa_sets_limits(workload.vpa, clues.container_name):
        found.append(reason("advice.vpa_undoes_it", name=workload.vpa.name, mode=workload.vpa.mode))
    if workload is not None and workload.hpa and "memory" in str(workload.hpa.get("metrics", "")).lower():
        found.append(reason("advice.hpa_scales_later"))
    return tuple(found)
