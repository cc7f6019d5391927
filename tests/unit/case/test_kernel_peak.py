"""The kernel's own peak of each life, where cAdvisor exports it: asked for with the scrapes of the last hour, in the same request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.case.history import memory_history
from receiver.domain.units import MIB
from receiver.evidence.queries import RECENT_METRICS

NOW_S = datetime(2026, 11, 23, 1, 0, tzinfo=UTC).timestamp()


def one_life(began_s: float, *peaks: float, id: str) -> dict[str, Any]:
    metric = {"namespace": "shop", "pod": "web-1", "container": "app", "id": id}
    return {"metric": metric, "values": [[NOW_S - began_s + 15 * i, str(n)] for i, n in enumerate(peaks)]}


def peaks_of(*lives: dict[str, Any]) -> tuple[tuple[float, float], ...]:
    use = [{**life, "values": [[t, str(8 * MIB)] for t, _ in life["values"]]} for life in lives]
    recent = {"start": NOW_S - 3600, "end": NOW_S, "series": {"working_set": use, "max_usage": list(lives)}}
    history = memory_history({"recent": recent}, pod=None, pod_name="web-1", container="app", now_s=NOW_S)
    assert history is not None
    return history.kernel_peaks


def test_each_life_has_its_own() -> None:
    """By the container's id: the counter begins anew with each."""
    found = peaks_of(one_life(900, 8 * MIB, 30 * MIB, 30 * MIB, id="/a"), one_life(300, 8 * MIB, 12 * MIB, id="/b"))

    assert found == ((NOW_S - 900, 30 * MIB), (NOW_S - 300, 12 * MIB))


@pytest.mark.parametrize("peaks", [(0, 0, 0), ()], ids=["a runtime that does not know it", "not exported"])
def test_what_is_not_known_is_no_peak(peaks: tuple[int, ...]) -> None:
    """runc before 1.2 on cgroup v2 says 0."""
    found = memory_history({"recent": {"series": {"working_set": [one_life(300, 8 * MIB, 8 * MIB, id="/a")], "max_usage": [one_life(300, *peaks, id="/a")]}}},
                           pod=None, pod_name="web-1", container="app", now_s=NOW_S)  # fmt: skip

    assert found is not None
    assert found.kernel_peaks == ()


def test_it_costs_no_query_of_its_own() -> None:
    """One more name in the selector of the last hour."""
    assert RECENT_METRICS["container_memory_max_usage_bytes"] == "max_usage"
