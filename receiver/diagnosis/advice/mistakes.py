"""Common mistakes, where they are seen here. One function each; what is not seen is not said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from receiver.diagnosis.causes.common import AT_THE_LIMIT
from receiver.diagnosis.causes.leaf import Raise
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.causes.settings import OWN_MAXIMUM
from receiver.diagnosis.clues import Clues, LimitRaise
from receiver.diagnosis.log.ceilings import Fit, allowance_of
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Warn
from receiver.domain.units import MIB

RECENT_S = 86400.0  # an older kill of a neighbour is not part of tonight's story
MOST_NAMED = 3
REQUEST_FAR_BELOW = 1.5  # x request of typical use: the scheduler counts on much less than it takes (alert MemoryRequestTooLow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the warnings look at."""

    clues: Clues
    kill: KillKind
    cause: Cause
    has_hpa_advice: bool


def warnings_for(clues: Clues, kill: Kill, cause: Cause, *, has_hpa_advice: bool) -> tuple[Warn, ...]:
    """The mistakes seen, in a fixed order."""
    seen = Seen(clues=clues, kill=kill.kind, cause=cause, has_hpa_advice=has_hpa_advice)
    return tuple(Warn(id=warning_id, mistake=mistake) for warning_id, find in WARNINGS if (mistake := find(seen)))


def _only_raising(seen: Seen) -> Reason | None:
    """A leak grows into any limit; a second raise is the same mistake again."""
    raises = seen.clues.raises
    is_growth = leaf_of(seen.cause.name).a_raise is Raise.DELAYS
    if raises and (is_growth or len(raises) > 1):
        return reason("mistake.raised_before", steps=tuple(_step(r) for r in reversed(raises)))
    if is_growth and seen.cause.confidence > UNSURE and seen.cause.detail != OWN_MAXIMUM:  # else a raise delays nothing
        return reason("mistake.raising_a_leak")
    return None


def _step(raised: LimitRaise) -> Reason:
    return reason("mistake.step", before_bytes=raised.before_bytes, after_bytes=raised.after_bytes)


def _no_limit(seen: Seen) -> Reason | None:
    if seen.clues.limit_bytes is not None or seen.clues.container is None:
        return None
    return reason("mistake.no_limit")


def _limit_equals_request(seen: Seen) -> Reason | None:
    limit = seen.clues.limit_bytes
    if limit is None or limit < MIB or limit != seen.clues.request_bytes:  # below, its unit is the mistake
        return None
    return reason("mistake.limit_equals_request", limit_bytes=limit)


def _request_too_low(seen: Seen) -> Reason | None:
    request = seen.clues.request_bytes
    shape = seen.clues.shape
    use = (shape.median_bytes if shape is not None else None) or seen.clues.facts.usage_bytes
    if not use or seen.clues.container is None:
        return None
    if not request:
        return reason("mistake.no_request", use_bytes=use)
    if use < REQUEST_FAR_BELOW * request:
        return None
    return reason("mistake.request_far_below_use", request_bytes=request, use_bytes=use)


def _startup_loading(seen: Seen) -> Reason | None:
    if seen.cause.name is not CauseName.STARTUP:
        return None
    if seen.cause.detail == "loading":
        return reason("mistake.loads_at_start")
    if seen.cause.detail == "memory_volume":
        return reason("mistake.full_memory_volume")
    return reason("mistake.dies_at_start")


def _no_hpa(seen: Seen) -> Reason | None:
    workload = seen.clues.facts.workload
    if not seen.has_hpa_advice or (workload is not None and workload.hpa):
        return None
    return reason("mistake.no_hpa")


def _memory_volume(seen: Seen) -> Reason | None:
    pod = seen.clues.facts.pod
    if pod is None or not pod.memory_volumes or seen.cause.detail == "memory_volume":
        return None
    return reason("mistake.memory_volume_counts", volumes=pod.memory_volumes[:MOST_NAMED])


def _outside_the_heap(seen: Seen) -> Reason | None:
    """The kernel killed it, and its heap may hold half of the limit at most: what filled the rest is not the heap."""
    allowed = allowance_of(seen.clues.settings, seen.clues.limit_bytes)
    if allowed is None or allowed.fit is not Fit.FAR_BELOW or seen.kill not in AT_THE_LIMIT or allowed.decides[0].row.part != "heap":
        return None
    first = allowed.decides[0]
    return reason(
        "mistake.outside_the_heap",
        flag=first.quoted,
        heap_bytes=allowed.allows_bytes,
        limit_bytes=allowed.limit_bytes,
        runtime=first.row.runtime,
    )


def _other_killed(seen: Seen) -> Reason | None:
    """Another container of the pod that the kernel killed in the last day: it has an incident of its own."""
    pod, now = seen.clues.facts.pod, seen.clues.facts.now
    found = []
    for container in pod.containers if pod is not None else ():
        death = container.newest_termination
        if container.name == seen.clues.container_name or death is None or death.reason != "OOMKilled" or death.finished_at is None:
            continue
        age_s = (now - death.finished_at).total_seconds()
        if age_s <= RECENT_S:
            found.append(reason("mistake.killed_neighbour", name=container.name, age_s=age_s))
    if not found:
        return None
    return reason("mistake.other_container_killed", others=tuple(found[:MOST_NAMED]), container=seen.clues.container_name)


def _crash_loop(seen: Seen) -> Reason | None:
    """Never up is worse than killed now and then; the back-off hides how often it would be."""
    container = seen.clues.container
    if container is None or container.state_reason != "CrashLoopBackOff" or not seen.clues.lives_s:
        return None
    return reason("mistake.crash_loop", life_s=seen.clues.lives_s[0])


WARNINGS: tuple[tuple[str, Callable[[Seen], Reason | None]], ...] = (
    ("only_raising_limits", _only_raising),
    ("limit_equals_request", _limit_equals_request),
    ("no_limit", _no_limit),
    ("request_too_low", _request_too_low),
    ("startup_loading", _startup_loading),
    ("no_hpa", _no_hpa),
    ("memory_volume", _memory_volume),
    ("outside_the_heap", _outside_the_heap),
    ("crash_loop", _crash_loop),
    ("other_container_killed", _other_killed),
)
