"""A new memory limit and request from what was seen, or why there is none.

Rules that do not bend: never below what was seen; never above what the node can give, the LimitRange or the quota
allow; a leak is never sized up as a cure, it gets a stop-gap with the hours it buys; a kill hides demand above the
limit, so what is proposed after one is a lower bound and says so. The numbers and their reasons: `limits_policy`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice import rate_model
from receiver.diagnosis.advice.patch import change_of, commands_of, diff_of, patch_of
from receiver.diagnosis.advice.room import Room, room_of
from receiver.diagnosis.clues import Clues, Raise
from receiver.diagnosis.death.kill import own_limit
from receiver.diagnosis.log.log_clues import left_to_load_bytes, size_as_written, sizes_in
from receiver.diagnosis.log.runtimes import heap_advice, heap_settings
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Words, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Proposal
from receiver.domain.units import format_quantity, human_bytes, human_duration, human_percent

FIX = "fix"
STOP_GAP = "stop_gap"
HEAP_LEAVES_LITTLE = 0.75  # of the limit: threads, code and buffers of a runtime need about a quarter beside the heap

KILLED_FOR_MEMORY = (KillKind.CONTAINER_OOM, KillKind.CHILD_PROCESS_OOM, KillKind.SUSPECTED_OOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What the limit should be before anybody says how much there is. `floor_bytes`: what was seen, never less."""

    limit_bytes: float
    floor_bytes: float
    role: str
    why: str
    caveats: tuple[Words, ...] = ()
    is_for_leak: bool = False


def propose(clues: Clues, kill: Kill, cause: Cause) -> Proposal:
    """The change to paste, or why there is none."""
    refusal = _refusal(clues, kill, cause)
    if refusal:
        return Proposal(none=refusal)
    assert clues.limit_bytes is not None
    want = _want(clues, kill, cause)
    room = room_of(clues)
    limit = policy.tidy_up(want.limit_bytes)
    if room.most_bytes is not None and limit > room.most_bytes:
        fitting = policy.tidy_down(room.most_bytes)
        if fitting <= clues.limit_bytes or fitting < want.floor_bytes:
            return Proposal(none=f"it needs about {human_bytes(limit)}, and {room.because}: make room there first, or make it need less")
        want = replace(want, caveats=(*want.caveats, f"{human_bytes(limit)} would be better, but {room.because}"))
        limit = fitting
    if limit <= clues.limit_bytes:
        return Proposal(none=_roomy(clues, want))
    return _written(clues, kill, want, limit, room)


# --- when not to ------------------------------------------------------------------------------------------------------


def _refusal(clues: Clues, kill: Kill, cause: Cause) -> str:
    """Why no raise helps or can be sized, or an empty text."""
    match cause.name:
        case CauseName.NOT_MEMORY:
            return "not an OOM: more memory will not help"
        case CauseName.NODE_PRESSURE:
            return _node_refusal(clues, kill)
    if kill.kind is KillKind.NONE and kill.exit_code not in (None, 0) and own_limit(clues) is not None:
        return "the program stopped at a limit of its own, not at the container's: a higher memory limit alone changes nothing"
    if cause.detail == "page_cache":
        return "most of it is file cache, which the kernel takes back before it kills anything"
    if not clues.could_ask_kubernetes and clues.limit_bytes is None:
        return "the present limit is not known: the pod could not be read"
    if clues.container is None and not clues.limit_is_pod_level and clues.limit_bytes is None:
        return "which container it was is not known"
    if clues.limit_bytes is None:
        return f"it has no memory limit to raise: set one from what it normally uses{_used_words(clues)}, so that it cannot take the node's memory"
    if kill.kind not in KILLED_FOR_MEMORY:
        return _nothing_died(clues, cause)
    return _raised_enough(clues, kill, cause)


def _used_words(clues: Clues) -> str:
    """The peak that was seen, for a container without a limit: nothing cut it off."""
    peak = _peak(clues)
    span_s = clues.shape.history_s if clues.shape is not None else 0.0
    if not peak:
        return ""
    return f" (at most {human_bytes(peak)}{f' in {human_duration(span_s)}' if span_s else ''})"


def _node_refusal(clues: Clues, kill: Kill) -> str:
    if kill.kind is KillKind.EVICTION:
        return "an eviction is the node's decision: a higher limit does not prevent it, and lets this pod take more of the node"
    if clues.could_ask_kubernetes and clues.limit_bytes is None:
        return "it has no limit to raise: give it a limit and a request, so that it is stopped before the node runs out"
    return "the node ran out, not the container's limit: a higher limit only lets it take more of the node"


