"""File cache, and the memory-backed files that look like it.

A working set may rise to the limit on file cache alone: the kernel takes that back before it kills, so it is no leak.
Files in a tmpfs (an emptyDir with medium Memory, /dev/shm) are counted in the same place and cannot be taken back. Only
a kill tells them apart: one that came while the process's own memory was far below the limit, the working set at it.
"""

from __future__ import annotations

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape import ramp as ramps
from receiver.diagnosis.shape.lives import Lives
from receiver.diagnosis.shape.prepare import Columns


def is_unreclaimable(c: Columns, lives: Lives) -> bool:
    """Whether kills show that the part of the working set that is not the process's own could not be taken back."""
    told = []
    for span in lives.spans:
        limit = c.limit[span.last]
        if not span.is_killed or not limit:
            continue
        full = c.working_set[span.last] >= th.KILL_LEVEL * limit
        own_is_small = c.in_use[span.last] <= c.working_set[span.last] - th.UNRECLAIMABLE_SHARE * limit
        told.append(full and own_is_small)
    return bool(told) and 2 * sum(told) >= len(told)


def cache_share(c: Columns) -> float | None:
    """Of the newest working set, what is not in use for sure; None where only the working set was scraped."""
    if not c.has_own_memory or not c.working_set[-1]:
        return None
    return max(0.0, 1 - c.in_use[-1] / c.working_set[-1])


def is_growing(c: Columns, lives: Lives, scale: float) -> bool:
    """Whether the working set of the newest life still ramps: file cache on its way to the limit, or files in memory."""
    if not c.has_own_memory or not lives.spans:
        return False
    newest = lives.spans[-1]
    return ramps.ramp_of(ramps.bins_of(c.with_working_set(), newest.first, newest.last), scale).is_ramp
