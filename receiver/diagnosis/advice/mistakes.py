"""The article's common mistakes and its tip, where they are seen here. One function each; what is not seen is not said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from receiver.diagnosis.clues import Clues
from receiver.domain.confidence import UNSURE
from receiver.domain.report import Cause, CauseName, Kill, Proposal, Warn
from receiver.domain.units import human_bytes, human_duration

RECENT_S = 86400.0  # an older kill of a neighbour is not part of tonight's story
REQUEST_FAR_BELOW = 1.5  # x request of typical use: the scheduler counts on much less than it takes (alert MemoryRequestTooLow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the warnings look at."""

    clues: Clues
    kill: Kill
    cause: Cause
    proposal: Proposal
    has_hpa_advice: bool


def warnings_for(clues: Clues, kill: Kill, cause: Cause, proposal: Proposal, *, has_hpa_advice: bool) -> tuple[Warn, ...]:
    """The mistakes seen, in the article's order."""
    seen = Seen(clues=clues, kill=kill, cause=cause, proposal=proposal, has_hpa_advice=has_hpa_advice)
    return tuple(Warn(id=warning_id, text=text) for warning_id, find in WARNINGS if (text := find(seen)))


def _only_raising(seen: Seen) -> str:
    """A leak grows into any limit; a second raise is the same mistake again."""
    raises = seen.clues.raises
    if raises and (seen.cause.name is CauseName.LEAK or len(raises) > 1):
        steps = ", ".join(f"{human_bytes(r.before_bytes)} to {human_bytes(r.after_bytes)}" for r in reversed(raises))
        return f"The limit was raised before ({steps}). Raising it again only delays the next kill."
    if seen.cause.name is CauseName.LEAK and seen.cause.confidence > UNSURE:
        return "Only raising the limit does not stop a leak: it delays the next kill."
    return ""


def _no_limit(seen: Seen) -> str:
    if seen.clues.limit_bytes is not None or seen.clues.container is None:
        return ""
    return "No memory limit: this container can take the node's memory and have its neighbours evicted or killed."


def _limit_equals_request(seen: Seen) -> str:
    limit = seen.clues.limit_bytes
    if limit is None or limit != seen.clues.request_bytes:
        return ""
    return (
        f"Limit and request are equal ({human_bytes(limit)}). That is a trade-off, not a mistake: "
        "it is evicted last, and the node holds room for its peak all the time."
    )


def _request_too_low(seen: Seen) -> str:
    request = seen.clues.request_bytes
    shape = seen.clues.shape
    use = (shape.median_bytes if shape is not None else None) or seen.clues.facts.usage_bytes
    if not use or seen.clues.container is None:
        return ""
    if not request:
        return (
            f"No memory request, and it uses {human_bytes(use)}: the scheduler counts on nothing, and it is among the first to be evicted."
        )
    if use < REQUEST_FAR_BELOW * request:
        return ""
    return f"The request ({human_bytes(request)}) is far below use ({human_bytes(use)}): under node pressure it is among the first to be evicted."


def _startup_loading(seen: Seen) -> str:
    if seen.cause.name is not CauseName.STARTUP:
        return ""
    if seen.cause.detail == "loading":
        return "It loads data into memory while starting. The need grows with the data: a higher limit lasts until the data has grown."
    if seen.cause.detail == "memory_volume":
        return "An emptyDir in memory is full. A restart does not empty it; deleting the pod does, and a sizeLimit bounds it."
    return "It dies while starting: look at what start-up loads or builds (data sets, caches, models, migrations)."


def _no_hpa(seen: Seen) -> str:
    workload = seen.clues.facts.workload
    if seen.cause.name is not CauseName.SPIKE or not seen.has_hpa_advice or (workload is not None and workload.hpa):
        return ""
    return "Traffic spikes and no HPA: every peak lands on the same replicas."


def _memory_volume(seen: Seen) -> str:
    pod = seen.clues.facts.pod
    if pod is None or not pod.memory_volumes or seen.cause.detail == "memory_volume":
        return ""
    return f"Files in {', '.join(pod.memory_volumes[:3])} (emptyDir in memory) count against the memory limit."


def _other_killed(seen: Seen) -> str:
    """Another container of the pod that the kernel killed in the last day: it has an incident of its own."""
    pod, now = seen.clues.facts.pod, seen.clues.facts.now
    found = []
    for container in pod.containers if pod is not None else ():
        death = container.newest_termination
        if container.name == seen.clues.container_name or death is None or death.reason != "OOMKilled" or death.finished_at is None:
            continue
        age_s = (now - death.finished_at).total_seconds()
        if age_s <= RECENT_S:
            found.append(f"{container.name} ({human_duration(age_s)} ago)")
    if not found:
        return ""
    return f"Also OOMKilled in this pod: {', '.join(found[:3])}. This report is about {seen.clues.container_name} only."


def _crash_loop(seen: Seen) -> str:
    """Never up is worse than killed now and then; the back-off hides how often it would be."""
    container = seen.clues.container
    if container is None or container.state_reason != "CrashLoopBackOff" or not seen.clues.lives_s:
        return ""
    return f"In CrashLoopBackOff: it lives {human_duration(seen.clues.lives_s[0])} and then waits up to 5 min, so it is down nearly all the time."


WARNINGS: tuple[tuple[str, Callable[[Seen], str]], ...] = (
    ("only_raising_limits", _only_raising),
    ("limit_equals_request", _limit_equals_request),
    ("no_limit", _no_limit),
    ("request_too_low", _request_too_low),
    ("startup_loading", _startup_loading),
    ("no_hpa", _no_hpa),
    ("memory_volume", _memory_volume),
    ("crash_loop", _crash_loop),
    ("other_container_killed", _other_killed),
)
