"""What happened while nobody listened, as Alertmanager and Prometheus tell it afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.alerts import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlert:
    """An alert that Alertmanager holds now. `receivers`: where its routes lead. `is_muted`: silenced or inhibited, so nobody is told."""

    alert: Alert
    receivers: tuple[str, ...]
    is_muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A matcher of a silence."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels match. A pattern that Python cannot read matches nothing."""
        found = labels.get(self.name, "")
        try:
            is_match = re.fullmatch(self.value, found) is not None if self.is_regex else found == self.value
        except re.error:
            return False
        return is_match is self.is_equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Muting:
    """A silence, also one that is over."""

    conditions: tuple[Condition, ...]
    since: datetime
    until: datetime

    def covers(self, labels: Mapping[str, str], at: datetime) -> bool:
        """Whether it kept an alert with these labels silent then."""
        return self.since <= at <= self.until and all(c.holds(labels) for c in self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All that Alertmanager knows. `receivers`: all of its configuration. `is_complete`: it runs long enough to have heard of every
    alert that fires.
    """

    alerts: tuple[HeldAlert, ...]
    receivers: tuple[str, ...] = ()
    mutings: tuple[Muting, ...] = ()
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An alert that Prometheus evaluated as firing: its labels without those that Prometheus adds when it sends one."""

    labels: Mapping[str, str]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenKill:
    """A container that was OOM-killed, by its series. `labels`: namespace, pod, container under Prometheus' own names."""

    labels: Mapping[str, str]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What Prometheus knows of a gap. `resolution_s`: how exact its times are."""

    episodes: tuple[Episode, ...] = ()
    kills: tuple[SeenKill, ...] = ()
    resolution_s: float = 60.0
