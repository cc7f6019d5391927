"""What a storm's digest shows, and when it makes a sound: `digest` jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from receiver.domain.incident import DigestView, Message
from receiver.domain.reason import Reason
from receiver.domain.units import from_epoch
from receiver.pipeline import after_storm
from receiver.pipeline.common_factor import common_factor
from receiver.pipeline.digest_entry import entry_of
from receiver.pipeline.kinds import DIGEST, SHARES
from receiver.pipeline.news import ONE_INCIDENT_S
from receiver.pipeline.storm import StormConfig, gather_s_of
from receiver.store import conversations, incidents, jobs, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.jobs import Job
from receiver.store.store import Store

SOUNDS_AGAIN = 2  # a storm sounds once, and again when it is so many times as large, once a minute at most
REFUSED_SHOWN_S = 3600.0  # who may not press what stands in a digest for so long
NEW_S = 300.0  # who joined within it is new
SHARES_LAST_S = 300.0  # what a node's share of the cluster is does not change faster


class DigestRendering(Protocol):
    """What turns a storm into messages: the render layer."""

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        """A storm's root and pages."""

    def grown(self, view: DigestView) -> Message:
        """A reply about a storm that is much larger than when it last made a sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestConfig:
    """`public_url`: of the pages; empty for none."""

    public_url: str = ""
    has_buttons: bool = False
    can_silence: bool = False
    can_ask_shares: bool = False  # there is somebody to ask how large a share of the cluster a node has
    storm: StormConfig = field(default_factory=StormConfig)


class Digests:
    """Handles `digest` jobs."""

    def __init__(self, *, store: Store, rendering: DigestRendering, config: DigestConfig) -> None:
        self._store = store
        self._rendering = rendering
        self._config = config

    def run(self, job: Job) -> None:
        """Bring a storm's messages up to date."""
        now, pace = self._store.now(), self._config.storm
        with self._store.write() as tx:
            jobs.finish(tx, job)
            digest = conversations.load(tx, job.subject_id)
            if digest is None:
                return
            if self._is_too_small(tx, digest):
                after_storm.dissolve(tx, digest, now=now)
                return
            view = self.view(tx, digest, now=from_epoch(now))
            if self._wants_shares(digest, view, now=now):
                jobs.schedule(tx, SHARES, digest.id, now=now)
                if digest.memory.storm.edited_at is None and now < digest.opened_at + gather_s_of(digest, pace) + pace.gather_s:
                    jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=now + pace.gather_s)
                    return  # so that the first text, which is all that a phone shows, can have them
            digest = self._show(tx, digest, view, now=now)
            if view.ended_at is None:
                due_at = max(_newest(conversations.members(tx, digest.id), digest) + self._quiet_s(digest), now + pace.edit_interval_s)
                jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=due_at)
            elif digest.closed_at is None:
                conversations.close(tx, digest.id, now=now)
                after_storm.begin(tx, digest, now=now)

    def view(self, tx: Tx, digest: Conversation, *, now: datetime) -> DigestView:
        """A storm as it stands now. Who was shown alone while it began, or has a root of its own all the same, is part of it."""
        members = conversations.members(tx, digest.id)
        newest, storm = _newest(members, digest), self._config.storm
        joined = dict(members)
        alone = conversations.with_own_root(
            tx, sink=digest.sink, channel=digest.channel, since=digest.opened_at - storm.window_s, until=newest
        )
        known = [(incident, i in joined) for i in dict.fromkeys([*joined, *alone]) if (incident := incidents.load_brief(tx, i)) is not None]
        entries = [
            entry_of(one, now=now, public_url=self._config.public_url, has_own_root=not is_joined or self._has_own_root(tx, one.id, digest))
            for one, is_joined in known
        ]
        clusters = {e.subject.cluster for e in entries if e.subject.cluster}
        shares = digest.memory.storm.shares
        found = common_factor(entries, shares.of if shares is not None else {})
        is_over = digest.closed_at is not None or now.timestamp() >= newest + self._quiet_s(digest)
        left = len(after_storm.waiting(tx, digest)) if is_over else 0
        return DigestView(
            id=digest.id,
            opened_at=from_epoch(digest.opened_at),
            now=now,
            entries=tuple(entries),
            new_last_5_min=sum(1 for _, at in members if at >= now.timestamp() - NEW_S),
            ended_at=(from_epoch(digest.closed_at) if digest.closed_at is not None else now) if is_over else None,
            cluster=clusters.pop() if len(clusters) == 1 else "",
            page_url=self._config.public_url,
            mention=digest.mention,
            has_buttons=self._config.has_buttons,
            can_silence=self._config.can_silence,
            refused=_newest_refusal(digest, now=now),
            common=found.factor,
            is_common_known=not found.unknown,
            is_inventory=digest.kind == conversations.INVENTORY,
            released_by=now + timedelta(seconds=left * storm.release_interval_s) if left else None,
        )

    def _quiet_s(self, digest: Conversation) -> float:
        pace = self._config.storm
        return pace.inventory_quiet_s if digest.kind == conversations.INVENTORY else pace.quiet_s

    def _is_too_small(self, tx: Tx, digest: Conversation) -> bool:
        """An inventory of what is listed sooner one by one. What has been shown stays."""
        is_new = digest.kind == conversations.INVENTORY and digest.memory.storm.edited_at is None and digest.closed_at is None
        return is_new and len(conversations.members(tx, digest.id)) < self._config.storm.inventory_least

    def _wants_shares(self, digest: Conversation, view: DigestView, *, now: float) -> bool:
        """Whether what most share cannot be held against chance yet, and nobody asked lately."""
        known = digest.memory.storm.shares
        return (
            self._config.can_ask_shares and view.ended_at is None and not view.is_common_known
            and (known is None or now - known.at.timestamp() >= SHARES_LAST_S)
        )  # fmt: skip

    @staticmethod
    def _has_own_root(tx: Tx, incident_id: str, digest: Conversation) -> bool:
        return any((c.sink, c.channel) == (digest.sink, digest.channel) for c in conversations.of_incident(tx, incident_id))

    def _show(self, tx: Tx, digest: Conversation, view: DigestView, *, now: float) -> Conversation:
        before, pace = digest.memory.storm, self._config.storm
        # At the storm's own pace, counted from what was sent; sooner only when a person did something.
        since_edit_s = (view.now - before.edited_at).total_seconds() if before.edited_at is not None else now
        interval_s = pace.edit_interval_s if since_edit_s >= pace.edit_interval_s else outbox.EDIT_INTERVAL_S
        for message in self._rendering.digest(view):
            outbox.desire(tx, digest.id, message, now=now, edit_interval_s=interval_s)
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


def _is_louder(digest: Conversation, size: int, *, now: datetime) -> bool:
    """Whether the storm is twice as large as when it last made a sound, and that was a while ago."""
    storm = digest.memory.storm
    if storm.notified_size is None or storm.notified_at is None:
        return False
    return size >= SOUNDS_AGAIN * storm.notified_size and now - storm.notified_at >= timedelta(seconds=ONE_INCIDENT_S)


def _newest_refusal(digest: Conversation, *, now: datetime) -> Reason | None:
    shown = [r for r in digest.memory.storm.refusals if r.at is not None and r.at > now - timedelta(seconds=REFUSED_SHOWN_S)]
    return shown[-1].as_reason() if shown else None


def _newest(members: Sequence[tuple[str, float]], digest: Conversation) -> float:
    return max((joined for _, joined in members), default=digest.opened_at)
