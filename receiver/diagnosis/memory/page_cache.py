"""File cache, and the memory-backed files that look like it.

A working set may rise to the limit on file cache alone: the kernel takes that back before it kills, so it is no leak.
Files in a tmpfs (an emptyDir with medium Memory, /dev/shm) are counted in the same place and cannot be taken back. Only
a kill tells them apart: one that came while the process's own memory was far below the limit, the working set at it.
"""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis.memory import climb as climbs
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.lives import Lives
from receiver.diagnosis.memory.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFinding:
    """`matters`: file cache is what makes the working set look high. `is_growing`: and it still ramps, so it may as well be
    files in memory.
    """

    matters: bool
    is_growing: bool


def is_unreclaimable(c: Columns, lives: Lives) -> bool:
    """Whether kills show that the part of the working set that is not the process's own could not be taken back."""
    killed = [(c.working_set[s.last], c.in_use[s.last], limit) for s in lives.spans if s.is_killed and (limit := c.limit[s.last])]
    unreclaimed = [used >= th.KILL_LEVEL * limit and own <= used - th.UNRECLAIMABLE_SHARE * limit for used, own, limit in killed]
    return bool(unreclaimed) and 2 * sum(unreclaimed) >= len(unreclaimed)


def cache_share(c: Columns) -> float | None:
    """Of the newest working set, what is not in use for sure; None where only the working set was scraped."""
    if not c.has_own_memory or not c.working_set[-1]:
        return None
    return max(0.0, 1 - c.own[-1] / c.working_set[-1])


def find_cache(c: Columns, lives: Lives, scale: float) -> CacheFinding:
    """What the working set of the newest life holds beside memory in use. `scale`: the limit, or what stands in for it."""
    newest = lives.spans[-1]
    highest = c.working_set.index(max(c.working_set))
    matters = c.has_own_memory and c.working_set[highest] - c.in_use[highest] >= th.CACHE_MATTERS * scale
    bins = climbs.bins_of(c.with_working_set(), newest.first, newest.last) if matters else []
    is_growing = climbs.has_floors(bins) and climbs.climb_of(bins, scale).rises
    return CacheFinding(matters=matters, is_growing=is_growing)
