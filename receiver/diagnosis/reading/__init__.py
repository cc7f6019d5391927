"""Reading a case: from what the APIs answered to `Facts`. Pure: no clock, no I/O; a saved case reads the same for ever."""

from __future__ import annotations

from receiver.domain.case import Case
from receiver.domain.facts import Facts


def facts_of(case: Case) -> Facts:
    """Everything a case says, understood. Never raises for what an API answered: what cannot be read is as if not answered."""
    return Facts(now=case.gathered_at, subject=case.subject, alerts=case.alerts, redactions=case.redactions, missing=case.missing)
