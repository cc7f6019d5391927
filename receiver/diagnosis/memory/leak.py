"""Growth that lasts, over the lives: what each says is weighted by its time and added up; also since a change alone."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from receiver.diagnosis.memory import climb as climbs
from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Bin, Climb
from receiver.diagnosis.memory.lives import LifeSpan, Lives
from receiver.diagnosis.memory.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeClimb:
    """One life and how it climbs, or how its end does when a change lies within it (`began_s` is then that change)."""

    span: LifeSpan
    climb: Climb
    began_s: float
    is_part: bool = False

    @property
    def length_s(self) -> float:
        """The measured stretch."""
        return self.climb.length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFinding:
    """`tested` are the lives long enough to say something. `odds`: their log-odds of a leak, weighted by time; `odds_since`
    those of the newest lives alone (`since`), from a change on; None where there was no life before.
    """

    tested: tuple[LifeClimb, ...] = ()
    odds: float = 0.0
    since: tuple[LifeClimb, ...] = ()
    odds_since: float | None = None

    @property
    def climbing(self) -> tuple[LifeClimb, ...]:
        """What carries a leak: all lives that climb, or those since the change where only these do."""
        return self.since if self.is_since_change else tuple(x for x in self.tested if x.climb.rises)

    @property
    def is_since_change(self) -> bool:
        """Whether the growth began with a change: what came before it did not climb so."""
        before = th.CHANGE_IN_LIFE_ODDS if self.since and self.since[0].is_part else th.CHANGE_ODDS
        return self.odds_since is not None and self.odds_since > 0 and self.odds < min(before, self.odds_since - 1.0)

    @property
    def change_at_s(self) -> float | None:
        """When it began; None: with the first life."""
        return self.since[0].began_s if self.is_since_change else None

    @property
    def climbed_s(self) -> float:
        """How long lives were seen climbing."""
        return sum(x.length_s for x in self.tested if x.climb.rises)

    @property
    def newest(self) -> Climb | None:
        """The newest life that was long enough."""
        return self.tested[-1].climb if self.tested else None

    @property
    def has_stopped(self) -> bool:
        """Whether the newest life has come to a level and has held it for longer than the climbing lives lasted."""
        if not self.climbing or self.tested[-1].span.is_over or not self.tested[-1].climb.is_settled:
            return False
        return self.tested[-1].length_s >= max(th.MIN_HISTORY_S, *(x.length_s for x in self.climbing))


def find_leak(c: Columns, lives: Lives, scale: float) -> LeakFinding:
    """How the lives climb. `scale`: the limit in bytes, or what stands in for it."""
    found: list[tuple[LifeSpan, float, list[Bin]]] = []
    for span in reversed(lives.spans):
        if len(found) == th.MOST_LIVES:
            break
        began_s = span.start_s if span.start_s is not None else c.t[span.first]
        length_s = c.t[span.last] - began_s
        if length_s < (th.MIN_ENDED_S if span.is_over else th.MIN_CLIMB_S):
            continue
        skip_s = min(th.STARTUP_SKIP_S, th.STARTUP_SKIP_SHARE * length_s) if span.start_s is not None else 0.0
        first = bisect_left(c.t, began_s + skip_s, span.first, span.last)
        if span.last - first + 1 < th.MIN_BINS:
            continue
        bins = climbs.bins_of(c, first, span.last)
        if climbs.has_floors(bins):
            found.insert(0, (span, began_s, bins))
    if not found:
        return LeakFinding()
    may_follow = _may_follow_rate([bins for _, _, bins in found])
    tested = [
        LifeClimb(span=s, began_s=at, climb=climbs.climb_of(b, scale, is_over=s.is_over, is_killed=s.is_killed, may_follow=may_follow))
        for s, at, b in found
    ]
    since, odds_since = _since_change(tested, found[-1][2], scale, may_follow=may_follow)
    return LeakFinding(tested=tuple(tested), odds=_mean_odds(tested), since=since, odds_since=odds_since)


def _may_follow_rate(lives: Sequence[Sequence[Bin]]) -> bool:
    """Whether memory can go with the request rate: a restart takes the memory and leaves the rate, so over several lives it shows."""
    known = [(b.rate, b.mean) for bins in lives for b in bins if b.rate is not None]
    return len(lives) < 2 or stats.explained([rate for rate, _ in known], [mean for _, mean in known]) >= th.RATE_R2_LIVES


def _mean_odds(lives: Sequence[LifeClimb]) -> float:
    total = sum(x.length_s for x in lives)
    return sum(x.climb.odds * x.length_s for x in lives) / total if total else 0.0


def _since_change(
    tested: Sequence[LifeClimb], bins: Sequence[Bin], scale: float, *, may_follow: bool
) -> tuple[tuple[LifeClimb, ...], float | None]:
    """The newest lives that climb best together, or the end of the newest one; and their log-odds."""
    best: tuple[tuple[LifeClimb, ...], float | None] = ((), None)
    weighted = lasted_s = 0.0
    for i in range(len(tested) - 1, 0, -1):
        weighted, lasted_s = weighted + tested[i].climb.odds * tested[i].length_s, lasted_s + tested[i].length_s
        found = _no_anecdote(weighted / lasted_s if lasted_s else 0.0, lasted_s)
        if best[1] is None or found > best[1]:
            best = tuple(tested[i:]), found
    newest = tested[-1]
    end = climbs.rising_end(bins, scale, is_over=newest.span.is_over, is_killed=newest.span.is_killed, may_follow=may_follow)
    if end is not None and (best[1] is None or _no_anecdote(end.odds, end.length_s) > best[1]):
        part = LifeClimb(span=newest.span, climb=end, began_s=_where_it_began(bins, end), is_part=True)
        return (part,), _no_anecdote(end.odds, end.length_s)
    return best


def _no_anecdote(odds: float, lasted_s: float) -> float:
    """What was seen for minutes counts little, for two hours all it says."""
    return odds if odds <= 0 else odds * min(max(math.log2(lasted_s / th.BRIEF_S) / 3, 0.0), 1.0)


def _where_it_began(bins: Sequence[Bin], rise: Climb) -> float:
    """Where the line of the rise meets the level before it."""
    begin = next(i for i, b in enumerate(bins) if b.at_s >= rise.start_s)
    part = bins[begin:]
    level = stats.median([b.low for b in bins[begin // 2 : begin]])
    middle_s, middle = stats.median([b.at_s for b in part]), stats.median([b.low for b in part])
    return min(max(middle_s - (middle - level) / rise.slope, bins[begin // 2].at_s), part[len(part) // 2].at_s)
