"""Prometheus for tests: the replaying stand-in with faults, and series made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.demo.standins import PrometheusStandin
from tests.fakes.kube import Faulty


class FakePrometheus(Faulty, PrometheusStandin):
    """Series behind a Prometheus API that can be made to fail."""

    def show_rules(self, groups: Iterable[Mapping[str, Any]]) -> None:
        """What /api/v1/rules tells from now on."""
        self._rule_groups = list(groups)


def series(name: str, points: Iterable[tuple[float, float]], /, **labels: str) -> dict[str, Any]:
    """One series as a range answer holds it."""
    return {"metric": {"__name__": name, **labels}, "values": [[t, repr(float(v))] for t, v in points]}