def _nothing_died(clues: Clues, cause: Cause) -> str:
    """Without a kill only a level close under the limit is reason enough."""
    if cause.name is CauseName.LIMIT_TOO_LOW:
        return ""
    if cause.name is CauseName.LEAK:
        return "nothing was killed so far, and a higher limit does not stop a leak"
    if cause.name is CauseName.SPIKE and (_peak(clues) or 0.0) * policy.PEAK_MARGIN > (clues.limit_bytes or 0):
        return ""
    return "nothing was killed for memory"


def _raised_enough(clues: Clues, kill: Kill, cause: Cause) -> str:
    """Raises that did not help say more than any chart."""
    raises = _raises_before(clues, kill, policy.RAISES_WINDOW_S)
    if not raises:
        return ""
    steps = ", ".join(f"{format_quantity(r.before_bytes)} to {format_quantity(r.after_bytes)}" for r in reversed(raises))
    if cause.name is CauseName.LEAK:
        return f"the limit was raised before ({steps}) and it was killed again: stop raising, fix the code, restart it on a schedule until then"
    if len(raises) >= policy.MAX_RAISES:
        return f"the limit was raised {len(raises)} times in a week ({steps}) and it was killed again: take a memory profile before raising further"
    return ""


def _raises_before(clues: Clues, kill: Kill, window_s: float) -> tuple[Raise, ...]:
    """Raises of the last `window_s` seconds before the kill that the killed container had, newest first.

    A pod of the old revision may die while the raise is rolled out: that says nothing about the raise.
    """
    at, limit = kill.at or clues.facts.now, clues.limit_bytes or 0
    return tuple(r for r in clues.raises if r.at <= at and (at - r.at).total_seconds() <= window_s and r.after_bytes <= limit)


def raise_words(raised: Raise, kill: Kill, clues: Clues) -> str:
    """A raise and how long before the kill it was: `512Mi to 768Mi, 20 h before`."""
    ago_s = ((kill.at or clues.facts.now) - raised.at).total_seconds()
    return f"{format_quantity(raised.before_bytes)} to {format_quantity(raised.after_bytes)}, {human_duration(round(ago_s / 3600) * 3600 if ago_s > 7200 else ago_s)} before"


def _roomy(clues: Clues, want: Want) -> str:
    assert clues.limit_bytes is not None
    return f"{human_bytes(want.limit_bytes)} would be enough, and the limit is {human_bytes(clues.limit_bytes)} already"


# --- how much -----------------------------------------------------------------------------------------------------------


def _want(clues: Clues, kill: Kill, cause: Cause) -> Want:
    limit, peak = clues.limit_bytes or 0, _peak(clues) or 0.0
    was_killed = kill.kind in KILLED_FOR_MEMORY
    floor = max(peak, float(limit) if was_killed else 0.0)
    is_finite = cause.name is CauseName.LEAK and cause.confidence <= UNSURE and clues.workload.kind in ("Job", "CronJob")
    if cause.name is CauseName.LEAK and not is_finite:
        return _stop_gap_for_leak(clues, kill, cause, floor)
    if not was_killed:
        why = f"its peak was {human_bytes(peak)}; that and {policy.PEAK_MARGIN - 1:.0%} on top"
        return Want(limit_bytes=peak * policy.PEAK_MARGIN, floor_bytes=floor, role=FIX, why=why)
    failed = _raises_before(clues, kill, policy.SECOND_KILL_WINDOW_S)
    is_second = bool(failed)
    factor = policy.RAISE_AFTER_SECOND_KILL if is_second else policy.RAISE_AFTER_KILL
    wants = [
        (limit * factor, f"one raise of x {factor:g} was enough in {'100' if is_second else '89'} % of measured kills"),
        (
            float(limit + policy.RAISE_FLOOR_BYTES),
            f"at least {human_bytes(policy.RAISE_FLOOR_BYTES)} on top: a small limit has no room for one bigger request",
        ),
        (peak * policy.PEAK_MARGIN, f"its peak was {human_bytes(peak)}"),
        *_by_rate(clues),
        *_by_log(clues, cause),
    ]
    most, because = max(wants)
    why = f"real demand is at least {human_bytes(floor)}; above the limit it cannot be seen. {because[0].upper()}{because[1:]}"
    caveats = (
        [
            f"the raise from {raise_words(failed[0], kill, clues)} was not enough: if it is killed again, take a memory profile instead of raising"
        ]
        if failed
        else []
    )
    if cause.detail == "memory_volume":
        caveats.insert(0, "the volume in memory fills any limit: delete the pod to empty it, and give it a sizeLimit")
        return Want(limit_bytes=most, floor_bytes=floor, role=STOP_GAP, why=why, caveats=tuple(caveats))
    if is_finite:
        caveats.insert(0, "a job that ends may simply need this much; one that grows without end is killed again")
        return Want(limit_bytes=most, floor_bytes=floor, role=STOP_GAP, why=why, caveats=tuple(caveats))
    if cause.name is CauseName.UNKNOWN or cause.confidence <= UNSURE:
        caveats.insert(0, "the cause is not known: if it leaks, this only delays" + _lasts(clues, most))
        return Want(limit_bytes=most, floor_bytes=floor, role=STOP_GAP, why=why, caveats=tuple(caveats))
    return Want(limit_bytes=most, floor_bytes=floor, role=FIX, why=why, caveats=tuple(caveats))


