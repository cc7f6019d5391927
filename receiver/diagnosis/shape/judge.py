"""From findings to a verdict: which cause, how sure, in the order of the procedure. Words are `describe`'s business."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape.leak import LeakFinding
from receiver.diagnosis.shape.level import Level
from receiver.diagnosis.shape.lives import Lives
from receiver.diagnosis.shape.prepare import Columns
from receiver.diagnosis.shape.startup import StartupFinding
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

    @property
    def history_s(self) -> float:
        return self.columns.t[-1] - self.columns.t[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The cause, the confidence and a finer word (`Shape.detail`)."""

    cause: CauseName
    confidence: float
    detail: str


def judge(seen: Seen) -> Verdict:
    """The first question of the procedure that has an answer."""
    return _startup(seen) or _too_early(seen) or _leak(seen) or _limit(seen) or _spike(seen) or _unknown(seen)


def _startup(seen: Seen) -> Verdict | None:
    found = seen.startup
    if found is None or not found.is_startup:
        return None
    if not found.is_visible:
        return Verdict(cause=CauseName.UNKNOWN, confidence=0.5, detail="lives_too_short")
    confidence = 0.9 if found.early > 1 else 0.7
    return Verdict(cause=CauseName.STARTUP, confidence=confidence - 0.3 * found.is_in_burst, detail="startup")


def _too_early(seen: Seen) -> Verdict | None:
    if seen.history_s >= th.MIN_HISTORY_S or seen.lives.kills:
        return None
    level = seen.level
    if level is not None and level.rows >= 3 and level.median >= th.EARLY_HIGH and level.swing <= 0.05:
        return Verdict(cause=CauseName.LIMIT_TOO_LOW, confidence=0.5, detail="early")
    return Verdict(cause=CauseName.UNKNOWN, confidence=0.5, detail="too_short")


def _leak(seen: Seen) -> Verdict | None:
    leak = seen.leak
    if not leak.is_leak:
        return None
    if leak.since_change is not None:
        return Verdict(cause=CauseName.LEAK, confidence=0.6, detail="after_change")
    good = leak.ramping
    killed = sum(x.span.is_killed for x in good)
    confidence = 0.6 + 0.15 * min(killed, 2) + 0.1 * (seen.history_s >= 6 * 3600) + 0.05 * (len(good) >= 3)
    if not killed and len(good) == 1 and seen.history_s < 86400:
        confidence = 0.5
    return Verdict(cause=CauseName.LEAK, confidence=min(confidence, 0.95), detail="steady" if killed or len(good) > 1 else "first_life")


def _limit(seen: Seen) -> Verdict | None:
    level = seen.level
    if level is None or level.rows < 3:
        return None
    follows = level.rate_correlation is not None and level.rate_correlation >= th.TRAFFIC_CORRELATION and level.swing > th.TRAFFIC_SWING
    if follows:
        return None
    if level.high_share_later >= th.HIGH_SHARE and level.p10_later >= th.HIGH_P10:
        return Verdict(cause=CauseName.LIMIT_TOO_LOW, confidence=0.9, detail="near_limit")
    if level.high_share_recent >= th.RECENT_HIGH_SHARE and level.p10_recent >= th.RECENT_P10:
        return Verdict(cause=CauseName.LIMIT_TOO_LOW, confidence=0.8, detail="near_limit")
    if seen.lives.kills and level.recent_median > th.LOW_MEDIAN:
        return Verdict(cause=CauseName.LIMIT_TOO_LOW, confidence=0.7, detail="near_limit")
    return None


def _spike(seen: Seen) -> Verdict | None:
    level, kills = seen.level, seen.lives.kills
    peak = level.peak if level is not None else 0.0
    if not kills and peak < th.HIGH_RATIO:
        return None
    if level is not None and min(level.median, level.recent_median) > th.LOW_MEDIAN:
        return None
    follows = level is not None and level.rate_correlation is not None and level.rate_correlation >= th.TRAFFIC_CORRELATION
    if not kills and not follows and level is not None and level.is_high_now and level.excursions <= 1:
        return Verdict(cause=CauseName.UNKNOWN, confidence=0.5, detail="spike_or_new_level")
    confidence = 0.6 + 0.3 * follows
    return Verdict(cause=CauseName.SPIKE, confidence=confidence, detail="traffic" if follows else "batch")


def _unknown(seen: Seen) -> Verdict:
    return Verdict(cause=CauseName.UNKNOWN, confidence=0.7, detail="flat")
