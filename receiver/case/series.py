"""Prometheus' range answers as numbers: which series are about one container, and what a dead container left behind.

A container that was restarted has a new series; the old one's last value lingers, up to five minutes, because cAdvisor
exports explicit timestamps. Taken at face value a dead container is shown as alive at its peak. So a series ends at the
death of its container where that moment is known, and where it stands still at the end of a life otherwise.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from receiver.case.access import get, objects, text

LINGER_S = 330.0  # Prometheus' look-back of 5 min and a scrape
LATE_S = 30.0  # a measurement is scraped so long after it was taken: the kubelet measures every 10 to 15 s
JUST_BEFORE_S = 0.001
STALE_S = 300.0  # a staircase's value is not carried on over a longer silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series: its labels that matter here, and its points, oldest first."""

    pod: str
    container: str
    id: str
    reason: str
    points: tuple[tuple[float, float], ...]


def tracks(answer: object, name: str, *, container: str = "", pod: str = "") -> tuple[Track, ...]:
    """The series of one name, of one container and pod where these are given and the series says."""
    found = []
    for entry in objects(answer, "series", name):
        track = Track(
            pod=text(entry, "metric", "pod"),
            container=text(entry, "metric", "container"),
            id=text(entry, "metric", "id"),
            reason=text(entry, "metric", "reason"),
            points=tuple(_points(get(entry, "values"))),
        )
        is_other = (container and track.container not in ("", container)) or (pod and track.pod not in ("", pod))
        if track.points and not is_other:
            found.append(track)
    return tuple(found)


def alive(series: Sequence[Track], deaths: Sequence[float]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The points of each series that were measured while its container lived. `deaths`: known times of death, sorted."""
    newest_start = max((t.points[0][0] for t in series if t.id), default=0.0)
    newest_end = max((t.points[-1][0] for t in series), default=0.0)
    kept = []
    for track in series:
        if not track.id:
            kept.append(_without_ghosts(track.points, deaths))
            continue
        start = track.points[0][0]
        after = bisect_right(deaths, start)
        end = deaths[after] if after < len(deaths) else math.inf
        points = tuple(p for p in track.points if p[0] <= end)
        is_superseded = start < newest_start or points[-1][0] < newest_end - LINGER_S
        kept.append(_without_tail(points) if is_superseded and points else points)
    return tuple(kept)


def highest(series: Iterable[Sequence[tuple[float, float]]], step_s: float) -> dict[float, float]:
    """The highest value in each step, over all series (max, never sum), at the step's newest time."""
    buckets: dict[int, tuple[float, float]] = {}
    for points in series:
        for t, value in points:
            slot = int(t // step_s)
            was = buckets.get(slot)
            buckets[slot] = (t, value) if was is None else (max(t, was[0]), max(value, was[1]))
    return dict(sorted(buckets.values()))


class Stairs:
    """A value that stands still between changes (limit, restart count), from any number of series: the highest."""

    def __init__(self, series: Iterable[Track]) -> None:
        self._series = [([t for t, _ in s.points], [v for _, v in s.points]) for s in series]

    def at(self, t_s: float) -> float | None:
        """The value in force at a time; None before the first and long after the last point."""
        values = []
        for times, levels in self._series:
            i = bisect_right(times, t_s) - 1
            if i >= 0 and (t_s - times[i] <= STALE_S or (i + 1 < len(times) and levels[i + 1] == levels[i])):
                values.append(levels[i])
        return max(values, default=None)

    @property
    def is_known(self) -> bool:
        """Whether there is any series."""
        return bool(self._series)


def _points(values: object) -> Iterable[tuple[float, float]]:
    if not isinstance(values, list):
        return
    for point in values:
        try:
            t, value = float(point[0]), float(point[1])
        except (TypeError, ValueError, IndexError, KeyError):
            continue
        if math.isfinite(t) and math.isfinite(value):
            yield t, value


def _without_tail(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """A finished life without the stretch at its end in which nothing moved any more."""
    first_still = len(points) - 1
    while first_still > 0 and points[first_still - 1][1] == points[-1][1]:
        first_still -= 1
    lingers_from = points[-1][0] - LINGER_S
    return tuple(p for i, p in enumerate(points) if i <= first_still or p[0] < lingers_from)


def _without_ghosts(points: tuple[tuple[float, float], ...], deaths: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """A series that runs on over several lives (/metrics/resource), without the still stretch after each death.

    The last measurement of a life may be scraped just after its end. It is known by standing still from then on, no lower than
    what was seen before; it is given back to the life, at its end.
    """
    kept: list[tuple[float, float]] = []
    for at, (t, value) in enumerate(points):
        i = bisect_right(deaths, t) - 1
        is_first_since = i >= 0 and t - deaths[i] <= LINGER_S and (not kept or kept[-1][0] <= deaths[i])
        before = next((v for s, v in reversed(kept) if s <= deaths[i]), None) if is_first_since else None
        if before is not None and value == before:
            continue
        stands_still = at + 1 < len(points) and points[at + 1][1] == value
        is_last_of_life = before is not None and stands_still and value > before and t - deaths[i] <= LATE_S
        kept.append((deaths[i] - JUST_BEFORE_S if is_last_of_life else t, value))
    return tuple(kept)
