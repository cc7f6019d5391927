"""From findings to a verdict: which cause, how sure, in the order of the procedure. Why: `reasons`, `objections`.

A confidence is a promise about the future: of what is said with 0.85 or more, 98 in 100 should turn out right. The
steps below come from what each pattern was worth on recorded and simulated series (docs/diagnosis.md), not from a
formula.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.leak import LifeRamp
from receiver.diagnosis.memory.level import has_early_plateau
from receiver.diagnosis.memory.ramp import TAIL, Ramp, Refusal
from receiver.domain.report import CauseName

Detail: TypeAlias = Literal[
    "startup", "startup_in_burst", "never_up", "lives_too_short",
    "early", "too_short",
    "steady", "after_change", "memory_volume", "first_life", "slowing", "climbing",
    "near_limit",
    "traffic", "batch", "spike_or_new_level",
    "unexplained_kills", "page_cache", "no_limit", "follows_rate", "warm_up", "slow_growth", "flat", "step", "no_pattern",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The cause, the confidence and a finer word (`Shape.detail`)."""

    cause: CauseName
    confidence: float
    detail: Detail


def verdict_of(findings: MemoryFindings) -> Verdict:
    """The first question of the procedure that has an answer, no surer than what it rests on."""
    found = _startup(findings) or _too_early(findings) or _leak(findings) or _limit(findings) or _spike(findings) or _unknown(findings)
    if any(k.is_presumed for k in findings.lives.kills) or not findings.is_limit_known:
        return replace(found, confidence=min(found.confidence, th.PRESUMED_CONFIDENCE))
    return found


def _verdict(cause: CauseName, confidence: float, detail: Detail) -> Verdict:
    return Verdict(cause=cause, confidence=confidence, detail=detail)


def _startup(findings: MemoryFindings) -> Verdict | None:
    found = findings.startup
    if found is None or not found.is_startup:
        return None
    if found.settled_high and _limit(findings) is not None:
        return None
    if found.is_exact and found.typical_uptime_s <= th.NEVER_UP_S:
        return _verdict(CauseName.STARTUP, 0.8 if found.early > 1 else 0.7, "never_up")
    if not found.is_visible or found.typical_uptime_s < th.TINY_LIFE_S:
        return _verdict(CauseName.UNKNOWN, 0.5, "lives_too_short")
    if found.is_in_burst:
        return _verdict(CauseName.STARTUP, 0.5, "startup_in_burst")
    if not found.is_start_known:
        return _verdict(CauseName.STARTUP, 0.55, "startup")
    if found.early == 1 or found.typical_uptime_s < th.SHORT_LIFE_S:
        return _verdict(CauseName.STARTUP, 0.75, "startup")
    return _verdict(CauseName.STARTUP, 0.9, "startup")


def _too_early(findings: MemoryFindings) -> Verdict | None:
    if findings.history_s >= th.MIN_HISTORY_S or (findings.lives.kills and findings.leak.tested):
        return None
    if findings.level is not None and has_early_plateau(findings.columns, findings.lives):
        return _verdict(CauseName.LIMIT_TOO_LOW, 0.5, "early")
    if findings.lives.kills:
        return None
    return _verdict(CauseName.UNKNOWN, 0.5, "too_short")


def _leak(findings: MemoryFindings) -> Verdict | None:
    leak = findings.leak
    if not leak.is_leak or _is_near_limit_anyway(findings):
        return None
    good = leak.ramping
    killed = sum(x.span.is_killed for x in good)
    if leak.change_at_s is not None and len(good) == 1:
        return _one_rise_since_change(findings, good[0])
    if not killed and len(good) == 1:
        return _first_life(findings, good[0])
    clean = all(x.ramp.is_clean for x in good)
    if killed <= 1 and len(good) == 1 and not clean:
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    confidence = {0: 0.75, 1: 0.82}.get(killed, 0.95) + (0.1 if len(good) >= 3 else 0.05 * (len(good) - 1))
    if not clean:
        confidence -= 0.1
    if sum(x.length_s for x in good) < 3600:
        confidence -= 0.2
    if leak.has_stopped:
        confidence = min(confidence, 0.6)
    detail: Detail = "memory_volume" if findings.is_unreclaimable else "steady" if leak.change_at_s is None else "after_change"
    return _verdict(CauseName.LEAK, min(confidence, 0.95), detail)


