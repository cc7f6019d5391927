"""From the weighed evidence to a verdict: the likeliest cause, if what was seen is enough to name one. Why: `reasons`, `objections`.

A confidence is a promise about the future: of what is said with 0.85 or more, 98 in 100 should turn out right. It is the
probability that the evidence gives (`evidence`), and at most what its situation has ever been worth (the caps here): an
unfinished warm-up looks like a leak, a wave near its crest like a limit that is too low, until they have lasted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Climb, Doubt
from receiver.diagnosis.memory.evidence import Judgement, judge
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.level import has_early_plateau
from receiver.domain.confidence import UNSURE
from receiver.domain.report import CauseName

Detail: TypeAlias = Literal[
    "startup", "startup_in_burst", "never_up", "lives_too_short",
    "early", "too_short",
    "steady", "after_change", "memory_volume", "first_life", "slowing", "climbing",
    "near_limit",
    "traffic", "batch", "spike_or_new_level",
    "unexplained_kills", "page_cache", "no_limit", "follows_rate", "warm_up", "slow_growth", "flat", "step", "no_pattern", "undecided",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The cause, the confidence, a finer word (`Shape.detail`) and the evidence that was weighed."""

    cause: CauseName
    confidence: float
    detail: Detail
    judgement: Judgement


def verdict_of(findings: MemoryFindings) -> Verdict:
    """The likeliest cause, no surer than what it rests on; unknown when nothing wins."""
    judgement = judge(findings)
    cause, confidence, detail = _unseen(findings) or _named(findings, judgement)
    if any(k.is_presumed for k in findings.lives.kills) or not findings.is_limit_known:
        confidence = min(confidence, th.PRESUMED_CONFIDENCE)
    return Verdict(cause=cause, confidence=confidence, detail=detail, judgement=judgement)


Answer: TypeAlias = tuple[CauseName, float, Detail]


def _unsure(detail: Detail) -> Answer:
    return CauseName.UNKNOWN, UNSURE, detail


def _unseen(findings: MemoryFindings) -> Answer | None:
    """What is known without a shape, or why there is none to be seen yet."""
    startup, level = findings.killed_at_start, findings.level
    if startup is not None:
        if startup.is_exact and startup.typical_uptime_s <= th.NEVER_UP_S:
            return CauseName.STARTUP, 0.8 if startup.early > 1 else 0.7, "never_up"
        if not startup.is_visible or startup.typical_uptime_s < th.TINY_LIFE_S:
            return _unsure("lives_too_short")
    if findings.history_s >= th.MIN_HISTORY_S or (findings.lives.kills and findings.leak.tested):
        return None
    if level is not None and has_early_plateau(findings.columns, findings.lives):
        return CauseName.LIMIT_TOO_LOW, UNSURE, "early"
    return None if findings.lives.kills else _unsure("too_short")


def _named(findings: MemoryFindings, judgement: Judgement) -> Answer:
    cause = judgement.likeliest
    confidence = judgement.probability[cause]
    if cause is CauseName.UNKNOWN and not _is_straight_so_far(findings, judgement.probability[CauseName.LEAK]):
        return _unknown(findings, confidence)
    name, most, detail = AT_MOST[cause](findings)
    if cause is CauseName.UNKNOWN:
        return name, min(most, UNSURE), detail
    if name is not CauseName.UNKNOWN and confidence < th.ANSWER:
        return _unsure("undecided")
    return name, min(confidence, most), detail


def _is_straight_so_far(findings: MemoryFindings, leak: float) -> bool:
    """Whether a quiet life rises as steadily now as it began: too little to be likely, and what a leak looks like at first."""
    newest = findings.leak.newest
    return newest is not None and newest.rises and not findings.lives.kills and leak >= th.STRAIGHT_ANSWER and _is_straight(newest)


def _is_straight(life: Climb) -> bool:
    return th.STRAIGHT_TAIL[0] <= life.tail <= th.STRAIGHT_TAIL[1]


# The most that a verdict may be said with, and its finer word


def _startup(findings: MemoryFindings) -> Answer:
    found = findings.startup
    if found is None:
        return _unsure("undecided")
    if found.is_in_burst:
        return CauseName.STARTUP, UNSURE, "startup_in_burst"
    if not found.is_start_known:
        return CauseName.STARTUP, 0.55, "startup"
    return CauseName.STARTUP, 0.7 if found.early == 1 or found.typical_uptime_s < th.SHORT_LIFE_S else 0.9, "startup"


def _leak(findings: MemoryFindings) -> Answer:
    leak = findings.leak
    ended = [x for x in leak.climbing if x.span.is_over]
    if leak.newest is None or not leak.climbing:
        return _unsure("climbing")
    if leak.climbed_s < th.MIN_CLIMBED_S and len(ended) < th.MANY_LIVES:
        return _unsure("climbing")
    if leak.is_since_change and len(leak.since) == 1:
        return _one_rise_since_change(findings)
    if not ended:
        return _first_life(findings, leak.newest)
    most = 0.95 if len(ended) >= 2 else 0.9 if len(leak.climbing) >= 2 else 0.82
    if leak.has_stopped:
        most = 0.6
    elif leak.climbed_s < th.SHORT_CLIMBED_S and len(ended) < th.MANY_LIVES:
        most = min(most, 0.7)
    return CauseName.LEAK, most, "memory_volume" if findings.is_unreclaimable else "after_change" if leak.is_since_change else "steady"


