"""Two incidents that turn out to be one."""

from __future__ import annotations

from tests.support import alert
from tests.unit.pipeline.kit import Desk, pod


def test_two_alerts_that_turn_out_to_be_one_workload_become_one_incident(desk: Desk) -> None:
    """One names the container, the other only the pod; the API says it is the same thing: one root."""
    desk.take(alert("OOMKilled"), alert("KubePodNotReady", container=""))
    (root,) = desk.roots()
    desk.take(alert("KubePodNotReady", container="", pod=pod(7)))

    assert root.startswith("orders-api firing")
    assert len(desk.roots()) == 1
