"""Accepted alerts: one row a state of an alert, whoever sends it and however often."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from receiver.domain.alerts import FIRING, RESOLVED, Alert, parse_alert
from receiver.domain.away import Gap, gap_at
from receiver.domain.typed_json import from_json, to_json
from receiver.domain.units import from_epoch
from receiver.store import quarantine
from receiver.store.database import Row, Tx

ALL = 2**31
SHOWN = 200  # of an incident's alerts: as many as a look and a message know one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What an intake did: `new` rows, and `duplicates` that only bumped last_seen. Their sum is the alerts in the body."""

    new: int
    duplicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An alert as it is stored. Smaller than the alert: of a large body only these are held."""

    dedup_key: str
    fingerprint: str
    status: str
    severity_rank: int
    starts_at: float
    payload: str
    late: Gap | None

    @classmethod
    def of(cls, alert: Alert) -> Arrival:
        """How an alert is stored."""
        payload = json.dumps({"v": 1, **alert.to_json()}, ensure_ascii=False)
        return cls(
            dedup_key=alert.dedup_key, fingerprint=alert.fingerprint, status=alert.status, severity_rank=alert.severity_rank,
            starts_at=alert.starts_at.timestamp(), payload=payload, late=alert.late,
        )  # fmt: skip


def accepted_at(tx: Tx, incident_id: str) -> float | None:
    """When the first alert of an incident was stored; None when it has none."""
    found = tx.run("SELECT MIN(first_seen) AS at FROM alert WHERE incident_id = :id", id=incident_id)[0]["at"]
    return float(found) if found is not None else None


def lock(tx: Tx, arrivals: Iterable[Arrival]) -> None:
    """Before `accept`, where several accept at once: what is known of these is ours, taken in an order that all keep to."""
    tx.run("SELECT 1 FROM alert WHERE dedup_key = ANY(:keys) ORDER BY dedup_key FOR UPDATE", keys=sorted({a.dedup_key for a in arrivals}))


def accept(tx: Tx, arrivals: Iterable[Arrival], *, now: float, gaps: Sequence[Gap] = ()) -> Accepted:
    """Store alerts to be folded into incidents; a known state of an alert is only noted as seen again. What began in one of `gaps`
    is marked as late.

    Unless the other state was seen meanwhile: Alertmanager resolves an alert of which it has not heard for a while, and when
    Prometheus is back the same alert fires again with the start it always had.
    """
    new = duplicates = 0
    for arrival in arrivals:
        payload = _with_lateness(arrival, gaps)
        rows = tx.run(
            """INSERT INTO alert (dedup_key, fingerprint, status, severity_rank, starts_at, payload, first_seen, last_seen)
               VALUES (:dedup_key, :fingerprint, :status, :severity_rank, :starts_at, :payload, :now, :now)
               ON CONFLICT (dedup_key) DO UPDATE SET last_seen = excluded.last_seen, times_seen = alert.times_seen + 1,
                   is_folded = CASE WHEN EXISTS (
                       SELECT 1 FROM alert o WHERE o.fingerprint = alert.fingerprint AND o.starts_at = alert.starts_at
                       AND o.status <> alert.status AND (o.last_seen > alert.last_seen OR alert.times_seen = 1)) THEN 0 ELSE alert.is_folded END
               RETURNING id, times_seen""",
            dedup_key=arrival.dedup_key,
            fingerprint=arrival.fingerprint,
            status=arrival.status,
            severity_rank=arrival.severity_rank,
            starts_at=arrival.starts_at,
            payload=payload,
            now=now,
        )
        if rows[0]["times_seen"] == 1:
            new += 1
        else:
            duplicates += 1
            if quarantine.holds(tx, quarantine.ALERT, rows[0]["id"]):
                _write_anew(tx, rows[0]["id"], payload)
    return Accepted(new=new, duplicates=duplicates)


def unfolded(tx: Tx, limit: int) -> list[tuple[int, Alert]]:
    """The oldest alerts that belong to no incident yet, in the order they came. Those that cannot be read are quarantined."""
    rows = tx.run("SELECT id, payload FROM alert WHERE is_folded = 0 ORDER BY id LIMIT :limit", limit=limit)
    return [(row["id"], alert) for row in rows if (alert := quarantine.read(tx, quarantine.ALERT, row, _alert)) is not None]


def backlog(tx: Tx) -> tuple[int, float | None]:
    """How many accepted alerts have not joined an incident yet, and since when the oldest waits."""
    row = tx.run("SELECT COUNT(*) AS n, MIN(first_seen) AS oldest FROM alert WHERE is_folded = 0")[0]
    return int(row["n"]), row["oldest"]


def has_unfolded(tx: Tx) -> bool:
    """Whether an alert waits to be folded."""
    return bool(tx.run("SELECT 1 FROM alert WHERE is_folded = 0 LIMIT 1"))


def mark_folded(tx: Tx, alert_id: int, alert: Alert, incident_id: str | None) -> None:
    """Note which incident an alert went to (None: it needs none, such as a heartbeat). A resolve of the same firing that came before
    it, and belonged to nothing then, goes there too.
    """
    tx.run("UPDATE alert SET is_folded = 1, incident_id = :incident_id WHERE id = :id", id=alert_id, incident_id=incident_id)
    if incident_id is None:
        return
    if alert.status == FIRING:
        tx.run(
            """UPDATE alert SET incident_id = :incident_id WHERE incident_id IS NULL AND is_folded = 1 AND status = 'resolved'
               AND fingerprint = :fingerprint AND starts_at = :starts_at""",
            incident_id=incident_id,
            fingerprint=alert.fingerprint,
            starts_at=alert.starts_at.timestamp(),
        )
    _settle(tx, incident_id, alert.fingerprint)


def _settle(tx: Tx, incident_id: str, fingerprint: str) -> None:
    """Mark which state of an alert holds in an incident: that of the newest start.

    A resolve ends the firing of the same start, whichever of the two arrived first.
    """
    rows = tx.run(
        """SELECT id, status, starts_at, last_seen, times_seen, is_newest FROM alert
           WHERE fingerprint = :fingerprint AND incident_id = :id ORDER BY starts_at DESC, id DESC LIMIT 2""",  # a start has two states at most
        fingerprint=fingerprint,
        id=incident_id,
    )
    if not rows:
        return
    newest = rows[0]
    if len(rows) > 1 and rows[1]["starts_at"] == newest["starts_at"] and not _supersedes(newest, rows[1]):
        newest = rows[1]
    if len(rows) > 1:
        tx.run(
            "UPDATE alert SET is_newest = 0 WHERE fingerprint = :fingerprint AND incident_id = :id AND is_newest = 1 AND id <> :newest",
            fingerprint=fingerprint,
            id=incident_id,
            newest=newest["id"],
        )
    if not newest["is_newest"]:
        tx.run("UPDATE alert SET is_newest = 1 WHERE id = :id", id=newest["id"])


def incident_of(tx: Tx, alert: Alert) -> str | None:
    """The incident that this alert's firing went to, by fingerprint and start."""
    rows = tx.run(
        """SELECT incident_id FROM alert WHERE fingerprint = :fingerprint AND incident_id IS NOT NULL
           ORDER BY CASE WHEN starts_at = :starts_at THEN 0 ELSE 1 END, starts_at DESC, id DESC LIMIT 1""",
        fingerprint=alert.fingerprint,
        starts_at=alert.starts_at.timestamp(),
    )
    return rows[0]["incident_id"] if rows else None


