"""Rows that cannot be read: quarantined one by one, so that none of them stops the rest.

A row is written by this program and read back by it, so an unreadable one is a fault: of ours, of another release, of the
volume. It stays as it is, for a person to look at, and out of every query's way, across restarts too. What it leaves
undone is made good where it can be: the alerts of a quarantined incident are folded anew (once), a message or a
conversation is written anew by the next look, evidence is gathered anew.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from receiver.errors import PayloadError
from receiver.store.database import LATEST_S, Row, Tx

log = logging.getLogger(__name__)

ALERT, JOB, MESSAGE, INCIDENT, EVIDENCE, CONVERSATION = "alert", "job", "message", "incident", "evidence", "conversation"
KINDS = (ALERT, JOB, MESSAGE, INCIDENT, EVIDENCE, CONVERSATION)
MAX_WHY = 300

# What reading malformed data raises: JSON, compression, missing keys, wrong types, numbers and times out of range.
UNREADABLE = (PayloadError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, zlib.error)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kind:
    """`remove`: statements that take the row `:id` out of the way, for the reason `:why`. `holds`: true of row `q` of the
    quarantine as long as what it names is still in there.
    """

    remove: tuple[str, ...]
    holds: str


_KINDS: Mapping[str, _Kind] = {
    ALERT: _Kind(
        ("UPDATE alert SET is_folded = 1, incident_id = NULL, is_newest = 0 WHERE id = :id",),
        "SELECT 1 FROM alert a WHERE a.id = CAST(q.row_id AS BIGINT)",
    ),
    JOB: _Kind(
        ("UPDATE job SET state = 'dead', last_error = :why WHERE id = :id",),
        "SELECT 1 FROM job j WHERE j.id = CAST(q.row_id AS BIGINT) AND j.state = 'dead'",
    ),
    MESSAGE: _Kind(
        ("UPDATE message SET state = 'dead', last_error = :why WHERE id = :id",),
        "SELECT 1 FROM message m WHERE m.id = q.row_id AND m.state = 'dead'",
    ),
    INCIDENT: _Kind(
        (
            # Once for each alert: should the next incident be unreadable too, there is no third.
            """UPDATE alert SET is_folded = 0, incident_id = NULL, is_newest = 0, times_refolded = times_refolded + 1
               WHERE incident_id = (SELECT id FROM incident WHERE id = :id AND closed_at IS NULL) AND times_refolded = 0""",
            "UPDATE incident SET closed_at = COALESCE(closed_at, CAST(last_seen AS DOUBLE PRECISION)) WHERE id = :id",
        ),
        "SELECT 1 FROM incident i WHERE i.id = q.row_id",
    ),
    EVIDENCE: _Kind(
        ("UPDATE incident SET evidence = NULL, gathered_at = NULL WHERE id = :id",),
        "SELECT 1 FROM incident i WHERE i.id = q.row_id AND i.evidence IS NULL",
    ),
    CONVERSATION: _Kind(
        ("UPDATE conversation SET data = '{}' WHERE id = :id",),
        "SELECT 1 FROM conversation c WHERE c.id = q.row_id AND c.data = '{}'",
    ),
}


def read(tx: Tx, kind: str, row: Row, parse: Callable[[Row], T]) -> T | None:
    """The row as `parse` reads it. None when it cannot be read: it is in quarantine then."""
    try:
        return parse(row)
    except UNREADABLE as exc:
        put(tx, kind, row["id"], exc)
        return None


def attempt(tx: Tx, kind: str, row_id: int | str, work: Callable[[], T]) -> T | None:
    """What `work` does with a row in this transaction. None when it fails for what stands in the row: undone then, and quarantined."""
    tx.run("SAVEPOINT attempt")
    try:
        done = work()
    except UNREADABLE as exc:
        tx.run("ROLLBACK TO attempt")
        put(tx, kind, row_id, exc)
        done = None
    tx.run("RELEASE attempt")
    return done


def put(tx: Tx, kind: str, row_id: int | str, exc: Exception) -> None:
    """Take a row out of the way and note why. Again for the same row changes nothing."""
    why = f"{type(exc).__name__}: {exc}"[:MAX_WHY]
    is_new = tx.run(
        "INSERT INTO quarantine (kind, row_id, why) VALUES (:kind, :row_id, :why) ON CONFLICT (kind, row_id) DO NOTHING RETURNING 1",
        kind=kind,
        row_id=str(row_id),
        why=why,
    )
    for statement in _KINDS[kind].remove:
        tx.run(statement, id=row_id, why=f"it cannot be read: {why}")
    if is_new:
        log.error("a stored row cannot be read and is quarantined", extra={"kind": kind, "row": str(row_id), "error": why})


def holds(tx: Tx, kind: str, row_id: int | str) -> bool:
    """Whether that row is in quarantine."""
    return bool(tx.run("SELECT 1 FROM quarantine WHERE kind = :kind AND row_id = :row_id", kind=kind, row_id=str(row_id)))


def release(tx: Tx, kind: str, row_id: int | str) -> None:
    """The row was written anew."""
    tx.run("DELETE FROM quarantine WHERE kind = :kind AND row_id = :row_id", kind=kind, row_id=str(row_id))


def counts(tx: Tx) -> dict[str, int]:
    """How many rows of each kind are in quarantine; kinds without any are left out."""
    rows = tx.run("SELECT kind, COUNT(*) AS n FROM quarantine GROUP BY kind ORDER BY kind")
    return {row["kind"]: int(row["n"]) for row in rows}


def not_notified(tx: Tx) -> list[Row]:
    """`kind`, `row_id` and `why` of what nobody has been notified of yet."""
    return tx.run("SELECT kind, row_id, why FROM quarantine WHERE is_notified = 0 ORDER BY kind, row_id")


def mark_notified(tx: Tx, rows: Iterable[Row]) -> None:
    """Somebody was notified of these."""
    for row in rows:
        tx.run("UPDATE quarantine SET is_notified = 1 WHERE kind = :kind AND row_id = :row_id", kind=row["kind"], row_id=row["row_id"])


def tidy(tx: Tx) -> None:
    """Quarantine what waits for a time that never comes; forget what is gone, or was written anew."""
    for kind, waiting in (
        (JOB, "job WHERE state = 'pending'"),
        (MESSAGE, "message WHERE desired_rev > sent_rev AND state <> 'dead'"),
    ):
        never = tx.run(f"SELECT id, due_at FROM {waiting} AND NOT due_at <= :latest", latest=LATEST_S)
        for row in never:
            put(tx, kind, row["id"], ValueError(f"due at {row['due_at']!r}"))
    for kind, known in _KINDS.items():
        tx.run(f"DELETE FROM quarantine AS q WHERE q.kind = :kind AND NOT EXISTS ({known.holds})", kind=kind)
