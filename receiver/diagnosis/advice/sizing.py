"""How much the limit should be, before anybody asks how much there is. The numbers and their reasons: `limits_policy`.

A kill hides demand above the limit, so what is wanted after one is a lower bound and says so; without a kill the peak
is true demand. A leak is never sized up as a cure: it gets a stop-gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice import rate_model
from receiver.diagnosis.advice.ceilings import covering_bytes, hardened, is_soft
from receiver.diagnosis.advice.demand import pace_h, peak_bytes
from receiver.diagnosis.advice.raises import raise_and_kill, raises_before
from receiver.diagnosis.advice.refusal import KILLED_FOR_MEMORY, says_it_needs
from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.leaf import Raise
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.log_clues import left_to_load_bytes, size_as_written
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Kill

FIX = "fix"
STOP_GAP = "stop_gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What the limit should be. `floor_bytes`: what was seen, never less. `is_for_leak`: it buys time, and how much is told."""

    limit_bytes: float
    floor_bytes: float
    role: str
    why: Reason
    caveats: tuple[Reason, ...] = ()
    is_for_leak: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """One view of how much it needs, in bytes, and what that is read off."""

    limit_bytes: float
    because: Reason


def want_of(clues: Clues, kill: Kill, cause: Cause) -> Want:
    """The limit that this incident asks for."""
    if (needed := says_it_needs(clues, cause)) is not None:
        return _to_start(clues, needed)
    was_killed = kill.kind in KILLED_FOR_MEMORY
    floor = max(peak_bytes(clues) or 0.0, float(clues.limit_bytes or 0) if was_killed else 0.0)
    if (covering := covering_bytes(cause)) is not None and not is_soft(clues, cause):
        why = reason("advice.covers_setting", covering_bytes=covering)
        return Want(limit_bytes=float(covering), floor_bytes=max(floor, covering), role=FIX, why=why)
    if leaf_of(cause.name).a_raise is Raise.DELAYS and not _may_end_by_itself(clues, cause):
        return _for_leak(clues, cause, floor)
    want = _after_kill(clues, kill, cause, floor) if was_killed else _before_kill(floor)
    return replace(want, limit_bytes=hardened(clues, want.limit_bytes))


def _to_start(clues: Clues, needed: int) -> Want:
    """It named what it must have, and ended itself before it had used any of it."""
    wanted = max(needed * policy.SAYS_IT_NEEDS_MARGIN, float((clues.limit_bytes or 0) + 1))
    return Want(limit_bytes=wanted, floor_bytes=needed, role=FIX, why=reason("advice.says_what_it_needs", need_bytes=needed))


def least_need_bytes(clues: Clues, cause: Cause) -> float:
    """What a limit must be at least to have a good chance after a kill; room for growth of a small one is left out."""
    return max(need.limit_bytes for need in _needs(clues, cause, is_second=False) if need.because.code != "advice.small_limit")


def _may_end_by_itself(clues: Clues, cause: Cause) -> bool:
    """A job that grows may simply need that much: it ends when its work does."""
    is_growth = leaf_of(cause.name).a_raise is Raise.DELAYS
    return is_growth and cause.confidence <= UNSURE and clues.workload.kind in ("Job", "CronJob")


def _for_leak(clues: Clues, cause: Cause, floor: float) -> Want:
    wanted = max((clues.limit_bytes or 0) * policy.STOP_GAP, (peak_bytes(clues) or 0.0) * policy.PEAK_MARGIN)
    caveats: tuple[Reason, ...] = ()
    if cause.confidence <= UNSURE:
        possible = reason("advice.leak_possible_until", settle_by=cause.settle_by) if cause.settle_by else reason("advice.leak_possible")
        caveats = (possible,)
    return Want(
        limit_bytes=wanted, floor_bytes=floor, role=STOP_GAP, why=reason("advice.leak_fills_any_limit"), caveats=caveats, is_for_leak=True
    )  # fmt: skip


def _before_kill(peak: float) -> Want:
    """Nothing was killed, so the peak is true demand."""
    why = reason("advice.peak_and_margin", peak_bytes=peak, margin_ratio=policy.PEAK_MARGIN - 1)
    return Want(limit_bytes=peak * policy.PEAK_MARGIN, floor_bytes=peak, role=FIX, why=why)


