"""Times in which nobody listened: the receiver did not run, or nothing came from Alertmanager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RECEIVER, ALERTMANAGER = "receiver", "alertmanager"
LATE_S = 60.0  # what began so shortly before somebody listened again is told as soon as most are
UNDER_WAY_S = 60.0  # what began so shortly before may still have been waiting with its group (group_wait, group_interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`whose`: RECEIVER or ALERTMANAGER was away."""

    since: datetime
    until: datetime
    whose: str = RECEIVER

    def hides(self, at: datetime) -> bool:
        """Whether what happened then is told late because of it."""
        return self.may_have_lost(at) and at <= self.until - timedelta(seconds=LATE_S)

    def may_have_lost(self, at: datetime) -> bool:
        """Whether what happened then may have reached nobody."""
        return self.since - timedelta(seconds=UNDER_WAY_S) <= at <= self.until


def gap_at(gaps: Sequence[Gap], at: datetime) -> Gap | None:
    """The newest gap that hides that moment."""
    return next((gap for gap in reversed(gaps) if gap.hides(at)), None)
