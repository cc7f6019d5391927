"""Quiet hours: when a warning calls nobody. Wall-clock times in a named zone, so that a change to summer time moves nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """One period that repeats. `days`: on which it begins (0 is Monday); minutes since midnight, `end_min` up to 1440.

    An end at or before the start lies on the next day: 22:00-07:00, and 00:00-00:00 is a whole day.
    """

    days: frozenset[int]
    start_min: int
    end_min: int
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """When the period that holds at `now` ends, in UTC; None when it does not hold."""
        today = now.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            if day.weekday() not in self.days:
                continue
            length_days = 1 if self.end_min <= self.start_min else 0
            start, end = self._at(day, self.start_min), self._at(day + timedelta(days=length_days), self.end_min)
            if start <= now < end:
                return end
        return None

    def _at(self, day: date, minutes: int) -> datetime:
        # In UTC: Python compares two times of the same zone by their clock faces, which is wrong in the night of a change.
        extra_days, rest = divmod(minutes, MINUTES_A_DAY)
        local = datetime.combine(day + timedelta(days=extra_days), datetime.min.time(), self.zone).replace(
            hour=rest // 60, minute=rest % 60
        )
        return local.astimezone(UTC)


def quiet_until(periods: Iterable[QuietHours], now: datetime) -> datetime | None:
    """When it is over, periods that follow one another taken together; None when no period holds at `now`."""
    known, end = tuple(periods), None
    at = now
    for _ in range(2 * len(known) * len(DAYS) + 1):  # a period a day and its day before: more would be quiet for ever
        later = max((u for p in known if (u := p.until(at)) is not None), default=None)
        if later is None:
            return end
        at = end = later
    return end
