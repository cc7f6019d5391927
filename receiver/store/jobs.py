"""Work to be done: claimed by the dispatcher, retried, or put aside as dead.

`attempts` counts claims, not failures, so that work which kills the receiver itself ends after MAX_ATTEMPTS too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from receiver.store import quarantine
from receiver.store.database import LATEST_S, Row, Tx, json_object

MAX_ATTEMPTS = 5
_RETRY_DELAYS_S = (2.0, 10.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work about one incident or conversation (`subject_id`)."""

    id: int
    kind: str
    subject_id: str
    attempts: int
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_last_attempt(self) -> bool:
        """Whether failing now is final."""
        return self.attempts >= MAX_ATTEMPTS


def schedule(tx: Tx, kind: str, subject_id: str, *, now: float, due_at: float = 0.0, payload: Mapping[str, Any] | None = None) -> None:
    """Ask for work. One of a kind waits per subject: asking again only makes it due earlier.

    `due_at` 0 means at once, so that a clock that steps back cannot park a fresh alert.
    """
    tx.run(
        """INSERT INTO job (kind, subject_id, payload, due_at, created_at) VALUES (:kind, :subject_id, :payload, :due_at, :now)
           ON CONFLICT (kind, subject_id) WHERE state = 'pending'
           DO UPDATE SET due_at = CASE WHEN excluded.due_at < job.due_at THEN excluded.due_at ELSE job.due_at END""",
        kind=kind,
        subject_id=subject_id,
        payload=json.dumps({"v": 1, **(payload or {})}),
        due_at=due_at,
        now=now,
    )


def replan(tx: Tx, kind: str, subject_id: str, *, now: float, due_at: float | None) -> None:
    """Ask for work at another time than was planned, later as well; None: not at all any more."""
    tx.run("DELETE FROM job WHERE kind = :kind AND subject_id = :id AND state = 'pending'", kind=kind, id=subject_id)
    if due_at is not None:
        schedule(tx, kind, subject_id, now=now, due_at=due_at)