def newest_of(tx: Tx, incident_id: str, limit: int = SHOWN) -> tuple[Alert, ...]:
    """The newest state of each alert (fingerprint) of an incident, oldest start first. Of more than `limit` those that weigh most:
    firing before resolved, then by severity, then the newer ones.
    """
    while True:
        rows = tx.run(
            """SELECT id, payload, fingerprint, starts_at FROM alert WHERE incident_id = :id AND is_newest = 1
               ORDER BY status, severity_rank DESC, starts_at DESC, id DESC LIMIT :limit""",
            id=incident_id,
            limit=limit,
        )
        found = [(row, quarantine.read(tx, quarantine.ALERT, row, _alert)) for row in sorted(rows, key=lambda r: (r["starts_at"], r["id"]))]
        unreadable = {row["fingerprint"] for row, alert in found if alert is None}
        if not unreadable:
            return tuple(alert for _, alert in found if alert is not None)
        for fingerprint in unreadable:  # what is known of it otherwise holds now
            _settle(tx, incident_id, fingerprint)


def standing(tx: Tx, incident_id: str) -> tuple[str, int]:
    """What holds of an incident's alerts together: firing as long as one fires, and the highest rank of a severity among those."""
    rows = tx.run(
        "SELECT status, severity_rank FROM alert WHERE incident_id = :id AND is_newest = 1 ORDER BY status, severity_rank DESC LIMIT 1",
        id=incident_id,
    )
    return (rows[0]["status"], rows[0]["severity_rank"]) if rows else (RESOLVED, 1)


def last_repeat(tx: Tx, incident_id: str) -> float | None:
    """When a firing alert of an incident last came; seconds since 1970."""
    rows = tx.run("SELECT MAX(last_seen) AS seen FROM alert WHERE incident_id = :id AND status = 'firing'", id=incident_id)
    seen: float | None = rows[0]["seen"]
    return seen


