"""Numbers as words: shares, rates, counts, spans. Every number of a message goes through here or domain.units once."""

from __future__ import annotations

from collections.abc import Iterable

from receiver.domain.units import MIB, human_bytes, human_duration, human_percent
from receiver.render.text import cut

WHY_MAX = 90


def used_of(used_bytes: float, limit_bytes: float) -> str:
    """Both operands of a share: `67 of 80 MiB`, `900 MiB of 1.5 GiB`."""
    used, limit = human_bytes(used_bytes), human_bytes(limit_bytes)
    value, _, unit = used.partition(" ")
    return f"{value} of {limit}" if limit.endswith(f" {unit}") else f"{used} of {limit}"


def share(part: float, whole: float | None) -> str:
    """A share as a whole per cent, or "" when the whole is not known."""
    return human_percent(part / whole) if whole else ""


def growth(low_per_h: float, high_per_h: float) -> str:
    """A slope in MiB an hour: `20-21 MiB/h`, `20 MiB/h`, `0.4 MiB/h`."""
    low, high = sorted((_mib(low_per_h), _mib(high_per_h)), key=float)
    return f"{low} MiB/h" if low == high else f"{low}-{high} MiB/h"


def _mib(n_bytes: float) -> str:
    value = n_bytes / MIB
    return f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"


def times(count: int) -> str:
    """`4 times`, `twice`, `once`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 pod`, `3 pods`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def about(seconds: float) -> str:
    """A span nobody should read to the minute: `6 h 40`, `40 min`, `26 s`."""
    if seconds < 3600:
        return human_duration(seconds)
    return human_duration(round(seconds / 600) * 600)


def roughly(seconds: float) -> str:
    """A span for a header: `35 min`, `3.5 h`, `8 h`, `3 days`."""
    if seconds < 5400:
        return about(seconds)
    if seconds < 6 * 3600:
        return f"{round(seconds / 1800) / 2:g} h"
    return human_duration(round(seconds / 3600) * 3600)


def listed(words: Iterable[str], most: int) -> str:
    """`a, b and 3 more`."""
    found = tuple(words)
    if len(found) <= most:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most} more"


SOURCES = {
    "pod": "the pod", "events": "events", "log": "the log of the killed container", "owners": "the owners of the pod",
    "replicasets": "earlier rollouts", "siblings": "the other replicas", "node": "the node", "metrics": "live usage",
    "nodeevents": "the node's events", "cluster": "evidence of the other cluster",
    "hpa": "autoscalers (HPA)", "vpa": "autoscalers (VPA)", "limitrange": "the namespace's limit range",
    "resourcequota": "the namespace's quota", "history": "memory history", "peaks": "memory peaks of 7 days", "since": "memory since the fix",
    "rules": "the alert rules", "silences": "silences", "request_rate": "request rate", "traffic": "request rate", "heap": "heap metrics", "recent": "the last hour's memory",
    "nodepods": "the other pods of the node", "scaling": "what scales on requests (KEDA, custom metrics)",
}  # fmt: skip


def source(name: str) -> str:
    """What a source of evidence is called in a sentence."""
    return SOURCES.get(name, name)


def shortened(why: str) -> str:
    """A reason's first clause, at most `WHY_MAX` characters; a head as short as a status code keeps what follows it."""
    for mark in (": ", "; "):
        head, _, rest = why.partition(mark)
        if rest and len(head) >= 8:
            why = head
    return cut(why, WHY_MAX)
