"""The lives of a workload's replicas, as Prometheus saw them: what one pod's own memory cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Points = tuple[tuple[float, float], ...]  # (seconds since 1970, value), oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLife:
    """One life of the container in one pod of the workload; where no series tells lives apart, all of that pod's.

    `floors`: bytes, the least of each step, of the process's own memory where it is scraped. `start_s` None: before what was asked for.
    `revision`: the name of the rollout's `Revision` that it ran; empty: not known.
    """

    pod: str
    floors: Points
    start_s: float | None = None
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Some pods of the workload, the subject's among them. `peaks`: by pod, the highest working set of each step.

    `rates`: by pod, the mean request rate of the last day, requests a second.
    """

    lives: tuple[ReplicaLife, ...] = ()
    peaks: Mapping[str, Points] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
