"""What the demo shows: which recording, what alert was sent for it, and what is recorded of it, in one line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.demo.standins import Incident
from receiver.domain.units import format_time

CLUSTER = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One incident of the demo. `folder` in recordings/; `container`: the one that the alert names."""

    folder: str
    container: str
    alertname: str
    severity: str
    summary: str
    origin: str


SCENARIOS = (
    Scenario(
        folder="orders-api-leak", container="orders-api", alertname="OOMKilled", severity="critical", summary="Container was OOMKilled.",
        origin="a leak, OOM killed four times: recorded pod and log, joined with the memory series of another process that was really killed",
    ),
    Scenario(
        folder="b-sidecar-oom", container="log-shipper", alertname="OOMKilled", severity="warning", summary="Container was OOMKilled.",
        origin="only the sidecar dies: recorded",
    ),
    Scenario(
        folder="e-liveness-137", container="search", alertname="KubePodCrashLooping", severity="warning", summary="Pod is crash looping.",
        origin="exit code 137 that is not an OOM: recorded",
    ),
    Scenario(
        folder="m-startup-oom", container="model-server", alertname="OOMKilled", severity="warning", summary="Container was OOMKilled.",
        origin="killed while it starts: recorded",
    ),
    Scenario(
        folder="d-child-oom", container="gunicorn", alertname="ChildProcessOOMKilled", severity="warning",
        summary="A process of the container was OOM-killed.", origin="a worker process is killed, the pod stays Running: recorded",
    ),
    Scenario(
        folder="n-page-cache", container="file-indexer", alertname="HighMemoryUsage", severity="warning",
        summary="Container uses most of its memory limit.", origin="file cache that looks like memory: recorded",
    ),
    Scenario(
        folder="modelestimation", container="modelestimation", alertname="OOMKilled", severity="critical", summary="Container was OOMKilled.",
        origin="a training job that loads all its data as it starts, with a quick fix (A) and the real one (B): composed, nothing of it was recorded",
    ),
)  # fmt: skip


def webhook_body(scenario: Scenario, incident: Incident, now: datetime) -> dict[str, Any]:
    """The body that Alertmanager would post for a scenario."""
    metadata = incident.pods[0].pod["metadata"]
    labels = {
        "alertname": scenario.alertname, "cluster": CLUSTER, "namespace": metadata["namespace"], "pod": metadata["name"],
        "container": scenario.container, "severity": scenario.severity, "incident": "memory",
    }  # fmt: skip
    alert = {
        "status": "firing", "labels": labels, "annotations": {"summary": scenario.summary}, "startsAt": format_time(now),
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}/{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "oomtriage", "groupLabels": {},
        "commonLabels": labels, "commonAnnotations": {}, "externalURL": "", "alerts": [alert],
    }  # fmt: skip
