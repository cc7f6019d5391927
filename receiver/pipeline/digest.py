"""What a storm's digest shows, and when it makes a sound: `digest` jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from receiver.domain.incident import FIRING, DigestEntry, DigestView, Message
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, KillKind
from receiver.domain.units import from_epoch
from receiver.pipeline.kinds import DIGEST
from receiver.pipeline.news import ONE_INCIDENT_S
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, incidents, jobs, outbox
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store

SOUNDS_AGAIN = 2  # a storm sounds once, and again when it is so many times as large, once a minute at most
REFUSED_SHOWN_S = 3600.0  # who may not press what stands in a digest for so long
NEW_S = 300.0  # who joined within it is new


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
            view = self.view(tx, digest, now=from_epoch(now))
            self._show(tx, digest, view, now=now)
            if view.ended_at is None:
                due_at = max(_newest(conversations.members(tx, digest.id), digest) + pace.quiet_s, now + pace.edit_interval_s)
                jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=due_at)
            elif digest.closed_at is None:
                conversations.close(tx, digest.id, now=now)

    def view(self, tx: Tx, digest: Conversation, *, now: datetime) -> DigestView:
        """A storm as it stands now. Who was shown alone while it began, or has a root of its own all the same, is part of it."""
        members = conversations.members(tx, digest.id)
        newest, storm = _newest(members, digest), self._config.storm
        joined = dict(members)
        alone = conversations.with_own_root(
            tx, sink=digest.sink, channel=digest.channel, since=digest.opened_at - storm.window_s, until=newest
        )
        found = [(incident, i in joined) for i in dict.fromkeys([*joined, *alone]) if (incident := incidents.load(tx, i)) is not None]
        entries = [_entry(one, now=now, public_url=self._config.public_url, has_own_root=not is_joined) for one, is_joined in found]
        clusters = {e.subject.cluster for e in entries if e.subject.cluster}
        return DigestView(
            id=digest.id,
            opened_at=from_epoch(digest.opened_at),
            now=now,
            entries=tuple(entries),
            new_last_5_min=sum(1 for _, at in members if at >= now.timestamp() - NEW_S),
            ended_at=now if now.timestamp() >= newest + storm.quiet_s else None,
            cluster=clusters.pop() if len(clusters) == 1 else "",
            page_url=self._config.public_url,
            mention=digest.mention,
            has_buttons=self._config.has_buttons,
            can_silence=self._config.can_silence,
            refused=_newest_refusal(digest, now=now),
        )

    def _show(self, tx: Tx, digest: Conversation, view: DigestView, *, now: float) -> None:
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
        conversations.save_memory(tx, digest.id, replace(digest.memory, storm=after))


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


def _entry(incident: Incident, *, now: datetime, public_url: str, has_own_root: bool) -> DigestEntry:
    memory, look = incident.memory, incident.memory.look
    silence, owner = memory.silence, memory.acknowledged
    first_at = memory.first_kill_at or from_epoch(incident.first_seen)
    span_h = max((now - first_at).total_seconds() / 3600, 0.1)
    return DigestEntry(
        incident_id=incident.id,
        subject=incident.subject,
        cause=look.verdict.named_cause if look is not None else CauseName.UNKNOWN.value,
        summary=_summary(memory),
        kill_count=memory.kill_count,
        is_never_up=look is not None and look.is_never_up,
        is_all_replicas=look is not None and look.is_every_replica_killed,
        kills_per_h=memory.kill_count / span_h,
        is_quiet=incident.state != FIRING,
        node=look.node if look is not None else "",
        image=memory.settings.image,
        has_own_root=has_own_root,
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        is_acknowledged=owner is not None,
        acknowledged_by=owner.by if owner is not None else "",
        silenced_until=silence.until if silence is not None and silence.lasts_at(now) else None,
        silenced_by=silence.by if silence is not None else "",
        not_silenced=silence.why_not if silence is not None else None,
    )


def _summary(memory: IncidentMemory) -> Reason:
    look, kills = memory.look, memory.kill_count
    verdict = (look.verdict if look is not None else GivenVerdict(cause=CauseName.UNKNOWN.value, confidence=0.0)).as_reason()
    if look is not None and look.kill_kind == KillKind.CHILD_PROCESS_OOM:
        return reason("storm.workers_killed", kills=memory.shown_kill_count)
    return reason("storm.kills", kills=kills, verdict=verdict) if kills else verdict
