"""Leak: does the floor ramp in most of the lives, or ever since a change?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from receiver.diagnosis.memory import ramp as ramps
from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.lives import LifeSpan, Lives
from receiver.diagnosis.memory.prepare import Columns
from receiver.diagnosis.memory.ramp import Bin, Ramp
from receiver.domain.reason import Reason, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRamp:
    """One life and what the ramp tests said about it, or about its end when only that ramps (`is_part`)."""

    span: LifeSpan
    ramp: Ramp
    is_part: bool = False

    @property
    def length_s(self) -> float:
        """The tested stretch: without start-up."""
        return self.ramp.end_s - self.ramp.start_s

    @property
    def began_s(self) -> float:
        """When its rise began: with the life, or within it."""
        if self.is_part and self.ramp.bend_s is not None:
            return self.ramp.bend_s
        return self.span.start_s if self.span.start_s is not None else self.ramp.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """`tested` are the lives long enough to test, `ramping` what carries the verdict. `why_not`: what speaks against a
    leak although lives ramp. `change_at_s`: it began then, not with the first life.
    """

    tested: tuple[LifeRamp, ...]
    ramping: tuple[LifeRamp, ...] = ()
    is_leak: bool = False
    change_at_s: float | None = None
    why_not: Reason | None = None
    is_straight_lately: bool = False  # the newest life has slowed down since its start, but not lately

    @property
    def newest(self) -> Ramp | None:
        """The tests of the newest tested life."""
        return self.tested[-1].ramp if self.tested else None

    @property
    def has_stopped(self) -> bool:
        """Whether the newest life has come to a level and has held it for longer than the ramping lives lasted."""
        if not self.ramping or self.tested[-1].span.is_over or self.tested[-1].ramp.refused not in ramps.SETTLED:
            return False
        return self.tested[-1].length_s >= max(th.MIN_RAMP_LIFE_S, *(x.length_s for x in self.ramping))


def find_leak(c: Columns, lives: Lives, scale: float) -> LeakFinding:
    """Ramps in at least half of the tested lives and of their time; else ramps without exception since a change."""
    spans = _testable(c, lives)
    bins = [ramps.bins_of(c, begin, span.last) for span, begin in spans]
    tested = tuple(LifeRamp(span=span, ramp=ramps.ramp_of(b, scale)) for (span, _), b in zip(spans, bins, strict=True))
    good = tuple(x for x in tested if x.ramp.is_ramp)
    if len(tested) == 1 and good:
        late = _late_rise(tested[0], bins[0], scale)
        if late is not None:
            return LeakFinding(tested=tested, ramping=(late,), is_leak=True, change_at_s=late.began_s)
    if good and 2 * len(good) >= len(tested) and 2 * sum(x.length_s for x in good) >= sum(x.length_s for x in tested):
        why_not = _why_not(tested, good, lives, scale)
        straight = len(good) == 1 and rising_end(bins[-1], scale) is not None
        return LeakFinding(tested=tested, ramping=good, is_leak=why_not is None, why_not=why_not, is_straight_lately=straight)
    since = _since_change(tested, bins, scale)
    is_up_to_now = bool(since) and (since[-1].span == lives.spans[-1] or since[-1].span.is_killed)
    if not is_up_to_now or _why_not(since, since, lives, scale):
        return LeakFinding(tested=tested, ramping=good)
    return LeakFinding(tested=tested, ramping=since, is_leak=True, change_at_s=since[0].began_s)


def _testable(c: Columns, lives: Lives) -> list[tuple[LifeSpan, int]]:
    """The lives long enough to say something, each with its first row after start-up.

    Killed lives do from ten minutes on: what one alone cannot show, repetition does (`_why_not`).
    """
    found = []
    for span in lives.spans:
        began = span.start_s if span.start_s is not None else c.t[span.first]
        length_s = c.t[span.last] - began
        ready = began + min(th.STARTUP_SKIP_S, th.STARTUP_SKIP_SHARE * length_s) if span.start_s is not None else began
        begin = bisect_left(c.t, ready, span.first, span.last)
        if span.last - begin + 1 < th.MIN_BINS:
            continue
        if length_s >= th.MIN_RAMP_LIFE_S or (length_s >= th.MIN_SHORT_LIFE_S and span.is_killed):
            found.append((span, begin))
    return found


def _why_not(tested: Sequence[LifeRamp], good: Sequence[LifeRamp], lives: Lives, scale: float) -> Reason | None:
    """What would be odd for a leak: kills without a ramp, wildly different slopes, or only refilling to a known level."""
    ramp_kills = sum(x.span.is_killed for x in good)
    all_clean = all(x.ramp.is_clean for x in good)
    if len(lives.kills) - ramp_kills > max(1, ramp_kills) and not (all_clean and len(good) == len(tested) >= 2):
        return reason("memory.kills_without_rise")
    if len(good) < th.MIN_SHORT_LIVES and all(x.length_s < th.MIN_SHORT_RAMP_S for x in good):
        return reason("memory.lives_too_few")
    slopes = sorted(x.ramp.slope for x in good if x.span.is_killed)
    if len(slopes) >= 2 and slopes[-1] > th.SLOPE_RATIO * slopes[0] and not all_clean:
        return reason("memory.speeds_differ")
    if tested[-1] in good and len(good) == 1 and _only_refills(tested, scale):
        return reason("memory.below_earlier_level")
    return None


def _only_refills(tested: Sequence[LifeRamp], scale: float) -> bool:
    """Whether the newest life is still below where earlier ones settled: it may be the same warm-up again."""
    long_enough_s = max(th.MIN_RAMP_LIFE_S, tested[-1].length_s / 2)
    settled = [x.ramp.floor_end for x in tested[:-1] if x.ramp.refused in ramps.SETTLED and x.length_s >= long_enough_s]
    return bool(settled) and tested[-1].ramp.floor_end <= stats.median(settled) + th.PART_GROWTH * scale


def _since_change(tested: Sequence[LifeRamp], bins: Sequence[list[Bin]], scale: float) -> tuple[LifeRamp, ...]:
    """The newest lives as long as all of them ramp, with the end of the life before them if only its end does."""
    if not tested:
        return ()
    run: list[LifeRamp] = []
    for life, life_bins in zip(reversed(tested), reversed(bins), strict=True):
        if life.ramp.is_ramp:
            run.insert(0, life)
            continue
        part = rising_end(life_bins, scale)
        if part is not None:
            run.insert(0, LifeRamp(span=life.span, ramp=part, is_part=True))
        break
    if len(run) == 1 and not run[0].is_part and _only_refills(tested, scale):
        return ()
    return tuple(run)


def rising_end(bins: Sequence[Bin], scale: float) -> Ramp | None:
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
            return replace(found, bend_s=_where_it_began(bins, begin, found))
    return None


def _where_it_began(bins: Sequence[Bin], begin: int, rise: Ramp) -> float:
    """Where the line of the rise meets the level before it."""
    part = bins[begin:]
    level = stats.median([b.low for b in bins[begin // 2 : begin]])
    middle_s, middle = stats.median([b.at_s for b in part]), stats.median([b.low for b in part])
    return min(max(middle_s - (middle - level) / rise.slope, bins[begin // 2].at_s), part[len(part) // 2].at_s)


def _late_rise(life: LifeRamp, bins: Sequence[Bin], scale: float) -> LifeRamp | None:
    """The rising end of a life that ramps as a whole only because its end rises so much."""
    begin = ramps.rising_since(bins)
    if begin is None or begin < th.MIN_BINS:
        return None
    slope_before = stats.theil_sen([b.at_s for b in bins[:begin]], [b.low for b in bins[:begin]])
    found = ramps.ramp_of(bins[begin:], scale, is_part=True)
    if found.slope <= 0 or slope_before >= th.BEND_SLOPE * found.slope:
        return None
    return LifeRamp(span=life.span, ramp=replace(found, bend_s=_where_it_began(bins, begin, found)), is_part=True)