def _first_life(findings: MemoryFindings, life: LifeRamp) -> Verdict:
    """One unkilled ramp: a leak, or a warm-up that has not come to its end."""
    if life.length_s < th.MIN_FIRST_LIFE_S:
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    if life.ramp.tail < th.SLOWING_TAIL and not findings.leak.is_straight_lately:
        return _verdict(CauseName.UNKNOWN, 0.5, "slowing")
    age_s = life.ramp.end_s - (life.span.start_s if life.span.start_s is not None else life.ramp.start_s)
    confidence = 0.5 if age_s < th.FIRST_LIFE_SURE_S else 0.8 if life.ramp.is_clean else 0.7
    if not findings.columns.has_own_memory:
        confidence = min(confidence, 0.5)
    return _verdict(CauseName.LEAK, confidence, "first_life")


def _one_rise_since_change(findings: MemoryFindings, life: LifeRamp) -> Verdict:
    """One rise after a quiet time. A batch job does that too, for an hour; a whole new life may be warming up."""
    if life.length_s < (th.MIN_CHANGE_S if life.is_part else th.MIN_FIRST_LIFE_S):
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing" if life.span.is_killed else "spike_or_new_level")
    is_long = life.length_s >= th.CHANGE_SURE_S
    if life.span.is_killed:
        confidence = 0.8 if is_long and life.ramp.is_clean else 0.6
    elif life.is_part:
        confidence = 0.75 if is_long and life.ramp.is_clean else 0.65 if is_long else 0.5
    else:
        confidence = 0.5  # after a rollout: a new version may have a new warm-up
    if not findings.columns.has_own_memory and not life.span.is_killed:
        confidence = 0.5
    return _verdict(CauseName.LEAK, confidence, "after_change")


def _is_near_limit_anyway(findings: MemoryFindings) -> bool:
    """A container that has lived near its limit all along and creeps a little: the level is the news, not the creeping."""
    newest = findings.leak.newest
    return (
        newest is not None
        and findings.columns.limit_now is not None
        and not any(x.span.is_killed for x in findings.leak.ramping)
        and newest.floor_start >= th.HIGH_P10 * findings.scale
        and newest.growth < 0.1 * findings.scale
    )


def _limit(findings: MemoryFindings) -> Verdict | None:
    level = findings.level
    if level is None or level.rows < 3 or (findings.follows_rate and min(level.median, level.p10_later + 0.02) <= th.LOW_MEDIAN):
        return None
    cap = 0.95 if findings.columns.has_own_memory or findings.lives.kills else 0.6
    if findings.follows_rate and level.reach > th.WAVE_REACH:
        cap = min(cap, 0.7)  # a wave of traffic near its crest stands high for hours
    if level.high_share_later >= th.HIGH_SHARE and level.p10_later >= th.HIGH_P10:
        is_long = findings.history_s >= th.SETTLED_S
        confidence = 0.9 if level.high_share_later >= th.RECENT_HIGH_SHARE and is_long else 0.85 if is_long else 0.6
        return _verdict(CauseName.LIMIT_TOO_LOW, min(confidence, cap), "near_limit")
    if level.high_share_recent >= th.RECENT_HIGH_SHARE and level.p10_recent >= th.RECENT_P10 and level.recent_s >= th.RECENT_MIN_S:
        return _verdict(CauseName.LIMIT_TOO_LOW, min(0.85, cap), "near_limit")
    if findings.lives.kills and level.recent_median > th.LOW_MEDIAN and level.recent_swing < th.SPIKE_SWING:
        return _verdict(CauseName.LIMIT_TOO_LOW, 0.7, "near_limit")
    return None


