"""Storms: when many incidents come at once, one digest root shows them all.

A workload is named in at most one root at a time: its own, or a digest's; when the storm is over, what still fires gets its own
(pipeline/after_storm.py). Incidents on a critical route keep their own. What a digest shows: pipeline/digest.py.

What was dying before there was a receiver is no news: in the first minutes of an installation it is told as an inventory, a
digest of its own kind. Recognised by its alert or its first known kill, which is older than the state file; by the kill as well,
because the rules are usually installed together with the receiver, so that every alert begins after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from receiver.domain import drill
from receiver.domain.conversation_memory import RELEASING, ConversationMemory
from receiver.domain.incident import FIRING, Destination
from receiver.pipeline.kinds import DIGEST, PUBLISH
from receiver.store import away, conversations, incident_lists, jobs
from receiver.store.conversations import Conversation
from receiver.store.database import Tx
from receiver.store.incidents import Incident


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
    inventory_for_s: float = 600.0  # after the first start: what comes later had its own reasons to come then
    inventory_age_s: float = 120.0  # dying for so long before the first start
    inventory_most_s: float = 30 * 86_400.0  # what claims to be older is a payload that somebody replays, or a wrong clock
    inventory_least: int = 5  # of fewer, each has its own root at once
    inventory_gather_s: float = 15.0  # nobody waits for what is not new
    inventory_quiet_s: float = 90.0
    release_interval_s: float = 10.0  # between two roots after it: six a minute, each with three replies, at Slack's message a second


def place(
    tx: Tx, incident: Incident, place: Destination, config: StormConfig, *, now: float, can_digest: bool, news_at: float
) -> Conversation | None:
    """The conversation in which an incident is shown, opened now if need be; None when a storm's digest shows it."""
    own = [c for c in conversations.of_incident(tx, incident.id) if (c.sink, c.channel) == (place.sink, place.channel)]
    if own:
        return own[0]
    if drill.is_key(incident.key):
        return conversations.open_new(
            tx, kind=conversations.TEST, incident_id=incident.id, sink=place.sink, channel=place.channel, mention="", now=now
        )
    is_critical = bool(place.options.get("is_critical"))
    if can_digest and not is_critical:
        shown_in = [d for d in conversations.digests_of(tx, incident.id) if (d.sink, d.channel) == (place.sink, place.channel)]
        releasing = _released_by(incident, shown_in, place)
        if releasing is not None:
            return _open_after(tx, incident, place, releasing, now=now)
        if any(_is_shown_by(d, incident, news_at=news_at) for d in shown_in):
            for digest in shown_in:
                refresh(tx, digest, config, now=now)
            return None
        digest_now = (
            _inventory(tx, incident, place, config, now=now)
            or conversations.open_digest(tx, sink=place.sink, channel=place.channel)
            or _start(tx, place, config, now=now)
        )
        if digest_now is not None:
            _join(tx, digest_now, incident.id, place, now=now)
            refresh(tx, digest_now, config, now=now)
            return None
    return conversations.open_new(
        tx, kind=conversations.INCIDENT, incident_id=incident.id, sink=place.sink, channel=place.channel, mention=place.mention, now=now,
        memory=ConversationMemory(is_critical=is_critical),
    )  # fmt: skip


def _is_shown_by(digest: Conversation, incident: Incident, *, news_at: float) -> bool:
    """Whether a digest is where that incident is shown: while it goes on, while it is the incident's turn to wait for its own
    root, and as long as nothing new happens.
    """
    if digest.closed_at is None or news_at <= digest.closed_at:
        return True
    return digest.memory.storm.after_care == RELEASING and incident.id not in digest.memory.storm.released


def _released_by(incident: Incident, digests: list[Conversation], place: Destination) -> Conversation | None:
    """The digest that is over and gave the incident a root of its own; None when none did, or another one shows it now."""
    if incident.state != FIRING or "held_until" in place.options or any(d.closed_at is None for d in digests):
        return None
    return next((d for d in digests if incident.id in d.memory.storm.released), None)


