"""Workloads as JSON, `oomtriage.workloads/v1`: docs/api.md. Times RFC 3339 UTC, bytes integers; null: not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from receiver.domain.incident_memory import GivenVerdict, WatchedFix
from receiver.domain.units import format_time, from_epoch
from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, missing_bytes
from receiver.pipeline.workload_board import Board, NamespaceLine, WorkloadLine, outcome_of
from receiver.web.workloads.view import PAGE_SIZE, Chosen

SCHEMA = "oomtriage.workloads/v1"


def list_document(board: Board, of: Chosen, namespaces: Sequence[NamespaceLine]) -> dict[str, Any]:
    """The page of the list, of which `board` has the lines."""
    return {
        "schema": SCHEMA, "from": _day(board.first_day), "days": board.days, "total": of.total, "kills": of.kills, "page": of.page,
        "pages": of.pages, "page_size": PAGE_SIZE,
        "workloads": [workload_document(line, board) for line in board.workloads],
        "namespaces": [
            {
                "cluster": one.cluster, "namespace": one.namespace, "workloads": one.workloads, "kills": one.kills,
                "worst": {"id": one.worst.id, "kind": one.worst.kind, "name": one.worst.name, "kills": one.worst_kills},
                "wasted_bytes": one.wasted_bytes, "missing_bytes": one.missing_bytes,
            }
            for one in namespaces
        ],
    }  # fmt: skip


def workload_document(line: WorkloadLine, board: Board) -> dict[str, Any]:
    """One workload of the list."""
    name = line.name
    return {
        "id": name.id, "cluster": name.cluster, "namespace": name.namespace, "workload": {"kind": name.kind, "name": name.name},
        "kills": line.kills, "kills_by_day": {_day(board.first_day + i): n for i, n in enumerate(line.kills_by_day) if n},
        "incidents": line.incidents, "firing": line.firing, "last_seen": _time(line.last_seen), "newest_incident": line.newest_incident,
        "verdict": _verdict(line.verdict), "fixes": {"held": line.fixes.held, "failed": line.fixes.failed, "watched": line.fixes.open},
        "wasted_bytes": line.wasted_bytes, "missing_bytes": line.missing_bytes,
        "limits": [_limit(limit) for limit in line.containers],
    }  # fmt: skip


def one_document(board: Board, past: Sequence[PastIncident], limits: Sequence[SeenLimit]) -> dict[str, Any]:
    """One workload with its incidents and all limits that were seen."""
    return {
        "schema": SCHEMA, "from": _day(board.first_day), "days": board.days, **workload_document(board.workloads[0], board),
        "limits": [_limit(limit) for limit in limits],
        "history": [
            {
                "incident": one.id, "container": one.container, "opened_at": _time(one.opened_at), "seen_at": _time(one.seen_at),
                "state": one.state, "kills": one.kills, "verdict": _verdict(one.verdict), "fixes": [_fix(fix) for fix in one.fixes],
            }
            for one in past
        ],
    }  # fmt: skip


def _fix(fix: WatchedFix) -> dict[str, Any]:
    return {
        "since": format_time(fix.since), "outcome": outcome_of(fix) or "watched",
        "changes": [
            {"what": str(c.what), "at": format_time(c.at), "before": c.before_bytes or c.before or None, "after": c.after_bytes or c.after or None}
            for c in fix.changes
        ],
    }  # fmt: skip


def _limit(limit: SeenLimit) -> dict[str, Any]:
    return {
        "container": limit.container, "since": _time(limit.since), "seen_at": _time(limit.seen_at), "limit_bytes": limit.limit_bytes,
        "peak_bytes": limit.peak_bytes, "proposed_bytes": limit.wanted_bytes, "missing_bytes": missing_bytes(limit),
    }  # fmt: skip


def _verdict(verdict: GivenVerdict | None) -> dict[str, Any] | None:
    return {"cause": verdict.named_cause, "confidence": verdict.confidence} if verdict is not None else None


def _day(day: int) -> str:
    return f"{from_epoch(day * DAY_S):%Y-%m-%d}"


def _time(at: float) -> str:
    return format_time(from_epoch(round(at)))
