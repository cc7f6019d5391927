"""Where an incident is shown: the routes whose conditions hold, else the default place. Nothing but configured channels.

An alert can choose among the configured places by its labels and by its workload's labels and annotations; it can name
neither a channel nor a mention of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain import drill
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.incident import Destination
from receiver.domain.incident_memory import Owner
from receiver.pipeline.quiet import QuietHours, quiet_until

CRITICAL = "critical"


NOBODY = Owner()  # not known


NAMESPACE, ALERT_LABEL, WORKLOAD_LABEL, WORKLOAD_ANNOTATION = "namespace", "alert_label", "workload_label", "workload_annotation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A condition that does not hold. `of`: NAMESPACE or what else is asked for; `wanted`: patterns, of which one should match."""

    of: str
    name: str
    value: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One entry of `routes`. Conditions are regular expressions that must match the whole value; what is absent is empty.

    `mention` is used for critical alerts, with `mentions_warnings` for warnings too. `is_critical`: its incidents keep a
    root of their own during a storm. `goes_on`: the routes after it are asked as well. In `quiet` hours a warning calls
    nobody; with `holds` it is posted when they are over, if it still fires then.
    """

    channel: str
    match: Mapping[str, str] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    workload_labels: Mapping[str, str] = field(default_factory=dict)
    workload_annotations: Mapping[str, str] = field(default_factory=dict)
    mention: str = ""
    mentions_warnings: bool = False
    is_critical: bool = False
    goes_on: bool = False
    quiet: tuple[QuietHours, ...] = ()
    holds: bool = False

    def mismatch(self, alert: Alert, namespace: str, owner: Owner = NOBODY) -> Mismatch | None:
        """The first condition that does not hold; None when the route is taken."""
        if self.namespaces and not any(re.fullmatch(pattern, namespace) for pattern in self.namespaces):
            return Mismatch(of=NAMESPACE, name="", value=namespace, wanted=self.namespaces)
        for of, values, patterns in (
            (ALERT_LABEL, alert.labels, self.match),
            (WORKLOAD_LABEL, owner.labels, self.workload_labels),
            (WORKLOAD_ANNOTATION, owner.annotations, self.workload_annotations),
        ):
            for name, pattern in patterns.items():
                if not re.fullmatch(pattern, values.get(name, "")):
                    return Mismatch(of=of, name=name, value=values.get(name, ""), wanted=(pattern,))
        return None

    def matches(self, alert: Alert, namespace: str, owner: Owner = NOBODY) -> bool:
        """Whether an alert takes this route."""
        return self.mismatch(alert, namespace, owner) is None

    def mention_for(self, severity: str, *, is_quiet: bool) -> str:
        """Who is called for an alert of this severity now."""
        if severity == CRITICAL:
            return self.mention
        return self.mention if self.mentions_warnings and not is_quiet else ""

    def quiet_until(self, severity: str, now: datetime) -> datetime | None:
        """When the quiet hours that hold for this severity end; None when none do. Critical alerts know none."""
        return quiet_until(self.quiet, now) if severity != CRITICAL else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """The configured routes before the default place. `sink`: the one that has channels. `beside`: places of other sinks,
    which are notified of every incident.
    """

    sink: str
    default: Destination
    routes: tuple[Route, ...] = ()
    beside: tuple[Destination, ...] = ()

    @property
    def sinks(self) -> frozenset[str]:
        """The sinks that there are now."""
        return frozenset({self.sink, self.default.sink, *(p.sink for p in self.beside)})

    def places(self, alerts: tuple[Alert, ...], namespace: str, *, now: datetime, owner: Owner = NOBODY) -> tuple[Destination, ...]:
        """Where an incident is shown, each channel once.

        The alert that decides is the first that takes any route, firing ones before resolved ones, critical ones before
        others, newer before older. `options`: `is_critical`, `is_quiet`, and `held_until` in seconds since 1970.
        """
        if (test := next((a for a in alerts if drill.id_of(a.labels)), None)) is not None:
            return (self._place_of_test(test.labels.get(drill.CHANNEL, "")),)
        is_critical = any(a.status == FIRING and a.severity == CRITICAL for a in alerts)
        for alert in _by_weight(alerts):
            places: dict[str, Destination] = {}
            for _, route in self.taken(alert, namespace, owner):
                places.setdefault(route.channel, self.place(route, CRITICAL if is_critical else alert.severity, now))
            if places:
                return (*places.values(), *self.beside)
        return (self.default, *self.beside)

    @property
    def channels(self) -> tuple[str, ...]:
        """Every configured channel, the default one first."""
        return tuple(dict.fromkeys(filter(None, (self.default.channel, *(route.channel for route in self.routes)))))

    def _place_of_test(self, channel: str) -> Destination:
        """Where a test alert is told: in the channel that it names when that is configured, else by default. It calls nobody."""
        named = Destination(sink=self.sink, channel=channel)
        return named if channel in self.channels else Destination(sink=self.default.sink, channel=self.default.channel)

    def taken(self, alert: Alert, namespace: str, owner: Owner = NOBODY) -> Sequence[tuple[int, Route]]:
        """The routes that an alert takes, with their places in the list."""
        found = []
        for index, route in enumerate(self.routes):
            if route.matches(alert, namespace, owner):
                found.append((index, route))
                if not route.goes_on:
                    break
        return found

    def asked_of(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Owner:
        """Of a workload's labels and annotations those that a route asks for: an incident remembers no others."""
        names = {name for route in self.routes for name in route.workload_labels}
        notes = {name for route in self.routes for name in route.workload_annotations}
        return Owner(
            labels={k: v for k, v in labels.items() if k in names},
            annotations={k: v for k, v in annotations.items() if k in notes},
        )

    def place(self, route: Route, severity: str, now: datetime) -> Destination:
        """Where a route leads for an incident of that severity now."""
        end = route.quiet_until(severity, now)
        options: dict[str, Any] = {"is_critical": True} if route.is_critical else {}
        if end is not None:
            options["is_quiet"] = True
            if route.holds:
                options["held_until"] = end.timestamp()
        mention = route.mention_for(severity, is_quiet=end is not None)
        return Destination(sink=self.sink, channel=route.channel, mention=mention, options=options)


def _by_weight(alerts: Iterable[Alert]) -> list[Alert]:
    newest_first = reversed(tuple(alerts))
    return sorted(newest_first, key=lambda a: (a.status != FIRING, a.severity != CRITICAL))
