"""What the store lets go of: what is old, and, when it has grown too large, the oldest of what is closed.

By age: closed incidents, states of alerts that another one superseded, alerts of open incidents that have not been heard of for the
whole retention. By size: closed incidents lose their evidence and the blocks of their messages first, oldest first, and go altogether
only when that is not enough. Never in question: open incidents, what is not told yet or is a dead letter, work that waits, and a
case that somebody keeps because its verdict was wrong.
"""

from __future__ import annotations

import json

from receiver.store.database import Tx, json_object, packed

SUPERSEDED_KEPT_S = 2 * 86_400.0  # reconciling after an outage looks a day back
PACKED, THINNED = 1, 2  # incident.packing; 0: as it was when it was open

_IS_TOLD = """NOT EXISTS (SELECT 1 FROM conversation c JOIN message m ON m.conversation_id = c.id
        WHERE c.incident_id = i.id AND m.desired_rev > m.sent_rev AND m.state <> 'settled')
    AND NOT EXISTS (SELECT 1 FROM job j WHERE j.subject_id = i.id AND j.state IN ('pending', 'running'))"""


def forget_old(tx: Tx, *, before: float, limit: int) -> int:
    """Delete incidents that were closed before then with all that hangs on them, oldest first. A kept case keeps its incident."""
    rows = tx.run(
        """DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE closed_at < :before AND kept_evidence IS NULL
           ORDER BY closed_at LIMIT :limit) RETURNING id""",
        before=before,
        limit=limit,
    )
    return len(rows)


def forget_alerts(tx: Tx, *, now: float, before: float, limit: int) -> None:
    """Delete what belongs to no incident, and of open incidents superseded states and alerts not heard of since `before`.

    The firing alert that was heard of last stays: an incident does not end because nobody says that it does.
    """
    tx.run(
        """DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE incident_id IS NULL AND status IN ('firing', 'resolved')
           AND last_seen < :before AND is_folded = 1 LIMIT :limit)""",
        before=before,
        limit=limit,
    )
    tx.run(
        """DELETE FROM alert WHERE id IN (SELECT a.id FROM incident i CROSS JOIN alert a
           WHERE i.closed_at IS NULL AND a.incident_id = i.id AND a.status IN ('firing', 'resolved') AND a.last_seen < :superseded_before
           AND a.is_folded = 1 AND (a.is_newest = 0 OR a.last_seen < :before)
           AND (a.is_newest = 0 OR a.status = 'resolved' OR EXISTS (
               SELECT 1 FROM alert o WHERE o.incident_id = a.incident_id AND o.status = 'firing' AND o.last_seen >= a.last_seen
               AND o.is_newest = 1 AND (o.last_seen > a.last_seen OR o.id > a.id)))
           LIMIT :limit)""",
        before=before,
        superseded_before=max(before, now - SUPERSEDED_KEPT_S),
        limit=limit,
    )


def pack_closed(tx: Tx, *, limit: int) -> int:
    """Compress what closed incidents say, oldest first. How many were packed."""
    rows = tx.run(
        "SELECT id, report FROM incident WHERE closed_at IS NOT NULL AND packing = 0 ORDER BY closed_at LIMIT :limit", limit=limit
    )
    for row in rows:
        tx.run(
            "UPDATE incident SET packing = :packing, report = :report WHERE id = :id",
            id=row["id"],
            packing=PACKED,
            report=packed(row["report"]) if row["report"] else None,
        )
        for message in _shown(tx, row["id"]):
            tx.run("UPDATE message SET desired_body = :body WHERE id = :id", id=message["id"], body=packed(message["desired_body"]))
    return len(rows)


def thin_closed(tx: Tx, *, limit: int) -> int:
    """Drop the evidence of closed incidents and leave of their messages the text, oldest first. How many were thinned."""
    rows = tx.run(
        f"""SELECT i.id FROM incident i WHERE i.closed_at IS NOT NULL AND i.packing = :packing AND {_IS_TOLD}
            ORDER BY i.closed_at LIMIT :limit""",
        packing=PACKED,
        limit=limit,
    )
    for row in rows:
        tx.run("UPDATE incident SET packing = :packing, evidence = NULL WHERE id = :id", id=row["id"], packing=THINNED)
        for message in _shown(tx, row["id"]):
            body = json_object(message["desired_body"])
            text = json.dumps({"text": body.get("full_text") or body.get("text", ""), "blocks": []}, ensure_ascii=False)
            tx.run("UPDATE message SET desired_body = :body WHERE id = :id", id=message["id"], body=text)
    return len(rows)


def forget_oldest(tx: Tx, *, limit: int) -> int:
    """Delete the incidents that were closed first, whatever their age. How many."""
    rows = tx.run(
        f"""DELETE FROM incident WHERE id IN (SELECT i.id FROM incident i WHERE i.closed_at IS NOT NULL AND i.kept_evidence IS NULL
            AND {_IS_TOLD} ORDER BY i.closed_at LIMIT :limit) RETURNING id""",
        limit=limit,
    )
    return len(rows)


def _shown(tx: Tx, incident_id: str) -> list[dict[str, str]]:
    """The messages of an incident that stand in their channels as they should."""
    rows = tx.run(
        """SELECT m.id, m.desired_body FROM conversation c JOIN message m ON m.conversation_id = c.id
           WHERE c.incident_id = :id AND m.sent_rev >= m.desired_rev AND m.state = 'sent'""",
        id=incident_id,
    )
    return [dict(row) for row in rows]
