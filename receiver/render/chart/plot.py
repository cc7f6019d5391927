"""What a chart shows, in seconds and bytes: from a report's memory history to lives, gaps, limits and marks.

No pixels here. Every number that is written on the chart comes from where the message's words come from (`render.memory`).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.memory.prepare import Columns, columns_of
from receiver.domain.facts import MemoryHistory, Revision
from receiver.domain.incident import IncidentView
from receiver.domain.report import KillKind, Report, Shape
from receiver.domain.units import from_epoch, human_bytes
from receiver.render.context.memory import container_of, growth_words, limit_of, memory_words
from receiver.render.context.model import GrowthWords, MemoryWords
from receiver.render.inline import Moment, when
from receiver.render.text import clean_line, cut_middle

MIN_HISTORY_S = 600.0  # less says nothing: no chart then
GAP_S = 900.0  # scrapes missing for longer than this are shown as missing
GAP_STEPS = 3
FALL_OF_LIMIT = 0.30  # a last sample that fell by more was taken after the kill: it would draw a false vertical line
FALL_ROWS = 6  # the kill counter lags behind by a few scrapes
CACHE_OF_LIMIT = 0.10  # less file cache than this is not worth a second colour
BINS = 229  # one for three pixels of width; a phone shows them as little more than one
PROJECTION_OF_SPAN = 0.6  # a limit that is reached later than this lies beyond the right edge
AFTER_PROJECTION = 0.03
CALENDAR_S = 1e11  # about the year 5138: later times are no times


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The highest memory of one bin, and how much of it is the process's own."""

    t_s: float
    total_bytes: float
    own_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The rise going on from the newest sample. `full_s` may lie beyond the chart's end."""

    from_s: float
    from_bytes: float
    full_s: float
    limit_bytes: float
    full_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A rollout and the image tag it brought; empty when that did not change or is not known."""

    t_s: float
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Everything that is drawn. `limits` are steps (from when, how much; None for no limit); `top_bytes` is the upper edge."""

    subject: str
    start_s: float
    end_s: float
    pieces: tuple[tuple[Point, ...], ...]
    gaps: tuple[tuple[float, float], ...]
    limits: tuple[tuple[float, float | None], ...]
    request_bytes: float | None
    kills_s: tuple[float, ...]
    kill_count: int  # of the incident: all replicas, its whole life
    rollouts: tuple[Rollout, ...]
    rates: tuple[tuple[tuple[float, float], ...], ...]
    rate_peak: float
    has_cache: bool
    projection: Projection | None
    top_bytes: float
    words: MemoryWords
    growth: GrowthWords | None
    is_rising: bool  # the rise is the story: of a leak, or of what may become one

    def limit_at(self, t_s: float) -> float | None:
        """The limit in force at a time."""
        return next((limit for since, limit in reversed(self.limits) if since <= t_s), self.limits[0][1] if self.limits else None)

    def moment(self, t_s: float) -> Moment:
        """A time of the chart as the messages write it."""
        return when(from_epoch(t_s), from_epoch(self.end_s))


def plot_of(report: Report, view: IncidentView | None = None) -> Plot | None:
    """What to draw; None with less than ten minutes of history, or times outside any calendar."""
    history = report.facts.history
    if history is None:
        return None
    c = columns_of(history, None)
    if len(c.t) < 2 or c.t[-1] - c.t[0] < MIN_HISTORY_S or not -CALENDAR_S < c.t[0] <= c.t[-1] < CALENDAR_S:
        return None
    return _plot(report, c, _asked_until(history, c.t[-1]), kill_count=view.kill_count if view else 0)


