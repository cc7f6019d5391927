"""How large a share of the cluster has what most workloads of a storm share: `storm_shares` jobs.

One batched query at a time for a digest, and its answer is kept: what is asked for is decided by pipeline/digest.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from receiver.domain.conversation_memory import BaseShare, BaseShares
from receiver.domain.units import from_epoch
from receiver.errors import SourceError
from receiver.pipeline import storm
from receiver.pipeline.common_factor import candidates
from receiver.pipeline.digest import Digests
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, jobs
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)


class ShareSource(Protocol):
    """What counts the cluster: Prometheus, or a test."""

    def shares(self, wanted: Mapping[str, str], *, now: float) -> Mapping[str, BaseShare]:
        """By kind (node, image, namespace), of the one of that name; what is not known is left out. A SourceError."""


class ShareWork:
    """Handles `storm_shares` jobs."""

    def __init__(self, *, store: Store, source: ShareSource | None, digests: Digests, config: StormConfig | None = None) -> None:
        self._store = store
        self._source = source
        self._digests = digests
        self._config = config or StormConfig()

    def run(self, job: Job) -> None:
        """Ask for what the storm's workloads have in common now, and keep what was answered: nothing, when nobody could tell."""
        now = self._store.now()
        view = self._digests.view(job.subject_id, now=now)
        found = candidates(view.entries) if view is not None else ()
        answered: Mapping[str, BaseShare] = {}
        try:
            if self._source is not None and found:
                answered = self._source.shares({c.kind: c.name for c in found}, now=now)
        except SourceError as exc:
            log.info("what a storm's workloads share cannot be held against chance", extra={"storm": job.subject_id, "error": str(exc)})
        shares = BaseShares(at=from_epoch(now), of={c.key: answered[c.kind] for c in found if c.kind in answered})
        with self._store.write() as tx:
            jobs.finish(tx, job)
            digest = conversations.load(tx, job.subject_id)
            if digest is not None:
                conversations.save_memory(tx, digest.id, replace(digest.memory, storm=replace(digest.memory.storm, shares=shares)))
                storm.refresh(tx, digest, self._config, now=now)
