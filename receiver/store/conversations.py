"""Conversations: the channel of a sink in which an incident, a storm or a notice is shown."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from receiver.domain.conversation_memory import ConversationMemory
from receiver.domain.memory_json import conversation_memory, memory_to_json
from receiver.store import quarantine
from receiver.store.database import Row, Tx, json_object

INCIDENT = "incident"
AFTER_STORM = "after_storm"  # of an incident as well: it was shown by a storm until that was over, so it is no part of another
DIGEST = "digest"
INVENTORY = "inventory"  # a digest of what was dying before there was a receiver
NOTICE = "notice"
TEST = "test"  # of an incident that is none: no storm counts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One row. `root_ts`: the root's place in the channel, once it is there."""

    id: str
    kind: str
    incident_id: str | None
    sink: str
    channel: str
    mention: str
    root_ts: str | None
    opened_at: float
    closed_at: float | None
    memory: ConversationMemory = field(default_factory=ConversationMemory)


def open_new(
    tx: Tx,
    *,
    kind: str,
    incident_id: str | None,
    sink: str,
    channel: str,
    mention: str,
    now: float,
    memory: ConversationMemory | None = None,
) -> Conversation:
    """Open a conversation; nothing is posted in it yet."""
    conversation_id = uuid.uuid4().hex
    tx.run(
        """INSERT INTO conversation (id, kind, incident_id, sink, channel, mention, opened_at, data)
           VALUES (:id, :kind, :incident_id, :sink, :channel, :mention, :now, :data)""",
        id=conversation_id,
        kind=kind,
        incident_id=incident_id,
        sink=sink,
        channel=channel,
        mention=mention,
        now=now,
        data=_dump(memory or ConversationMemory()),
    )
    return _load(tx, conversation_id)


def of_incident(tx: Tx, incident_id: str) -> list[Conversation]:
    """Where an incident is shown."""
    return [
        _conversation(tx, r) for r in tx.run("SELECT * FROM conversation WHERE incident_id = :id ORDER BY opened_at, id", id=incident_id)
    ]


def load(tx: Tx, conversation_id: str) -> Conversation | None:
    """A conversation by its id."""
    rows = tx.run("SELECT * FROM conversation WHERE id = :id", id=conversation_id)
    return _conversation(tx, rows[0]) if rows else None


def open_digest(tx: Tx, *, sink: str, channel: str, kind: str = DIGEST) -> Conversation | None:
    """The storm (or the inventory) that is being shown in a channel now."""
    rows = tx.run(
        "SELECT * FROM conversation WHERE kind = :kind AND sink = :sink AND channel = :channel AND closed_at IS NULL AND incident_id IS NULL LIMIT 1",
        kind=kind,
        sink=sink,
        channel=channel,
    )
    return _conversation(tx, rows[0]) if rows else None


def open_digests(tx: Tx) -> list[Conversation]:
    """The storms and inventories that are being shown now, in all channels."""
    rows = tx.run("SELECT * FROM conversation WHERE closed_at IS NULL AND incident_id IS NULL AND kind IN (:d, :i)", d=DIGEST, i=INVENTORY)
    return [_conversation(tx, r) for r in rows]


def opened_since(tx: Tx, *, sink: str, channel: str, since: float) -> int:
    """How many incidents got a root of their own in a channel since then, without those whom a storm had shown before."""
    rows = tx.run(
        "SELECT COUNT(*) AS n FROM conversation WHERE kind = :kind AND sink = :sink AND channel = :channel AND opened_at >= :since",
        kind=INCIDENT,
        sink=sink,
        channel=channel,
        since=since,
    )
    return int(rows[0]["n"])


def with_own_root(tx: Tx, *, sink: str, channel: str, since: float, until: float) -> list[str]:
    """The incidents that got a root of their own in a channel in that time, oldest first."""
    rows = tx.run(
        """SELECT incident_id FROM conversation WHERE kind = :kind AND sink = :sink AND channel = :channel
           AND opened_at BETWEEN :since AND :until ORDER BY opened_at, incident_id""",
        kind=INCIDENT,
        sink=sink,
        channel=channel,
        since=since,
        until=until,
    )
    return [row["incident_id"] for row in rows]


def waiting_roots(tx: Tx, *, sink: str, channel: str) -> list[Conversation]:
    """Conversations of incidents whose root was never tried to be sent, oldest first."""
    rows = tx.run(
        """SELECT c.* FROM message m CROSS JOIN conversation c WHERE c.id = m.conversation_id AND m.slot = 'root' AND c.kind = :kind AND c.sink = :sink AND c.channel = :channel AND m.desired_rev > m.sent_rev AND m.state <> 'dead' AND m.state = 'new'
             AND m.sent_rev = 0 AND m.intent_at IS NULL AND m.times_reposted = 0
           ORDER BY c.opened_at, c.id""",
        kind=INCIDENT,
        sink=sink,
        channel=channel,
    )
    return [_conversation(tx, r) for r in rows]


def drop(tx: Tx, conversation_id: str) -> None:
    """Remove a conversation in which nothing was posted."""
    tx.run("DELETE FROM conversation WHERE id = :id", id=conversation_id)