def claim(tx: Tx, *, now: float, epoch: int, limit: int, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[Job]:
    """Take due work, oldest due first, of some kinds only or without some; work about a subject that is being worked on waits."""
    kinds = _among("IN", only) if only else _among("NOT IN", without) if without else ""
    rows = tx.run(
        f"""UPDATE job SET state = 'running', attempts = attempts + 1, epoch = :epoch WHERE id IN (
               SELECT id FROM job p WHERE p.state = 'pending' AND p.due_at <= :now {kinds}
               AND NOT EXISTS (SELECT 1 FROM job r WHERE r.subject_id = p.subject_id AND r.kind = p.kind AND r.state = 'running')
               ORDER BY p.due_at, p.id LIMIT :limit)
           RETURNING id, kind, subject_id, attempts, payload""",
        now=now,
        epoch=epoch,
        limit=limit,
    )
    jobs = (quarantine.read(tx, quarantine.JOB, row, _job) for row in rows)
    return sorted((job for job in jobs if job is not None), key=lambda job: job.id)


def _among(word: str, kinds: tuple[str, ...]) -> str:
    return f"AND p.kind {word} ({', '.join(repr(k) for k in kinds)})"


def move_due(tx: Tx, back_s: float) -> None:
    """Move what is planned back by so many seconds, as the clock was."""
    tx.run("UPDATE job SET due_at = due_at - :back_s WHERE state = 'pending' AND due_at > 0", back_s=back_s)


def finish(tx: Tx, job: Job) -> bool:
    """The work is done. False when it is somebody else's by now: its thread was written off, and it was claimed again or asked for anew."""
    return bool(tx.run("DELETE FROM job WHERE id = :id AND attempts = :attempts RETURNING id", id=job.id, attempts=job.attempts))


def fail(tx: Tx, job: Job, *, error: str, now: float) -> bool:
    """The work failed: try again later, or after MAX_ATTEMPTS put it aside. True when it is dead now."""
    if not _is_held(tx, job):
        return False
    if job.is_last_attempt:
        tx.run("UPDATE job SET state = 'dead', last_error = :error WHERE id = :id", id=job.id, error=error[:500])
        return True
    delay_s = _RETRY_DELAYS_S[min(job.attempts, len(_RETRY_DELAYS_S)) - 1]
    _put_back(tx, job, due_at=now + delay_s, error=error)
    return False


def _is_held(tx: Tx, job: Job) -> bool:
    return bool(tx.run("SELECT 1 FROM job WHERE id = :id AND state = 'running' AND attempts = :attempts", id=job.id, attempts=job.attempts))


def put_back(tx: Tx, job: Job, *, due_at: float) -> None:
    """Not now: leave the work to another (an unknown kind during an upgrade). It was no attempt."""
    _put_back(tx, replace(job, attempts=job.attempts - 1), due_at=due_at, error="")


def _put_back(tx: Tx, job: Job, *, due_at: float, error: str) -> None:
    # The same work may have been asked for again meanwhile; two pending rows of a kind and subject are not allowed.
    waiting = tx.run(
        "SELECT id FROM job WHERE kind = :kind AND subject_id = :subject_id AND state = 'pending'", kind=job.kind, subject_id=job.subject_id
    )
    if waiting:
        tx.run("UPDATE job SET attempts = :attempts WHERE id = :id", id=waiting[0]["id"], attempts=job.attempts)
        tx.run("DELETE FROM job WHERE id = :id", id=job.id)
        return
    tx.run(
        "UPDATE job SET state = 'pending', attempts = :attempts, due_at = :due_at, last_error = :error WHERE id = :id",
        id=job.id,
        attempts=job.attempts,
        due_at=due_at,
        error=error[:500],
    )


def recover(tx: Tx, *, epoch: int) -> int:
    """Put back what an earlier dispatcher was working on when it ended."""
    rows = tx.run("SELECT id, kind, subject_id, attempts, payload FROM job WHERE state = 'running' AND epoch <> :epoch", epoch=epoch)
    for row in rows:
        if (job := quarantine.read(tx, quarantine.JOB, row, _job)) is not None:
            _put_back(tx, job, due_at=0.0, error="the receiver ended while working on it")
    return len(rows)


def cancel(tx: Tx, subject_id: str) -> None:
    """Drop the waiting work about a subject."""
    tx.run("DELETE FROM job WHERE subject_id = :id AND state = 'pending'", id=subject_id)


def due_of(tx: Tx, kind: str, subject_id: str) -> float | None:
    """When the waiting work of a kind about a subject is due; None when none waits."""
    rows = tx.run("SELECT due_at FROM job WHERE kind = :kind AND subject_id = :id AND state = 'pending'", kind=kind, id=subject_id)
    return rows[0]["due_at"] if rows else None


def is_due(tx: Tx, *, now: float) -> bool:
    """Whether some work waits to be begun."""
    return bool(tx.run("SELECT 1 FROM job WHERE state = 'pending' AND due_at <= :now LIMIT 1", now=now))


def next_due(tx: Tx) -> float | None:
    """When the next work is due; None when none waits."""
    rows = tx.run("SELECT MIN(due_at) AS due_at FROM job WHERE state = 'pending' AND due_at <= :latest", latest=LATEST_S)
    return rows[0]["due_at"] if rows else None


def backlog(tx: Tx, *, now: float) -> tuple[int, float | None]:
    """How much work is due and not begun, and since when the oldest of it is."""
    row = tx.run(
        """SELECT COUNT(*) AS n, MIN(CASE WHEN due_at > created_at THEN due_at ELSE created_at END) AS oldest
           FROM job WHERE state = 'pending' AND due_at <= :now""",
        now=now,
    )[0]
    return int(row["n"]), row["oldest"]


def dead(tx: Tx) -> list[Row]:
    """Work that was put aside."""
    return tx.run("SELECT id, kind, subject_id, attempts, created_at, last_error FROM job WHERE state = 'dead' ORDER BY id")


def _job(row: Row) -> Job:
    return Job(
        id=row["id"], kind=row["kind"], subject_id=row["subject_id"], attempts=int(row["attempts"]), payload=json_object(row["payload"])
    )


def replay(tx: Tx, wanted: str | None, *, now: float) -> int:
    """Try dead work again: one (`job-ID`), or all (None)."""
    rows = [row for row in dead(tx) if wanted in (None, f"job-{row['id']}")]
    for row in rows:
        tx.run("DELETE FROM job WHERE id = :id", id=row["id"])
        schedule(tx, row["kind"], row["subject_id"], now=now)
    return len(rows)


def drop_dead(tx: Tx, wanted: str | None) -> int:
    """Give up dead work: one (`job-ID`), or all (None)."""
    rows = [row for row in dead(tx) if wanted in (None, f"job-{row['id']}")]
    for row in rows:
        tx.run("DELETE FROM job WHERE id = :id", id=row["id"])
    return len(rows)
