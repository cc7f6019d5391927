"""Routes and quiet hours in words, for `oomtriage config`: what a route asks for, and which of its conditions does not hold."""

from __future__ import annotations

from receiver.pipeline.quiet import DAYS, QuietHours
from receiver.pipeline.routing import ALERT_LABEL, NAMESPACE, WORKLOAD_ANNOTATION, WORKLOAD_LABEL, Mismatch, Route

_WHOSE = {
    ALERT_LABEL: "",
    WORKLOAD_LABEL: "the workload's label ",
    WORKLOAD_ANNOTATION: "the workload's annotation ",
    NAMESPACE: "namespace",
}


def conditions(route: Route) -> str:
    """`namespace shop, severity=critical`; `every alert` when it asks for nothing."""
    asked = [f"namespace {' or '.join(route.namespaces)}"] if route.namespaces else []
    asked += [f"{name}={pattern}" for name, pattern in route.match.items()]
    asked += [f"workload label {name}={pattern}" for name, pattern in route.workload_labels.items()]
    asked += [f"workload annotation {name}={pattern}" for name, pattern in route.workload_annotations.items()]
    return ", ".join(asked) or "every alert"


def mismatch(found: Mismatch) -> str:
    """`severity is "warning", not critical`."""
    return f'{_WHOSE[found.of]}{found.name} is "{found.value}", not {" or ".join(found.wanted)}'


def period(hours: QuietHours) -> str:
    """`mon, tue 22:00-07:00 Europe/Berlin`."""
    days = "every day" if len(hours.days) == len(DAYS) else ", ".join(DAYS[d] for d in sorted(hours.days))
    return f"{days} {_clock(hours.start_min)}-{_clock(hours.end_min)} {hours.zone.key}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
