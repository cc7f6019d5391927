"""What replicas and heaps tell, in words: of one other replica as of several."""

from __future__ import annotations

import pytest

from receiver.domain.reason import Reason, reason
from receiver.render.wording.say import say

pytestmark = pytest.mark.wording
GROWTH = 17 * 1024**2.0


def alone(standing: int, compared: int) -> Reason:
    """This one grows, and so many of the others do not."""
    return reason("replicas.alone", standing=standing, compared=compared, growth_bytes_per_h=GROWTH, busier_ratio=None)


def peaks(together: int, compared: int) -> Reason:
    """So many of the others peak with it."""
    return reason("replicas.peak_together", together=together, compared=compared)


def alike(growing: int, compared: int) -> Reason:
    """So many of the others grow as well."""
    return reason("replicas.grow_alike", growing=growing, compared=compared, growth_bytes_per_h=GROWTH)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (alone(1, 1), "This replica grows 17 MiB/h alone; at the same age the other one stands still."),
        (alone(3, 3), "This replica grows 17 MiB/h alone; at the same age all 3 other replicas compared stand still."),
        (alone(2, 3), "This replica grows 17 MiB/h alone; at the same age 2 of 3 other replicas compared stand still."),
        (peaks(1, 1), "The other replica peaks at the same times: shared traffic or a shared schedule, not this pod alone."),
        (peaks(2, 3), "2 of 3 other replicas compared peak at the same times: shared traffic or a shared schedule, not this pod alone."),
        (alike(1, 1), "The other replica grows too, 17 MiB/h: the cause is in what every replica runs."),
        (alike(1, 2), "1 of 2 other replicas compared grows too, 17 MiB/h: the cause is in what every replica runs."),
        (alike(3, 3), "All 3 other replicas compared grow too, 17 MiB/h: the cause is in what every replica runs."),
    ],
)
def test_one_replica_or_several(said: Reason, expected: str) -> None:
    """Number and verb agree."""
    assert say(said) == expected