def _spike(findings: MemoryFindings) -> Verdict | None:
    level, follows = findings.level, findings.follows_rate
    if not _peaks_over_a_low_level(findings):
        return None
    if findings.history_s < th.MIN_HISTORY_S and (level is None or level.settled_s < th.MIN_SETTLED_S):
        return _verdict(CauseName.UNKNOWN, 0.5, "too_short")
    if _way_to_the_kill_is_unseen(findings):
        return None
    if not follows and _ramps_killed_it(findings):
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    startup = findings.startup
    peaks = max(level.excursions if level is not None else 0, startup.episodes if startup is not None else 0)
    if follows:
        return _verdict(CauseName.SPIKE, 0.92 if peaks >= 2 else 0.8, "traffic")
    if not findings.lives.kills and level is not None and level.is_high_now and peaks <= 1:
        return _verdict(CauseName.UNKNOWN, 0.5, "spike_or_new_level")
    if level is not None and level.upper_share > th.PEAK_SHARE:
        return _verdict(CauseName.SPIKE, 0.6, "batch")
    return _verdict(CauseName.SPIKE, 0.87 if peaks >= 3 else 0.8 if peaks == 2 else 0.7, "batch")


def _peaks_over_a_low_level(findings: MemoryFindings) -> bool:
    """Whether it was killed or came near its limit, and is usually well below it."""
    level = findings.level
    if level is None:
        return bool(findings.lives.kills)
    came_near = bool(findings.lives.kills) or level.peak >= th.HIGH_RATIO
    return came_near and min(level.median, level.recent_median) <= th.LOW_MEDIAN


def _way_to_the_kill_is_unseen(findings: MemoryFindings) -> bool:
    """Whether the history began a moment before the only kills: how memory came to them was not seen."""
    if findings.level is not None and findings.level.peak >= th.HIGH_RATIO:
        return False
    return all(not k.is_start_known and k.uptime_s <= th.STARTUP_UPTIME_S for k in findings.lives.kills)


def _ramps_killed_it(findings: MemoryFindings) -> bool:
    """Whether kills ended lives that climbed all the way, too few or too short ones to call it a leak."""
    ramping = findings.leak.ramping
    killed = sum(x.span.is_killed for x in ramping)
    climbed_s = sum(x.length_s for x in ramping)
    return killed > 0 and 2 * killed >= len(findings.lives.kills) and 2 * climbed_s >= sum(x.length_s for x in findings.leak.tested)


def _unknown(findings: MemoryFindings) -> Verdict:
    newest = findings.leak.newest
    if findings.lives.kills:
        return _verdict(CauseName.UNKNOWN, 0.5, "unexplained_kills")
    if findings.cache.matters:
        return _verdict(CauseName.UNKNOWN, 0.85 if findings.is_long and not findings.cache.is_growing else 0.6, "page_cache")
    if newest is None:
        return _verdict(CauseName.UNKNOWN, 0.5, "too_short")
    if findings.columns.limit_now is None:
        return _verdict(CauseName.UNKNOWN, 0.6, "no_limit")
    return _no_rise(findings, newest)


def _no_rise(findings: MemoryFindings, newest: Ramp) -> Verdict:
    """What the newest life does instead of rising, or why its rise is not enough to be called one."""
    level = findings.level
    quiet = findings.is_long and (level is None or level.peak_settled < th.EARLY_HIGH)
    if newest.refused is Refusal.FOLLOWS_RATE:
        return _verdict(CauseName.UNKNOWN, 0.8 if quiet else 0.6, "follows_rate")
    if newest.refused in (Refusal.LEVELLED, Refusal.LEVELLING):
        is_level = newest.refused is Refusal.LEVELLED and (newest.end_s - newest.start_s) * TAIL >= th.SETTLED_S
        return _verdict(CauseName.UNKNOWN, 0.8 if quiet and is_level else 0.6, "warm_up")
    if findings.leak.why_not or newest.is_ramp:
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    if newest.refused is Refusal.TOO_LITTLE:
        if newest.growth >= th.SLOW_GROWTH * findings.scale and newest.tau >= th.RAMP_TAU and newest.tail >= th.RAMP_TAIL:
            return _verdict(CauseName.UNKNOWN, 0.5, "slow_growth")
        return _verdict(CauseName.UNKNOWN, 0.9 if quiet else 0.6, "flat")
    detail: Detail = "step" if newest.refused is Refusal.ONE_STEP else "no_pattern"
    return _verdict(CauseName.UNKNOWN, 0.8 if quiet else 0.6, detail)
