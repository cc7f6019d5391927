"""The list as files: CSV for a spreadsheet, JSON for programs. Written line by line, so that a long one costs no memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from receiver.render.page.listing import ListKnown, document_of

SCHEMA = "oomtriage.incidents/v1"
COLUMNS = (
    "id", "state", "severity", "cluster", "namespace", "kind", "workload", "pod", "container", "node", "verdict", "cause", "confidence", "kills",
    "kills_24h", "opened_at", "last_kill_at", "last_seen", "closed_at", "acknowledged_by", "silenced_until", "owner",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes a cell that begins so


def as_csv(rows: Iterable[ListKnown]) -> Iterator[str]:
    """A line of names, and one for each incident."""
    yield _line(COLUMNS)
    for known in rows:
        yield _line(_cells(document_of(known)))


def as_json(rows: Iterable[ListKnown]) -> Iterator[str]:
    """One document, an incident a line."""
    yield f'{{"schema": "{SCHEMA}", "incidents": ['
    comma = ""
    for known in rows:
        yield f"{comma}\n{json.dumps(document_of(known), ensure_ascii=False)}"
        comma = ","
    yield "\n]}\n"


def _cells(document: dict[str, Any]) -> Iterator[str]:
    subject, verdict = document["subject"], document["verdict"] or {}
    workload = subject.get("workload") or {}
    flat = {
        **document, **subject, **verdict, "kind": workload.get("kind"), "workload": workload.get("name"), "verdict": verdict.get("text"),
        "kills_24h": sum(document["kills_by_hour"]), "owner": " ".join(f"{k}={v}" for k, v in document["owner"].items()),
    }  # fmt: skip
    return (_cell(flat.get(name)) for name in COLUMNS)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
