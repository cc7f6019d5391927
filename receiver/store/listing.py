"""The list of incidents: filtered, counted and sorted by what needs a person, without reading what each of them remembers.

What SQL cannot read out of an incident's memory stands in `incident_listed`, written with it. What changes by time alone (a silence ends)
or by the incident's row (it resolves, it closes) is asked of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain import drill, kill_hours
from receiver.domain.identity import Subject
from receiver.domain.incident_memory import IncidentMemory
from receiver.store.database import Tx

FIRING, NOT_FIXED, ACKNOWLEDGED, SILENCED, WATCHED, CLOSED = STAGES = (
    "firing", "not_fixed", "acknowledged", "silenced", "fix_watched", "closed",
)  # fmt: skip
OPEN = "open"  # every stage but the last
SEVERITIES = ("critical", "warning", "info")  # others stand between the second and the third
MOST_NAMESPACES = 200
_WORDS_MAX, _NAME_MAX, _MOST_PODS = 2000, 253, 20

_STAGE = f"""CASE WHEN i.closed_at IS NOT NULL THEN '{CLOSED}' WHEN l.silenced_until > :now THEN '{SILENCED}'
    WHEN l.has_fix = 1 THEN '{WATCHED}' WHEN i.state <> 'firing' THEN '{NOT_FIXED}'
    WHEN l.is_owned = 1 THEN '{ACKNOWLEDGED}' ELSE '{FIRING}' END"""
_RANK = "CASE f.stage " + " ".join(f"WHEN '{stage}' THEN {n}" for n, stage in enumerate(STAGES)) + " END"
_ORDER = f"""ORDER BY {_RANK}, CASE WHEN f.stage = '{CLOSED}' THEN 0 WHEN f.severity = 'critical' THEN 0 WHEN f.severity = 'warning' THEN 1
    WHEN f.severity = 'info' THEN 3 ELSE 2 END, f.at DESC, f.id DESC"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is asked for; empty: anything. `stage`: one of STAGES, or OPEN. `words`: each must occur. `since`: seconds since 1970, of
    what still fired then or changed later.
    """

    namespace: str = ""
    cause: str = ""
    severity: str = ""
    stage: str = ""
    words: tuple[str, ...] = ()
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An incident's place in the list. `kills`: by hour of the last day, the running one last."""

    id: str
    stage: str
    kills: tuple[int, ...]


def put(tx: Tx, incident_id: str, key: str, subject: Subject, memory: IncidentMemory) -> None:
    """Write what the list knows of an incident. A test alert is in no list."""
    if drill.is_key(key):
        return
    tx.run(
        """INSERT INTO incident_listed (incident_id, namespace, place, cause, is_owned, has_fix, silenced_until, remembered)
           VALUES (:id, :namespace, :place, :cause, :is_owned, :has_fix, :silenced_until, :remembered)
           ON CONFLICT (incident_id) DO UPDATE SET namespace = excluded.namespace, place = excluded.place, cause = excluded.cause,
               is_owned = excluded.is_owned, has_fix = excluded.has_fix, silenced_until = excluded.silenced_until, remembered = excluded.remembered""",
        id=incident_id, namespace=_clean(subject.namespace)[:_NAME_MAX], place=_place(subject), **_remembered(memory),
    )  # fmt: skip


def put_memory(tx: Tx, incident_id: str, memory: IncidentMemory) -> None:
    """The same where only its memory changed."""
    tx.run(
        """UPDATE incident_listed SET cause = :cause, is_owned = :is_owned, has_fix = :has_fix, silenced_until = :silenced_until,
               remembered = :remembered WHERE incident_id = :id""",
        id=incident_id, **_remembered(memory),
    )  # fmt: skip


def note_kills(
    tx: Tx, incident_id: str, new_kills: int, times: Sequence[float], *, known_until: float | None, newest_at: float | None, now: float
) -> None:
    """So many kills that were not known before: see `kill_hours.with_kills`."""
    for row in tx.run("SELECT kill_hours FROM incident_listed WHERE incident_id = :id", id=incident_id):
        hours = kill_hours.with_kills(_hours(row["kill_hours"]), new_kills, times, known_until=known_until, newest_at=newest_at)
        text = kill_hours.as_text(hours, now=now)
        tx.run("UPDATE incident_listed SET kill_hours = :hours WHERE incident_id = :id", id=incident_id, hours=text)


