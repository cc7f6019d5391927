"""What a conversation remembers between two messages. How it is stored: `memory_json.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from receiver.domain.incident_memory import Refusal
from receiver.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EventState:
    """What a sink for programs was sent last of an incident: a change of any of it is the next event."""

    state: str
    kill_kind: str | None
    cause: str | None
    kill_count: int
    pod_count: int
    settings_change: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StormAct:
    """What somebody asked of a storm, until it is done to its members: one of the actions' names, who, and for how long."""

    what: str
    by: str
    at: datetime
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseShare:
    """How large a share (0 to 1) of all that could have been hit has one node, image or namespace; `values`: how many of that
    kind there are in the cluster.
    """

    share: float
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseShares:
    """What was known of the cluster at a time. `of`: by `kind:name`; what is not known is left out."""

    at: datetime
    of: Mapping[str, BaseShare] = field(default_factory=dict)


RELEASING, RELEASED = "releasing", "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormMemory:
    """Of a storm's digest. `notified_size`: how many workloads it had when it last made a sound, at `notified_at`.

    `after_care`: empty until it is over, RELEASING while those that still fire get messages of their own, then RELEASED.
    `released`: who got one, or will as soon as it is looked at. `shares`: what chance alone would give them in common.
    """

    notified_size: int | None = None
    notified_at: datetime | None = None
    edited_at: datetime | None = None
    acts: tuple[StormAct, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    clicks: tuple[str, ...] = ()
    after_care: str = ""
    released: tuple[str, ...] = ()
    shares: BaseShares | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMemory:
    """Of any conversation. `is_critical`: keeps its root during a storm. `states`: what a sink that cannot edit was sent,
    oldest first. `event_count`, `last_event`: of a sink for programs.
    """

    is_critical: bool = False
    states: tuple[str, ...] = ()
    event_count: int = 0
    last_event: EventState | None = None
    storm: StormMemory = field(default_factory=StormMemory)
