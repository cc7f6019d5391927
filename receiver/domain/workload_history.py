"""What is kept of a workload beyond its incidents' evidence: small rows that outlive it. Times are seconds since 1970, days count from then.

A workload's id is a hash of its names: they come from labels, and an id stands in addresses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from receiver.domain.identity import Subject
from receiver.domain.incident_memory import GivenVerdict, WatchedFix
from receiver.domain.kill_hours import by_span
from receiver.domain.kube_names import Workload

DAY_S = 86_400.0
NAME_MAX = 253  # as long as a name of Kubernetes may be; labels of strangers may be longer
MOST_FIXES = 9  # the newest, and as many before it as an incident remembers
MOST_LIMITS = 40  # of a container: an autoscaler changes one several times a day


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadName:
    """Which workload. `cluster` empty: not said."""

    cluster: str
    namespace: str
    kind: str
    name: str

    @property
    def id(self) -> str:
        """As addresses and rows name it."""
        return hashlib.sha256("\0".join((self.cluster, self.namespace, self.kind, self.name)).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """One incident, as its last publishing had it. `verdict` None: nothing was found out yet. `fixes`: oldest first."""

    id: str
    workload: WorkloadName
    container: str
    opened_at: float
    seen_at: float
    state: str
    kills: int
    verdict: GivenVerdict | None = None
    fixes: tuple[WatchedFix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLimit:
    """A limit of a container, from when to when it was seen. `limit_bytes` None: no limit was set.

    `peak_bytes`: the highest use that was seen at these looks, and `wanted_bytes` the limit that the newest of them proposed; None: not
    known, and no other.
    """

    container: str
    since: float
    seen_at: float
    limit_bytes: int | None
    peak_bytes: int | None = None
    wanted_bytes: int | None = None


def workload_of(subject: Subject) -> WorkloadName | None:
    """The workload of an incident; None of a node's and of one that only an alert's name tells apart."""
    workload = subject.workload or (Workload(kind="Pod", name=subject.pod) if subject.pod else None)
    if workload is None or not subject.namespace:
        return None
    cut = (name[:NAME_MAX] for name in (subject.cluster, subject.namespace, workload.kind, workload.name))
    cluster, namespace, kind, name = cut
    return WorkloadName(cluster=cluster, namespace=namespace, kind=kind, name=name)


def day_of(at: float) -> int:
    """The day, in UTC, of a time."""
    return int(at // DAY_S)


def kills_by_day(new_kills: int, times: Sequence[float], *, known_until: float | None, newest_at: float) -> Mapping[int, int]:
    """On which days that many kills happened, which were not known before. `times`: those that somebody recorded; `known_until`: of the
    newest that was known. Kills whose time nobody recorded count for the day of `newest_at`.
    """
    return dict(by_span(new_kills, times, known_until=known_until, newest_at=newest_at, span_s=DAY_S))


def wasted_bytes(limit: SeenLimit, *, killed_since: int) -> int | None:
    """How much of a limit nothing ever used; None where that is not known: no limit, no use seen, or killed at it."""
    if limit.limit_bytes is None or limit.peak_bytes is None or killed_since:
        return None
    return max(limit.limit_bytes - limit.peak_bytes, 0)


def missing_bytes(limit: SeenLimit) -> int | None:
    """How much more the newest look proposed; None where it proposed none."""
    if limit.limit_bytes is None or limit.wanted_bytes is None or limit.wanted_bytes <= limit.limit_bytes:
        return None
    return limit.wanted_bytes - limit.limit_bytes
