"""From findings to a verdict: which cause, how sure, in the order of the procedure. Words are `describe`'s business.

A confidence is a promise about the future: of what is said with 0.85 or more, 98 in 100 should turn out right. The
steps below come from what each pattern was worth on recorded and simulated series (docs/diagnosis.md), not from a
formula.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.cache import CacheFinding
from receiver.diagnosis.memory.leak import LeakFinding, LifeRamp
from receiver.diagnosis.memory.level import Level, has_early_plateau
from receiver.diagnosis.memory.lives import Lives
from receiver.diagnosis.memory.prepare import Columns
from receiver.diagnosis.memory.ramp import TAIL, Refusal
from receiver.diagnosis.memory.startup import StartupFinding
from receiver.domain.report import CauseName


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was measured."""

    columns: Columns
    lives: Lives
    scale: float
    startup: StartupFinding | None
    leak: LeakFinding
    level: Level | None
    is_unreclaimable: bool  # kills show that what is not the process's own could not be taken back either
    is_limit_known: bool  # else it was concluded from kills
    cache: CacheFinding

    @property
    def history_s(self) -> float:
        """From the first to the last row."""
        return self.columns.t[-1] - self.columns.t[0]

    @property
    def coverage(self) -> float:
        """The share of the history that has rows."""
        return min(1.0, len(self.columns.t) * self.columns.step_s / self.history_s) if self.history_s else 0.0

    @property
    def follows_rate(self) -> bool:
        """Whether memory moves with the request rate, and much."""
        level = self.level
        return (
            level is not None
            and level.rate_correlation is not None
            and level.rate_correlation >= th.TRAFFIC_CORRELATION
            and level.reach > th.TRAFFIC_REACH
        )


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


def judge(seen: Seen) -> Verdict:
    """The first question of the procedure that has an answer, no surer than what it rests on."""
    found = _startup(seen) or _too_early(seen) or _leak(seen) or _limit(seen) or _spike(seen) or _unknown(seen)
    if any(k.is_presumed for k in seen.lives.kills) or not seen.is_limit_known:
        return replace(found, confidence=min(found.confidence, th.PRESUMED_CONFIDENCE))
    return found


def _verdict(cause: CauseName, confidence: float, detail: Detail) -> Verdict:
    return Verdict(cause=cause, confidence=confidence, detail=detail)


def _startup(seen: Seen) -> Verdict | None:
    found = seen.startup
    if found is None or not found.is_startup:
        return None
    if found.settled_high and _limit(seen) is not None:
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


def _too_early(seen: Seen) -> Verdict | None:
    if seen.history_s >= th.MIN_HISTORY_S or (seen.lives.kills and seen.leak.tested):
        return None
    if seen.level is not None and has_early_plateau(seen.columns, seen.lives):
        return _verdict(CauseName.LIMIT_TOO_LOW, 0.5, "early")
    if seen.lives.kills:
        return None
    return _verdict(CauseName.UNKNOWN, 0.5, "too_short")


def _leak(seen: Seen) -> Verdict | None:
    leak = seen.leak
    if not leak.is_leak or _is_near_limit_anyway(seen):
        return None
    good = leak.ramping
    killed = sum(x.span.is_killed for x in good)
    if leak.change_at_s is not None and len(good) == 1:
        return _one_rise_since_change(seen, good[0])
    if not killed and len(good) == 1:
        return _first_life(seen, good[0])
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
    detail: Detail = "memory_volume" if seen.is_unreclaimable else "steady" if leak.change_at_s is None else "after_change"
    return _verdict(CauseName.LEAK, min(confidence, 0.95), detail)


def _first_life(seen: Seen, life: LifeRamp) -> Verdict:
    """One unkilled ramp: a leak, or a warm-up that has not come to its end."""
    if life.length_s < th.MIN_FIRST_LIFE_S:
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    if life.ramp.tail < th.SLOWING_TAIL and not seen.leak.is_straight_lately:
        return _verdict(CauseName.UNKNOWN, 0.5, "slowing")
    age_s = life.ramp.end_s - (life.span.start_s if life.span.start_s is not None else life.ramp.start_s)
    confidence = 0.5 if age_s < th.FIRST_LIFE_SURE_S else 0.8 if life.ramp.is_clean else 0.7
    if not seen.columns.has_own_memory:
        confidence = min(confidence, 0.5)
    return _verdict(CauseName.LEAK, confidence, "first_life")


def _one_rise_since_change(seen: Seen, life: LifeRamp) -> Verdict:
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
    if not seen.columns.has_own_memory and not life.span.is_killed:
        confidence = 0.5
    return _verdict(CauseName.LEAK, confidence, "after_change")


def _is_near_limit_anyway(seen: Seen) -> bool:
    """A container that has lived near its limit all along and creeps a little: the level is the news, not the creeping."""
    newest = seen.leak.newest
    return (
        newest is not None
        and seen.columns.limit_now is not None
        and not any(x.span.is_killed for x in seen.leak.ramping)
        and newest.floor_start >= th.HIGH_P10 * seen.scale
        and newest.growth < 0.1 * seen.scale
    )


