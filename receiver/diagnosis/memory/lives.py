"""Where one life of the container ends and the next begins, and which ends were OOM kills.

Counters say it (restarts, OOM kills; a falling counter is a new container's); exact times known from elsewhere say it
better, also for lives too short for any scrape to see. A restart that no counter tells (a deploy: both pods count 0)
shows as a fall to a fresh process's level.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.prepare import Columns
from receiver.domain.facts import MemoryHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class OomKill:
    """One OOM kill. `uptime_s`: since its life's start; when that start lies before the history, at least this."""

    at_s: float
    uptime_s: float
    is_start_known: bool = True
    is_exact: bool = False  # start and kill are known from elsewhere, not from scrapes
    is_at_most: bool = False  # the uptime is only bounded: by the kill before, back-off included
    is_presumed: bool = False  # no kill counter: it restarted while at its limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeSpan:
    """One life: rows `first` to `last` (inclusive). `start_s` is None when it began before the history."""

    first: int
    last: int
    start_s: float | None
    end_s: float
    is_killed: bool
    is_over: bool  # something follows: it was killed, restarted or replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """All lives that scrapes saw, oldest first, and all kills, oldest first (more than lives, when lives are short)."""

    spans: tuple[LifeSpan, ...]
    kills: tuple[OomKill, ...]


def lives_of(c: Columns, history: MemoryHistory) -> Lives:
    """The lives in `c`; exact times of `history` later than now are not looked at."""
    starts = sorted(s for s in history.starts_s if s <= c.now_s)
    exact_kills = sorted({k for k in history.kill_times_s if k <= c.now_s})
    if not c.t:
        return Lives(spans=(), kills=_kills(c, (), {}, exact_kills, starts))
    slack = max(2 * c.step_s, th.EXPORTER_SLACK_S)
    has_kill_counter = any(x is not None for x in c.oom_kills) or bool(exact_kills)
    cuts, counted = _counted_cuts(c, slack)
    cuts = _with_exact_times(cuts, c.t, starts, exact_kills, slack)
    if not has_kill_counter:  # nobody counts kills: a restart from the limit was one, a pod that took another's place was none
        cuts = {i: killed or (c.t[i] != history.replaced_at_s and _was_at_limit(c, i)) for i, killed in cuts.items()}
    has_restart_counter = any(x is not None for x in c.restarts)
    for i in _unmarked_restarts(c, cuts, has_restart_counter):
        cuts.setdefault(i, not has_kill_counter and not has_restart_counter and _was_at_limit(c, i))
    spans = _spans(c, cuts, starts, exact_kills, slack)
    kills = _kills(c, spans, counted, exact_kills, starts) if has_kill_counter else _presumed_kills(c, spans)
    return Lives(spans=spans, kills=kills)


def _increases(counter: list[float | None]) -> dict[int, int]:
    """Row -> how many were counted since the last row that had the counter. A fall is a new counter, which began at 0."""
    if counter.count(counter[0]) == len(counter):
        return {}
    found: dict[int, int] = {}
    before: float | None = None
    for i, value in enumerate(counter):
        if value is None or value == before:
            continue
        if before is not None:
            grown = value - before if value > before else value
            if grown >= 1:
                found[i] = int(grown)
        before = value
    return found


def _cut_near(cuts: dict[int, bool], t: list[float], at_s: float, slack: float) -> int | None:
    """The known cut that this exact time belongs to: between the rows around it, give or take `slack`."""
    near = [i for i in cuts if t[i - 1] - slack <= at_s <= t[i] + slack] if cuts else []
    return min(near, key=lambda i: min(abs(t[i] - at_s), abs(t[i - 1] - at_s))) if near else None


def _counted_cuts(c: Columns, slack: float) -> tuple[dict[int, bool], dict[int, int]]:
    """First rows of lives as the counters tell (True: the life before was killed), and how many kills each such row tells of."""
    restarts = _increases(c.restarts)
    cuts = {_fall_before(c, i, slack, restarts): False for i in restarts}
    counted: dict[int, int] = {}
    for i, n in _increases(c.oom_kills).items():
        near = [r for r in (i, i - 1, i + 1, i - 2, i + 2) if r in cuts and abs(c.t[r] - c.t[i]) <= slack]
        at = near[0] if near else _fall_before(c, i, slack, restarts)
        cuts[at] = True
        counted[at] = counted.get(at, 0) + n
    return cuts, counted


