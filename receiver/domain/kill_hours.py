"""Kills by the hour, for the small picture in the list of incidents. Hours count from 1970; as text: `482101:3,482102:1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

HOUR_S = 3600.0
SHOWN_HOURS = 24


def hours_of(text: str) -> Mapping[int, int]:
    """What `as_text` wrote. ValueError for anything else."""
    return {int(hour): int(kills) for hour, _, kills in (part.partition(":") for part in text.split(",") if part)}


def as_text(hours: Mapping[int, int], *, now: float) -> str:
    """The hours that a picture still shows."""
    newest = _hour(now)
    return ",".join(f"{hour}:{hours[hour]}" for hour in sorted(hours) if newest - SHOWN_HOURS < hour <= newest)


def by_span(
    new_kills: int, times: Sequence[float], *, known_until: float | None, newest_at: float | None, span_s: float
) -> Counter[int]:  # fmt: skip
    """In which spans (hours, days) since 1970 that many kills happened, which were not known before.

    `times`: those that somebody recorded; `known_until`: of the newest that was known. What nobody recorded happened at `newest_at`, at
    the latest; None: when it happened is not known, and it is not counted.
    """
    fresh = sorted((at for at in set(times) if known_until is None or at > known_until), reverse=True)[: max(new_kills, 0)]
    counted = Counter(int(at // span_s) for at in fresh)
    if newest_at is not None and new_kills > len(fresh):
        counted[int(newest_at // span_s)] += new_kills - len(fresh)
    return counted


def with_kills(
    hours: Mapping[int, int], new_kills: int, times: Sequence[float], *, known_until: float | None, newest_at: float | None
) -> Mapping[int, int]:
    """With that many kills that were not known before: see `by_span`."""
    return Counter(hours) + by_span(new_kills, times, known_until=known_until, newest_at=newest_at, span_s=HOUR_S)


def shown(hours: Mapping[int, int], *, now: float) -> tuple[int, ...]:
    """The last 24 hours, the running one last."""
    newest = _hour(now)
    return tuple(hours.get(hour, 0) for hour in range(newest - SHOWN_HOURS + 1, newest + 1))


def _hour(at: float) -> int:
    return int(at // HOUR_S)
