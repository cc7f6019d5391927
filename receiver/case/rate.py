"""The request rate over time, and which metric told it."""

from __future__ import annotations

from bisect import bisect_right

from receiver.case.access import mapping, text
from receiver.case.series import tracks
from receiver.domain.facts import RateSource


def request_rate(traffic: object) -> tuple[list[float], list[float]]:
    """One rate over time: the configured query's series summed, else a counter of this pod, filled up by the workload's average."""
    configured: dict[float, float] = {}
    for track in tracks(traffic, "configured"):
        for t, value in track.points:
            configured[t] = configured.get(t, 0.0) + value
    rate = configured or _usual_rate(traffic)
    times = sorted(rate)
    return times, [rate[t] for t in times]


def rate_source(traffic: object) -> RateSource | None:
    """Which metric the request rate is of; None where there is no rate, or an older case does not say."""
    counter = mapping(traffic, "counter")
    if not text(counter, "metric"):
        return None
    return RateSource(
        metric=text(counter, "metric"), maker=text(counter, "maker"), unit=text(counter, "unit") or "requests",
        total_query=text(counter, "total_query"), is_total=counter.get("is_total") is True, address=text(counter, "address"),
        needs_login=counter.get("needs_login") is True,
    )  # fmt: skip


def _usual_rate(traffic: object) -> dict[float, float]:
    names = list(mapping(traffic, "series"))
    counter = next((n.partition(":")[2] for n in (*(n for n in names if n.startswith("pod:")), *names)), "")
    merged: dict[float, float] = {}
    for name in (f"workload:{counter}", f"pod:{counter}"):
        for track in tracks(traffic, name):
            merged.update(track.points)
    return merged


def rate_at(rate: tuple[list[float], list[float]], t_s: float, max_age_s: float) -> float | None:
    """The newest value at that time, unless it is older than this."""
    times, values = rate
    i = bisect_right(times, t_s) - 1
    return values[i] if i >= 0 and t_s - times[i] <= max_age_s else None
