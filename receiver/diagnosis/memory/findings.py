"""Everything that the tests found in one history; what the verdict, its reasons and its numbers are made from."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.leak import LeakFinding
from receiver.diagnosis.memory.level import MemoryLevel
from receiver.diagnosis.memory.lives import Lives
from receiver.diagnosis.memory.page_cache import CacheFinding
from receiver.diagnosis.memory.prepare import Columns
from receiver.diagnosis.memory.startup import StartupFinding
from receiver.diagnosis.memory.witness import Witness


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFindings:
    """Everything that was measured."""

    columns: Columns
    lives: Lives
    scale: float
    startup: StartupFinding | None
    leak: LeakFinding
    level: MemoryLevel | None
    room_at_kills: float | None  # share of the limit that was free shortly before
    is_unreclaimable: bool  # kills show that what is not the process's own could not be taken back either
    is_limit_known: bool  # else it was concluded from kills
    cache: CacheFinding
    witnesses: tuple[Witness, ...] = ()

    @property
    def history_s(self) -> float:
        """From the first to the last row."""
        return self.columns.t[-1] - self.columns.t[0]

    @property
    def is_long(self) -> bool:
        """Whether the history is long and full enough to say with weight that there is nothing in it."""
        return self.history_s >= th.SETTLED_S and len(self.columns.t) * self.columns.step_s >= th.MIN_COVERAGE * self.history_s

    @property
    def episodes(self) -> int:
        """How many times kills came together."""
        return self.startup.episodes if self.startup is not None else 0

    @property
    def is_past_warm_up(self) -> bool:
        """Whether a witness shows that what rises is no warm-up."""
        return any(w.is_past_warm_up for w in self.witnesses)

    @property
    def killed_at_start(self) -> StartupFinding | None:
        """Kills at start-up; None without, and where lives had come up: these stood near the limit."""
        found, level = self.startup, self.level
        if found is None or not found.is_startup or (found.settled_high and level is not None and level.recent_median > th.LOW_MEDIAN):
            return None
        return found

    @property
    def follows_rate(self) -> bool:
        """Whether memory moves with the request rate, and much."""
        level = self.level
        return level is not None and (level.rate_correlation or 0.0) >= th.TRAFFIC_CORRELATION and level.reach > th.TRAFFIC_REACH
