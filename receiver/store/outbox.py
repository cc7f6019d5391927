"""Messages as desired state, and how far each is known to have arrived.

A message is (conversation, slot, revision). What should be shown is written here in the transaction of the work that
found it out; the sender makes the channel agree, newest revision only.

States: `new` (never arrived) -> `sending` (an intent is committed; a POST is under way, or its outcome is unknown) ->
`sent`. `dead`: refused for good. `settled`: it stays as it stands, because it cannot be edited. `desired_rev > sent_rev`
means there is something to send: a post without a `ts`, an edit with one. A `sending` row that is due again has outlived its
grace: look for it in the channel before re-posting. `times_reposted`: once at most, when what was posted is gone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.domain.incident import Message
from receiver.store import quarantine
from receiver.store.database import LATEST_S, Row, Tx, json_object

# Order within a channel: roots, then the edits that somebody waits for (a kill, a click), then replies, then other edits.
ROOT, PROMPT, REPLY, EDIT = 0, 1, 2, 3

EDIT_INTERVAL_S = 10.0  # more often, an edit is a flicker to the reader and a request that a post will lack


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message that is due, with what is needed to send it."""

    id: str
    conversation_id: str
    sink: str
    channel: str
    slot: str
    body: Mapping[str, Any]
    revision: int
    ts: str | None
    root_ts: str | None
    is_reply: bool
    is_broadcast: bool
    is_plain: bool
    is_doubtful: bool  # an earlier attempt may have arrived
    is_first: bool  # nothing of it has ever arrived, as far as is known
    intent_after: str | None  # the `ts` of a message that stood in the channel before a doubtful one was posted
    attempts: int
    created_at: float
    times_reposted: int = 0
    root_times_reposted: int | None = None  # of the root whose thread it belongs to; None when there is none

    @property
    def delivery_id(self) -> str:
        """By which it is found in the channel. A second post has another than the first, which may still stand there."""
        return f"{self.id}:{self.times_reposted + 1}" if self.times_reposted else self.id


def desire(
    tx: Tx,
    conversation_id: str,
    message: Message,
    *,
    now: float,
    is_prompt: bool = False,
    edit_interval_s: float = EDIT_INTERVAL_S,
) -> None:
    """Say what a slot of a conversation should show. The same content again changes nothing.

    `is_prompt`: somebody waits for the edit. `edit_interval_s`: an edit waits so long after what was sent before it.
    """
    body = json.dumps(message.body(), ensure_ascii=False, separators=(",", ":"))
    edit_urgency = PROMPT if is_prompt else EDIT
    tx.run(
        """INSERT INTO message (id, conversation_id, slot, position, is_reply, is_broadcast, urgency, desired_body, created_at)
           VALUES (:id, :conversation_id, :slot, (SELECT COUNT(*) FROM message WHERE conversation_id = :conversation_id),
                   :is_reply, :is_broadcast, :post_urgency, :body, :now)
           ON CONFLICT (conversation_id, slot) DO UPDATE SET
               desired_body = excluded.desired_body, desired_rev = message.desired_rev + 1, is_plain = 0,
               urgency = CASE WHEN message.ts IS NULL THEN message.urgency ELSE :edit_urgency END,
               state = CASE WHEN message.state = 'dead' THEN 'new' ELSE message.state END,
               attempts = CASE WHEN message.state IN ('dead', 'sent') THEN 0 ELSE message.attempts END,
               due_at = CASE WHEN message.state = 'sent' AND message.sent_at + :edit_interval_s > :now
                             THEN message.sent_at + :edit_interval_s
                             WHEN message.state = 'dead' THEN 0 ELSE message.due_at END
           WHERE message.desired_body <> excluded.desired_body""",
        id=uuid.uuid4().hex,
        conversation_id=conversation_id,
        slot=message.slot,
        is_reply=int(message.is_reply),
        is_broadcast=int(message.is_broadcast),
        post_urgency=REPLY if message.is_reply and not message.is_broadcast else ROOT,
        edit_urgency=edit_urgency,
        edit_interval_s=edit_interval_s,
        body=body,
        now=now,
    )


def has_slot(tx: Tx, conversation_id: str, slot: str) -> bool:
    """Whether something was ever desired in that slot."""
    return bool(tx.run("SELECT 1 FROM message WHERE conversation_id = :c AND slot = :slot", c=conversation_id, slot=slot))


def is_settled(tx: Tx, conversation_id: str, slot: str) -> bool:
    """Whether what stands in that slot cannot be edited any more."""
    return bool(
        tx.run("SELECT 1 FROM message WHERE conversation_id = :c AND slot = :slot AND state = 'settled'", c=conversation_id, slot=slot)
    )


