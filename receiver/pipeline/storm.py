"""Storms: when many incidents come at once, one digest root tells them all.

A workload is named in at most one root: its own, or a digest's. Incidents on a critical route keep their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain.confidence import PLAUSIBLE
from receiver.domain.incident import FIRING, DigestEntry, DigestView
from receiver.domain.incident import Conversation as Place
from receiver.domain.units import from_epoch
from receiver.pipeline.fold import ENRICH
from receiver.pipeline.news import ONE_BREATH_S
from receiver.store import conversations, incidents, jobs
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident

DIGEST = "digest"
HEARD_AGAIN = 2  # a storm sounds once, and again when it is so many times as large, once a minute at most
REFUSED_SHOWN_S = 3600.0  # who may not press what stands in a digest for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class StormConfig:
    """When a storm starts, is edited and ends."""

    new_incidents: int = 10  # this many within `window_s` in one channel ...
    window_s: float = 300.0
    waiting_roots: int = 20  # ... or more than this many roots that wait for the channel
    gather_s: float = 3.0  # between the start of a storm and its root: so that the first text has numbers
    edit_interval_s: float = 30.0
    act_interval_s: float = 10.0  # the same when a person pressed something, who waits to see it
    quiet_s: float = 900.0  # over when nothing new joined for so long


def place(
    tx: Tx, incident: Incident, place: Place, config: StormConfig, *, now: float, can_digest: bool, news_at: float
) -> Conversation | None:
    """The conversation in which an incident is told, opened now if need be; None when a storm's digest tells it."""
    own = [c for c in conversations.of_incident(tx, incident.id) if (c.sink, c.channel) == (place.sink, place.channel)]
    if own:
        return own[0]
    if can_digest and not place.options.get("is_critical"):
        told_in = [d for d in conversations.digests_of(tx, incident.id) if (d.sink, d.channel) == (place.sink, place.channel)]
        if any(d.closed_at is None or news_at <= d.closed_at for d in told_in):
            for digest in told_in:
                refresh(tx, digest, config, now=now)
            return None
        digest_now = conversations.open_digest(tx, sink=place.sink, channel=place.channel) or _start(tx, place, config, now=now)
        if digest_now is not None:
            conversations.join_digest(tx, conversation_id=digest_now.id, incident_id=incident.id, now=now)
            refresh(tx, digest_now, config, now=now)
            return None
    return conversations.open_new(
        tx, kind=conversations.INCIDENT, incident_id=incident.id, sink=place.sink, channel=place.channel, mention=place.mention, now=now,
        data={"is_critical": bool(place.options.get("is_critical"))},
    )  # fmt: skip


def _start(tx: Tx, place: Place, config: StormConfig, *, now: float) -> Conversation | None:
    waiting = [
        c for c in conversations.waiting_roots(tx, sink=place.sink, channel=place.channel) if not c.data.get("is_critical")
    ]  # a critical one keeps its own root, and its place in the queue
    recent = conversations.opened_since(tx, sink=place.sink, channel=place.channel, since=now - config.window_s)
    if recent + 1 < config.new_incidents and len(waiting) + 1 <= config.waiting_roots:
        return None
    digest = conversations.open_new(
        tx, kind=conversations.DIGEST, incident_id=None, sink=place.sink, channel=place.channel, mention=place.mention, now=now
    )
    for conversation in waiting:  # not said yet: say it once, in the digest
        if conversation.incident_id is not None:
            conversations.drop(tx, conversation.id)
            conversations.join_digest(tx, conversation_id=digest.id, incident_id=conversation.incident_id, now=now)
    return digest


def refresh(tx: Tx, digest: Conversation, config: StormConfig, *, now: float, is_for_a_person: bool = False) -> None:
    """Ask for an edit of a digest, not more often than it may be edited."""
    edited_at = digest.data.get("edited_at")
    interval_s = config.act_interval_s if is_for_a_person else config.edit_interval_s
    due_at = now + config.gather_s if edited_at is None else max(now + config.gather_s, edited_at + interval_s)
    jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=due_at)


