"""Workloads as their pages show them: names cleaned, numbers in words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.incident_memory import GivenVerdict, WatchedFix
from receiver.domain.units import from_epoch, human_bytes
from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, WorkloadName, day_of, missing_bytes, wasted_bytes
from receiver.pipeline.workload_board import Board, FixCount, NamespaceLine, WorkloadLine, outcome_of
from receiver.render.text import clean_line
from receiver.render.wording import say
from receiver.store.workloads import KillDay, Sum

PAGE_SIZE = 50
NAME_MAX = 120  # characters of a name that a page shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day of a picture. `share`: of the highest one."""

    day: str
    kills: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRow:
    """One line of the list. `wasted`, `missing` empty: not known."""

    id: str
    cluster: str
    namespace: str
    name: str
    kind: str
    kills: int
    bars: tuple[Bar, ...]
    verdict: str
    incidents: int
    firing: int
    fixes: FixCount
    wasted: str
    missing: str
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRow:
    """One namespace, with its worst workload of the span."""

    cluster: str
    namespace: str
    workloads: int
    kills: int
    worst_id: str
    worst: str
    worst_kills: int
    wasted: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks for. `page` counts from 1."""

    namespace: str = ""
    q: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The workloads that fit, and those of the page, the worst first."""

    total: int
    kills: int
    page: int
    pages: int
    shown: tuple[Sum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadList:
    """A page of the list, and what was asked for."""

    rows: tuple[WorkloadRow, ...]
    namespaces: tuple[NamespaceRow, ...]
    total: int
    kills: int
    days: int
    page: int
    pages: int
    namespace: str = ""
    q: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit of a container. `limit` and `peak` empty: none set, and not known. Shares are of the largest of the container."""

    container: str
    since: datetime
    until: datetime
    is_newest: bool
    limit: str
    peak: str
    wanted: str
    wasted: str
    missing: str
    limit_share: float
    peak_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRow:
    """A fix, and what came of it: `held`, what ended it, or empty while it is watched. `what` empty: said, and nothing was seen."""

    at: datetime
    what: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """An incident of the workload. `is_kept` False: only this line is left of it."""

    id: str
    container: str
    opened_at: datetime
    seen_at: datetime
    state: str
    kills: int
    verdict: str
    fixes: tuple[FixRow, ...]
    is_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPage:
    """One workload."""

    row: WorkloadRow
    limits: tuple[LimitRow, ...]
    incidents: tuple[IncidentRow, ...]


def chosen(found: Sequence[Sum], asked: Asked) -> Chosen:
    """Those of the page that was asked for, of what fits; a page that is too high is the last. `found`: the worst first."""
    fitting = [one for one in found if _fits(one.name, asked)]
    pages = max(-(-len(fitting) // PAGE_SIZE), 1)
    page = min(max(asked.page, 1), pages)
    return Chosen(
        total=len(fitting), kills=sum(one.kills for one in fitting), page=page, pages=pages,
        shown=tuple(fitting[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]),
    )  # fmt: skip


def list_of(board: Board, of: Chosen, namespaces: Sequence[NamespaceLine], asked: Asked) -> WorkloadList:
    """The list, of which `board` has the lines that are shown."""
    return WorkloadList(
        rows=tuple(row_of(line, board) for line in board.workloads), total=of.total, kills=of.kills, days=board.days,
        namespaces=tuple(_namespace(one) for one in namespaces if one.kills), page=of.page, pages=of.pages, namespace=asked.namespace, q=asked.q,
    )  # fmt: skip


def row_of(line: WorkloadLine, board: Board) -> WorkloadRow:
    """One line as the list shows it."""
    most = max(line.kills_by_day, default=0)
    bars = tuple(
        Bar(day=f"{from_epoch((board.first_day + i) * DAY_S):%Y-%m-%d}", kills=kills, share=kills / most if most else 0.0)
        for i, kills in enumerate(line.kills_by_day)
    )
    return WorkloadRow(
        id=line.name.id, cluster=_name(line.name.cluster), namespace=_name(line.name.namespace), name=_name(line.name.name),
        kind=_name(line.name.kind), kills=line.kills, bars=bars, verdict=_verdict(line.verdict), incidents=line.incidents, firing=line.firing,
        fixes=line.fixes, wasted=_size(line.wasted_bytes), missing=_size(line.missing_bytes), last_seen=from_epoch(line.last_seen),
    )  # fmt: skip


def page_of(
    board: Board, past: Sequence[PastIncident], limits: Sequence[SeenLimit], kills: Sequence[KillDay], *, kept: Collection[str]
) -> WorkloadPage:
    """The page of the one workload on `board`. `kept`: incidents that still have a page of their own."""
    return WorkloadPage(
        row=row_of(board.workloads[0], board),
        limits=tuple(_limits(limits, kills)),
        incidents=tuple(
            IncidentRow(
                id=one.id, container=_name(one.container), opened_at=from_epoch(one.opened_at), seen_at=from_epoch(one.seen_at),
                state=one.state, kills=one.kills, verdict=_verdict(one.verdict), fixes=tuple(_fix(fix) for fix in one.fixes), is_kept=one.id in kept,
            )
            for one in past
        ),
    )  # fmt: skip


def _limits(limits: Sequence[SeenLimit], kills: Sequence[KillDay]) -> Iterable[LimitRow]:
    newest = {limit.container: limit for limit in limits}
    for limit in sorted(limits, key=lambda one: (one.container, -one.since)):
        of_same = [one for one in limits if one.container == limit.container]
        top = max((n for one in of_same for n in (one.limit_bytes, one.peak_bytes, one.wanted_bytes) if n), default=0)
        killed = sum(kill.kills for kill in kills if day_of(limit.since) <= kill.day <= day_of(limit.seen_at))
        is_newest = newest[limit.container] is limit
        yield LimitRow(
            container=_name(limit.container), since=from_epoch(limit.since), until=from_epoch(limit.seen_at), is_newest=is_newest,
            limit=_size(limit.limit_bytes), peak=_size(limit.peak_bytes), wanted=_size(limit.wanted_bytes),
            wasted=_size(wasted_bytes(limit, killed_since=killed)), missing=_size(missing_bytes(limit)) if is_newest else "",
            limit_share=(limit.limit_bytes or 0) / top if top else 0.0, peak_share=(limit.peak_bytes or 0) / top if top else 0.0,
        )  # fmt: skip


def _fix(fix: WatchedFix) -> FixRow:
    return FixRow(at=fix.since, what=clean_line(say(fix.changes[0].as_reason()), 120) if fix.changes else "", outcome=outcome_of(fix))


def _namespace(line: NamespaceLine) -> NamespaceRow:
    return NamespaceRow(
        cluster=_name(line.cluster), namespace=_name(line.namespace), workloads=line.workloads, kills=line.kills, worst_id=line.worst.id,
        worst=_name(line.worst.name), worst_kills=line.worst_kills, wasted=_size(line.wasted_bytes), missing=_size(line.missing_bytes),
    )  # fmt: skip


def _fits(name: WorkloadName, asked: Asked) -> bool:
    if asked.namespace and name.namespace != asked.namespace:
        return False
    names = f"{name.cluster} {name.namespace}/{name.name} {name.kind}".lower()
    return all(part in names for part in asked.q.lower().split())


def _verdict(verdict: GivenVerdict | None) -> str:
    return say(verdict.named.as_reason()) if verdict is not None else ""


def _name(name: str) -> str:
    return clean_line(name, NAME_MAX)


def _size(n_bytes: int | None) -> str:
    return human_bytes(n_bytes) if n_bytes is not None else ""
