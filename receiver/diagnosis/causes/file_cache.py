"""File cache behind a high working set, where the history is too short for a shape: two numbers of the same scrape tell.

The kernel takes file cache back before it kills anything. Files in a memory-backed emptyDir are counted in the same
place and are not taken back, so a pod that has one is left alone here.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from receiver.diagnosis.clues import Clues
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, Kill, KillKind

MOSTLY = 0.5  # of the working set: more than half of it is not the process's own
HIGH_USE = 0.7  # of the limit: below it there is nothing to explain, unless an alert asks
FLAT = 0.05  # of the limit: a smaller rise of the process's own memory in the time seen is not what fills it
MIN_SAMPLES = 8  # two a quarter: fewer say nothing about a rise


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCache:
    """How the newest working set is made up, in bytes, and that as a reason."""

    cache_bytes: float
    own_bytes: float
    because: Reason


def file_cache(clues: Clues) -> FileCache | None:
    """What the working set holds beside the process's own memory, when that is most of it and the rest did not grow."""
    shape, pod, limit = clues.shape, clues.facts.pod, clues.limit_bytes
    if shape is None or shape.cause is not CauseName.UNKNOWN or shape.cache_share is None or shape.current_bytes is None:
        return None
    if shape.cache_share < MOSTLY or shape.kills or (pod is not None and pod.memory_volumes):
        return None
    is_asked = bool(clues.alert_names) or (limit is not None and shape.current_bytes >= HIGH_USE * limit)
    if not is_asked or not _own_is_flat(clues, float(limit or shape.current_bytes)):
        return None
    cache = shape.current_bytes * shape.cache_share
    own = shape.current_bytes - cache
    if limit:
        because = reason(
            "file_cache.mostly_of_limit", cache_bytes=cache, now_bytes=shape.current_bytes, own_bytes=own, own_ratio=own / limit
        )
    else:
        because = reason("file_cache.mostly", cache_bytes=cache, now_bytes=shape.current_bytes, own_bytes=own)
    return FileCache(cache_bytes=cache, own_bytes=own, because=because)


def explained_by_cache(clues: Clues, kill: Kill) -> FileCache | None:
    """The file cache that makes a living container look full, where the shape itself is too short to say so."""
    return file_cache(clues) if kill.kind is KillKind.NONE and kill.exit_code is None else None


def _own_is_flat(clues: Clues, scale_bytes: float) -> bool:
    """Whether the process's own memory did not grow between the first and the last quarter of what was seen."""
    history = clues.facts.history
    own = [s.rss_bytes for s in history.samples if s.rss_bytes is not None] if history is not None else []
    if len(own) < MIN_SAMPLES:
        return False
    quarter = len(own) // 4
    return median(own[-quarter:]) - median(own[:quarter]) < FLAT * scale_bytes