OUTGOING = """SELECT m.id, m.conversation_id, c.sink, c.channel, m.slot, m.desired_body, m.desired_rev, m.ts, c.root_ts, m.is_reply,
    m.is_broadcast, m.is_plain, m.state, m.sent_rev, m.intent_after, m.attempts, m.created_at, m.due_at, m.times_reposted,
    (SELECT r.times_reposted FROM message r WHERE r.conversation_id = c.id AND r.is_reply = 0 AND r.ts = c.root_ts) AS root_times_reposted
    FROM message m CROSS JOIN conversation c"""
# What is unsent is little and has an index; the join is written as a cross one because SQLite then goes from it to the conversations,
# of which a channel has thousands. A reply waits for its root; where there are no threads, a later message of a conversation waits for the ones before it.
_UNSENT = """c.id = m.conversation_id AND m.desired_rev > m.sent_rev AND m.state <> 'dead' AND m.state <> 'settled' AND CASE WHEN m.is_reply = 1 THEN c.root_ts IS NOT NULL ELSE
    m.position = 0 OR NOT EXISTS (SELECT 1 FROM message e WHERE e.conversation_id = m.conversation_id AND e.is_reply = 0
        AND e.position < m.position AND e.sent_rev = 0 AND e.state <> 'dead') END"""


def next_outgoing(tx: Tx, *, sink: str, channel: str, now: float) -> Outgoing | None:
    """The most urgent message that is due in a channel. Those that cannot be read are quarantined."""
    while rows := tx.run(
        f"{OUTGOING} WHERE {_UNSENT} AND c.sink = :sink AND c.channel = :channel AND m.due_at <= :now"
        " ORDER BY m.urgency, m.created_at, m.position LIMIT 1",
        sink=sink,
        channel=channel,
        now=now,
    ):
        outgoing = quarantine.read(tx, quarantine.MESSAGE, rows[0], outgoing_of)
        if outgoing is not None:
            return outgoing
    return None


def channels_due(tx: Tx) -> list[tuple[str, str, float]]:
    """(sink, channel, earliest due time) of every channel that has something unsent."""
    rows = tx.run(
        "SELECT c.sink, c.channel, MIN(m.due_at) AS due_at FROM message m CROSS JOIN conversation c"
        f" WHERE {_UNSENT} AND m.due_at <= :latest GROUP BY c.sink, c.channel",
        latest=LATEST_S,
    )
    return [(r["sink"], r["channel"], r["due_at"]) for r in rows]


def settled_channels(tx: Tx, *, sink: str) -> dict[str, str]:
    """The channels of a sink in which a message of something that goes on had to be left as it stands, with the newest reason."""
    rows = tx.run(
        """SELECT c.channel, m.last_error FROM message m CROSS JOIN conversation c LEFT JOIN incident i ON i.id = c.incident_id
           WHERE m.state = 'settled' AND c.id = m.conversation_id AND c.sink = :sink AND c.closed_at IS NULL AND i.closed_at IS NULL ORDER BY m.sent_at""",
        sink=sink,
    )
    return {row["channel"]: row["last_error"] for row in rows}


def dead(tx: Tx) -> list[Row]:
    """The dead letters."""
    return tx.run(
        """SELECT m.id, m.slot, m.created_at, m.attempts, m.last_error, c.sink, c.channel, c.incident_id
           FROM message m CROSS JOIN conversation c WHERE m.state = 'dead' AND c.id = m.conversation_id ORDER BY m.created_at, m.id"""
    )


def replay(tx: Tx, message_id: str | None) -> int:
    """Try dead letters again: one, or all."""
    return len(
        tx.run(
            """UPDATE message SET state = CASE WHEN ts IS NULL THEN 'new' ELSE 'sent' END, attempts = 0, due_at = 0, is_plain = 0
               WHERE state = 'dead' AND (id = :id OR :id IS NULL) RETURNING id""",
            id=message_id,
        )
    )


def drop_dead(tx: Tx, message_id: str | None) -> int:
    """Give up dead letters: one, or all."""
    return len(tx.run("DELETE FROM message WHERE state = 'dead' AND (id = :id OR :id IS NULL) RETURNING id", id=message_id))


def backlog(tx: Tx) -> tuple[int, float | None]:
    """How many messages wait for their first arrival, and since when the oldest does (replies wait once their root is there)."""
    row = tx.run(
        f"SELECT COUNT(*) AS n, MIN(m.created_at) AS oldest FROM message m CROSS JOIN conversation c WHERE m.sent_rev = 0 AND {_UNSENT}"
    )[0]
    return int(row["n"]), row["oldest"]