def _stop_gap_for_leak(clues: Clues, kill: Kill, cause: Cause, floor: float) -> Want:
    wanted = max((clues.limit_bytes or 0) * policy.STOP_GAP, (_peak(clues) or 0.0) * policy.PEAK_MARGIN)
    why = "a leak grows into any limit: this buys time and cures nothing"
    caveats: list[Words] = []
    if cause.confidence <= UNSURE:
        caveats.append(
            reason("advice.leak_is_possible_until", settle_by=cause.settle_by) if cause.settle_by else reason("advice.leak_is_possible")
        )
    return Want(limit_bytes=wanted, floor_bytes=floor, role=STOP_GAP, why=why, caveats=tuple(caveats), is_for_leak=True)


def _by_rate(clues: Clues) -> list[tuple[float, str]]:
    """What memory would be at the peak request rate, where it follows the rate."""
    model = rate_model.fit(clues.facts.history, clues.shape.rate_correlation if clues.shape is not None else None)
    if model is None:
        return []
    return [(model.peak_bytes * policy.RATE_MODEL_MARGIN, f"at its peak request rate it would need about {human_bytes(model.peak_bytes)}")]


def _by_log(clues: Clues, cause: Cause) -> list[tuple[float, str]]:
    """What the log says it was loading when it died, or had to hold at once."""
    found: list[tuple[float, str]] = []
    limit = clues.limit_bytes or 0
    for entry in clues.loading:
        if (left := left_to_load_bytes(entry)) is not None:
            need = limit + left
            found.append((need * policy.PROGRESS_MARGIN, f"its log had {human_bytes(left)} still to load when it was killed"))
        elif entry.size_bytes:
            named = size_as_written(entry.line, entry.size_bytes)
            found.append((entry.size_bytes * policy.ANNOUNCED_MARGIN, f"its log says it loads {named}: that x {policy.ANNOUNCED_MARGIN:g}"))
    if any("still to load" in why for _, why in found):  # progress is the better witness: what is held was seen
        found = [f for f in found if "still to load" in f[1]][-1:]
    if cause.detail == "burst":
        size = max(sizes_in(clues.last_line), default=0)
        quiet = clues.shape.median_bytes if clues.shape is not None and clues.shape.median_bytes else 0.0
        found.append((size * policy.RATE_MODEL_MARGIN + quiet, f"its log says it buffers {human_bytes(size)} at once"))
    return found


def _peak(clues: Clues) -> float | None:
    """The highest memory that was seen: of the history, of the long look, of now. Bytes."""
    history = clues.facts.history
    seen = (
        clues.shape.peak_bytes if clues.shape is not None else None,
        history.peak_bytes_long if history is not None else None,
        max((s.working_set_bytes for s in history.samples), default=None) if history is not None else None,
        clues.facts.usage_bytes,
    )
    return max((float(s) for s in seen if s), default=None)


def _growth(clues: Clues) -> float | None:
    """Bytes an hour, where a leak's growth was measured."""
    growth = clues.shape.growth_bytes_per_h if clues.shape is not None else None
    return growth if growth and growth > 0 else None


def _buys_h(clues: Clues, limit: float) -> float | None:
    """How long a life lasts at this growth under the new limit, in hours: (limit - floor at the start) / growth."""
    growth = _growth(clues)
    if growth is None or clues.shape is None:
        return _pace_h(clues, limit)
    floors = [life.floor_start_bytes for life in clues.shape.lives if life.floor_start_bytes is not None]
    floor = floors[-1] if floors else 0.0
    return max((limit - floor) / growth, 0.0)


def _pace_h(clues: Clues, limit: float) -> float | None:
    """The same in hours, if the last life was steady growth from nothing and no more is known."""
    if not clues.lives_s or not clues.limit_bytes or clues.lives_s[0] < 1:
        return None
    return clues.lives_s[0] * limit / clues.limit_bytes / 3600