def _plot(report: Report, c: Columns, asked_until_s: float, *, kill_count: int) -> Plot:
    shape, facts = report.shape, report.facts
    words = memory_words(facts, shape, report.subject.container)
    growth = growth_words(report, facts.now)
    start_s = c.t[0]
    kills = tuple(sorted(k for k in (shape.kills if shape else ()) if start_s <= k < CALENDAR_S))
    data_end_s = max(c.t[-1], *kills, asked_until_s)
    limits = _limit_steps(c, limit_of(facts, shape, report.subject.container))
    scale = limits[-1][1] or max(c.working_set) or 1.0
    has_cache = _has_cache(c, shape, scale) and bool(words.process and words.cache)
    newest = c.in_use[-1] if has_cache else c.working_set[-1]
    projection = None if words.is_mostly_cache else _projection(report, c.t[-1], newest, growth, limits[-1][1])
    end_s = _end_s(start_s, data_end_s, projection)
    spans = _spans(c, _cuts(shape), scale)
    gap_s = max(GAP_S, GAP_STEPS * c.step_s)
    bin_s = (end_s - start_s) / BINS
    known_limits = [limit for _, limit in limits if limit]
    top = max([max(c.working_set) * (1.0 if known_limits else 1.1), *known_limits]) or 1.0
    rates = _rates(c, gap_s, bin_s)
    return Plot(
        subject=_subject(report),
        start_s=start_s,
        end_s=end_s,
        pieces=tuple(_binned(c, a, b, bin_s) for first, last in spans for a, b in _unbroken(c.t, first, last, gap_s)),
        gaps=_gaps([*c.t, data_end_s], gap_s),
        limits=limits,
        request_bytes=_request(report, top),
        kills_s=kills,
        kill_count=max(kill_count, len(kills)),
        rollouts=_rollouts(facts.workload.revisions if facts.workload else (), report.subject.container, start_s, end_s),
        rates=rates,
        rate_peak=max((rate for run in rates for _, rate in run), default=0.0),
        has_cache=has_cache,
        projection=projection,
        top_bytes=top,
        words=words,
        growth=growth,
        is_rising=growth is not None and leaf_of(report.cause.name).is_growth,
    )


def _end_s(start_s: float, data_end_s: float, projection: Projection | None) -> float:
    """Where the chart ends: behind the projection, which takes no more than its share of the width."""
    if projection is None:
        return data_end_s
    span_s = data_end_s - start_s
    return max(data_end_s, min(projection.full_s + AFTER_PROJECTION * span_s, data_end_s + PROJECTION_OF_SPAN * span_s))


def _request(report: Report, top_bytes: float) -> int | None:
    """The container's request where it fits into the chart."""
    container = container_of(report.facts, report.subject.container)
    request = container.request_bytes if container else None
    return request if request and request <= top_bytes else None


def _subject(report: Report) -> str:
    subject = report.subject
    name = (subject.workload.name if subject.workload else "") or subject.pod
    parts = (name, subject.container if subject.container != name else "")
    return cut_middle(clean_line("/".join(p for p in parts if p)), 120) or "the container"


def _asked_until(history: MemoryHistory, newest_s: float) -> float:
    """The end of what was asked for, when nothing has come for a while before it."""
    until = history.ends_s
    return until if until is not None and math.isfinite(until) and GAP_S < until - newest_s < CALENDAR_S else newest_s


def _cuts(shape: Shape | None) -> list[float]:
    """When one life ended and the next began."""
    if shape is None:
        return []
    return sorted({life.end_s for life in shape.lives[:-1]} | set(shape.kills))


def _spans(c: Columns, cuts: list[float], scale: float) -> list[tuple[int, int]]:
    """First and last row of each life, without what was scraped of a life that was over already."""
    lives = [bisect_left(cuts, t) for t in c.t] if cuts else [0] * len(c.t)
    edges = [0, *(i for i, (a, b) in enumerate(pairwise(lives), 1) if a != b), len(lives)]
    spans = []
    for first, after in pairwise(edges):
        begin = _begin(c, first, after - 1) if first else first
        spans.append((begin, _end(c, begin, after - 1, scale) if after < len(lives) else after - 1))
    return spans


def _begin(c: Columns, first: int, last: int) -> int:
    """After a cut: without what the dead process still held at the first scrapes, which only falls."""
    row = first
    while row < min(last, first + FALL_ROWS) and c.working_set[row + 1] <= c.working_set[row]:
        row += 1
    return row if c.working_set[row] < c.working_set[first] / 2 else first


def _end(c: Columns, first: int, last: int, scale: float) -> int:
    """Before a cut: up to the fall that was the kill; a dying process may give its memory back in steps."""
    highest_after = 0.0
    end = last
    for row in range(last, max(first, last - FALL_ROWS), -1):
        highest_after = max(highest_after, c.working_set[row])
        if c.working_set[row - 1] - highest_after > FALL_OF_LIMIT * scale:
            end = row - 1
    return end


def _unbroken(t: list[float], first: int, last: int, gap_s: float) -> list[tuple[int, int]]:
    edges = [first, *(i for i in range(first + 1, last + 1) if t[i] - t[i - 1] > gap_s), last + 1]
    return [(a, b - 1) for a, b in pairwise(edges)]


