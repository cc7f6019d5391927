"""What people ask of a storm: its digest's buttons mean every workload that it showed when somebody pressed.

Taking one writes it down and no more, so that Slack has its answer in time however many members there are; a `storm_act` job
does to each member what its own button would do. A silence is therefore one a member, with the member's own matchers: one
silence for several would have to match products of their labels (the pods of one with the container of another), and so
somebody who is not a member; and each stays extendable and undoable from its incident. Who joins later is not meant.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from receiver.domain.conversation_memory import StormAct, StormMemory
from receiver.domain.incident_memory import Refusal
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.pipeline import people, storm
from receiver.pipeline.actions import ACKNOWLEDGE, LOUD, QUIET, Act, Outcome, Permissions, after_act
from receiver.pipeline.kinds import SILENCE, STORM_ACT
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, incidents, jobs
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

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
        with self._store.record() as tx:
            digest = conversations.load(tx, target.removeprefix(MEANT))
            if (
                digest is None
                or digest.kind not in (conversations.DIGEST, conversations.INVENTORY)
                or act.what not in (ACKNOWLEDGE, QUIET, LOUD)
            ):
                return Outcome(state="unknown", what=reason("action.no_such_storm"))
            memory = digest.memory.storm
            if people.is_known_click(memory.clicks, act.click_id):
                return Outcome(state="already", what=reason("action.done_already"))
            memory = replace(memory, clicks=people.with_click(memory.clicks, act.click_id))
            if not self._permissions.allow(act):
                return self._refuse(tx, digest, memory, act, now=now)
            asked = StormAct(what=act.what, by=people.name_of(act.by), at=from_epoch(now), duration_s=act.duration_s)
            _save(tx, digest, replace(memory, acts=(*memory.acts, asked)))
            jobs.schedule(tx, STORM_ACT, digest.id, now=now)
        log.info("action taken", extra={"storm": digest.id, "what": act.what, "by": act.by})
        return Outcome(state="done", what=reason("action.asked_for"))

    def _refuse(self, tx: Tx, digest: Conversation, memory: StormMemory, act: Act, *, now: float) -> Outcome:
        log.warning("action refused", extra={"storm": digest.id, "what": act.what, "by": act.by})
        refusals = people.with_refusal(memory.refusals, Refusal(by=act.by, what=act.what, at=from_epoch(now)))
        _save(tx, digest, replace(memory, refusals=refusals) if refusals is not None else memory)
        if refusals is not None:
            storm.refresh(tx, digest, self._config, now=now, is_for_a_person=True)
        return Outcome(state="refused", what=reason("action.not_allowed"))


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
        asked = digest.memory.storm.acts if digest else ()
        for act in asked:
            meant = [incident_id for incident_id, joined_at in members if from_epoch(joined_at) <= act.at]
            for first in range(0, len(meant), MEMBERS_AT_ONCE):
                with self._store.write() as tx:
                    for incident_id in meant[first : first + MEMBERS_AT_ONCE]:
                        self._do(tx, incident_id, Act(what=act.what, by=act.by, duration_s=act.duration_s), at=act.at)
        with self._store.write() as tx:
            jobs.finish(tx, job)
            if digest := conversations.load(tx, job.subject_id):
                memory = digest.memory.storm
                _save(tx, digest, replace(memory, acts=memory.acts[len(asked) :]))
                storm.refresh(tx, digest, self._config, now=self._store.now(), is_for_a_person=True)

    def _do(self, tx: Tx, incident_id: str, act: Act, *, at: datetime) -> None:
        incident = incidents.load_brief(tx, incident_id)
        if incident is None or incident.closed_at is not None:
            return
        after = after_act(incident.memory, act, incident_id, at=at)
        if after is None:
            return
        incidents.save_memory(tx, incident_id, after)
        if act.what in (QUIET, LOUD):
            jobs.schedule(tx, SILENCE, incident_id, now=at.timestamp())
        else:
            storm.show_again(tx, incident_id, self._config, now=self._store.now())


def _save(tx: Tx, digest: Conversation, memory: StormMemory) -> None:
    conversations.save_memory(tx, digest.id, replace(digest.memory, storm=memory))