def _first_life(findings: MemoryFindings, life: Climb) -> Answer:
    """One unkilled climb: a leak, or a warm-up that has not come to its end."""
    if findings.leak.climbed_s < th.FIRST_RISE_S:
        return _unsure("climbing")
    if life.tail < th.SLOWING_TAIL:
        return _unsure("slowing")
    if life.growth < th.FIRST_GROWTH * findings.scale and not _is_straight(life):
        return _unsure("slow_growth")
    age_s = findings.leak.tested[-1].span.end_s - findings.leak.tested[-1].began_s
    if not findings.columns.has_own_memory:
        return CauseName.LEAK, UNSURE, "first_life"
    if age_s < th.FIRST_LIFE_SURE_S:
        return CauseName.LEAK, th.WITNESSED_FIRST_LIFE if findings.is_past_warm_up else UNSURE, "first_life"
    return CauseName.LEAK, 0.8, "first_life"


def _one_rise_since_change(findings: MemoryFindings) -> Answer:
    """One rise after a quiet time. A batch job does that too, for an hour; a whole new life may be warming up."""
    (life,) = findings.leak.since
    if life.length_s < (th.MIN_CHANGE_S if life.is_part else th.MIN_CLIMBED_S):
        return _unsure("climbing" if life.span.is_killed else "spike_or_new_level")
    is_long = life.length_s >= th.CHANGE_SURE_S
    if life.span.is_killed:
        return CauseName.LEAK, 0.8 if is_long else 0.6, "after_change"
    if not findings.columns.has_own_memory or not life.is_part or not is_long:
        return CauseName.LEAK, UNSURE, "after_change"
    return CauseName.LEAK, 0.7, "after_change"


def _limit(findings: MemoryFindings) -> Answer:
    level, kills = findings.level, findings.lives.kills
    if level is None or max(level.median, level.recent_median) < th.LOW_MEDIAN:
        return _unsure("undecided")
    has_lasted = level.stood_s >= th.STOOD_SURE_S or len(kills) >= 2
    most = 0.95 if has_lasted else 0.7
    if findings.follows_rate and level.reach > th.WAVE_REACH:
        most = 0.6  # a wave of traffic near its crest stands high for hours
    if findings.history_s < th.SETTLED_S or not (findings.columns.has_own_memory or kills):
        most = min(most, 0.6)
    return CauseName.LIMIT_TOO_LOW, most, "near_limit"


def _spike(findings: MemoryFindings) -> Answer:
    level, kills = findings.level, findings.lives.kills
    is_low = level is None or level.peak < th.HIGH_RATIO
    if is_low and not kills:
        return _unsure("undecided")
    if findings.history_s < th.MIN_HISTORY_S and (level is None or level.settled_s < th.MIN_SETTLED_S):
        return _unsure("too_short")
    if is_low and all(not k.is_start_known and k.uptime_s <= th.STARTUP_UPTIME_S for k in kills):
        return _unsure("unexplained_kills")  # how memory came to them was not seen
    peaks = max(level.excursions if level is not None else 0, findings.episodes)
    if peaks <= 1 and not kills and level is not None and level.is_high_now:
        return _unsure("spike_or_new_level")
    most = 0.95 if peaks >= th.MANY_PEAKS else 0.82 if peaks == 2 else 0.75
    return CauseName.SPIKE, most, "traffic" if findings.follows_rate else "batch"


# What rises is a leak so far, where nothing is likeliest.
AT_MOST: Mapping[CauseName, Callable[[MemoryFindings], Answer]] = {
    CauseName.LEAK: _leak, CauseName.UNKNOWN: _leak, CauseName.LIMIT_TOO_LOW: _limit, CauseName.SPIKE: _spike, CauseName.STARTUP: _startup,
}  # fmt: skip

# Nothing to be named


def _unknown(findings: MemoryFindings, confidence: float) -> Answer:
    newest = findings.leak.newest
    if findings.lives.kills:
        return _unsure("unexplained_kills")
    if findings.cache.matters:
        return CauseName.UNKNOWN, min(confidence, 0.85 if findings.is_long and not findings.cache.is_growing else 0.6), "page_cache"
    if newest is None:
        return _unsure("too_short")
    if findings.columns.limit_now is None:
        return CauseName.UNKNOWN, min(confidence, 0.6), "no_limit"
    most, detail = _no_rise(findings, newest)
    is_quiet = findings.is_long and (findings.level is None or findings.level.peak_settled < th.EARLY_HIGH)
    return CauseName.UNKNOWN, min(confidence, most if is_quiet else min(most, 0.6)), detail


def _no_rise(findings: MemoryFindings, newest: Climb) -> tuple[float, Detail]:
    """What the newest life does instead of rising, or why its rise is not enough to be called one."""
    if newest.rises:
        return UNSURE, "climbing"
    match newest.doubt:
        case Doubt.FOLLOWS_RATE:
            return 0.8, "follows_rate"
        case Doubt.LEVELLED:
            return (0.8 if newest.tail < 0.5 else 0.6), "warm_up"
        case Doubt.HARDLY_GROWS:
            is_slow = newest.growth >= th.SLOW_GROWTH * findings.scale and newest.tau >= th.STEADY_TAU and newest.tail >= 0.5
            swings = findings.level is not None and findings.level.reach > th.WAVE_REACH
            return (UNSURE, "slow_growth") if is_slow else (0.8, "no_pattern") if swings else (0.9, "flat")
        case Doubt.ONE_STEP:
            return 0.8, "step"
        case Doubt.NOT_STEADY:
            return 0.8, "no_pattern"
