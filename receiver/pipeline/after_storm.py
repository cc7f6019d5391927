"""After a storm: what still fires gets a root of its own, the worst first, at a pace that a channel can take: `after_storm` jobs.

The digest told that it dies; only a root of its own has the evidence, the checklist and the patch. A step marks one incident as
released and asks for a look at it; the look publishes it, and `storm.place` opens its conversation. Doing a step again after a
crash changes nothing: who is released stands in the digest's memory.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from receiver.domain.conversation_memory import RELEASED, RELEASING
from receiver.domain.incident import worst_first
from receiver.domain.units import from_epoch
from receiver.pipeline import storm
from receiver.pipeline.digest_entry import entry_of
from receiver.pipeline.digest_members import members_of
from receiver.pipeline.kinds import AFTER_STORM, COLLECT, PUBLISH
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, jobs
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)


def begin(tx: Tx, digest: Conversation, *, now: float) -> Conversation:
    """A storm is over: its members wait for their turn from now on. The digest as it is after that."""
    memory = replace(digest.memory, storm=replace(digest.memory.storm, after_care=RELEASING))
    conversations.save_memory(tx, digest.id, memory)
    jobs.schedule(tx, AFTER_STORM, digest.id, now=now)
    return replace(digest, memory=memory)


def dissolve(tx: Tx, digest: Conversation, *, now: float) -> None:
    """An inventory that turned out to be one or two: they get their own roots at once, and it was never shown."""
    members = [incident_id for incident_id, _ in conversations.members(tx, digest.id)]
    memory = replace(digest.memory.storm, after_care=RELEASED, released=tuple(members))
    conversations.save_memory(tx, digest.id, replace(digest.memory, storm=memory))
    conversations.close(tx, digest.id, now=now)
    for incident_id in members:
        jobs.schedule(tx, PUBLISH, incident_id, now=now)


def waiting(tx: Tx, digest: Conversation) -> list[str]:
    """The members that still fire, are shown by this digest alone, and were not released yet."""
    released = set(digest.memory.storm.released)
    return [incident_id for incident_id in conversations.members_left(tx, digest) if incident_id not in released]


class AfterStorm:
    """Handles `after_storm` jobs."""

    def __init__(self, store: Store, config: StormConfig | None = None) -> None:
        self._store = store
        self._config = config or StormConfig()

    def run(self, job: Job) -> None:
        """Release the worst of those that wait, or note that nobody does any more."""
        now = self._store.now()
        worst = self._worst(job.subject_id, now=now)
        with self._store.write() as tx:
            jobs.finish(tx, job)
            digest = conversations.load(tx, job.subject_id)
            if digest is None or digest.memory.storm.after_care != RELEASING:
                return
            memory = digest.memory.storm
            if worst is not None:
                memory = replace(memory, released=(*memory.released, worst))
                jobs.schedule(tx, COLLECT, worst, now=now)
                jobs.schedule(tx, AFTER_STORM, digest.id, now=now, due_at=now + self._config.release_interval_s)
            else:
                memory = replace(memory, after_care=RELEASED)
                log.info("every workload of the storm that still fires has its own message", extra={"storm": digest.id})
            conversations.save_memory(tx, digest.id, replace(digest.memory, storm=memory))
            if worst is None:
                storm.refresh(tx, digest, self._config, now=now)

    def _worst(self, digest_id: str, *, now: float) -> str | None:
        """Of those that wait; None when nobody does. Read in parts: accepts wait behind a transaction."""
        with self._store.read() as tx:
            digest = conversations.load(tx, digest_id)
            left = set(waiting(tx, digest)) if digest is not None else set()
        if not left:
            return None
        members = (m.incident for m in members_of(self._store, digest_id))
        entries = (entry_of(incident, now=from_epoch(now)) for incident in members if incident.id in left)
        worst = min(entries, key=worst_first, default=None)
        return worst.incident_id if worst is not None else None
