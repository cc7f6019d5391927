"""Notices to the default channel: what belongs to no incident, such as a webhook body that could not be read.

At most one of a kind an hour, so that a broken sender, which repeats itself, does not flood the channel.
"""

from __future__ import annotations

from collections import Counter

from receiver.domain.incident import Destination
from receiver.domain.reason import Reason, reason
from receiver.render.notice import notice_message
from receiver.store import alerts as alert_table
from receiver.store import conversations, outbox, quarantine
from receiver.store.schema import get_meta, set_meta
from receiver.store.store import Store

NOTICE_INTERVAL_S = 3600.0
HEARTBEAT_SILENCE_S = 600.0


class Notices:
    """Stores notices; the sender brings them to the channel."""

    def __init__(self, store: Store, place: Destination) -> None:
        self._store = store
        self._place = place

    def post(self, kind: str, what: Reason) -> bool:
        """Post a notice of a kind, once an hour at most; False when one was posted lately. StoreError when it cannot be stored."""
        now = self._store.now()
        with self._store.write() as tx:
            said_at = get_meta(tx, f"notice:{kind}")
            if said_at is not None and 0 <= now - float(said_at) < NOTICE_INTERVAL_S:
                return False
            set_meta(tx, f"notice:{kind}", str(now))
            conversation = conversations.open_new(
                tx, kind=conversations.NOTICE, incident_id=None, sink=self._place.sink, channel=self._place.channel, mention="", now=now
            )
            outbox.desire(tx, conversation.id, notice_message(what), now=now)
            return True

    def check_quarantine(self) -> None:
        """Notify once of stored rows that cannot be read: what they would have shown may be missing in the channels."""
        with self._store.read() as tx:
            found = quarantine.not_notified(tx)
        if not found:
            return
        n_of = Counter(str(row["kind"]) for row in found)
        first = found[0]
        what = reason(
            "notice.quarantined", kinds=tuple(n_of), counts=tuple(n_of.values()), first_kind=str(first["kind"]), first_id=str(first["row_id"]),
            why=str(first["why"]),
        )  # fmt: skip
        if self.post("quarantine", what):  # else within the hour after the last such notice: posted then, all in one
            with self._store.write() as tx:
                quarantine.mark_notified(tx, found)

    def check_heartbeat(self) -> None:
        """Notify once when the alert that always fires (severity `none`) has come before and is silent now."""
        now = self._store.now()
        with self._store.read() as tx:
            seen = alert_table.last_heartbeat(tx)
            notified_for = get_meta(tx, "heartbeat:told")
        if seen is None or now - seen < HEARTBEAT_SILENCE_S or (notified_for is not None and float(notified_for) >= seen):
            return
        is_posted = self.post("heartbeat", reason("notice.no_heartbeat", silent_s=now - seen))
        if is_posted:  # else it was silent within the last hour already: posted once that hour is over
            with self._store.write() as tx:
                set_meta(tx, "heartbeat:told", str(seen))
