"""A storm as it stands now, read from the store in parts: a storm may have thousands of members, and accepts wait behind a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from receiver.domain.incident import DigestEntry, DigestView
from receiver.domain.reason import Reason
from receiver.domain.units import from_epoch
from receiver.pipeline import after_storm
from receiver.pipeline.common_factor import common_factor
from receiver.pipeline.digest_entry import entry_of
from receiver.pipeline.digest_members import members_of
from receiver.pipeline.storm import StormConfig
from receiver.store import conversations, incidents
from receiver.store.conversations import Conversation
from receiver.store.incidents import Incident
from receiver.store.store import Store

REFUSED_SHOWN_S = 3600.0  # who may not press what stands in a digest for so long
NEW_S = 300.0  # who joined within it is new


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestConfig:
    """`public_url`: of the pages; empty for none."""

    public_url: str = ""
    has_buttons: bool = False
    can_silence: bool = False
    can_ask_shares: bool = False  # there is somebody to ask how large a share of the cluster a node has
    storm: StormConfig = field(default_factory=StormConfig)


class Seen(NamedTuple):
    """A digest as it was read, and what it shows of it."""

    digest: Conversation
    view: DigestView


def see(store: Store, digest_id: str, config: DigestConfig, *, now: float) -> Seen | None:
    """A storm at `now`, in seconds since 1970; None when there is no such digest. Not to be called inside a transaction.

    Who was shown alone while it began, or has a root of its own all the same, is part of it.
    """
    with store.read() as tx:
        digest = conversations.load(tx, digest_id)
        if digest is None:
            return None
        newest = conversations.last_joined(tx, digest_id) or digest.opened_at
        own = conversations.members_with_own_root(tx, digest)
        alone = conversations.with_own_root(
            tx, sink=digest.sink, channel=digest.channel, since=digest.opened_at - config.storm.window_s, until=newest
        )
        is_over = digest.closed_at is not None or now >= newest + quiet_s_of(digest, config.storm)
        left = len(after_storm.waiting(tx, digest)) if is_over else 0
    joined = sorted(
        ((m.joined_at, _entry(m.incident, config, now=now, has_own_root=m.incident.id in own)) for m in members_of(store, digest_id)),
        key=lambda one: (one[0], one[1].incident_id),
    )
    entries = [entry for _, entry in joined]
    entries += [_entry(one, config, now=now, has_own_root=True) for one in _others(store, alone, {e.incident_id for e in entries})]
    clusters = {e.subject.cluster for e in entries if e.subject.cluster}
    shares = digest.memory.storm.shares
    found = common_factor(entries, shares.of if shares is not None else {})
    view = DigestView(
        id=digest.id,
        opened_at=from_epoch(digest.opened_at),
        now=from_epoch(now),
        entries=tuple(entries),
        new_last_5_min=sum(1 for at, _ in joined if at >= now - NEW_S),
        ended_at=from_epoch(digest.closed_at if digest.closed_at is not None else now) if is_over else None,
        cluster=clusters.pop() if len(clusters) == 1 else "",
        page_url=config.public_url,
        mention=digest.mention,
        has_buttons=config.has_buttons,
        can_silence=config.can_silence,
        refused=_newest_refusal(digest, now=from_epoch(now)),
        common=found.factor,
        is_common_known=not found.unknown,
        is_inventory=digest.kind == conversations.INVENTORY,
        released_by=from_epoch(now + left * config.storm.release_interval_s) if left else None,
    )
    return Seen(digest, view)


def quiet_s_of(digest: Conversation, pace: StormConfig) -> float:
    """It is over when nothing joined for so long, in seconds."""
    return pace.inventory_quiet_s if digest.kind == conversations.INVENTORY else pace.quiet_s


def _others(store: Store, ids: Iterable[str], known: set[str]) -> Iterator[Incident]:
    for incident_id in ids:
        if incident_id not in known:
            with store.read() as tx:
                incident = incidents.load_brief(tx, incident_id)
            if incident is not None:
                yield incident


def _entry(incident: Incident, config: DigestConfig, *, now: float, has_own_root: bool) -> DigestEntry:
    return entry_of(incident, now=from_epoch(now), public_url=config.public_url, has_own_root=has_own_root)


def _newest_refusal(digest: Conversation, *, now: datetime) -> Reason | None:
    shown = [r for r in digest.memory.storm.refusals if r.at is not None and r.at > now - timedelta(seconds=REFUSED_SHOWN_S)]
    return shown[-1].as_reason() if shown else None
