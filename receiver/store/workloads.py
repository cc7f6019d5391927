"""Histories of workloads: one row an incident, one a day with kills, one a limit. They outlive incidents, and are small.

They are bounded by age (KEPT_S) and by number (MOST_INCIDENTS); a container's limits by MOST_LIMITS. None of them is needed to tell an alert.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.domain.incident_memory import GivenVerdict, WatchedFix
from receiver.domain.typed_json import from_json, to_json
from receiver.domain.workload_history import DAY_S, MOST_LIMITS, PastIncident, SeenLimit, WorkloadName, day_of
from receiver.store.database import Row, Tx

KEPT_S = 92 * DAY_S  # three months: a page shows one, and the one before it to compare with
MOST_INCIDENTS = 20_000  # some 20 MiB with their kills and limits

_COLUMNS = "incident_id, workload_id, cluster, namespace, kind, name, container, opened_at, seen_at, state, kills, cause, confidence, detail, fixes"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillDay:
    """Kills of one incident on one day."""

    incident_id: str
    workload_id: str
    day: int
    kills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What the incidents of one workload add up to."""

    id: str
    name: WorkloadName
    incidents: int
    firing: int
    last_seen: float
    kills: int


def save(tx: Tx, past: PastIncident) -> None:
    """Write an incident as it is now."""
    name, verdict = past.workload, past.verdict
    tx.run(
        f"""INSERT INTO history_incident ({_COLUMNS})
            VALUES (:id, :workload_id, :cluster, :namespace, :kind, :name, :container, :opened_at, :seen_at, :state, :kills, :cause,
                :confidence, :detail, :fixes)
            ON CONFLICT (incident_id) DO UPDATE SET workload_id = excluded.workload_id, cluster = excluded.cluster,
                namespace = excluded.namespace, kind = excluded.kind, name = excluded.name, container = excluded.container,
                seen_at = excluded.seen_at, state = excluded.state, kills = excluded.kills, cause = excluded.cause,
                confidence = excluded.confidence, detail = excluded.detail, fixes = excluded.fixes""",
        id=past.id, workload_id=name.id, cluster=name.cluster, namespace=name.namespace, kind=name.kind, name=name.name,
        container=past.container, opened_at=past.opened_at, seen_at=past.seen_at, state=past.state, kills=past.kills,
        cause=verdict.cause if verdict is not None else "", confidence=verdict.confidence if verdict is not None else 0.0,
        detail=verdict.detail if verdict is not None else "",
        fixes=json.dumps([to_json(fix) for fix in past.fixes], ensure_ascii=False, separators=(",", ":")) if past.fixes else "",
    )  # fmt: skip


def add_kills(tx: Tx, incident_id: str, days: Mapping[int, int]) -> None:
    """So many more kills on these days."""
    for day, kills in days.items():
        tx.run(
            """INSERT INTO history_kills (incident_id, day, kills) VALUES (:id, :day, :kills)
               ON CONFLICT (incident_id, day) DO UPDATE SET kills = history_kills.kills + excluded.kills""",
            id=incident_id,
            day=day,
            kills=kills,
        )


def note_limit(tx: Tx, workload_id: str, seen: SeenLimit) -> None:
    """A look saw this limit: the newest row goes on when it is the same one, else another begins."""
    rows = tx.run(
        "SELECT since, limit_bytes, peak_bytes FROM history_limit WHERE workload_id = :id AND container = :container ORDER BY since DESC LIMIT 1",
        id=workload_id,
        container=seen.container,
    )
    newest = rows[0] if rows else None
    if newest is not None and (_bytes(newest["limit_bytes"]) == seen.limit_bytes or newest["since"] >= seen.since):
        peaks = [n for n in (_bytes(newest["peak_bytes"]), seen.peak_bytes) if n is not None]
        tx.run(
            """UPDATE history_limit SET seen_at = :seen_at, limit_bytes = :limit_bytes, peak_bytes = :peak_bytes, wanted_bytes = :wanted_bytes
               WHERE workload_id = :id AND container = :container AND since = :since""",
            id=workload_id, container=seen.container, since=newest["since"], seen_at=seen.seen_at, limit_bytes=seen.limit_bytes,
            peak_bytes=max(peaks, default=None), wanted_bytes=seen.wanted_bytes,
        )  # fmt: skip
        return
    tx.run(
        """INSERT INTO history_limit (workload_id, container, since, seen_at, limit_bytes, peak_bytes, wanted_bytes)
           VALUES (:id, :container, :since, :seen_at, :limit_bytes, :peak_bytes, :wanted_bytes)""",
        id=workload_id, container=seen.container, since=seen.since, seen_at=seen.seen_at, limit_bytes=seen.limit_bytes,
        peak_bytes=seen.peak_bytes, wanted_bytes=seen.wanted_bytes,
    )  # fmt: skip
    tx.run(
        """DELETE FROM history_limit WHERE workload_id = :id AND container = :container AND since < (
               SELECT MIN(kept.since) FROM (SELECT since FROM history_limit WHERE workload_id = :id AND container = :container
                   ORDER BY since DESC LIMIT :most) AS kept)""",
        id=workload_id,
        container=seen.container,
        most=MOST_LIMITS,
    )