def is_quiet(tx: Tx) -> bool:
    """Whether nothing is left to send."""
    return not channels_due(tx)


def of_incident(tx: Tx, incident_id: str) -> list[Row]:
    """The messages of an incident's own conversations, for its page."""
    return tx.run(
        """SELECT c.sink, c.channel, m.slot, m.state, m.desired_rev, m.sent_rev, m.ts, m.sent_at, m.last_error
           FROM message m JOIN conversation c ON c.id = m.conversation_id WHERE c.incident_id = :id ORDER BY m.created_at, m.position""",
        id=incident_id,
    )


def outgoing_of(row: Row) -> Outgoing:
    """A row of OUTGOING."""
    body = _body(row)
    return Outgoing(
        id=row["id"],
        conversation_id=row["conversation_id"],
        sink=row["sink"],
        channel=row["channel"],
        slot=row["slot"],
        body=body,
        revision=int(row["desired_rev"]),
        ts=row["ts"],
        root_ts=row["root_ts"],
        is_reply=bool(row["is_reply"]),
        is_broadcast=bool(row["is_broadcast"]),
        is_plain=bool(row["is_plain"]),
        is_first=row["sent_rev"] == 0 and not row["times_reposted"],
        is_doubtful=row["state"] == "sending",
        intent_after=row["intent_after"],
        attempts=int(row["attempts"]),
        created_at=float(row["created_at"]),
        times_reposted=row["times_reposted"],
        root_times_reposted=row["root_times_reposted"],
    )


def _body(row: Row) -> dict[str, Any]:
    """What a message should show: at least `text` and `blocks`."""
    body = json_object(row["desired_body"])
    if not isinstance(body["text"], str) or not isinstance(body["blocks"], list):
        raise TypeError("a message without a text or a list of blocks")
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message for whoever looks from outside: what it should show, and how far that is known to have arrived."""

    slot: str
    state: str
    body: Mapping[str, Any]
    ts: str | None
    sent_at: float | None
    is_newest_sent: bool
    error: str

    @property
    def words(self) -> str:
        """The message as plain text."""
        return str(self.body.get("full_text") or self.body["text"])


def shown(tx: Tx, conversation_id: str, *, slot: str = "") -> list[Shown]:
    """The messages of a conversation in the order in which they came to be; of one slot, where it is named."""
    one = "AND slot = :slot" if slot else ""
    rows = tx.run(
        f"""SELECT id, slot, state, desired_body, desired_rev, sent_rev, ts, sent_at, last_error FROM message
           WHERE conversation_id = :c {one} ORDER BY is_reply, position""",
        c=conversation_id,
        **({"slot": slot} if slot else {}),
    )
    found = (quarantine.read(tx, quarantine.MESSAGE, row, _shown) for row in rows)
    return [message for message in found if message is not None]


def _shown(row: Row) -> Shown:
    return Shown(
        slot=row["slot"], state=row["state"], body=_body(row), ts=row["ts"],
        sent_at=float(row["sent_at"]) if isinstance(row["sent_at"], int | float) else None,
        is_newest_sent=row["sent_rev"] == row["desired_rev"], error=row["last_error"] or "",
    )  # fmt: skip


def move_due(tx: Tx, back_s: float) -> None:
    """Move what waits back by so many seconds, as the clock was."""
    tx.run(
        "UPDATE message SET due_at = due_at - :back_s, sent_at = sent_at - :back_s, intent_at = intent_at - :back_s, created_at = created_at - :back_s",
        back_s=back_s,
    )


def doubt_unsent(tx: Tx) -> None:
    """Look for what is unsent in its channel before it is posted: the state may be older than what was told last."""
    tx.run(
        """UPDATE message SET state = 'sending', intent_at = created_at, intent_rev = desired_rev
           WHERE state = 'new' AND ts IS NULL AND sent_rev = 0"""
    )


def hold_edits(tx: Tx, *, until: float) -> None:
    """Edits that wait are not made before then: one of another receiver's may still be on its way, and must not come in after them."""
    tx.run(
        """UPDATE message SET due_at = :until WHERE ts IS NOT NULL AND desired_rev > sent_rev AND state <> 'dead' AND state <> 'settled'
           AND due_at < :until""",
        until=until,
    )


def make_younger(tx: Tx, *, sink: str, by_s: float) -> None:
    """What has never arrived in a sink came to be so much later: the clock was set ahead by that."""
    tx.run(
        """UPDATE message SET created_at = created_at + :by_s WHERE sent_rev = 0 AND state IN ('new', 'sending')
           AND conversation_id IN (SELECT id FROM conversation WHERE sink = :sink)""",
        by_s=by_s,
        sink=sink,
    )
