"""How a workload runs: for ever, on a schedule, or once. What comes next, and whether anything comes back, depends on it."""

from __future__ import annotations

from enum import StrEnum

from receiver.domain.facts import PodFacts
from receiver.domain.kube_names import Workload


class Runs(StrEnum):
    """The three kinds."""

    FOR_EVER = "for_ever"
    ON_SCHEDULE = "on_schedule"
    ONCE = "once"


def runs_of(workload: Workload | None, pod: PodFacts | None) -> Runs:
    """By the kind of what a person edits; a bare pod by its restart policy: only Always brings its containers back whatever they did."""
    kind = workload.kind if workload is not None else ""
    if kind == "CronJob":
        return Runs.ON_SCHEDULE
    if kind == "Job":
        return Runs.ONCE
    if kind == "Pod" and pod is not None and pod.restart_policy in ("Never", "OnFailure"):
        return Runs.ONCE
    return Runs.FOR_EVER