def forget_incident(tx: Tx, incident_id: str) -> None:
    """It turned out to be another one, which has what it told."""
    tx.run("DELETE FROM history_incident WHERE incident_id = :id", id=incident_id)


def tidy(tx: Tx, *, now: float, limit: int) -> None:
    """Forget what is older than KEPT_S, and of too many the oldest, a batch at a time."""
    tx.run(
        "DELETE FROM history_incident WHERE incident_id IN (SELECT incident_id FROM history_incident WHERE seen_at < :before ORDER BY seen_at LIMIT :limit)",
        before=now - KEPT_S,
        limit=limit,
    )
    tx.run(
        """DELETE FROM history_incident WHERE incident_id IN (
               SELECT incident_id FROM history_incident ORDER BY seen_at DESC LIMIT :limit OFFSET :most)""",
        most=MOST_INCIDENTS,
        limit=limit,
    )
    tx.run(
        """DELETE FROM history_limit WHERE seen_at < :before OR seen_at < (
               SELECT MIN(kept.seen_at) FROM (SELECT seen_at FROM history_limit ORDER BY seen_at DESC LIMIT :most) AS kept)""",
        before=now - KEPT_S,
        most=MOST_INCIDENTS,
    )


def since(tx: Tx, seen_since: float, *, opened_before: float | None = None) -> list[PastIncident]:
    """The incidents that were seen since then, the newest first."""
    rows = tx.run(
        f"SELECT {_COLUMNS} FROM history_incident WHERE seen_at >= :since AND opened_at < :before ORDER BY seen_at DESC",
        since=seen_since,
        before=opened_before if opened_before is not None else 1e12,
    )
    return list(_readable(rows))


def of_workload(tx: Tx, workload_id: str, *, limit: int) -> list[PastIncident]:
    """A workload's incidents, the newest first."""
    rows = tx.run(
        f"SELECT {_COLUMNS} FROM history_incident WHERE workload_id = :id ORDER BY opened_at DESC LIMIT :limit",
        id=workload_id,
        limit=limit,
    )
    return list(_readable(rows))


def kills_since(tx: Tx, day: int) -> list[KillDay]:
    """Kills of every workload, day by day, since that day."""
    rows = tx.run(
        """SELECT k.incident_id, i.workload_id, k.day, k.kills FROM history_kills k
           JOIN history_incident i ON i.incident_id = k.incident_id WHERE k.day >= :day""",
        day=day,
    )
    return [KillDay(incident_id=r["incident_id"], workload_id=r["workload_id"], day=int(r["day"]), kills=int(r["kills"])) for r in rows]


def kills_of(tx: Tx, workload_id: str, *, since_at: float) -> list[KillDay]:
    """Kills of one workload, day by day."""
    rows = tx.run(
        """SELECT k.incident_id, i.workload_id, k.day, k.kills FROM history_incident i
           JOIN history_kills k ON k.incident_id = i.incident_id WHERE i.workload_id = :id AND k.day >= :day""",
        id=workload_id,
        day=day_of(since_at),
    )
    return [KillDay(incident_id=r["incident_id"], workload_id=r["workload_id"], day=int(r["day"]), kills=int(r["kills"])) for r in rows]