def _binned(c: Columns, first: int, last: int, bin_s: float) -> tuple[Point, ...]:
    """One point a bin, at the bin's maximum: a short peak must not be averaged away. The first and last sample stay."""
    t, used, own = c.t, c.working_set, c.in_use
    rows: list[int] = [first]
    slot = -1
    for row in range(first + 1, last):
        here = int((t[row] - t[first]) / bin_s)
        if here != slot:
            rows.append(row)
            slot = here
        elif used[row] > used[rows[-1]]:
            rows[-1] = row
    if last > first:
        rows.append(last)
    return tuple(Point(t_s=t[i], total_bytes=used[i], own_bytes=min(own[i], used[i])) for i in rows)


def _gaps(t: list[float], gap_s: float) -> tuple[tuple[float, float], ...]:
    return tuple((a, b) for a, b in pairwise(t) if b - a > gap_s)


def _limit_steps(c: Columns, in_force: int | None) -> tuple[tuple[float, float | None], ...]:
    """When the limit became what. The newest is the one in force that the words name; the pod knows it better than a scrape."""
    steps: list[tuple[float, float | None]] = []
    for t, limit in zip(c.t, c.limit, strict=True):
        if not steps or limit != steps[-1][1]:
            steps.append((t, limit))
    if len({limit for _, limit in steps}) == 1 or in_force is None:
        return ((c.t[0], float(in_force) if in_force else None),)
    return (*steps[:-1], (steps[-1][0], float(in_force)))


def _projection(report: Report, from_s: float, from_bytes: float, growth: GrowthWords | None, limit: float | None) -> Projection | None:
    """Only where nothing has been killed: after a kill the message names the next one, and the lives before show it."""
    shape = report.shape
    if growth is None or growth.full_at is None or shape is None or shape.time_to_limit_s is None or not limit:
        return None
    if report.kill.kind is not KillKind.NONE or from_bytes >= limit:
        return None
    full_s = growth.full_at.at.timestamp()
    if not from_s < full_s < CALENDAR_S:
        return None
    return Projection(from_s=from_s, from_bytes=from_bytes, full_s=full_s, limit_bytes=limit, full_at=growth.full_at)


def _has_cache(c: Columns, shape: Shape | None, scale: float) -> bool:
    """Whether file cache is a part worth a colour. Files in memory look the same and cannot be taken back: they stay whole."""
    is_volume = shape is not None and shape.detail == "memory_volume"
    return c.has_own_memory and not is_volume and c.working_set[-1] - c.in_use[-1] > CACHE_OF_LIMIT * scale


def _rates(c: Columns, gap_s: float, bin_s: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The request rate in unbroken runs, one point a bin at its maximum; empty when there was never a request."""
    runs: list[list[tuple[float, float]]] = []
    slot = -1
    for t, rate in zip(c.t, c.rate, strict=True):
        if rate is None:
            continue
        point = (t, max(rate, 0.0))
        here = int((t - c.t[0]) / bin_s)
        if not runs or t - runs[-1][-1][0] > gap_s:
            runs.append([point])
        elif here != slot:
            runs[-1].append(point)
        elif point[1] > runs[-1][-1][1]:
            runs[-1][-1] = (runs[-1][-1][0], point[1])
        slot = here
    if not any(rate for run in runs for _, rate in run):
        return ()
    return tuple(tuple(run) for run in runs if len(run) > 1)


def _rollouts(revisions: tuple[Revision, ...], container: str, start_s: float, end_s: float) -> tuple[Rollout, ...]:
    """Rollouts within the chart, oldest first. The tag is that of the container, where the rollout changed it."""
    dated = sorted((r for r in revisions if r.created_at is not None), key=lambda r: (r.created_at, r.revision or 0))
    found = []
    for before, revision in pairwise([None, *dated]):
        if revision is None or revision.created_at is None:
            continue
        t_s = revision.created_at.timestamp()
        image = revision.images.get(container, "")
        is_new = before is None or before.images.get(container, "") != image
        if start_s <= t_s <= end_s:
            found.append(Rollout(t_s=t_s, tag=_tag(image) if is_new else ""))
    return tuple(found)


def _tag(image: str) -> str:
    name = image.partition("@")[0].rpartition("/")[2]
    return cut_middle(clean_line(name.partition(":")[2], 200), 16)


def limit_change(plot: Plot) -> tuple[str, float] | None:
    """The limit before the newest step ("80 MiB"; empty for none) and when it changed; None when it did not change."""
    if len(plot.limits) < 2:
        return None
    before = plot.limits[-2][1]
    return (human_bytes(before) if before else "", plot.limits[-1][0])