def _limit(seen: Seen) -> Verdict | None:
    level = seen.level
    if level is None or level.rows < 3 or (seen.follows_rate and min(level.median, level.p10_later + 0.02) <= th.LOW_MEDIAN):
        return None
    cap = 0.95 if seen.columns.has_own_memory or seen.lives.kills else 0.6
    if seen.follows_rate and level.reach > th.WAVE_REACH:
        cap = min(cap, 0.7)  # a wave of traffic near its crest stands high for hours
    if level.high_share_later >= th.HIGH_SHARE and level.p10_later >= th.HIGH_P10:
        is_long = seen.history_s >= th.SETTLED_S
        confidence = 0.9 if level.high_share_later >= th.RECENT_HIGH_SHARE and is_long else 0.85 if is_long else 0.6
        return _verdict(CauseName.LIMIT_TOO_LOW, min(confidence, cap), "near_limit")
    if level.high_share_recent >= th.RECENT_HIGH_SHARE and level.p10_recent >= th.RECENT_P10 and level.recent_s >= th.RECENT_MIN_S:
        return _verdict(CauseName.LIMIT_TOO_LOW, min(0.85, cap), "near_limit")
    if seen.lives.kills and level.recent_median > th.LOW_MEDIAN and level.recent_swing < th.SPIKE_SWING:
        return _verdict(CauseName.LIMIT_TOO_LOW, 0.7, "near_limit")
    return None


def _spike(seen: Seen) -> Verdict | None:
    level, kills = seen.level, seen.lives.kills
    peak = level.peak if level is not None else 0.0
    if not kills and peak < th.HIGH_RATIO:
        return None
    if level is not None and min(level.median, level.recent_median) > th.LOW_MEDIAN:
        return None
    if seen.history_s < th.MIN_HISTORY_S and (level is None or level.settled_s < th.MIN_SETTLED_S):
        return _verdict(CauseName.UNKNOWN, 0.5, "too_short")
    follows = seen.follows_rate
    if peak < th.HIGH_RATIO and all(not k.is_start_known and k.uptime_s <= th.STARTUP_UPTIME_S for k in kills):
        return None  # the history began a moment before the kill: how it came to it was not seen
    if not follows and _ramps_killed_it(seen):
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    peaks = max(level.excursions if level is not None else 0, seen.startup.episodes if seen.startup is not None else 0)
    if not kills and not follows and level is not None and level.is_high_now and peaks <= 1:
        return _verdict(CauseName.UNKNOWN, 0.5, "spike_or_new_level")
    if follows:
        return _verdict(CauseName.SPIKE, 0.92 if peaks >= 2 else 0.8, "traffic")
    if level is not None and level.upper_share > th.PEAK_SHARE:
        return _verdict(CauseName.SPIKE, 0.6, "batch")
    return _verdict(CauseName.SPIKE, 0.87 if peaks >= 3 else 0.8 if peaks == 2 else 0.7, "batch")


def _ramps_killed_it(seen: Seen) -> bool:
    """Whether kills ended lives that climbed all the way, too few or too short ones to call it a leak."""
    ramping = seen.leak.ramping
    killed = sum(x.span.is_killed for x in ramping)
    climbed_s = sum(x.length_s for x in ramping)
    return killed > 0 and 2 * killed >= len(seen.lives.kills) and 2 * climbed_s >= sum(x.length_s for x in seen.leak.tested)


def _unknown(seen: Seen) -> Verdict:
    level, newest = seen.level, seen.leak.newest
    if seen.lives.kills:
        return _verdict(CauseName.UNKNOWN, 0.5, "unexplained_kills")
    is_long = seen.history_s >= th.SETTLED_S and seen.coverage >= th.MIN_COVERAGE
    if seen.cache.matters:
        return _verdict(CauseName.UNKNOWN, 0.85 if is_long and not seen.cache.is_growing else 0.6, "page_cache")
    if newest is None:
        return _verdict(CauseName.UNKNOWN, 0.5, "too_short")
    if seen.columns.limit_now is None:
        return _verdict(CauseName.UNKNOWN, 0.6, "no_limit")
    quiet = is_long and (level is None or level.peak_settled < th.EARLY_HIGH)
    if newest.refused is Refusal.FOLLOWS_RATE:
        return _verdict(CauseName.UNKNOWN, 0.8 if quiet else 0.6, "follows_rate")
    if newest.refused in (Refusal.LEVELLED, Refusal.LEVELLING):
        is_level = newest.refused is Refusal.LEVELLED and (newest.end_s - newest.start_s) * TAIL >= th.SETTLED_S
        return _verdict(CauseName.UNKNOWN, 0.8 if quiet and is_level else 0.6, "warm_up")
    if seen.leak.why_not or newest.is_ramp:
        return _verdict(CauseName.UNKNOWN, 0.5, "climbing")
    if (
        newest.refused is Refusal.TOO_LITTLE
        and newest.growth >= th.SLOW_GROWTH * seen.scale
        and newest.tau >= th.RAMP_TAU
        and newest.tail >= th.RAMP_TAIL
    ):
        return _verdict(CauseName.UNKNOWN, 0.5, "slow_growth")
    if newest.refused is Refusal.TOO_LITTLE:
        return _verdict(CauseName.UNKNOWN, 0.9 if quiet else 0.6, "flat")
    detail: Detail = "step" if newest.refused is Refusal.ONE_STEP else "no_pattern"
    return _verdict(CauseName.UNKNOWN, 0.8 if quiet else 0.6, detail)