def _lasts(clues: Clues, limit: float) -> str:
    """How long the new limit lasts if the last life was growth and nothing else: `, to about 40 s per life`."""
    pace_h = _pace_h(clues, limit)
    return f", to about {human_duration(pace_h * 3600)} per life" if pace_h is not None else ""


# --- writing it down -------------------------------------------------------------------------------------------------------


def _written(clues: Clues, kill: Kill, want: Want, limit: int, room: Room) -> Proposal:
    caveats = list(want.caveats)
    buys_h = _buys_h(clues, limit) if want.is_for_leak else None
    if buys_h is not None and buys_h * 3600 < policy.STOP_GAP_MIN_S:
        want = replace(want, why=_futile_words(limit, buys_h))
    request = _request(clues, want, limit, room, caveats)
    if kill.kind is KillKind.SUSPECTED_OOM:
        caveats.append("that it was an OOM is not certain")
    caveats += _heap_caveats(clues, limit)
    caveats += _autoscaler_caveats(clues)
    failed = _raises_before(clues, kill, policy.SECOND_KILL_WINDOW_S)
    change = change_of(clues, limit_bytes=limit, request_bytes=request)
    commands, notes = commands_of(change)
    return Proposal(
        role=want.role, limit_before_bytes=clues.limit_bytes, limit_bytes=limit, request_before_bytes=clues.request_bytes, request_bytes=request,
        buys_h=round(buys_h, 4) if buys_h is not None else None, patch=patch_of(change), diff=diff_of(change), commands=commands, why=want.why,
        caveats=tuple(dict.fromkeys((*caveats, *notes))), checks=room.checks,
        after_raise=raise_words(failed[0], kill, clues) if failed else "",
    )  # fmt: skip


def _futile_words(limit: int, buys_h: float) -> str:
    return (
        f"if it grows on at this pace, {format_quantity(limit)} is full after {human_duration(buys_h * 3600)} as well: not worth a rollout. "
        "It helps only if this is one piece of work that needs more than the limit"
    )


def _request(clues: Clues, want: Want, limit: int, room: Room, caveats: list[Words]) -> int | None:
    """The new request in bytes, or None to leave it. Never above the limit."""
    before, limit_before = clues.request_bytes, clues.limit_bytes
    if not clues.could_ask_kubernetes:
        caveats.append("the request is left alone: the pod could not be read, so what it asks for is not known")
        return None
    if before is not None and before == limit_before:
        caveats.append("request and limit were equal and stay so: the pod keeps its place in the order of eviction")
        return limit
    if want.role == STOP_GAP and before is not None:
        return None
    typical = clues.shape.median_bytes if clues.shape is not None else None
    if typical:
        wanted = float(policy.tidy_up(typical * policy.REQUEST_MARGIN))
    elif before is not None and limit_before:
        wanted = float(policy.tidy_up(before * limit / limit_before))  # keeps the proportion between the two
    else:
        wanted = float(limit_before or 0)  # it used that much at least, or it would not have been killed
    request = int(min(wanted, limit))
    if before is not None and request <= before:
        return None
    if room.most_request_bytes is not None and request > room.most_request_bytes:
        caveats.append(f"a request of {human_bytes(request)} would fit its use better, but {room.request_because}")
        return None
    return request or None


def _heap_caveats(clues: Clues, limit: int) -> list[str]:
    """What a heap flag means for the new limit; a heap that filled the old one is not to be raised with it."""
    settings = heap_settings(clues.container) if clues.container is not None else None
    if settings is None or settings.max_bytes is None or not clues.limit_bytes or settings.is_soft:
        return list(heap_advice(settings, limit))
    share = settings.max_bytes / clues.limit_bytes
    if HEAP_LEAVES_LITTLE < share < 1 and settings.max_bytes <= HEAP_LEAVES_LITTLE * limit:
        took = f"{human_bytes(settings.max_bytes)} of {human_bytes(clues.limit_bytes)} ({human_percent(share)})"
        return [f"{settings.flag} took {took}: the raise is for what the runtime needs beside its heap, so leave the flag as it is"]
    return list(heap_advice(settings, limit))


def _autoscaler_caveats(clues: Clues) -> list[str]:
    workload = clues.facts.workload
    found = []
    if workload is not None and workload.vpa:
        mode, name = str(workload.vpa.get("mode") or "Auto"), str(workload.vpa.get("name") or "")
        if mode != "Off":
            found.append(f"VPA {name} (mode {mode}) sets requests and limits itself: raise its minAllowed or maxAllowed, or this is undone")
    if workload is not None and workload.hpa and "memory" in str(workload.hpa.get("metrics", "")).lower():
        found.append("its HPA scales on memory: a higher request makes it scale later")
    return found
