"""Notices to the default channel: what belongs to no incident, such as a webhook body that could not be read.

At most one of a kind an hour, so that a broken sender, which repeats itself, does not flood the channel.
"""

from __future__ import annotations

from collections import Counter

from receiver.domain.away import ALERTMANAGER, Gap
from receiver.domain.incident import Destination
from receiver.domain.reason import Reason, reason
from receiver.domain.units import from_epoch
from receiver.pipeline import reconcile
from receiver.pipeline.kinds import COLLECT, DIGEST
from receiver.render.notice import notice_message
from receiver.store import alerts as alert_table
from receiver.store import away, conversations, incident_lists, jobs, outbox, quarantine
from receiver.store.database import Tx
from receiver.store.opening import BACKUP, JOURNAL_GONE, SAVED, Finding
from receiver.store.schema import get_meta, set_meta
from receiver.store.store import Store
from receiver.store.volume import DAMAGED, REPLACED

NOTICE_INTERVAL_S = 3600.0
HEARTBEAT_SILENCE_S = 600.0
HEARTBEAT = "heartbeat"  # a kind


class Notices:
    """Stores notices; the sender brings them to the channel."""

    def __init__(self, store: Store, place: Destination) -> None:
        self._store = store
        self._place = place
        self._began = store.now()

    def post(self, kind: str, what: Reason) -> bool:
        """Post a notice of a kind, once an hour at most; False when one was posted lately. StoreError when it cannot be stored."""
        return self._post(kind, what) is not None

    def _post(self, kind: str, what: Reason) -> str | None:
        """The id of the notice's conversation; None when one of the kind was posted lately."""
        now = self._store.now()
        with self._store.record() as tx:
            said_at = get_meta(tx, f"notice:{kind}")
            if said_at is not None and 0 <= now - float(said_at) < NOTICE_INTERVAL_S:
                return None
            set_meta(tx, f"notice:{kind}", str(now))
            return self._open(tx, what)

    def _open(self, tx: Tx, what: Reason) -> str:
        now = self._store.now()
        conversation = conversations.open_new(
            tx, kind=conversations.NOTICE, incident_id=None, sink=self._place.sink, channel=self._place.channel, mention="", now=now
        )
        outbox.desire(tx, conversation.id, notice_message(what), now=now)
        return conversation.id

    def tell_of_state(self) -> None:
        """Notify, once, of what was found when the state was opened. StoreError when that cannot be stored."""
        for finding in self._store.findings:
            with self._store.write() as tx:
                self._open(tx, _said_of(finding))
                if finding.note is not None:
                    set_meta(tx, *finding.note)
                if finding.what in (DAMAGED, REPLACED):
                    _look_again(tx, now=self._store.now())

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
        """Notify once when the alert that always fires (severity `none`) has come before and is silent now; and when it is back.

        While the receiver itself did not run it heard nothing: silence counts from its start.
        """
        now = self._store.now()
        with self._store.read() as tx:
            seen = alert_table.last_heartbeat(tx)
            told = away.silent_since(tx)
        if seen is None:
            return
        if told is not None and seen > told.since:
            self._end_silence(told, seen)
        elif told is None and now - max(seen, self._began) >= HEARTBEAT_SILENCE_S:
            notice = self._post(HEARTBEAT, reason("notice.no_heartbeat", silent_s=now - seen))
            if notice is not None:  # else it was silent within the last hour already: posted once that hour is over
                with self._store.write() as tx:
                    away.note_silence(tx, away.Silence(since=seen, notice=notice))

    def _end_silence(self, told: away.Silence, back_at: float) -> None:
        """Alertmanager is heard again: the notice says so, and what it did not bring meanwhile is looked for."""
        gap = Gap(since=from_epoch(told.since), until=from_epoch(back_at), whose=ALERTMANAGER)
        now = self._store.now()
        with self._store.write() as tx:
            away.note_silence(tx, None)
            away.note_gap(tx, gap)
            reconcile.ask(tx, now=now, gap=gap)
            if conversations.load(tx, told.notice) is not None:
                what = reason("notice.heartbeat_back", since=gap.since, until=gap.until)
                outbox.desire(tx, told.notice, notice_message(what, is_over=True), now=now)


def _look_again(tx: Tx, *, now: float) -> None:
    """After damage: of what was accepted and is lost Alertmanager still holds what fires, and what was taken over may lack its next step."""
    reconcile.ask(tx, now=now)
    for incident in incident_lists.open_after(tx, "", alert_table.ALL):
        jobs.schedule(tx, COLLECT, incident.id, now=now)
    for digest in conversations.open_digests(tx):
        jobs.schedule(tx, DIGEST, digest.id, now=now)


def _said_of(finding: Finding) -> Reason:
    n = finding.salvaged
    taken = {"alerts": n.alerts, "incidents": n.incidents, "planned": n.planned, "is_cut": n.is_cut}
    if finding.what == DAMAGED:
        return reason("notice.state_damaged", kept=finding.name, **taken)
    if finding.what == JOURNAL_GONE:
        return reason("notice.journal_gone")
    if finding.at is not None and finding.what == BACKUP:
        return reason("notice.state_restored", at=from_epoch(finding.at))
    if finding.at is not None and finding.what == SAVED:
        return reason("notice.state_saved", at=from_epoch(finding.at))
    return reason("notice.state_replaced", kept=finding.name, **taken)
