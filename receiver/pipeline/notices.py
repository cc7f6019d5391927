"""Notices to the default channel: what no incident tells, such as a webhook body that could not be read.

At most one of a kind an hour, so that a broken sender, which repeats itself, does not flood the channel.
"""

from __future__ import annotations

from collections import Counter

from receiver.domain.incident import Destination, Message
from receiver.store import alerts as alert_table
from receiver.store import conversations, outbox, quarantine
from receiver.store.schema import get_meta, set_meta
from receiver.store.store import Store

NOTICE_INTERVAL_S = 3600.0
HEARTBEAT_SILENCE_S = 600.0
MAX_TEXT = 500


class Notices:
    """Stores notices; the sender brings them to the channel."""

    def __init__(self, store: Store, place: Destination) -> None:
        self._store = store
        self._place = place

    def tell(self, kind: str, text: str) -> bool:
        """Say something once an hour at most; False when it was said lately. StoreError when it cannot be stored."""
        now = self._store.now()
        with self._store.write() as tx:
            said_at = get_meta(tx, f"notice:{kind}")
            if said_at is not None and 0 <= now - float(said_at) < NOTICE_INTERVAL_S:
                return False
            set_meta(tx, f"notice:{kind}", str(now))
            conversation = conversations.open_new(
                tx, kind=conversations.NOTICE, incident_id=None, sink=self._place.sink, channel=self._place.channel, mention="", now=now
            )
            outbox.desire(tx, conversation.id, notice_message(text), now=now)
            return True

    def check_quarantine(self) -> None:
        """Tell once of stored rows that cannot be read: what they would have told may be missing in the channels."""
        with self._store.read() as tx:
            found = quarantine.not_notified(tx)
        if not found:
            return
        n_of = Counter(str(row["kind"]) for row in found)
        what = ", ".join(f"{n} {kind}{'s' if n > 1 and kind != quarantine.EVIDENCE else ''}" for kind, n in n_of.items())
        text = (
            f"what is stored of {what} cannot be read and was put aside; everything else goes on. "
            f"The log names each. First: {found[0]['kind']} {found[0]['row_id']}: {found[0]['why']}"
        )
        if self.tell("quarantine", text):  # else within the hour after the last such notice: told then, all in one
            with self._store.write() as tx:
                quarantine.mark_notified(tx, found)

    def check_heartbeat(self) -> None:
        """Tell once when the alert that always fires (severity `none`) has come before and is silent now."""
        now = self._store.now()
        with self._store.read() as tx:
            seen = alert_table.last_heartbeat(tx)
            told_for = get_meta(tx, "heartbeat:told")
        if seen is None or now - seen < HEARTBEAT_SILENCE_S or (told_for is not None and float(told_for) >= seen):
            return
        is_told = self.tell(
            "heartbeat",
            f"no heartbeat from Alertmanager for {int((now - seen) / 60)} min: alerts may not reach this channel. Check Prometheus and Alertmanager",
        )
        if is_told:  # else it was silent within the last hour already: told once that hour is over
            with self._store.write() as tx:
                set_meta(tx, "heartbeat:told", str(seen))


def notice_message(text: str) -> Message:
    """A notice as a message. The text may quote what a stranger sent: it is shown as plain text and never parsed."""
    shown = "".join(c if c.isprintable() else " " for c in text)[:MAX_TEXT]
    return Message(
        slot="root",
        text="⚠️ oomtriage needs a look: see the message",
        blocks=(
            {"type": "header", "text": {"type": "plain_text", "text": "⚠️ The receiver needs a look", "emoji": False}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": shown}]}]},
        ),
        full_text=f"⚠️ The receiver needs a look\n{shown}",
    )