def limits_of(tx: Tx, workload_id: str) -> list[SeenLimit]:
    """The limits of a workload's containers that were seen, oldest first."""
    rows = tx.run(
        """SELECT container, since, seen_at, limit_bytes, peak_bytes, wanted_bytes FROM history_limit WHERE workload_id = :id
           ORDER BY container, since""",
        id=workload_id,
    )
    return [_limit(row) for row in rows]


def sums(tx: Tx, *, seen_since: float, first_day: int) -> list[Sum]:
    """Every workload with incidents that were seen since then, and its kills since that day."""
    kills = tx.run(
        """SELECT i.workload_id, SUM(k.kills) AS kills FROM history_kills k JOIN history_incident i ON i.incident_id = k.incident_id
           WHERE k.day >= :day GROUP BY i.workload_id""",
        day=first_day,
    )
    kills_of_one = {row["workload_id"]: int(row["kills"]) for row in kills}
    rows = tx.run(
        """SELECT workload_id, MIN(cluster) AS cluster, MIN(namespace) AS namespace, MIN(kind) AS kind, MIN(name) AS name,
               COUNT(*) AS incidents, SUM(CASE WHEN state = 'firing' THEN 1 ELSE 0 END) AS firing, MAX(seen_at) AS last_seen
           FROM history_incident WHERE seen_at >= :since GROUP BY workload_id""",
        since=seen_since,
    )
    return [
        Sum(
            id=row["workload_id"], name=_name(row), incidents=int(row["incidents"]), firing=int(row["firing"]), last_seen=row["last_seen"],
            kills=kills_of_one.get(row["workload_id"], 0),
        )
        for row in rows
    ]  # fmt: skip


def newest_limits(tx: Tx) -> dict[tuple[str, str], SeenLimit]:
    """By workload and container, the limit that was seen last."""
    return {place: limit for place, (limit, _) in newest_fits(tx).items()}


def newest_fits(tx: Tx) -> dict[tuple[str, str], tuple[SeenLimit, bool]]:
    """The same, each with whether something of the workload was killed from the day on which that limit was first seen."""
    rows = tx.run(
        """SELECT l.workload_id, l.container, l.since, l.seen_at, l.limit_bytes, l.peak_bytes, l.wanted_bytes,
               CASE WHEN EXISTS (SELECT 1 FROM history_incident i JOIN history_kills k ON k.incident_id = i.incident_id
                   WHERE i.workload_id = l.workload_id AND k.day > l.since / 86400.0 - 1) THEN 1 ELSE 0 END AS was_killed
           FROM history_limit l JOIN (SELECT workload_id, container, MAX(since) AS since FROM history_limit GROUP BY workload_id, container) AS newest
           ON newest.workload_id = l.workload_id AND newest.container = l.container AND newest.since = l.since"""
    )
    return {(row["workload_id"], row["container"]): (_limit(row), bool(row["was_killed"])) for row in rows}


def _limit(row: Row) -> SeenLimit:
    return SeenLimit(
        container=row["container"], since=row["since"], seen_at=row["seen_at"], limit_bytes=_bytes(row["limit_bytes"]),
        peak_bytes=_bytes(row["peak_bytes"]), wanted_bytes=_bytes(row["wanted_bytes"]),
    )  # fmt: skip


def _name(row: Row) -> WorkloadName:
    return WorkloadName(cluster=row["cluster"], namespace=row["namespace"], kind=row["kind"], name=row["name"])


def _bytes(stored: float | None) -> int | None:
    return int(stored) if stored is not None else None


def _readable(rows: list[Row]) -> Iterator[PastIncident]:
    for row in rows:
        verdict = GivenVerdict(cause=row["cause"], confidence=row["confidence"], detail=row["detail"]) if row["cause"] else None
        yield PastIncident(
            id=row["incident_id"], workload=_name(row), container=row["container"], opened_at=row["opened_at"], seen_at=row["seen_at"],
            state=row["state"], kills=int(row["kills"]), verdict=verdict, fixes=_fixes(row["fixes"]),
        )  # fmt: skip


def _fixes(stored: str) -> tuple[WatchedFix, ...]:
    """The fixes of an incident; none where a release that is not ours wrote them: the rest of the row still counts."""
    if not stored:
        return ()
    try:
        return tuple(from_json(WatchedFix, fix) for fix in json.loads(stored))
    except (ValueError, TypeError):
        return ()
