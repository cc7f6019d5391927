"""When a week is summed up, and what a channel is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from receiver.domain.incident_memory import GivenVerdict

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
_FIRST_MONDAY_S = 4 * DAY_S  # 1970-01-05


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyTime:
    """A moment of every week, in UTC. `day`: 0 is Monday; `minute`: since midnight."""

    day: int
    minute: int

    def last(self, now: float) -> float:
        """The newest such moment that is not after `now`, seconds since 1970."""
        offset_s = _FIRST_MONDAY_S + self.day * DAY_S + self.minute * 60.0
        return offset_s + (now - offset_s) // WEEK_S * WEEK_S

    def next(self, now: float) -> float:
        """The first one after `now`."""
        return self.last(now) + WEEK_S

    def __str__(self) -> str:
        """As it is set: `Mon 09:00`."""
        return f"{DAY_NAMES[self.day]} {self.minute // 60:02}:{self.minute % 60:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyLine:
    """One workload of the summary. `newest_fix`: what came of it (`held`, `did_not_hold`, ...); empty while it is watched, None without one."""

    namespace: str
    name: str
    kills: int
    verdict: GivenVerdict | None = None
    newest_fix: str | None = None
    page_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyView:
    """What one channel is told of whole days, in UTC. `until`: the first day that is not part of it. `lines`: the worst first.

    `kills_before`: in as many days before; 0 as well where history does not reach back. Fixes by what the span brought of them. Bytes of
    the limits of these workloads: never used, and proposed beyond.
    """

    since: datetime
    until: datetime
    lines: tuple[WeeklyLine, ...]
    kills_before: int = 0
    held: int = 0
    failed: int = 0
    watched: int = 0
    wasted_bytes: int = 0
    missing_bytes: int = 0
    page_url: str = ""

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days

    @property
    def kills(self) -> int:
        """Of all of them."""
        return sum(line.kills for line in self.lines)

    @property
    def killed(self) -> tuple[WeeklyLine, ...]:
        """Those of which something was killed."""
        return tuple(line for line in self.lines if line.kills)
