"""Incidents while they live: found by key or alias, opened, saved, closed, forgotten."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from receiver.domain.case import Case, case_from_json, subject_from_json, subject_to_json
from receiver.domain.identity import Subject
from receiver.domain.incident import FIRING, RESOLVED
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.memory_json import incident_memory, memory_to_json
from receiver.domain.units import from_epoch
from receiver.store import listing, quarantine, workloads
from receiver.store.database import Row, Tx, json_object

MERGED = "merged"  # the state of an incident that turned out to be another one
_STATES = (FIRING, RESOLVED, MERGED)
# All but the evidence, which is large and wanted rarely; the report too is more than whoever goes through all can use.
_COLUMNS = """i.id, i.key, i.state, i.severity, i.subject, i.opened_at, i.closed_at, i.resolved_at, i.first_seen, i.last_seen, i.revision,
    i.previous_id, i.data, i.gathered_at"""
SELECT = f"SELECT {_COLUMNS}, i.report FROM incident i"
# A workload that dies daily has many; the ids sort by time, and what is open is among the newest.
_OF_ALIAS = "SELECT incident_id FROM incident_alias WHERE key = :key ORDER BY incident_id DESC LIMIT 20"
SELECT_BRIEF = f"SELECT {_COLUMNS}, NULL AS report FROM incident i"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One row. Times are seconds since 1970."""

    id: str
    key: str
    state: str
    severity: str
    subject: Subject
    opened_at: float
    first_seen: float
    last_seen: float
    closed_at: float | None = None
    resolved_at: float | None = None
    revision: int = 0
    previous_id: str | None = None
    memory: IncidentMemory = field(default_factory=IncidentMemory)
    report: Mapping[str, Any] | None = None
    gathered_at: float | None = None


def find_open(tx: Tx, key: str) -> Incident | None:
    """The open incident of that key, or of an alias of it."""
    rows = tx.run(
        f"""{SELECT} WHERE i.closed_at IS NULL AND i.id IN (
               SELECT id FROM incident WHERE key = :key AND closed_at IS NULL UNION ALL SELECT incident_id FROM ({_OF_ALIAS}) AS of_alias)
           ORDER BY i.opened_at""",
        key=key,
    )
    return next(readable(tx, rows), None)


def last_closed(tx: Tx, key: str) -> Incident | None:
    """The newest closed incident of that key, which a new one links to."""
    rows = tx.run(
        f"""SELECT i.id FROM incident i WHERE i.closed_at IS NOT NULL AND i.state <> :merged AND i.id IN (
               SELECT id FROM (SELECT id FROM incident WHERE key = :key AND closed_at IS NOT NULL AND state <> :merged
                   ORDER BY opened_at DESC LIMIT 5) AS of_key
               UNION ALL SELECT incident_id FROM ({_OF_ALIAS}) AS of_alias)
           ORDER BY i.opened_at DESC LIMIT 5""",  # more than one, should it be unreadable
        key=key,
        merged=MERGED,
    )
    return next((incident for row in rows if (incident := load(tx, row["id"])) is not None), None)


def load(tx: Tx, incident_id: str) -> Incident | None:
    """An incident by its id. None when there is none, or none that can be read."""
    return next(readable(tx, tx.run(f"{SELECT} WHERE i.id = :id", id=incident_id)), None)


def load_brief(tx: Tx, incident_id: str) -> Incident | None:
    """An incident by its id without its report, which is much of it: for whoever goes through many."""
    return next(readable(tx, tx.run(f"{SELECT_BRIEF} WHERE i.id = :id", id=incident_id)), None)


def are_there(tx: Tx, incident_ids: Iterable[str]) -> frozenset[str]:
    """Which of these incidents are still kept."""
    return frozenset(one for one in incident_ids if tx.run("SELECT 1 FROM incident WHERE id = :id", id=one))


def insert(tx: Tx, incident: Incident) -> None:
    """Open a new incident."""
    tx.run(
        """INSERT INTO incident (id, key, state, severity, subject, opened_at, first_seen, last_seen, previous_id, data)
           VALUES (:id, :key, :state, :severity, :subject, :opened_at, :first_seen, :last_seen, :previous_id, :data)""",
        id=incident.id,
        key=incident.key,
        state=incident.state,
        severity=incident.severity,
        subject=_dump(subject_to_json(incident.subject)),
        opened_at=incident.opened_at,
        first_seen=incident.first_seen,
        last_seen=incident.last_seen,
        previous_id=incident.previous_id,
        data=_dump(memory_to_json(incident.memory)),
    )
    listing.put(tx, incident.id, incident.key, incident.subject, incident.memory)


def touch(tx: Tx, incident: Incident, *, state: str, severity: str, now: float) -> Incident:
    """Note that an alert of the incident changed it: firing again, or resolved."""
    resolved_at = (incident.resolved_at or now) if state == RESOLVED else None
    tx.run(
        "UPDATE incident SET state = :state, severity = :severity, resolved_at = :resolved_at, last_seen = :now, revision = revision + 1 WHERE id = :id",
        id=incident.id,
        state=state,
        severity=severity,
        resolved_at=resolved_at,
        now=now,
    )
    return replace(incident, state=state, severity=severity, resolved_at=resolved_at, last_seen=now, revision=incident.revision + 1)


