"""What a VerticalPodAutoscaler says about memory."""

from __future__ import annotations

from typing import Any

from receiver.case.vpa import vpa_of
from receiver.domain.facts import Vpa
from receiver.domain.units import MIB


def test_policies_are_read_by_container() -> None:
    """Bounds of memory, whether limits follow, and which containers it leaves alone."""
    policies: list[dict[str, Any]] = [
        {"containerName": "app", "minAllowed": {"memory": "64Mi", "cpu": "50m"}, "maxAllowed": {"memory": "128Mi"}},
        {"containerName": "proxy", "controlledValues": "RequestsOnly"},
        {"containerName": "cpu-only", "controlledResources": ["cpu"]},
        {"containerName": "*", "mode": "Off"},
    ]
    spec = {"updatePolicy": {"updateMode": "InPlaceOrRecreate"}, "resourcePolicy": {"containerPolicies": policies}}

    assert vpa_of(({"metadata": {"name": "api"}, "spec": spec},)) == Vpa(
        name="api", mode="InPlaceOrRecreate", min_bytes={"app": 64 * MIB}, max_bytes={"app": 128 * MIB},
        requests_only=frozenset({"proxy"}), left_alone=frozenset({"cpu-only", "*"}),
        policies=tuple(policies),
    )  # fmt: skip


def test_without_a_mode_it_acts() -> None:
    """The API's default is Auto."""
    found = vpa_of(({"metadata": {"name": "api"}, "spec": {}},))

    assert found is not None
    assert found.mode == "Auto"
    assert vpa_of(()) is None