def page(tx: Tx, wanted: Filter, *, now: float, limit: int, offset: int = 0) -> list[Listed]:
    """A part of the list, what needs a person first."""
    found, params = _found(wanted, now)
    stage = _of_stage(wanted.stage)
    rows = tx.run(
        f"SELECT f.id, f.stage, f.kill_hours FROM ({found}) AS f WHERE {stage} {_ORDER} LIMIT :limit OFFSET :offset",
        **params, **({"stage": wanted.stage} if wanted.stage in STAGES else {}), limit=limit, offset=offset,
    )  # fmt: skip
    return [Listed(id=row["id"], stage=row["stage"], kills=kill_hours.shown(_hours(row["kill_hours"]), now=now)) for row in rows]


def counts(tx: Tx, wanted: Filter, *, now: float) -> dict[str, int]:
    """How many there are of each stage, whichever stage is asked for."""
    found, params = _found(wanted, now)
    rows = tx.run(f"SELECT f.stage, COUNT(*) AS n FROM ({found}) AS f GROUP BY f.stage", **params)
    by_stage = {row["stage"]: int(row["n"]) for row in rows}
    return {stage: by_stage.get(stage, 0) for stage in STAGES}


def namespaces(tx: Tx) -> list[str]:
    """Those that incidents are in."""
    rows = tx.run("SELECT DISTINCT namespace FROM incident_listed WHERE namespace <> '' ORDER BY namespace LIMIT :n", n=MOST_NAMESPACES)
    return [row["namespace"] for row in rows]


def how_many(count: Mapping[str, int], stage: str) -> int:
    """How many of these a stage, OPEN or everything (empty) has."""
    if stage == OPEN:
        return sum(n for one, n in count.items() if one != CLOSED)
    return count[stage] if stage else sum(count.values())


def _found(wanted: Filter, now: float) -> tuple[str, dict[str, Any]]:
    """The statement that finds what is asked for, of every stage, and its parameters."""
    where, params = ["i.state <> 'merged'"], {"now": now}  # type: list[str], dict[str, Any]
    for column, value in (("l.namespace", wanted.namespace), ("l.cause", wanted.cause), ("i.severity", wanted.severity)):
        if value:
            name = column.partition(".")[2]
            where.append(f"{column} = :{name}")
            params[name] = value
    for n, word in enumerate(wanted.words):
        where.append(f"(l.place LIKE :word{n} ESCAPE '!' OR l.remembered LIKE :word{n} ESCAPE '!')")
        params[f"word{n}"] = f"%{_literal(word.lower())}%"
    if wanted.since is not None:
        where.append("((i.closed_at IS NULL AND i.state = 'firing') OR i.last_seen >= :since)")
        params["since"] = wanted.since
    return (
        f"""SELECT i.id, i.severity, COALESCE(i.closed_at, i.last_seen) AS at, l.kill_hours, {_STAGE} AS stage
            FROM incident_listed l JOIN incident i ON i.id = l.incident_id WHERE {" AND ".join(where)}""",
        params,
    )


def _of_stage(stage: str) -> str:
    if stage == OPEN:
        return f"f.stage <> '{CLOSED}'"
    return "f.stage = :stage" if stage else "f.stage <> ''"


def _literal(word: str) -> str:
    """A word in which LIKE finds no wildcards."""
    return word.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _place(subject: Subject) -> str:
    """In small letters, which both databases compare alike."""
    workload = subject.workload
    path = "/".join(part for part in (subject.namespace, workload.name if workload else "", subject.container) if part)
    words = (subject.cluster, path, workload.kind if workload else "", subject.pod, subject.node)
    return _clean(" ".join(word[:_NAME_MAX] for word in words if word)).lower()


def _remembered(memory: IncidentMemory) -> dict[str, Any]:
    look, silence = memory.look, memory.silence
    people = (
        memory.acknowledged.by if memory.acknowledged is not None else "",
        *memory.owner.labels.values(),
        *memory.owner.annotations.values(),
    )
    words = (*memory.pods[:_MOST_PODS], look.node if look is not None else "", memory.settings.image, *people)
    return {
        "cause": look.verdict.named_cause if look is not None else "",
        "is_owned": int(memory.acknowledged is not None),
        "has_fix": int(memory.standing_watch is not None or memory.standing_fix is not None),
        "silenced_until": silence.until.timestamp() if silence is not None and silence.until is not None else None,
        "remembered": _clean(" ".join(word for word in words if word)).lower()[:_WORDS_MAX],
    }


def _clean(text: str) -> str:
    """Without the one character that PostgreSQL takes in no text."""
    return text.replace("\0", "")


def _hours(stored: str) -> Mapping[int, int]:
    try:
        return kill_hours.hours_of(stored)
    except ValueError:
        return {}
