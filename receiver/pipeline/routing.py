"""Which channel an incident is told in: the first route that matches its labels, else the default place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from receiver.domain.alerts import Alert
from receiver.domain.incident import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One entry of `routes`. Every label in `match` must match fully (a regular expression); `namespaces` likewise.

    `is_critical`: its incidents keep a root of their own during a storm.
    """

    channel: str
    match: Mapping[str, str] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    mention: str = ""
    is_critical: bool = False

    def matches(self, alert: Alert, namespace: str) -> bool:
        """Whether an alert takes this route."""
        if self.namespaces and not any(re.fullmatch(pattern, namespace) for pattern in self.namespaces):
            return False
        return all(re.fullmatch(pattern, alert.labels.get(label, "")) for label, pattern in self.match.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The configured routes before the default place. `sink` is the one that has channels."""

    sink: str
    default: Conversation
    routes: tuple[Route, ...] = ()

    def places(self, alerts: tuple[Alert, ...], namespace: str) -> tuple[Conversation, ...]:
        """Where an incident is told. The newest alert decides first."""
        for alert in reversed(alerts):
            for route in self.routes:
                if route.matches(alert, namespace):
                    options = {"is_critical": True} if route.is_critical else {}
                    mention = route.mention if alert.severity == "critical" else ""
                    return (Conversation(sink=self.sink, channel=route.channel, mention=mention, options=options),)
        return (self.default,)
