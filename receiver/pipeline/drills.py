"""Test alerts in a running receiver: where they may be told, how far one has come, and how they end.

A test goes the way of every alert; what differs is said at each place by its key (`domain/drill.py`): it has a conversation of its own
kind, which no storm counts, no mention, no buttons, and no place beside the channel it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from receiver.domain import drill
from receiver.domain.alerts import FIRING, RESOLVED
from receiver.domain.units import from_epoch
from receiver.pipeline.routing import Router
from receiver.store import alerts, conversations, incident_lists, incidents, outbox
from receiver.store.store import Store

LASTS_S = 600.0  # at most: whoever began it has gone without ending it
EDITED_S = 60.0  # a test that is over is closed after its message says so


class Drills:
    """Looks into the store; the tests themselves come through the webhook."""

    def __init__(self, store: Store, router: Router) -> None:
        self._store = store
        self._router = router

    def places(self) -> Mapping[str, Any]:
        """`sink`, the `default` channel, and all `channels` in which a test may be told."""
        return {"sink": self._router.sink, "default": self._router.default.channel, "channels": list(self._router.channels)}

    def progress(self, drill_id: str) -> Mapping[str, Any]:
        """Seconds since 1970 at which a test came to each stop, so far: `accepted`, `folded`, `looked`, `posted`; `error`, `is_dead`: of
        its message.
        """
        with self._store.read() as tx:
            incident = incidents.find_open(tx, drill.key_of(drill_id))
            if incident is None:
                return {}
            told = conversations.of_incident(tx, incident.id)
            messages = [m for m in outbox.of_incident(tx, incident.id) if m["slot"] == "root"]
            stops: dict[str, Any] = {"accepted": alerts.accepted_at(tx, incident.id), "folded": incident.opened_at}
        if told:
            stops |= {"looked": told[0].opened_at, "sink": told[0].sink, "channel": told[0].channel}
        if messages:
            stops |= {"posted": messages[0]["sent_at"], "error": messages[0]["last_error"] or "", "is_dead": messages[0]["state"] == "dead"}
        return stops

    def drop(self, drill_id: str) -> bool:
        """Forget a test that did not arrive, with whatever waits of it. False when there is none."""
        with self._store.record() as tx:
            return incidents.forget(tx, drill.key_of(drill_id))

    def tidy(self) -> None:
        """End tests that nobody ended, and close those that are over: no window in which they could fire again."""
        now = self._store.now()
        with self._store.write() as tx:
            incident_lists.close_resolved(tx, prefix=drill.KEY, resolved_before=now - EDITED_S, now=now)
            overdue = incident_lists.firing_since(tx, prefix=drill.KEY, opened_before=now - LASTS_S)
            ends = [
                replace(a, status=RESOLVED, ends_at=from_epoch(now)) for i in overdue for a in alerts.newest_of(tx, i) if a.status == FIRING
            ]
        if ends:
            self._store.accept(ends)
