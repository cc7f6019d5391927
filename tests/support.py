"""Small things that many tests need: a clock that tests turn, alerts, waiting for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from receiver.domain.alerts import FIRING, Alert, fingerprint
from receiver.domain.reason import Reason, reason
from receiver.domain.units import from_epoch
from receiver.render.text import sentence
from receiver.render.wording import say

NOW = datetime(2024, 11, 10, 9, 0, tzinfo=UTC)


class Clock:
    """A wall clock and a monotonic one, which move only when told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.wall = at.timestamp()
        self.ticks = 1000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


def said(text: str) -> Reason:
    """A reason that is its own sentence, as a store of an older release keeps them: for tests that need some reason, whichever."""
    return reason("incident.log.legacy", text=text)


def alert(
    name: str = "OOMKilled", *, pod: str = "orders-api-655779759d-jst99", namespace: str = "shop", container: str = "orders-api",
    status: str = FIRING, started: float | None = None, severity: str = "warning", annotations: dict[str, str] | None = None, **labels: str,
) -> Alert:  # fmt: skip
    """An alert as Alertmanager would send it; an empty value leaves the label out."""
    every = {"alertname": name, "namespace": namespace, "pod": pod, "container": container, "severity": severity, **labels}
    kept = {k: v for k, v in every.items() if v}
    starts_at = from_epoch(started) if started is not None else NOW
    return Alert(
        status=status, labels=kept, annotations=annotations or {"summary": f"{namespace}/{pod} was OOMKilled"}, starts_at=starts_at,
        ends_at=starts_at if status != FIRING else None, fingerprint=fingerprint(kept),
    )  # fmt: skip


def payload(*alerts: Alert, **extra: object) -> dict[str, object]:
    """A webhook body of version 4 around alerts."""
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "oomtriage", "groupLabels": {},
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
        "alerts": [{**a.to_json(), "endsAt": a.to_json()["endsAt"] or "0001-01-01T00:00:00Z"} for a in alerts], **extra,
    }  # fmt: skip


def shown_as(what: Reason) -> str:
    """A reason as a message says it: as a sentence of its own."""
    return sentence(say(what))


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = 30.0) -> None:
    """Poll another process until `condition` holds. Fails the test, naming `what`, when it never does."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.05)