def began_between(tx: Tx, start: float, end: float) -> list[Alert]:
    """What incidents know of alerts that began then, in any state. Seconds since 1970.

    Without a resolve that is of no incident: Alertmanager sends it with others of its group, and its firing never came.
    """
    rows = tx.run(
        "SELECT id, payload FROM alert WHERE starts_at BETWEEN :start AND :end AND (incident_id IS NOT NULL OR status = 'firing') ORDER BY id",
        start=start,
        end=end,
    )
    return _readable(tx, rows)


def newest(tx: Tx, limit: int) -> list[Alert]:
    """The alerts that came last, heartbeats too."""
    rows = tx.run("SELECT id, payload FROM alert ORDER BY last_seen DESC, id DESC LIMIT :limit", limit=limit)
    return _readable(tx, rows)


def firing(tx: Tx, *, seen_before: float) -> list[tuple[str, Alert]]:
    """Every alert that keeps an open incident firing, with the incident's id. `seen_before`: without those that came since."""
    rows = tx.run(
        """SELECT a.id, a.payload, a.incident_id FROM incident i JOIN alert a ON a.incident_id = i.id AND a.is_newest = 1
           WHERE i.closed_at IS NULL AND i.state = 'firing' AND a.status = 'firing' AND a.last_seen < :before
           ORDER BY i.opened_at, i.id, a.starts_at, a.id""",
        before=seen_before,
    )
    read = ((str(row["incident_id"]), quarantine.read(tx, quarantine.ALERT, row, _alert)) for row in rows)
    return [(incident_id, alert) for incident_id, alert in read if alert is not None]


def last_heartbeat(tx: Tx) -> float | None:
    """When an alert that needs no incident (severity `none`) was last seen firing; None when none ever was."""
    rows = tx.run(
        """SELECT last_seen FROM alert WHERE incident_id IS NULL AND is_folded = 1 AND status = 'firing'
           AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.kind = :kind AND q.row_id = CAST(alert.id AS TEXT))
           ORDER BY last_seen DESC LIMIT 1""",
        kind=quarantine.ALERT,
    )
    return float(rows[0]["last_seen"]) if rows else None


def _supersedes(row: Row, known: Row) -> bool:
    """Which of two states of the same firing holds: the resolve, unless the firing was seen again after it."""
    firing, resolve = (known, row) if row["status"] == RESOLVED else (row, known)
    is_back = firing["times_seen"] > 1 and firing["last_seen"] > resolve["last_seen"]
    return bool(row["status"] == RESOLVED) != bool(is_back)


def move(tx: Tx, *, from_incident: str, to_incident: str) -> None:
    """Give an incident's alerts to another, when two turned out to be one."""
    tx.run("UPDATE alert SET incident_id = :to_id WHERE incident_id = :from_id", from_id=from_incident, to_id=to_incident)
    doubled = tx.run(
        "SELECT fingerprint FROM alert WHERE incident_id = :id AND is_newest = 1 GROUP BY fingerprint HAVING COUNT(*) > 1", id=to_incident
    )
    for row in doubled:
        _settle(tx, to_incident, row["fingerprint"])


def rank_again(tx: Tx) -> None:
    """Write the rank of the severity to alerts that an older release stored, as far as an open incident goes by them."""
    rows = tx.run(
        "SELECT a.id, a.payload FROM alert a WHERE a.is_newest = 1 AND a.incident_id IN (SELECT id FROM incident WHERE closed_at IS NULL)"
        " OR a.is_folded = 0"
    )
    for row in rows:
        try:
            rank = _alert(row).severity_rank
        except quarantine.UNREADABLE:
            continue  # whoever needs it next puts it aside
        tx.run("UPDATE alert SET severity_rank = :rank WHERE id = :id", rank=rank, id=row["id"])


def _write_anew(tx: Tx, alert_id: int, payload: str) -> None:
    """An alert whose row could not be read was sent again: what was stored may have been torn, so the new text gets its chance."""
    if tx.run(
        "UPDATE alert SET payload = :payload, is_folded = 0 WHERE id = :id AND payload <> :payload RETURNING id",
        id=alert_id,
        payload=payload,
    ):
        quarantine.release(tx, quarantine.ALERT, alert_id)


def _with_lateness(arrival: Arrival, gaps: Sequence[Gap]) -> str:
    """What is stored of it: with the gap in which it began, where it began in one."""
    late = arrival.late or gap_at(gaps, from_epoch(arrival.starts_at))
    return f'{arrival.payload[:-1]}, "late": {json.dumps(to_json(late))}}}' if late is not None else arrival.payload


def _readable(tx: Tx, rows: Iterable[Row]) -> list[Alert]:
    """What can be read of these; the rest is quarantined."""
    return [alert for row in rows if (alert := quarantine.read(tx, quarantine.ALERT, row, _alert)) is not None]


def _alert(row: Row) -> Alert:
    document = json.loads(row["payload"])
    alert = parse_alert(document)
    return replace(alert, late=from_json(Gap, document["late"])) if "late" in document else alert
