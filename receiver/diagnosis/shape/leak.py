"""Leak: does the floor ramp in most of the lives, or since a change in the newest one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from receiver.diagnosis import thresholds as th
from receiver.diagnosis.shape import ramp as ramps
from receiver.diagnosis.shape.lives import Lives, Span
from receiver.diagnosis.shape.prepare import Columns
from receiver.diagnosis.shape.ramp import Ramp


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRamp:
    """One life and what the ramp tests said about it."""

    span: Span
    ramp: Ramp

    @property
    def length_s(self) -> float:
        return self.ramp.end_s - self.ramp.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """`tested` are the lives long enough to test; `since_change` the part of the newest life that ramps, if only a part does."""

    tested: tuple[LifeRamp, ...]
    is_leak: bool
    since_change: Ramp | None = None

    @property
    def ramping(self) -> tuple[LifeRamp, ...]:
        return tuple(x for x in self.tested if x.ramp.is_ramp)


def find_leak(c: Columns, lives: Lives, scale: float) -> LeakFinding:
    """Ramps in at least half of the long lives and of their time; else a ramp that began within the newest life."""
    tested = []
    for span in lives.spans:
        begin = _after_startup(c, span)
        if begin is None or c.t[span.last] - c.t[begin] < th.MIN_RAMP_LIFE_S:
            continue
        start_s, end_s = c.t[begin], c.t[span.last]
        bins = ramps.bins_of(c, begin, span.last, start_s, end_s)
        tested.append(LifeRamp(span=span, ramp=ramps.ramp_of(bins, start_s, end_s, scale)))
    good = [x for x in tested if x.ramp.is_ramp]
    if good and 2 * len(good) >= len(tested) and 2 * sum(x.length_s for x in good) >= sum(x.length_s for x in tested):
        return LeakFinding(tested=tuple(tested), is_leak=True)
    change = _since_change(c, tested, scale)
    return LeakFinding(tested=tuple(tested), is_leak=change is not None, since_change=change)


def _after_startup(c: Columns, span: Span) -> int | None:
    """The first row of a life that is not start-up."""
    began = span.start_s if span.start_s is not None else c.t[span.first]
    return next((i for i in range(span.first, span.last + 1) if c.t[i] >= began + th.STARTUP_SKIP_S), None)


def _since_change(c: Columns, tested: Sequence[LifeRamp], scale: float) -> Ramp | None:
    if not tested or tested[-1].span.is_over:
        return None
    newest = tested[-1].ramp
    for part in (1 / 2, 1 / 3):
        start_s = newest.end_s - (newest.end_s - newest.start_s) * part
        if newest.end_s - start_s < th.MIN_RAMP_LIFE_S:
            break
        span = tested[-1].span
        begin = next(i for i in range(span.first, span.last + 1) if c.t[i] >= start_s)
        bins = ramps.bins_of(c, begin, span.last, start_s, newest.end_s)
        found = ramps.ramp_of(bins, start_s, newest.end_s, scale, tau_min=th.CHANGE_TAU, growth_min=th.CHANGE_GROWTH)
        if found.is_ramp:
            return found
    return None
