"""Room on the node and in the namespace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from receiver.case.policies import limit_range_max, node_facts, quota_free

MIB = 1024**2
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def quota(hard: dict[str, str], used: dict[str, str], **spec: object) -> dict[str, Any]:
    return {"spec": spec, "status": {"hard": hard, "used": used}}


def test_what_quotas_leave():
    """The tightest of several; `memory` is short for requests.memory."""
    answer = {
        "items": [
            quota({"limits.memory": "2Gi", "memory": "1Gi"}, {"limits.memory": "1536Mi", "memory": "900Mi"}),
            quota({"limits.memory": "4Gi"}, {}),
        ]
    }

    assert quota_free(answer, "limits.memory") == 512 * MIB
    assert quota_free(answer, "requests.memory") == 124 * MIB
    assert quota_free({"items": []}, "limits.memory") is None


def test_a_quota_of_a_scope_is_left_out():
    """It counts other pods (terminating ones, another priority class)."""
    assert quota_free({"items": [quota({"limits.memory": "1Mi"}, {}, scopes=["Terminating"])]}, "limits.memory") is None


def test_an_exceeded_quota_leaves_less_than_nothing():
    """A quota lowered afterwards: the number is negative, not unknown."""
    assert quota_free({"items": [quota({"limits.memory": "1Gi"}, {"limits.memory": "2Gi"})]}, "limits.memory") == -1024 * MIB


def test_the_limit_range_of_containers():
    """A bound for pods or volumes is none for containers."""
    answer = {
        "items": [{"spec": {"limits": [{"type": "Container", "max": {"memory": "256Mi"}}, {"type": "Pod", "max": {"memory": "64Mi"}}]}}]
    }

    assert limit_range_max(answer) == 256 * MIB
    assert limit_range_max({}) is None


def test_a_node_and_who_else_dies_there():
    """Over-commit counts what runs; other kills are named when they are recent."""

    def pod(name: str, limit: str, phase: str = "Running", finished: str = "") -> dict[str, Any]:
        killed = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": finished}} if finished else {}
        return {
            "metadata": {"namespace": "shop", "name": name},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": limit}}}]},
            "status": {"phase": phase, "containerStatuses": [{"name": "c", "lastState": killed}]},
        }

    node = {
        "metadata": {"name": "n1"},
        "status": {
            "allocatable": {"memory": "1000Mi"},
            "capacity": {"memory": "1100Mi"},
            "conditions": [{"type": "MemoryPressure", "status": "True"}],
        },
    }
    pods = [
        pod("me", "600Mi"),
        pod("other", "900Mi", finished="2026-11-23T00:50:00Z"),
        pod("old", "1Mi", finished="2026-11-22T00:50:00Z"),
        pod("done", "1Gi", "Succeeded"),
    ]

    found = node_facts({"node": node, "nodepods": {"items": pods}}, "me", NOW)

    assert (found.allocatable_bytes, found.has_memory_pressure) == (1000 * MIB, True)
    assert found.limits_total_bytes == 1501 * MIB
    assert found.other_oom_kills == ("shop/other (c)",)


def test_kills_at_a_limit_are_not_the_nodes_where_it_is_known_when_that_ran_out():
    """With SystemOOM events: what has no limit counts, and what died within seconds of one; another's own limit does not."""

    def pod(name: str, finished: str, limit: str = "") -> dict[str, object]:
        killed = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": finished}}
        resources = {"limits": {"memory": limit}} if limit else {}
        return {
            "metadata": {"namespace": "shop", "name": name},
            "spec": {"containers": [{"name": "c", "resources": resources}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "c", "lastState": killed}]},
        }

    event = {"reason": "SystemOOM", "message": "System OOM encountered, victim process: c, pid: 7", "lastTimestamp": "2026-11-23T00:50:00Z"}
    pods = [
        pod("hungry", "2026-11-23T00:40:00Z"),
        pod("own-limit", "2026-11-23T00:48:00Z", "48Mi"),
        pod("victim", "2026-11-23T00:49:56Z", "48Mi"),
    ]
    answers = {"node": {"metadata": {"name": "n1"}}, "nodepods": {"items": pods}, "nodeevents": {"items": [event]}}

    assert node_facts(answers, "me", NOW).other_oom_kills == ("shop/hungry (c)", "shop/victim (c)")


def test_a_node_whose_pods_were_not_listed():
    """Unknown is not zero."""
    found = node_facts({"node": {"metadata": {"name": "n1"}}}, "me", NOW)

    assert found.limits_total_bytes is None
    assert found.has_memory_pressure is None