def hand_over(tx: Tx, *, from_incident: str, to_incident: str) -> None:
    """Give an incident's storm memberships to another, when two turned out to be one."""
    tx.run(
        """INSERT INTO digest_member (conversation_id, incident_id, joined_at)
           SELECT conversation_id, :to_id, joined_at FROM digest_member WHERE incident_id = :from_id ON CONFLICT DO NOTHING""",
        to_id=to_incident,
        from_id=from_incident,
    )
    tx.run("DELETE FROM digest_member WHERE incident_id = :from_id", from_id=from_incident)


def join_digest(tx: Tx, *, conversation_id: str, incident_id: str, now: float) -> None:
    """Tell an incident inside a storm's conversation."""
    tx.run(
        "INSERT INTO digest_member (conversation_id, incident_id, joined_at) VALUES (:c, :i, :now) ON CONFLICT DO NOTHING",
        c=conversation_id,
        i=incident_id,
        now=now,
    )


def digests_of(tx: Tx, incident_id: str) -> list[Conversation]:
    """The storms in which an incident is shown."""
    rows = tx.run(
        "SELECT c.* FROM conversation c JOIN digest_member d ON d.conversation_id = c.id WHERE d.incident_id = :id", id=incident_id
    )
    return [_conversation(tx, r) for r in rows]


def members(tx: Tx, conversation_id: str) -> list[tuple[str, float]]:
    """The incidents of a storm and when each joined, in that order."""
    rows = tx.run(
        "SELECT incident_id, joined_at FROM digest_member WHERE conversation_id = :id ORDER BY joined_at, incident_id", id=conversation_id
    )
    return [(row["incident_id"], row["joined_at"]) for row in rows]


def last_joined(tx: Tx, conversation_id: str) -> float | None:
    """When the newest member of a storm joined, in seconds since 1970; None when it has none."""
    rows = tx.run("SELECT MAX(joined_at) AS newest FROM digest_member WHERE conversation_id = :id", id=conversation_id)
    newest: float | None = rows[0]["newest"]
    return newest


def members_with_own_root(tx: Tx, digest: Conversation) -> set[str]:
    """The members of a storm that have a conversation of their own in its channel."""
    rows = tx.run(
        """SELECT d.incident_id FROM digest_member d JOIN conversation c ON c.incident_id = d.incident_id
           WHERE d.conversation_id = :id AND c.sink = :sink AND c.channel = :channel""",
        id=digest.id,
        sink=digest.sink,
        channel=digest.channel,
    )
    return {row["incident_id"] for row in rows}


def members_left(tx: Tx, digest: Conversation) -> list[str]:
    """The members of a storm that fire and that it alone shows in its channel, released or not."""
    rows = tx.run(
        """SELECT d.incident_id FROM digest_member d JOIN incident i ON i.id = d.incident_id
           WHERE d.conversation_id = :id AND i.closed_at IS NULL AND i.state = 'firing'
           AND NOT EXISTS (SELECT 1 FROM conversation c WHERE c.incident_id = i.id AND c.sink = :sink AND c.channel = :channel)
           AND NOT EXISTS (SELECT 1 FROM digest_member o JOIN conversation c ON c.id = o.conversation_id WHERE o.incident_id = i.id
               AND c.id <> :id AND c.closed_at IS NULL AND c.sink = :sink AND c.channel = :channel)
           ORDER BY d.joined_at, d.incident_id""",
        id=digest.id,
        sink=digest.sink,
        channel=digest.channel,
    )
    return [row["incident_id"] for row in rows]


def save_memory(tx: Tx, conversation_id: str, memory: ConversationMemory) -> None:
    """Write what it remembers between messages."""
    tx.run("UPDATE conversation SET data = :data WHERE id = :id", id=conversation_id, data=_dump(memory))


def set_mention(tx: Tx, conversation_id: str, mention: str) -> None:
    """Whom its root will call, as long as that is not sent."""
    tx.run("UPDATE conversation SET mention = :mention WHERE id = :id", id=conversation_id, mention=mention)


def close(tx: Tx, conversation_id: str, *, now: float) -> None:
    """A storm is over."""
    tx.run("UPDATE conversation SET closed_at = :now WHERE id = :id", id=conversation_id, now=now)


def forget_closed(tx: Tx, *, before: float) -> None:
    """Delete storms and notices that are long over."""
    tx.run(
        "DELETE FROM conversation WHERE incident_id IS NULL AND opened_at < :before AND (closed_at < :before OR kind = :n)",
        before=before,
        n=NOTICE,
    )


def _load(tx: Tx, conversation_id: str) -> Conversation:
    return _conversation(tx, tx.run("SELECT * FROM conversation WHERE id = :id", id=conversation_id)[0])


def _conversation(tx: Tx, row: Row) -> Conversation:
    return Conversation(
        id=row["id"],
        kind=row["kind"],
        incident_id=row["incident_id"],
        sink=row["sink"],
        channel=row["channel"],
        mention=row["mention"],
        root_ts=row["root_ts"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        memory=quarantine.read(tx, quarantine.CONVERSATION, row, _memory) or ConversationMemory(),  # where it stands is not lost
    )


def _memory(row: Row) -> ConversationMemory:
    return conversation_memory(json_object(row["data"]))


def _dump(memory: ConversationMemory) -> str:
    return json.dumps(memory_to_json(memory), ensure_ascii=False, separators=(",", ":"))