def _with_exact_times(counted: dict[int, bool], t: list[float], starts: list[float], kills: list[float], slack: float) -> dict[int, bool]:
    """The counted cuts, and one for each exact kill and start that none of them belongs to."""
    cuts = dict(counted)
    for k in kills:
        i = (_cut_near(cuts, t, k, slack) or bisect_left(t, k)) if k > t[0] else len(t)
        if i < len(t):
            cuts[i] = True
    for s in starts:
        i = bisect_left(t, s) if s > t[0] and _cut_near(cuts, t, s, slack) is None else len(t)
        if i < len(t):
            cuts.setdefault(i, False)
    return cuts


def _fall_before(c: Columns, row: int, slack: float, restarts: dict[int, int]) -> int:
    """The row where memory fell: counters lag by a scrape or two, and a dying process gives its memory back in steps."""
    found = row
    for j in range(row, max(row - th.COUNTER_LAG_ROWS, 0), -1):
        if c.t[row] - c.t[j] > slack + c.step_s or (j != row and j in restarts):
            break
        if c.in_use[j] < th.FALL_SHARE * c.in_use[j - 1]:
            found = j
    return found


def _unmarked_restarts(c: Columns, cuts: dict[int, bool], has_counter: bool) -> list[int]:
    """Falls that no counter tells of: to below all that this life has shown since it settled; where nothing counts restarts, from the
    limit, too (where something does, that was a peak).
    """
    used, t = c.in_use, c.t
    falls = [i for i, (a, b) in enumerate(pairwise(used), 1) if b < th.FALL_SHARE * a and i not in cuts]
    share = th.UNMARKED_RESTART_SHARE if has_counter else th.UNMARKED_RESTART_SHARE_NO_COUNTER
    edges = sorted(cuts)
    found: list[int] = []
    for i in falls:
        known = bisect_left(edges, i)
        begin = max(edges[known - 1] if known else 0, found[-1] if found else 0)
        settled = used[bisect_left(t, t[begin] + th.STARTUP_SKIP_S, begin, i) : i]
        if (not has_counter and _was_at_limit(c, i)) or (settled and used[i] < share * min(settled)):
            found.append(i)
    return found


def _was_at_limit(c: Columns, cut: int) -> bool:
    limit = c.limit[cut - 1]
    return limit is not None and c.working_set[cut - 1] >= th.PRESUMED_KILL_RATIO * limit


def _spans(c: Columns, cuts: dict[int, bool], starts: list[float], exact_kills: list[float], slack: float) -> tuple[LifeSpan, ...]:
    edges = [0, *sorted(i for i in cuts if i > 0), len(c.t)]
    spans = []
    for first, after in pairwise(edges):
        last = after - 1
        start_s, end_s = _start_of(c, first, last, starts, slack), c.t[last]
        is_over = after < len(c.t)
        is_killed = is_over and cuts[after]
        if is_over:  # at the exact time of its kill, which counters tell late, else just after its last row
            end_s = next((k for k in exact_kills if c.t[first] < k <= c.t[after]), min(end_s + c.step_s / 2, c.t[after]))
        elif (unseen := next((k for k in exact_kills if k >= end_s), None)) is not None:
            is_killed, is_over, end_s = True, True, unseen
        if start_s is not None:
            start_s = min(start_s, end_s)  # clocks differ, and rows of a dead container linger
        spans.append(LifeSpan(first=first, last=last, start_s=start_s, end_s=end_s, is_killed=is_killed, is_over=is_over))
    return tuple(spans)


