"""Many incidents at once: those that wait, that a page lists, that are over; and a storm's members, a part at a time."""

from __future__ import annotations

from typing import NamedTuple

from receiver.domain import drill
from receiver.domain.incident import FIRING, RESOLVED
from receiver.store import incidents, listing
from receiver.store.database import Tx
from receiver.store.incidents import MERGED, SELECT, SELECT_BRIEF, Incident, readable


def unpublished(tx: Tx, *, waiting_since: float, kind: str, limit: int, job_state: str = "pending") -> list[Incident]:
    """Open incidents whose first work of a kind has been due since then, has not begun (or not ended), and that are shown nowhere."""
    rows = tx.run(
        f"""{SELECT} JOIN job j ON j.subject_id = i.id AND j.kind = :kind AND j.state = :job_state
           WHERE i.closed_at IS NULL AND i.report IS NULL AND i.severity <> 'info' AND j.created_at < :since AND j.due_at < :since
           AND NOT EXISTS (SELECT 1 FROM conversation c WHERE c.incident_id = i.id)
           AND NOT EXISTS (SELECT 1 FROM digest_member d WHERE d.incident_id = i.id)
           ORDER BY CASE i.severity WHEN 'critical' THEN 0 ELSE 1 END, i.opened_at, i.id LIMIT :limit""",  # quiet hours may hold warnings
        kind=kind,
        job_state=job_state,
        since=waiting_since,
        limit=limit,
    )
    return list(readable(tx, rows))


def open_after(tx: Tx, incident_id: str, limit: int) -> list[Incident]:
    """The open incidents with the ids after that one, without their reports: a page of them, for whoever goes through all."""
    rows = tx.run(f"{SELECT_BRIEF} WHERE i.closed_at IS NULL AND i.id > :after ORDER BY i.id LIMIT :limit", after=incident_id, limit=limit)
    return list(readable(tx, rows))


def unshown(tx: Tx) -> int:
    """How many fire that nobody was told of: in no message, and in no storm's."""
    rows = tx.run(
        """SELECT COUNT(*) AS n FROM incident i WHERE i.closed_at IS NULL AND i.state = 'firing' AND i.severity <> 'info'
           AND NOT EXISTS (SELECT 1 FROM conversation c WHERE c.incident_id = i.id)
           AND NOT EXISTS (SELECT 1 FROM digest_member d WHERE d.incident_id = i.id)"""
    )
    return int(rows[0]["n"])


def newest(tx: Tx, limit: int) -> list[Incident]:
    """The incidents with the newest life signs, for the page. Test alerts are none."""
    rows = tx.run(
        f"{SELECT} WHERE i.state <> :merged AND i.key NOT LIKE :tests ORDER BY i.last_seen DESC LIMIT :n",
        merged=MERGED, tests=f"{drill.KEY}%", n=limit,
    )  # fmt: skip
    return list(readable(tx, rows))


def list_all(tx: Tx) -> None:
    """Write what the list knows of every incident: for a store of a release that did not."""
    for row in tx.run("SELECT id FROM incident WHERE state <> :merged", merged=MERGED):
        if (incident := incidents.load_brief(tx, row["id"])) is not None:
            listing.put(tx, incident.id, incident.key, incident.subject, incident.memory)


def fixed_without(tx: Tx, kind: str) -> list[str]:
    """Open incidents of which somebody says that they are fixed, and for which no work of this kind waits: of an older release."""
    rows = tx.run(
        """SELECT i.id FROM incident i WHERE i.closed_at IS NULL AND (i.data LIKE '%"fix":%' OR i.data LIKE '%"fixed_at":%')
           AND i.data NOT LIKE '%"watched":%'
           AND NOT EXISTS (SELECT 1 FROM job j WHERE j.subject_id = i.id AND j.kind = :kind AND j.state IN ('pending', 'running'))""",
        kind=kind,
    )
    return [row["id"] for row in rows]


def close_quiet(tx: Tx, *, resolved_before: float, now: float) -> int:
    """Close the incidents that were resolved long enough ago and for which nothing more is planned."""
    rows = tx.run(
        """UPDATE incident SET closed_at = :now WHERE closed_at IS NULL AND state = :resolved AND resolved_at < :before
           AND NOT EXISTS (SELECT 1 FROM job j WHERE j.subject_id = incident.id AND j.state IN ('pending', 'running')) RETURNING id""",
        now=now,
        resolved=RESOLVED,
        before=resolved_before,
    )
    return len(rows)


def close_resolved(tx: Tx, *, prefix: str, resolved_before: float, now: float) -> None:
    """Close resolved incidents whose key begins so, whatever else is planned."""
    tx.run(
        "UPDATE incident SET closed_at = :now WHERE closed_at IS NULL AND state = :resolved AND resolved_at < :before AND key LIKE :keys",
        now=now,
        resolved=RESOLVED,
        before=resolved_before,
        keys=f"{prefix}%",
    )


def firing_since(tx: Tx, *, prefix: str, opened_before: float) -> list[str]:
    """The ids of open incidents whose key begins so, that fire since before then."""
    rows = tx.run(
        "SELECT id FROM incident WHERE closed_at IS NULL AND state = :firing AND opened_at < :before AND key LIKE :keys",
        firing=FIRING,
        before=opened_before,
        keys=f"{prefix}%",
    )
    return [row["id"] for row in rows]


class Member(NamedTuple):
    """An incident that a storm shows, and since when."""

    incident: Incident
    joined_at: float


def members_after(tx: Tx, conversation_id: str, incident_id: str, limit: int) -> tuple[list[Member], str | None]:
    """A part of a storm's members, without their reports: those with the ids after that one; and the last id of the part, None when it
    was the last part. Its size does not depend on how many of them can be read.
    """
    rows = tx.run(
        f"""SELECT part.joined_at, b.* FROM (SELECT incident_id, joined_at FROM digest_member
                WHERE conversation_id = :c AND incident_id > :after ORDER BY incident_id LIMIT :limit) AS part
            JOIN ({SELECT_BRIEF}) AS b ON b.id = part.incident_id ORDER BY part.incident_id""",
        c=conversation_id,
        after=incident_id,
        limit=limit,
    )
    joined = {row["id"]: row["joined_at"] for row in rows}
    found = [Member(incident, joined[incident.id]) for incident in readable(tx, rows)]
    return found, str(rows[-1]["id"]) if len(rows) == limit else None
