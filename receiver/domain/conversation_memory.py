"""What a conversation remembers between two messages. How it is stored: `memory_json.py`."""

from __future__ import annotations

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
class StormMemory:
    """Of a storm's digest. `notified_size`: how many workloads it had when it last made a sound, at `notified_at`."""

    notified_size: int | None = None
    notified_at: datetime | None = None
    edited_at: datetime | None = None
    acts: tuple[StormAct, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    clicks: tuple[str, ...] = ()


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
