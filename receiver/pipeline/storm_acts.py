"""What people ask of a storm: its digest's buttons mean every workload that it told of when somebody pressed.

Taking one writes it down and no more, so that Slack has its answer in time however many members there are; a `storm_act` job
does to each member what its own button would do. A silence is therefore one a member, with the member's own matchers: one
silence for several would have to match products of their labels (the pods of one with the container of another), and so
somebody who is not a member; and each stays extendable and undoable from its incident. Who joins later is not meant.
"""

from __future__ import annotations

import logging
from typing import Any

from receiver.pipeline import people, storm
from receiver.pipeline.actions import ACKNOWLEDGE, LOUD, QUIET, WORDS, Act, Outcome, Permissions, after_act
from receiver.pipeline.silencer import SILENCE
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, incidents, jobs
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

STORM_ACT = "storm_act"  # the kind of job
MEANT = "storm_"  # before a conversation's id where an incident's could stand
MEMBERS_AT_ONCE = 50  # in one transaction: alerts are accepted between two


def is_storm(target: str) -> bool:
    """Whether a button is a digest's, by what it is about."""
    return target.startswith(MEANT)


class StormActions:
    """Takes what is asked of storms. Safe to call from any thread."""

    def __init__(self, store: Store, permissions: Permissions | None = None, config: StormConfig | None = None) -> None:
        self._store = store
        self._permissions = permissions or Permissions()
        self._config = config or StormConfig()

    def take(self, target: str, act: Act) -> Outcome:
        """Write down an acknowledgement, a silence or the end of one. StoreError when that is not possible."""
        now = self._store.now()
        with self._store.write() as tx:
            digest = conversations.load(tx, target.removeprefix(MEANT))
            if digest is None or digest.kind != conversations.DIGEST or act.what not in (ACKNOWLEDGE, QUIET, LOUD):
                return Outcome(state="unknown", text="there is no such storm here (any more)")
            if people.is_known_click(digest.data, act.click_id):
                return Outcome(state="already", text="done already")
            data = people.with_click(digest.data, act.click_id)
            if not self._permissions.allow(act):
                return self._refuse(tx, digest, data, act, now=now)
            asked = {"what": act.what, "by": people.name_of(act.by), "seconds": act.seconds, "at": now}
            conversations.save_data(tx, digest.id, {**data, "acts": [*data.get("acts", ()), asked]})
            jobs.schedule(tx, STORM_ACT, digest.id, now=now)
        log.info("action taken", extra={"storm": digest.id, "what": act.what, "by": act.by})
        return Outcome(state="done", text="asked for")

    def _refuse(self, tx: Tx, digest: Conversation, data: dict[str, Any], act: Act, *, now: float) -> Outcome:
        log.warning("action refused", extra={"storm": digest.id, "what": act.what, "by": act.by})
        after = people.refuse(data, what=WORDS[act.what], by=act.by, at=now)
        conversations.save_data(tx, digest.id, after or data)
        if after is not None:
            storm.refresh(tx, digest, self._config, now=now, is_for_a_person=True)
        return Outcome(state="refused", text="not allowed")


class StormWork:
    """Handles `storm_act` jobs. Doing one again after a crash changes nothing."""

    def __init__(self, store: Store, config: StormConfig | None = None) -> None:
        self._store = store
        self._config = config or StormConfig()

    def run(self, job: Job) -> None:
        """Do to every member what was asked, in the order in which it was asked."""
        with self._store.read() as tx:
            digest = conversations.load(tx, job.subject_id)
            members = conversations.members(tx, job.subject_id)
        asked = list(digest.data.get("acts", ())) if digest else []
        for act in asked:
            meant = [incident_id for incident_id, joined_at in members if joined_at <= act["at"]]
            for first in range(0, len(meant), MEMBERS_AT_ONCE):
                with self._store.write() as tx:
                    for incident_id in meant[first : first + MEMBERS_AT_ONCE]:
                        self._do(tx, incident_id, Act(what=act["what"], by=act["by"], seconds=act["seconds"]), at=act["at"])
        with self._store.write() as tx:
            jobs.finish(tx, job)
            if digest := conversations.load(tx, job.subject_id):
                left = digest.data.get("acts", [])[len(asked) :]
                conversations.save_data(tx, digest.id, {**digest.data, "acts": left})
                storm.refresh(tx, digest, self._config, now=self._store.now(), is_for_a_person=True)

    def _do(self, tx: Tx, incident_id: str, act: Act, *, at: float) -> None:
        incident = incidents.load(tx, incident_id)
        if incident is None or incident.closed_at is not None:
            return
        after = after_act(incident, act, now=at)
        if after is None:
            return
        incidents.save_data(tx, incident_id, after)
        if act.what in (QUIET, LOUD):
            jobs.schedule(tx, SILENCE, incident_id, now=at)
        else:
            storm.show_again(tx, incident_id, self._config, now=self._store.now())
