"""What became of an attempt to send a message: each outcome is one change of its row (the states: receiver/store/outbox.py)."""

from __future__ import annotations

from typing import Any

from receiver.store import quarantine
from receiver.store.database import Tx
from receiver.store.outbox import EDIT, EDIT_INTERVAL_S, OUTGOING, REPLY, ROOT, Outgoing, outgoing_of


def intend(tx: Tx, outgoing: Outgoing, *, now: float, grace_s: float, newest_ts: str | None = None) -> bool:
    """Write down, before the POST, that a post is about to be made: what a crash leaves behind to be reconciled.

    `newest_ts`: of the last post that is known to stand in the channel. What is posted now comes after it by the sink's own clock,
    whatever ours says.

    False when the message is not wanted any more (its incident moved into a storm's digest since it was picked).
    """
    rows = tx.run(
        """UPDATE message SET state = 'sending', intent_at = COALESCE(CASE WHEN state = 'sending' THEN intent_at END, :now),
           intent_after = CASE WHEN state = 'sending' THEN intent_after ELSE :newest_ts END, intent_rev = :revision, due_at = :due_at WHERE id = :id RETURNING id""",
        id=outgoing.id,
        revision=outgoing.revision,
        newest_ts=newest_ts,
        now=now,
        due_at=now + grace_s,
    )
    return bool(rows)


def arrived(tx: Tx, outgoing: Outgoing, *, ts: str | None, revision: int, now: float) -> None:
    """The channel shows that revision. A root's `ts` opens its thread."""
    tx.run(
        """UPDATE message SET state = 'sent', ts = COALESCE(:ts, ts), sent_rev = :revision, sent_at = :now, intent_at = NULL, intent_rev = NULL,
           attempts = 0, last_error = NULL, urgency = :edit, due_at = :due_at WHERE id = :id""",
        id=outgoing.id,
        ts=ts,
        revision=revision,
        now=now,
        edit=EDIT,
        due_at=now + EDIT_INTERVAL_S,
    )
    if not outgoing.is_reply and ts is not None:
        tx.run("UPDATE conversation SET root_ts = :ts WHERE id = :id", id=outgoing.conversation_id, ts=ts)


def drop_overtaken(tx: Tx, root: Outgoing) -> None:
    """A root was posted just now and tells the newest: broadcasts that waited behind it would only sound again."""
    tx.run(
        "DELETE FROM message WHERE conversation_id = :c AND is_broadcast = 1 AND state = 'new' AND sent_rev = 0 AND intent_at IS NULL",
        c=root.conversation_id,
    )


def found(tx: Tx, outgoing: Outgoing, *, ts: str, now: float) -> None:
    """A doubtful post was found in the channel: it shows the revision that was intended then."""
    rows = tx.run("SELECT intent_rev FROM message WHERE id = :id", id=outgoing.id)
    arrived(tx, outgoing, ts=ts, revision=int(rows[0]["intent_rev"] or 1), now=now)


def not_sent(tx: Tx, outgoing: Outgoing, *, error: str, due_at: float, counts: bool) -> None:
    """The attempt surely left nothing behind: try again at `due_at`. A rate limit does not count as an attempt."""
    tx.run(
        """UPDATE message SET state = CASE WHEN ts IS NULL THEN 'new' ELSE 'sent' END, intent_at = NULL, intent_rev = NULL,
           attempts = attempts + :more, due_at = :due_at, last_error = :error WHERE id = :id""",
        id=outgoing.id,
        more=1 if counts else 0,
        due_at=due_at,
        error=error[:500],
    )


def doubtful(tx: Tx, outgoing: Outgoing, *, error: str, due_at: float) -> None:
    """The attempt may have arrived: stay `sending`, look again at `due_at`."""
    tx.run(
        "UPDATE message SET attempts = attempts + 1, due_at = :due_at, last_error = :error WHERE id = :id",
        id=outgoing.id,
        due_at=due_at,
        error=error[:500],
    )


def make_plain(tx: Tx, outgoing: Outgoing, *, error: str) -> None:
    """The sink refused the blocks: try this revision once more as plain text."""
    not_sent(tx, outgoing, error=error, due_at=0.0, counts=True)
    tx.run("UPDATE message SET is_plain = 1 WHERE id = :id", id=outgoing.id)


def repost(tx: Tx, outgoing: Outgoing, *, error: str) -> None:
    """The message is gone from the channel: once more. A root takes its thread with it, except for what was said aloud there."""
    _post_anew(tx, "id = :id", error=error, id=outgoing.id)
    if not outgoing.is_reply:
        tx.run("UPDATE conversation SET root_ts = NULL WHERE id = :id", id=outgoing.conversation_id)
        _post_anew(
            tx, "conversation_id = :c AND is_reply = 1 AND is_broadcast = 0 AND ts IS NOT NULL AND times_reposted = 0 AND state <> 'dead'",
            error=error, c=outgoing.conversation_id,
        )  # fmt: skip


def _post_anew(tx: Tx, which: str, *, error: str, **params: Any) -> None:
    tx.run(
        f"""UPDATE message SET state = 'new', ts = NULL, sent_rev = 0, intent_at = NULL, intent_rev = NULL, due_at = 0, attempts = 0,
           last_error = :error, times_reposted = times_reposted + 1,
           urgency = CASE WHEN is_reply = 1 THEN :reply ELSE :root END WHERE {which}""",
        error=error[:500],
        reply=REPLY,
        root=ROOT,
        **params,
    )


def repost_root(tx: Tx, reply: Outgoing, *, error: str) -> None:
    """The thread that a reply belongs to is gone: its root once more, and then the reply."""
    rows = tx.run(
        f"{OUTGOING} WHERE c.id = :c AND m.conversation_id = c.id AND m.is_reply = 0 AND m.ts = c.root_ts", c=reply.conversation_id
    )
    for row in rows:
        if (root := quarantine.read(tx, quarantine.MESSAGE, row, outgoing_of)) is not None:
            repost(tx, root, error=error)
    not_sent(tx, reply, error=error, due_at=0.0, counts=True)


def post_alone(tx: Tx, reply: Outgoing, *, error: str) -> None:
    """There is no thread for it any more, and it must be heard: a message of its own. What is said later goes below it."""
    not_sent(tx, reply, error=error, due_at=0.0, counts=True)
    tx.run("UPDATE message SET is_reply = 0, is_broadcast = 0 WHERE id = :id", id=reply.id)


def settle(tx: Tx, outgoing: Outgoing, *, error: str) -> None:
    """It stays as it stands: what else is desired in its place is not sent any more."""
    tx.run(
        "UPDATE message SET state = 'settled', intent_at = NULL, intent_rev = NULL, last_error = :error WHERE id = :id",
        id=outgoing.id,
        error=error[:500],
    )


def bury(tx: Tx, outgoing: Outgoing, *, error: str) -> None:
    """Refused for good: a dead letter."""
    tx.run("UPDATE message SET state = 'dead', last_error = :error WHERE id = :id", id=outgoing.id, error=error[:500])
