"""Leak: does the floor ramp in most of the lives, or since a change in the newest one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape import ramp as ramps
from receiver.diagnosis.shape import stats
from receiver.diagnosis.shape.lives import Lives, Span
from receiver.diagnosis.shape.prepare import Columns
from receiver.diagnosis.shape.ramp import Bin, Ramp


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRamp:
    """One life and what the ramp tests said about it."""

    span: Span
    ramp: Ramp

    @property
    def length_s(self) -> float:
        """The tested part: without start-up."""
        return self.ramp.end_s - self.ramp.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """`tested` are the lives long enough to test; `since_change` the part of the newest life that ramps, if only a part does.

    `why_not`: what speaks against a leak although lives ramp.
    """

    tested: tuple[LifeRamp, ...]
    is_leak: bool
    since_change: Ramp | None = None
    why_not: str = ""

    @property
    def ramping(self) -> tuple[LifeRamp, ...]:
        """The lives that ramp."""
        return tuple(x for x in self.tested if x.ramp.is_ramp)

    @property
    def newest(self) -> Ramp | None:
        """The tests of the newest tested life."""
        return self.tested[-1].ramp if self.tested else None


def find_leak(c: Columns, lives: Lives, scale: float) -> LeakFinding:
    """Ramps in at least half of the long lives and of their time; else a ramp that began within the newest life."""
    tested: list[LifeRamp] = []
    newest_bins: list[Bin] = []
    for span, begin in _testable(c, lives):
        newest_bins = ramps.bins_of(c, begin, span.last)
        tested.append(LifeRamp(span=span, ramp=ramps.ramp_of(newest_bins, scale)))
    good = [x for x in tested if x.ramp.is_ramp]
    late = _late_rise(newest_bins, scale) if len(good) == 1 and len(tested) == 1 else None
    if late is not None and not tested[0].span.is_over:
        return LeakFinding(tested=tuple(tested), is_leak=True, since_change=late)
    if good and 2 * len(good) >= len(tested) and 2 * sum(x.length_s for x in good) >= sum(x.length_s for x in tested):
        why_not = _why_not(tested, good, lives, scale)
        return LeakFinding(tested=tuple(tested), is_leak=not why_not, why_not=why_not)
    change = None
    if tested and not tested[-1].span.is_over and tested[-1].span == lives.spans[-1]:
        change = _since_change(newest_bins, scale)
    return LeakFinding(tested=tuple(tested), is_leak=change is not None, since_change=change)


def _testable(c: Columns, lives: Lives) -> list[tuple[Span, int]]:
    """The lives long enough to say something, each with its first row after start-up.

    Killed lives do from ten minutes on: what one alone cannot show, repetition does (`_why_not`).
    """
    found = []
    for span in lives.spans:
        began = span.start_s if span.start_s is not None else c.t[span.first]
        length_s = c.t[span.last] - began
        ready = began + min(th.STARTUP_SKIP_S, th.STARTUP_SKIP_SHARE * length_s) if span.start_s is not None else began
        begin = next((i for i in range(span.first, span.last + 1) if c.t[i] >= ready), span.last)
        if span.last - begin + 1 < th.MIN_BINS:
            continue
        if length_s >= th.MIN_RAMP_LIFE_S or (length_s >= th.MIN_SHORT_LIFE_S and span.is_killed):
            found.append((span, begin))
    return found


def _why_not(tested: Sequence[LifeRamp], good: Sequence[LifeRamp], lives: Lives, scale: float) -> str:
    """What would be odd for a leak: kills without a ramp, wildly different slopes, or only refilling to a known level."""
    ramp_kills = sum(x.span.is_killed for x in good)
    if len(lives.kills) - ramp_kills > max(1, ramp_kills):
        return "most kills came without such a rise"
    if len(good) < th.MIN_SHORT_LIVES and all(x.ramp.end_s - x.ramp.start_s < th.MIN_SHORT_RAMP_S for x in good):
        return "too short and too few lives to tell"
    slopes = sorted(x.ramp.slope for x in good if x.span.is_killed)
    if len(slopes) >= 2 and slopes[-1] > th.SLOPE_RATIO * slopes[0] and not all(x.ramp.is_clean for x in good):
        return "it rises at a different speed in every life"
    newest = tested[-1]
    settled = [x.ramp for x in tested[:-1] if x.ramp.refused in (ramps.LEVELLED, ramps.LEVELLING, ramps.TOO_LITTLE, ramps.ONE_STEP)]
    if newest in good and len(good) == 1 and settled and newest.ramp.floor_end <= stats.median([r.floor_end for r in settled]) + th.PART_GROWTH * scale:
        return "an earlier life levelled off higher than this one has come"
    return ""


def _late_rise(bins: Sequence[Bin], scale: float) -> Ramp | None:
    """The rising end of a life that ramps as a whole only because its end rises so much."""
    begin = ramps.rising_since(bins)
    if begin is None or begin < th.MIN_BINS:
        return None
    slope_before = stats.theil_sen([b.at_s for b in bins[:begin]], [b.low for b in bins[:begin]])
    found = ramps.ramp_of(bins[begin:], scale, is_part=True)
    return found if found.slope > 0 and slope_before < th.BEND_SLOPE * found.slope else None


def _since_change(bins: Sequence[Bin], scale: float) -> Ramp | None:
    """A ramp that fills the end of a life, takes memory where it has not been before, and is not the end of slowing down.

    A cache that fills ever more slowly has a nearly straight last half too; but its stretch before that was steeper.
    """
    if ramps.follows_rate(bins):
        return None
    for begin in (ramps.rising_since(bins), len(bins) // 2, len(bins) * 2 // 3):
        if begin is None or begin < th.MIN_BINS // 2:
            continue
        part = bins[begin:]
        if not part or part[-1].at_s - part[0].at_s < th.MIN_RAMP_LIFE_S:
            continue
        found = ramps.ramp_of(part, scale, is_part=True)
        if not found.is_ramp:
            continue
        earlier = bins[max(0, begin - len(part)) : begin]
        slope_before = stats.theil_sen([b.at_s for b in earlier], [b.low for b in earlier])
        is_new_ground = found.floor_end - max(b.low for b in bins[:begin]) >= th.NEW_HIGH * found.growth
        if is_new_ground and found.slope >= th.NOT_SLOWING * slope_before:
            return found
    return None
