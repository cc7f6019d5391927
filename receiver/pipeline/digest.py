"""What a storm's digest shows, and when it makes a sound: `digest` jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from receiver.domain.incident import DigestView, Message
from receiver.pipeline import after_storm, digest_view
from receiver.pipeline.digest_view import DigestConfig, Seen, quiet_s_of
from receiver.pipeline.kinds import DIGEST, SHARES
from receiver.pipeline.news import ONE_INCIDENT_S
from receiver.pipeline.storm import StormConfig, gather_s_of
from receiver.store import conversations, jobs, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

SOUNDS_AGAIN = 2  # a storm sounds once, and again when it is so many times as large, once a minute at most
SHARES_LAST_S = 300.0  # what a node's share of the cluster is does not change faster


class DigestRendering(Protocol):
    """What turns a storm into messages: the render layer."""

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        """A storm's root and pages."""

    def grown(self, view: DigestView) -> Message:
        """A reply about a storm that is much larger than when it last made a sound."""


class Digests:
    """Handles `digest` jobs."""

    def __init__(self, *, store: Store, rendering: DigestRendering, config: DigestConfig) -> None:
        self._store = store
        self._rendering = rendering
        self._config = config

    def run(self, job: Job) -> None:
        """Bring a storm's messages up to date.

        It is read and rendered before the transaction that writes it: of thousands of workloads that takes a second, and what joins
        or is pressed meanwhile asks for the next edit.
        """
        now, pace = self._store.now(), self._config.storm
        seen = digest_view.see(self._store, job.subject_id, self._config, now=now)
        wants_shares = seen is not None and self._wants_shares(seen, now=now)
        is_early = seen is not None and wants_shares and _is_early(seen.digest, pace, now=now)
        messages = self._rendering.digest(seen.view) if seen is not None and not is_early else ()
        with self._store.write() as tx:
            jobs.finish(tx, job)
            digest = conversations.load(tx, job.subject_id)
            if digest is None or seen is None:
                return
            view = seen.view
            if _is_too_small(tx, digest, pace):
                after_storm.dissolve(tx, digest, now=now)
                return
            if wants_shares:
                jobs.schedule(tx, SHARES, digest.id, now=now)
            if is_early:
                jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=now + pace.gather_s)
                return
            digest = self._show(tx, digest, view, messages, now=now)
            if view.ended_at is None:
                newest = conversations.last_joined(tx, digest.id) or digest.opened_at
                due_at = max(newest + quiet_s_of(digest, pace), now + pace.edit_interval_s)
                jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=due_at)
            elif digest.closed_at is None:
                conversations.close(tx, digest.id, now=now)
                after_storm.begin(tx, digest, now=now)

    def view(self, digest_id: str, *, now: float) -> DigestView | None:
        """A storm as it stands now; None when there is no such digest."""
        seen = digest_view.see(self._store, digest_id, self._config, now=now)
        return seen.view if seen is not None else None

    def _wants_shares(self, seen: Seen, *, now: float) -> bool:
        """Whether what most share cannot be held against chance yet, and nobody asked lately."""
        known, view = seen.digest.memory.storm.shares, seen.view
        return (
            self._config.can_ask_shares and view.ended_at is None and not view.is_common_known
            and (known is None or now - known.at.timestamp() >= SHARES_LAST_S)
        )  # fmt: skip

    def _show(self, tx: Tx, digest: Conversation, view: DigestView, messages: tuple[Message, ...], *, now: float) -> Conversation:
        before, pace = digest.memory.storm, self._config.storm
        # At the storm's own pace, counted from what was sent; sooner only when a person did something.
        since_edit_s = (view.now - before.edited_at).total_seconds() if before.edited_at is not None else now
        interval_s = pace.edit_interval_s if since_edit_s >= pace.edit_interval_s else outbox.EDIT_INTERVAL_S
        for message in messages:  # the root's edits go before the pages: how many are hit is what somebody looks for
            outbox.desire(tx, digest.id, message, now=now, is_prompt=not message.is_reply, edit_interval_s=interval_s)
        size = len(view.entries)
        is_louder = view.ended_at is None and _is_louder(digest, size, now=view.now)
        if is_louder:
            outbox.desire(tx, digest.id, self._rendering.grown(view), now=now)
        after = replace(before, edited_at=view.now)
        if is_louder or before.notified_size is None:
            after = replace(after, notified_size=size, notified_at=view.now)
        memory = replace(digest.memory, storm=after)
        conversations.save_memory(tx, digest.id, memory)
        return replace(digest, memory=memory)


def _is_early(digest: Conversation, pace: StormConfig, *, now: float) -> bool:
    """Whether nothing was shown yet and it may wait a little: the first text is all that a phone shows, and should have the shares."""
    return digest.memory.storm.edited_at is None and now < digest.opened_at + gather_s_of(digest, pace) + pace.gather_s


def _is_too_small(tx: Tx, digest: Conversation, pace: StormConfig) -> bool:
    """An inventory of what is listed sooner one by one. What has been shown stays."""
    is_new = digest.kind == conversations.INVENTORY and digest.memory.storm.edited_at is None and digest.closed_at is None
    return is_new and len(conversations.members(tx, digest.id)) < pace.inventory_least


def _is_louder(digest: Conversation, size: int, *, now: datetime) -> bool:
    """Whether the storm is twice as large as when it last made a sound, and that was a while ago."""
    storm = digest.memory.storm
    if storm.notified_size is None or storm.notified_at is None:
        return False
    return size >= SOUNDS_AGAIN * storm.notified_size and now - storm.notified_at >= timedelta(seconds=ONE_INCIDENT_S)