def _after_kill(clues: Clues, kill: Kill, cause: Cause, floor: float) -> Want:
    """The kill hides what was needed: the largest of what several views say."""
    failed = raises_before(clues, kill, window_s=policy.SECOND_KILL_WINDOW_S)
    most = max(_needs(clues, cause, is_second=bool(failed)), key=lambda need: need.limit_bytes)
    unsure = _why_stop_gap(clues, cause, most.limit_bytes)
    caveats = [unsure] if unsure is not None else []
    if failed:
        caveats.append(reason("advice.raise_was_not_enough", raised=raise_and_kill(failed[0], kill, clues)))
    return Want(
        limit_bytes=most.limit_bytes, floor_bytes=floor, role=FIX if unsure is None else STOP_GAP,
        why=reason("advice.demand_at_least", floor_bytes=floor, because=most.because), caveats=tuple(caveats),
    )  # fmt: skip


def _why_stop_gap(clues: Clues, cause: Cause, limit_bytes: float) -> Reason | None:
    """Why this raise may not be a fix; None when it is one."""
    if cause.detail == "memory_volume":
        return reason("advice.volume_fills_any_limit")
    if _may_end_by_itself(clues, cause):
        return reason("advice.job_may_need_it")
    if leaf_of(cause.name).a_raise is Raise.UNKNOWN or cause.confidence <= UNSURE:
        lasts_h = pace_h(clues, limit_bytes)
        return reason("advice.only_delays_to", lasts_s=lasts_h * 3600) if lasts_h is not None else reason("advice.only_delays")
    return None


def _needs(clues: Clues, cause: Cause, *, is_second: bool) -> list[Need]:
    """What each view asks for; of equal ones the first is quoted."""
    limit, peak = clues.limit_bytes or 0, peak_bytes(clues) or 0.0
    factor, enough = (
        (policy.RAISE_AFTER_SECOND_KILL, policy.SECOND_RAISE_ENOUGH_RATIO)
        if is_second
        else (policy.RAISE_AFTER_KILL, policy.RAISE_ENOUGH_RATIO)
    )
    return [
        Need(limit * factor, reason("advice.raise_measured", factor=factor, enough_ratio=enough)),
        Need(peak * policy.PEAK_MARGIN, reason("advice.peak_was", peak_bytes=peak)),
        *_by_log(clues, cause),
        Need(float(limit + policy.RAISE_FLOOR_BYTES), reason("advice.small_limit", more_bytes=policy.RAISE_FLOOR_BYTES)),
        *_by_rate(clues),
    ]


def _by_rate(clues: Clues) -> list[Need]:
    """What memory would be at the peak request rate, where it follows the rate."""
    model = rate_model.fit(clues.facts.history, clues.shape.rate_correlation if clues.shape is not None else None)
    if model is None:
        return []
    return [Need(model.peak_bytes * policy.RATE_MODEL_MARGIN, reason("advice.peak_rate_needs", need_bytes=model.peak_bytes))]


def _by_log(clues: Clues, cause: Cause) -> list[Need]:
    """What the log says it was loading when it died, or had to hold at once."""
    found = _loading(clues)
    burst = common.burst_of(clues) if cause.detail == "burst" else None
    if burst is not None and burst.size_bytes is not None:
        size = burst.size_bytes
        quiet = clues.shape.median_bytes if clues.shape is not None and clues.shape.median_bytes else 0.0
        found.append(Need(size * policy.RATE_MODEL_MARGIN + quiet, reason("advice.log_buffers", size_bytes=size)))
    return found


def _loading(clues: Clues) -> list[Need]:
    """Progress is the better witness (what is held was seen): sizes that the log announces count only without it."""
    progress, announced = [], []
    for entry in clues.loading:
        if (left := left_to_load_bytes(entry)) is not None:
            need = ((clues.limit_bytes or 0) + left) * policy.PROGRESS_MARGIN
            progress.append(Need(need, reason("advice.left_to_load", left_bytes=left)))
        elif entry.size_bytes:
            named = reason("advice.log_loads", size=size_as_written(entry.line, entry.size_bytes), factor=policy.ANNOUNCED_MARGIN)
            announced.append(Need(entry.size_bytes * policy.ANNOUNCED_MARGIN, named))
    return progress[-1:] or announced