def save_diagnosis(
    tx: Tx, incident: Incident, *, subject: Subject, memory: IncidentMemory, report: Mapping[str, Any] | None, case: Case | None
) -> None:
    """Write what an enrichment found. `case` None leaves the stored evidence as it is."""
    tx.run(
        "UPDATE incident SET subject = :subject, data = :data, report = :report, revision = revision + 1 WHERE id = :id",
        id=incident.id,
        subject=_dump(subject_to_json(subject)),
        data=_dump(memory_to_json(memory)),
        report=_dump(report) if report is not None else None,
    )
    listing.put(tx, incident.id, incident.key, subject, memory)
    if case is not None:
        tx.run(
            "UPDATE incident SET evidence = :evidence, gathered_at = :at WHERE id = :id",
            id=incident.id,
            evidence=zlib.compress(_dump(case.to_json()).encode()),
            at=case.gathered_at.timestamp(),
        )


def save_memory(tx: Tx, incident_id: str, memory: IncidentMemory) -> None:
    """Write only what the incident remembers."""
    tx.run("UPDATE incident SET data = :data WHERE id = :id", id=incident_id, data=_dump(memory_to_json(memory)))
    listing.put_memory(tx, incident_id, memory)


def evidence_of(tx: Tx, incident_id: str) -> Case | None:
    """The newest case of an incident."""
    rows = tx.run("SELECT id, evidence FROM incident WHERE id = :id AND evidence IS NOT NULL", id=incident_id)
    return quarantine.read(tx, quarantine.EVIDENCE, rows[0], _evidence) if rows else None


def has_case(tx: Tx, incident_id: str) -> bool:
    """Whether there is a case of it to replay."""
    return bool(tx.run("SELECT 1 FROM incident WHERE id = :id AND (evidence IS NOT NULL OR kept_evidence IS NOT NULL)", id=incident_id))


def keep_case(tx: Tx, incident_id: str) -> None:
    """Keep the newest case beside the ones to come, and the incident from being forgotten: somebody says the verdict is wrong."""
    tx.run("UPDATE incident SET kept_evidence = evidence WHERE id = :id AND evidence IS NOT NULL", id=incident_id)


def case_for_replay(tx: Tx, incident_id: str) -> Mapping[str, Any] | None:
    """The kept case as its document, else the newest one. None when there is none, or none that can be read."""
    rows = tx.run("SELECT kept_evidence, evidence FROM incident WHERE id = :id", id=incident_id)
    for stored in (rows[0]["kept_evidence"], rows[0]["evidence"]) if rows else ():
        try:
            return _unpacked(stored)
        except quarantine.UNREADABLE:
            continue
    return None


def add_aliases(tx: Tx, incident_id: str, keys: Iterable[str]) -> None:
    """Other keys under which this incident is found from now on."""
    for key in keys:
        tx.run("INSERT INTO incident_alias (key, incident_id) VALUES (:key, :id) ON CONFLICT DO NOTHING", key=key, id=incident_id)


def close(tx: Tx, incident_id: str, *, now: float, state: str) -> None:
    """End an incident's life."""
    tx.run("UPDATE incident SET closed_at = :now, state = :state WHERE id = :id", id=incident_id, now=now, state=state)


def merge(tx: Tx, *, duplicate_id: str, into_id: str, now: float) -> None:
    """End an incident that turned out to be another one; what leads to it leads to the other from now on."""
    tx.run(
        """INSERT INTO incident_alias (key, incident_id) SELECT key, :into_id FROM incident WHERE id = :dup
           UNION SELECT key, :into_id FROM incident_alias WHERE incident_id = :dup ON CONFLICT DO NOTHING""",
        into_id=into_id,
        dup=duplicate_id,
    )
    tx.run("DELETE FROM incident_alias WHERE incident_id = :dup", dup=duplicate_id)
    workloads.forget_incident(tx, duplicate_id)
    close(tx, duplicate_id, now=now, state=MERGED)


def forget(tx: Tx, key: str) -> bool:
    """Delete the incidents of that key with all that belongs to them; whether there were any."""
    ids = [row["id"] for row in tx.run("DELETE FROM incident WHERE key = :key RETURNING id", key=key)]
    for incident_id in ids:
        tx.run("DELETE FROM job WHERE subject_id = :id", id=incident_id)
    return bool(ids)


def is_firing(incident: Incident) -> bool:
    """Whether some alert of it fires."""
    return incident.state == FIRING


def readable(tx: Tx, rows: Iterable[Row]) -> Iterator[Incident]:
    """The incidents of these rows, one at a time. Those that cannot be read are quarantined."""
    for row in rows:
        incident = quarantine.read(tx, quarantine.INCIDENT, row, _incident)
        if incident is not None:
            yield incident


def _incident(row: Row) -> Incident:
    if row["state"] not in _STATES:
        raise ValueError(f"an incident's state is {row['state']!r}")
    return Incident(
        id=row["id"],
        key=row["key"],
        state=row["state"],
        severity=row["severity"],
        subject=subject_from_json(json_object(row["subject"])),
        opened_at=_time(row["opened_at"]),
        closed_at=_time_or_none(row["closed_at"]),
        resolved_at=_time_or_none(row["resolved_at"]),
        first_seen=_time(row["first_seen"]),
        last_seen=_time(row["last_seen"]),
        revision=int(row["revision"]),
        previous_id=row["previous_id"],
        memory=incident_memory(json_object(row["data"])),
        report=json_object(row["report"]) if row["report"] else None,
        gathered_at=_time_or_none(row["gathered_at"]),
    )


def _time(stored: float) -> float:
    """Seconds since 1970, as they are stored. An error of UNREADABLE when they are no date."""
    from_epoch(stored)
    return stored


def _time_or_none(stored: float | None) -> float | None:
    return _time(stored) if stored is not None else None


def _evidence(row: Row) -> Case:
    return case_from_json(_unpacked(row["evidence"]))


def _unpacked(stored: bytes) -> dict[str, Any]:
    return json_object(zlib.decompress(stored).decode())


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