def show_again(tx: Tx, incident_id: str, config: StormConfig, *, now: float) -> None:
    """Somebody did something with an incident: ask for what shows it. One that only a digest tells needs no look of its own."""
    digests = conversations.digests_of(tx, incident_id)
    if not digests or conversations.of_incident(tx, incident_id):
        jobs.schedule(tx, ENRICH, incident_id, now=now)
    for digest in digests:
        refresh(tx, digest, config, now=now, is_for_a_person=True)


def over_at(tx: Tx, digest: Conversation, config: StormConfig) -> float:
    """When the storm is over, if nothing joins it any more."""
    return _newest(conversations.members(tx, digest.id), digest) + config.quiet_s


def digest_view(
    tx: Tx, digest: Conversation, config: StormConfig, *, now: float, public_url: str, has_buttons: bool = False, can_silence: bool = False
) -> DigestView:
    """A storm as it stands now. Who was told alone while it began, or has a root of its own all the same, is part of it."""
    members = conversations.members(tx, digest.id)
    newest = _newest(members, digest)
    joined = dict(members)
    alone = conversations.told_alone(tx, sink=digest.sink, channel=digest.channel, since=digest.opened_at - config.window_s, until=newest)
    entries = []
    for incident_id in dict.fromkeys([*joined, *alone]):
        incident = incidents.load(tx, incident_id)
        if incident is not None:
            entries.append(_entry(incident, now=now, public_url=public_url, has_own_root=incident_id not in joined))
    clusters = {e.subject.cluster for e in entries if e.subject.cluster}
    return DigestView(
        id=digest.id,
        opened_at=from_epoch(digest.opened_at),
        now=from_epoch(now),
        entries=tuple(entries),
        new_last_5_min=sum(1 for _, at in members if at >= now - 300),
        ended_at=from_epoch(now) if now >= newest + config.quiet_s else None,
        cluster=clusters.pop() if len(clusters) == 1 else "",
        page_url=public_url,
        mention=digest.mention,
        has_buttons=has_buttons,
        can_silence=can_silence,
        refused=next((text for at, text, *_ in reversed(digest.data.get("log", ())) if at > now - REFUSED_SHOWN_S), ""),
    )


def is_louder(digest: Conversation, total: int, *, now: float) -> bool:
    """Whether the storm is twice as large as when it last made a sound, and that was a while ago."""
    heard, heard_at = int(digest.data.get("heard", total)), float(digest.data.get("heard_at", now))
    return total >= HEARD_AGAIN * heard and now - heard_at >= ONE_BREATH_S


def _newest(members: Sequence[tuple[str, float]], digest: Conversation) -> float:
    return max((joined for _, joined in members), default=digest.opened_at)


def _entry(incident: Incident, *, now: float, public_url: str, has_own_root: bool) -> DigestEntry:
    data = incident.data
    kills = sum(data.get("kills", {}).values())
    silence = data.get("silence") or {}
    span_h = max((now - (data.get("first_kill_at") or incident.first_seen)) / 3600, 0.1)
    return DigestEntry(
        incident_id=incident.id,
        subject=incident.subject,
        cause=data.get("cause", "unknown") if data.get("confidence", 0.0) >= PLAUSIBLE else "unknown",
        summary=_summary(data, kills),
        kill_count=kills,
        is_never_up=bool(data.get("never_up")),
        is_all_replicas=bool(data.get("all_replicas")),
        kills_per_h=kills / span_h,
        is_quiet=incident.state != FIRING,
        node=data.get("node", ""),
        image=data.get("image", "") or "",
        has_own_root=has_own_root,
        page_url=f"{public_url}/incidents/{incident.id}" if public_url else "",
        is_acknowledged=bool(data.get("acknowledged")),
        acknowledged_by=(data.get("acknowledged") or {}).get("by", ""),
        silenced_until=from_epoch(silence["until"]) if silence.get("until", 0.0) > now else None,
        silenced_by=silence.get("by", ""),
        not_silenced=silence.get("why_not", ""),
    )


def _summary(data: Mapping[str, Any], kills: int) -> str:
    words = str(data.get("verdict") or "cannot tell yet")
    if data.get("kind") == "child_process_oom":
        return f"{kills} workers killed, pod Running"
    return f"{kills} {'kill' if kills == 1 else 'kills'}, {words}" if kills else words
