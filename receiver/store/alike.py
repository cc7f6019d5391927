"""Incidents that are like another one, by rule: the same workload, the same error in the log, the same image, the same node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from receiver.domain import drill
from receiver.domain.identity import Subject
from receiver.domain.incident_memory import IncidentMemory
from receiver.store import incidents
from receiver.store.database import Tx
from receiver.store.incidents import Incident

WORKLOAD, SIGNATURE, IMAGE, NODE = RULES = ("workload", "signature", "image", "node")  # what says most about a cause comes first
MOST = 5
_LOOKED_AT = 20  # the newest of each rule
_VALUE_MAX = 600

Mark = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """An incident that is like the one asked for, and by which rules."""

    incident: Incident
    rules: tuple[str, ...]


def marks_of(subject: Subject, memory: IncidentMemory, report: Mapping[str, Any] | None) -> frozenset[Mark]:
    """What an incident can be found by, as (rule, value)."""
    return frozenset((rule, value[:_VALUE_MAX]) for rule, value in _marks(subject, memory, report) if value)


def _marks(subject: Subject, memory: IncidentMemory, report: Mapping[str, Any] | None) -> Iterator[Mark]:
    workload = subject.workload
    if workload is not None:
        yield WORKLOAD, "/".join((subject.cluster, subject.namespace, workload.kind, workload.name))
    signature = (report or {}).get("signature")
    if isinstance(signature, Mapping) and isinstance(signature.get("id"), str):
        yield SIGNATURE, signature["id"]
    yield IMAGE, memory.settings.image
    if memory.look is not None and memory.look.node:
        yield NODE, f"{subject.cluster}/{memory.look.node}"


def mark(tx: Tx, incident: Incident) -> None:
    """Let an incident be found by what is known of it. What it had before stays: it was on that node too. A test alert is like nothing."""
    if drill.is_key(incident.key):
        return
    for rule, value in sorted(marks_of(incident.subject, incident.memory, incident.report)):
        tx.run(
            "INSERT INTO incident_mark (kind, value, incident_id) VALUES (:kind, :value, :id) ON CONFLICT DO NOTHING",
            kind=rule, value=value, id=incident.id,
        )  # fmt: skip


def mark_all(tx: Tx) -> None:
    """The same of every incident there is: for a store of a release that did not."""
    for row in tx.run("SELECT id FROM incident WHERE state <> :merged", merged=incidents.MERGED):
        if (incident := incidents.load(tx, row["id"])) is not None:
            mark(tx, incident)


def like(tx: Tx, incident_id: str, *, most: int = MOST) -> list[Like]:
    """The incidents most like this one: by the number of rules, then by what a rule says of a cause, the newest first."""
    own = _marks_in(tx, incident_id)
    found = {other for rule, value in own for other in _others(tx, rule, value, incident_id)}
    rules = {other: tuple(sorted({r for r, _ in own & _marks_in(tx, other)}, key=RULES.index)) for other in found}
    newest_first = sorted(found, reverse=True)
    ranked = sorted(newest_first, key=lambda other: (-len(rules[other]), RULES.index(rules[other][0])))
    chosen = ((incidents.load_brief(tx, other), rules[other]) for other in ranked)
    likes = (Like(incident=one, rules=why) for one, why in chosen if one is not None and one.state != incidents.MERGED)
    return [one for one, _ in zip(likes, range(most), strict=False)]


def _marks_in(tx: Tx, incident_id: str) -> frozenset[Mark]:
    rows = tx.run("SELECT kind, value FROM incident_mark WHERE incident_id = :id", id=incident_id)
    return frozenset((row["kind"], row["value"]) for row in rows if row["kind"] in RULES)


def _others(tx: Tx, rule: str, value: str, incident_id: str) -> list[str]:
    rows = tx.run(
        "SELECT incident_id FROM incident_mark WHERE kind = :kind AND value = :value AND incident_id <> :id ORDER BY incident_id DESC LIMIT :n",
        kind=rule, value=value, id=incident_id, n=_LOOKED_AT,
    )  # fmt: skip
    return [row["incident_id"] for row in rows]