def _start_of(c: Columns, first: int, last: int, starts: list[float], slack: float) -> float | None:
    """When the life of these rows began: the exact time where one fits, else just before its first row; None: before the history."""
    before_s = c.t[first - 1] if first else -math.inf
    exact = [s for s in starts if before_s < s <= c.t[first]]
    exact = exact or [s for s in starts if c.t[first] < s <= c.t[first] + slack][:1]
    if exact:
        return exact[-1]
    if first:
        return max(before_s, c.t[first] - c.step_s / 2)
    return c.t[0] if _looks_fresh(c, last) else None


def _looks_fresh(c: Columns, last: int) -> bool:
    """Whether the history begins with a process that has just started: far below where it is a few minutes on."""
    soon = c.in_use[1 : bisect_right(c.t, c.t[0] + 2 * th.STARTUP_SKIP_S, 0, last + 1)]
    return bool(soon) and c.in_use[0] < th.FRESH_SHARE * max(soon)


def _kills(
    c: Columns, spans: tuple[LifeSpan, ...], counted: dict[int, int], exact: list[float], starts: list[float]
) -> tuple[OomKill, ...]:
    """Exact kills as they are; counted ones where no exact time tells of them."""
    slack = max(2 * c.step_s, th.EXPORTER_SLACK_S)
    kills = [_exact_kill(at_s, exact[i - 1] if i else None, starts, c, spans) for i, at_s in enumerate(exact)]
    unmatched = list(exact)
    firsts = [s.first for s in spans]
    for i, n in counted.items():
        here = [k for k in unmatched if c.t[i - 1] - slack <= k <= c.t[i] + slack][:n] if unmatched else []
        unmatched = [k for k in unmatched if k not in here]
        before = bisect_left(firsts, i)
        span = spans[before - 1] if before else None
        kills += [_counted_kill(c, span, i, n, is_seen=extra == 0) for extra in range(n - len(here))]
    return tuple(sorted(kills, key=lambda k: k.at_s))


def _counted_kill(c: Columns, span: LifeSpan | None, row: int, count: int, *, is_seen: bool) -> OomKill:
    """A kill that the counter told of at this row: it fell between the row before and this one.

    The second and further kills of one step were lives that began and ended between two rows.
    """
    if not is_seen or span is None:
        return OomKill(at_s=c.t[row], uptime_s=(c.t[row] - c.t[row - 1]) / count, is_at_most=True)
    at_s = min(c.t[row - 1] + c.step_s / 2, c.t[row])
    return OomKill(at_s=at_s, uptime_s=_uptime(c, span, at_s), is_start_known=span.start_s is not None)


def _presumed_kills(c: Columns, spans: tuple[LifeSpan, ...]) -> tuple[OomKill, ...]:
    return tuple(
        OomKill(at_s=s.end_s, uptime_s=_uptime(c, s, s.end_s), is_start_known=s.start_s is not None, is_presumed=True)
        for s in spans
        if s.is_killed
    )


def _exact_kill(at_s: float, before_s: float | None, starts: list[float], c: Columns, spans: tuple[LifeSpan, ...]) -> OomKill:
    """A kill at a known time. Without a known start its life is at most as long as the time since the kill before it."""
    known = [s for s in starts if s <= at_s and (before_s is None or s >= before_s)][-1:]
    span = next((s for s in reversed(spans) if c.t[s.first] <= at_s), None)
    is_seen = span is not None and span.end_s >= at_s - c.step_s
    if is_seen and span is not None and span.start_s is not None:
        known.append(span.start_s)
    if known:
        return OomKill(at_s=at_s, uptime_s=at_s - max(known), is_exact=max(known) in starts)
    if before_s is None:
        return OomKill(at_s=at_s, uptime_s=max(at_s - c.t[0], 0.0) if c.t else 0.0, is_start_known=False)
    at_most_s = at_s - before_s
    if at_most_s <= th.STARTUP_UPTIME_S:
        return OomKill(at_s=at_s, uptime_s=at_most_s, is_at_most=True)
    return OomKill(at_s=at_s, uptime_s=0.0, is_start_known=False)


def _uptime(c: Columns, span: LifeSpan, at_s: float) -> float:
    return at_s - (span.start_s if span.start_s is not None else c.t[span.first])
