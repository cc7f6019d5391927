"""When an incident is looked at again."""

from __future__ import annotations

from receiver.domain.case import Missing
from receiver.pipeline.plan import LATE_EVIDENCE_DELAY_S
from tests.support import alert
from tests.unit.pipeline.kit import Desk


def test_late_evidence_is_asked_for_again_and_not_for_ever(desk: Desk) -> None:
    """What timed out is looked for again; a source that stays away is not hammered. Half an hour and two hours in, once more."""
    desk.missing = (Missing(source="history", why="timed out", is_retryable=True),)
    desk.take(alert())
    waits = []
    while (wait_s := desk.next_job_in_s()) is not None:
        waits.append(round(wait_s))
        desk.clock.advance(wait_s)
        desk.work()

    assert waits[:3] == [LATE_EVIDENCE_DELAY_S, 2 * LATE_EVIDENCE_DELAY_S, 4 * LATE_EVIDENCE_DELAY_S]
    assert [sum(waits[: n + 1]) for n in (3, 4)] == [1800, 7200]
    assert len(waits) == 5
