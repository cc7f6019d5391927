"""From evidence to a report, inside a budget of CPU."""

from __future__ import annotations

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.report import Report
from receiver.process.cpu_guard import CpuGuard


class Judge:
    """Judges cases. ComputedTooLong when one takes more than any should."""

    def __init__(self, guard: CpuGuard | None = None) -> None:
        self._guard = guard or CpuGuard()

    def report_of(self, case: Case) -> Report:
        """What a case says."""
        with self._guard.within("diagnosis"):
            return diagnose(facts_of(case))