def _open_after(tx: Tx, incident: Incident, place: Destination, digest: Conversation, *, now: float) -> Conversation:
    """Its own root after a digest that named it: nobody is called a second time, and for what is not new nobody at all."""
    was_shown = digest.memory.storm.edited_at is not None
    is_called_for = not was_shown or (digest.kind != conversations.INVENTORY and digest.mention != place.mention)
    mention = place.mention if is_called_for else ""
    return conversations.open_new(
        tx, kind=conversations.AFTER_STORM, incident_id=incident.id, sink=place.sink, channel=place.channel, mention=mention, now=now
    )


def _inventory(tx: Tx, incident: Incident, place: Destination, config: StormConfig, *, now: float) -> Conversation | None:
    """The inventory that the incident belongs to, opened now if need be; None for what is news."""
    installed_at = away.installed_at(tx)
    if installed_at is None or not 0.0 <= now - installed_at <= config.inventory_for_s:
        return None
    first_kill_at = incident.memory.first_kill_at
    began_at = min(incident.first_seen, first_kill_at.timestamp() if first_kill_at is not None else incident.first_seen)
    if incident.state != FIRING or not config.inventory_age_s <= installed_at - began_at <= config.inventory_most_s:
        return None
    known = conversations.open_digest(tx, sink=place.sink, channel=place.channel, kind=conversations.INVENTORY)
    if known is not None or incident_lists.unshown(tx) < config.inventory_least:
        return known
    return conversations.open_new(
        tx, kind=conversations.INVENTORY, incident_id=None, sink=place.sink, channel=place.channel, mention=place.mention, now=now
    )


def _join(tx: Tx, digest: Conversation, incident_id: str, place: Destination, *, now: float) -> None:
    """Show an incident in a digest, which calls whom one of its members calls for as long as its root is not made."""
    if place.mention and not digest.mention and digest.memory.storm.edited_at is None:
        conversations.set_mention(tx, digest.id, place.mention)
    conversations.join_digest(tx, conversation_id=digest.id, incident_id=incident_id, now=now)


def _start(tx: Tx, place: Destination, config: StormConfig, *, now: float) -> Conversation | None:
    waiting = [
        c for c in conversations.waiting_roots(tx, sink=place.sink, channel=place.channel) if not c.memory.is_critical
    ]  # a critical one keeps its own root, and its place in the queue
    recent = conversations.opened_since(tx, sink=place.sink, channel=place.channel, since=now - config.window_s)
    if recent + 1 < config.new_incidents and len(waiting) + 1 <= config.waiting_roots:
        return None
    digest = conversations.open_new(
        tx, kind=conversations.DIGEST, incident_id=None, sink=place.sink, channel=place.channel, mention=place.mention, now=now
    )
    for conversation in waiting:  # not sent yet: shown once, in the digest
        if conversation.incident_id is not None:
            conversations.drop(tx, conversation.id)
            conversations.join_digest(tx, conversation_id=digest.id, incident_id=conversation.incident_id, now=now)
    return digest


def gather_s_of(digest: Conversation, config: StormConfig) -> float:
    """How long its first text is waited for, in seconds."""
    return config.inventory_gather_s if digest.kind == conversations.INVENTORY else config.gather_s


def refresh(tx: Tx, digest: Conversation, config: StormConfig, *, now: float, is_for_a_person: bool = False) -> None:
    """Ask for an edit of a digest, not more often than it may be edited."""
    edited_at = digest.memory.storm.edited_at
    interval_s = config.act_interval_s if is_for_a_person else config.edit_interval_s
    gather_s = gather_s_of(digest, config)
    due_at = now + gather_s if edited_at is None else max(now + config.gather_s, edited_at.timestamp() + interval_s)
    jobs.schedule(tx, DIGEST, digest.id, now=now, due_at=due_at)


def show_again(tx: Tx, incident_id: str, config: StormConfig, *, now: float) -> None:
    """Somebody did something with an incident: ask for what shows it. What only a digest shows has nothing of its own to edit."""
    digests = conversations.digests_of(tx, incident_id)
    if not digests or conversations.of_incident(tx, incident_id):
        jobs.schedule(tx, PUBLISH, incident_id, now=now)
    for digest in digests:
        refresh(tx, digest, config, now=now, is_for_a_person=True)
