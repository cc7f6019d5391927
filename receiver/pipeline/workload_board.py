"""Histories of workloads put together: what each had in a span of days, the worst of each namespace, and memory wasted and missing. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from receiver.diagnosis.advice.follow_up import HELD
from receiver.domain.incident import FIRING
from receiver.domain.incident_memory import GivenVerdict, WatchedFix
from receiver.domain.workload_history import (
    PastIncident,
    SeenLimit,
    WorkloadName,
    day_of,
    missing_bytes,
    wasted_bytes,
)
from receiver.store.workloads import KillDay, Sum

DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FixCount:
    """Fixes by what came of them. `open`: watched, and nothing is known of them yet."""

    held: int = 0
    failed: int = 0
    open: int = 0

    @property
    def all(self) -> int:
        """However they ended."""
        return self.held + self.failed + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadLine:
    """One workload. `kills_by_day`: of each day, the oldest first. `verdict`: of its newest incident. `containers`: by their newest limits.
    `newest_fix`: what came of it, as `outcome_of` says; None without one.

    `wasted_bytes`, `missing_bytes`: of all containers of which it is known; None where it is known of none.
    """

    name: WorkloadName
    incidents: int
    firing: int
    kills: int
    kills_by_day: tuple[int, ...]
    last_seen: float
    verdict: GivenVerdict | None
    newest_incident: str
    fixes: FixCount
    newest_fix: str | None
    containers: tuple[SeenLimit, ...]
    wasted_bytes: int | None
    missing_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceLine:
    """One namespace: its sums, and the workload that was killed most. Bytes: where they are known of any of its containers."""

    cluster: str
    namespace: str
    workloads: int
    kills: int
    worst: WorkloadName
    worst_kills: int
    wasted_bytes: int | None
    missing_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All of it, the worst first. `first_day`: of the span, days since 1970."""

    first_day: int
    days: int
    workloads: tuple[WorkloadLine, ...]


def outcome_of(fix: WatchedFix) -> str:
    """What came of a fix: `held`, what ended it (`did_not_hold`, `only_delayed`, `undone`), or empty while it is watched."""
    if fix.ended is not None:
        return fix.ended.outcome
    return HELD if fix.newest is not None and fix.newest.outcome == HELD else ""


def fix_count(fixes: Iterable[WatchedFix]) -> FixCount:
    """How many held, failed or are still watched."""
    outcomes = Counter("" if (outcome := outcome_of(f)) == "" else HELD if outcome == HELD else "failed" for f in fixes)
    return FixCount(held=outcomes[HELD], failed=outcomes["failed"], open=outcomes[""])


def board(
    past: Sequence[PastIncident], kills: Sequence[KillDay], limits: Mapping[tuple[str, str], SeenLimit], *, now: float, days: int = DAYS
) -> Board:
    """The board of the days that end with the day of `now`. `past`: the newest first."""
    first_day = day_of(now) - days + 1
    of_workload: dict[str, list[PastIncident]] = defaultdict(list)
    for one in past:
        of_workload[one.workload.id].append(one)
    killed: dict[str, list[KillDay]] = defaultdict(list)
    for kill in kills:
        killed[kill.workload_id].append(kill)
    newest: dict[str, list[SeenLimit]] = defaultdict(list)
    for (workload_id, _), limit in sorted(limits.items()):
        newest[workload_id].append(limit)
    lines = [
        _line(mine, killed[workload_id], newest[workload_id], first_day=first_day, days=days) for workload_id, mine in of_workload.items()
    ]
    lines.sort(key=lambda line: (-line.kills, -line.firing, -line.last_seen, line.name.namespace, line.name.name))
    return Board(first_day=first_day, days=days, workloads=tuple(lines))


def _line(
    past: Sequence[PastIncident], kills: Sequence[KillDay], limits: Sequence[SeenLimit], *, first_day: int, days: int
) -> WorkloadLine:
    by_day = Counter[int]()
    for kill in kills:
        by_day[kill.day] += kill.kills
    shown = tuple(by_day[first_day + i] for i in range(days))
    fixes = [fix for one in past for fix in one.fixes]
    return WorkloadLine(
        name=past[0].workload, incidents=len(past), firing=sum(one.state == FIRING for one in past), kills=sum(shown), kills_by_day=shown,
        last_seen=max(one.seen_at for one in past), verdict=next((one.verdict for one in past if one.verdict is not None), None),
        newest_incident=past[0].id, fixes=fix_count(fixes), newest_fix=outcome_of(max(fixes, key=lambda fix: fix.since)) if fixes else None,
        containers=tuple(limits),
        wasted_bytes=_known(wasted_bytes(limit, killed_since=_killed_since(kills, limit)) for limit in limits),
        missing_bytes=_known(missing_bytes(limit) for limit in limits),
    )  # fmt: skip


def _killed_since(kills: Sequence[KillDay], limit: SeenLimit) -> int:
    """Kills of the workload from the day on which the limit was first seen: which container's is not kept, so any counts."""
    return sum(kill.kills for kill in kills if kill.day >= day_of(limit.since))


def _known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def worst_first(found: Iterable[Sum]) -> list[Sum]:
    """The order of the list: the most kills, then what fires, then what was seen last."""
    return sorted(found, key=lambda one: (-one.kills, -one.firing, -one.last_seen, one.name.namespace, one.name.name))


def namespaces(found: Sequence[Sum], fits: Mapping[tuple[str, str], tuple[SeenLimit, bool]]) -> tuple[NamespaceLine, ...]:
    """The namespaces of these workloads, the most kills first. `found`: the worst first. `fits`: by workload and container, its limit, and
    whether something was killed under it.
    """
    limits: dict[str, list[tuple[SeenLimit, bool]]] = defaultdict(list)
    for (workload_id, _), fit in fits.items():
        limits[workload_id].append(fit)
    grouped: dict[tuple[str, str], list[Sum]] = defaultdict(list)
    for one in found:
        grouped[one.name.cluster, one.name.namespace].append(one)
    lines = []
    for (cluster, namespace), mine in grouped.items():
        of_mine = [fit for one in mine for fit in limits[one.id]]
        lines.append(
            NamespaceLine(
                cluster=cluster, namespace=namespace, workloads=len(mine), kills=sum(one.kills for one in mine), worst=mine[0].name,
                worst_kills=mine[0].kills, wasted_bytes=_known(wasted_bytes(limit, killed_since=int(killed)) for limit, killed in of_mine),
                missing_bytes=_known(missing_bytes(limit) for limit, _ in of_mine),
            )
        )  # fmt: skip
    return tuple(sorted(lines, key=lambda one: (-one.kills, one.cluster, one.namespace)))
