"""A list of deaths for a terminal and for programs: who died, when, how, and what is thought of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.case.deaths import Death
from receiver.domain.incident_memory import GivenVerdict
from receiver.domain.report import Report
from receiver.domain.units import format_quantity, format_time, human_duration
from receiver.render.table import table
from receiver.render.text import clean_line
from receiver.render.wording import say
from receiver.render.words import about, counted

SCHEMA = "oomtriage.deaths/v1"
FLOORS = {"NAMESPACE": 8, "POD": 12, "CONTAINER": 9}  # columns that give way on a narrow terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One death; `report`: of a look at it, or at another death of the same kind in its workload. None: nobody has looked into it."""

    death: Death
    report: Report | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaths:
    """Everything that died somewhere. `where`: `namespace shop`. `since_s` None: however long ago. `missing`: what could not be asked."""

    where: str
    now: datetime
    rows: tuple[Row, ...]
    pods: int
    since_s: float | None = None
    is_many_namespaces: bool = False
    missing: tuple[str, ...] = ()


def deaths_lines(found: Deaths, *, width: int | None = None) -> list[str]:
    """The table, its header first; empty when nothing died."""
    if not found.rows:
        return []
    header = ["AGO", "POD", "CONTAINER", "HOW", "LIVED", "RESTARTS", "LIMIT", "VERDICT"]
    namespaces = ["NAMESPACE"] if found.is_many_namespaces else []
    rows = [([row.death.namespace] if namespaces else []) + _cells(row, found.now) for row in found.rows]
    return table([*namespaces, *header], rows, width=width, floors=FLOORS)


def deaths_summary(found: Deaths) -> str:
    """`3 containers of 2 pods died in namespace shop in the last 1 h, 2 of them for memory`; or that nothing did."""
    when = f" in the last {human_duration(found.since_s)}" if found.since_s is not None else ""
    looked = counted(found.pods, "pod")
    if not found.rows:
        return f"Nothing died in {found.where}{when} ({looked} looked at)."
    for_memory = sum(1 for row in found.rows if _is_memory(row))
    unjudged = sum(1 for row in found.rows if row.report is None)
    more = f" {unjudged} not judged: --looks {len(found.rows)} does." if unjudged else ""
    return f"{counted(len(found.rows), 'container')} died in {found.where}{when}, {for_memory} for memory ({looked} looked at).{more}"


def _is_memory(row: Row) -> bool:
    return row.report.kill.kind.is_kill if row.report is not None else row.death.is_memory


def _cells(row: Row, now: datetime) -> list[str]:
    death = row.death
    how = death.reason or "?"
    code = f" {death.exit_code}" if death.exit_code is not None else ""
    gone = " (gone)" if death.is_gone else ""
    return [
        about((now - death.at).total_seconds()) if death.at is not None else "?",
        f"{death.pod}{gone}",
        death.container,
        f"{how}{code}",
        "?" if death.lived_s is None else human_duration(death.lived_s) if death.lived_s >= 1 else "<1 s",
        str(death.restarts),
        format_quantity(death.limit_bytes) if death.limit_bytes else "?" if death.is_gone or not death.container else "none",
        verdict_words(row),
    ]


def verdict_words(row: Row) -> str:
    """What a look found; without one what the status alone is worth."""
    report = row.report
    if report is not None:
        return say(GivenVerdict(cause=report.cause.name.value, confidence=report.cause.confidence, detail=report.cause.detail).as_reason())
    if row.death.is_memory:
        return "memory; not judged"
    return "killed; not judged" if row.death.may_be_memory else "not memory, it seems"


def deaths_document(found: Deaths) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "schema": SCHEMA, "where": found.where, "at": format_time(found.now), "since_s": found.since_s, "pods": found.pods,
        "missing": list(found.missing), "deaths": [_entry(row) for row in found.rows],
    }  # fmt: skip


def _entry(row: Row) -> Mapping[str, Any]:
    death, report = row.death, row.report
    return {
        "namespace": death.namespace, "pod": death.pod, "container": death.container,
        "workload": {"kind": death.workload.kind, "name": death.workload.name} if death.workload is not None else None,
        "reason": death.reason, "exit_code": death.exit_code, "at": format_time(death.at) if death.at is not None else None,
        "lived_s": death.lived_s, "restarts": death.restarts, "limit_bytes": death.limit_bytes, "is_gone": death.is_gone,
        "kill": {"kind": report.kill.kind.value, "sure": report.kill.is_sure} if report is not None else None,
        "cause": {"name": report.cause.name.value, "confidence": report.cause.confidence} if report is not None else None,
    }  # fmt: skip


def next_steps(found: Deaths, command: str) -> str:
    """The command that tells the whole story of the first row; `command`: how this program was called. Empty without a row."""
    if not found.rows:
        return ""
    death: Death = found.rows[0].death
    return f"The whole story: {command} -n {clean_line(death.namespace)} {clean_line(death.pod)}"


def notes(found: Deaths) -> Sequence[str]:
    """What could not be asked, a line each."""
    return [f"Not seen: {clean_line(said, 300)}" for said in found.missing]
