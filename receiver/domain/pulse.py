"""What the watch sees of an incident between two looks: a few numbers, to know that something happened and not what it means.

All of it is kept in the incident's memory, so that a restart of the receiver compares with what was seen before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from receiver.domain.subject import Subject

KILLED, COMPLETED = "OOMKilled", "Completed"  # reasons of a termination
MOST_PODS = 100  # remembered of one workload: those with most restarts


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPulse:
    """The incident's container in one pod. None and empty: not known.

    `died_at`, `reason`: of its newest termination; `is_ended`: and it has not been started again. `oom_events`: kills of processes in it that the kernel counted. `was_ready`:
    the readiness that held in two rounds in turn, because a crash loop is ready and not ready all the time.
    """

    restarts: int | None = None
    died_at: datetime | None = None
    reason: str = ""
    is_ended: bool = False
    oom_events: int | None = None
    limit_bytes: int | None = None
    is_ready: bool | None = None
    was_ready: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPulse:
    """The object that a person edits, with its autoscalers. `mark`: another one after each change of what they ask for."""

    read_at: datetime
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMemory:
    """What the watch remembers of an incident. `pods`: by name, as of the newest round that knew them; None before the first.

    `kills`: by pod, of those seen since the watch began, beside what looks counted; pods that are gone stay in it.
    """

    pods: Mapping[str, ContainerPulse] | None = None
    owner: OwnerPulse | None = None
    kills: Mapping[str, int] = field(default_factory=dict)
    last_kill_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An incident whose pulse is wanted."""

    id: str
    subject: Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """One round's answers: the pods of each incident by its id; who is not among them could not be asked, or is known to nobody.

    `partial`: those of whom only some pods were asked for. `problems`: why a source did not answer, by source. `requests`: how many it cost, by source.
    """

    pods: Mapping[str, Mapping[str, ContainerPulse]]
    partial: frozenset[str] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
