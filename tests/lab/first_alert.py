"""When somebody is first told about a series: what the diagnosis knows then is all that has happened before."""

from __future__ import annotations

from receiver.domain.facts import MemoryHistory


def first_alert(history: MemoryHistory) -> float | None:
    """When an alert would first have fired: above 80 % for 5 min, or a kill."""
    above_since: float | None = None
    kills: float | None = None
    for s in history.samples:
        if s.oom_kills is not None:
            if kills is not None and s.oom_kills > kills:
                return s.t_s
            kills = s.oom_kills
        if not s.limit_bytes or s.working_set_bytes <= 0.8 * s.limit_bytes:
            above_since = None
        elif above_since is None:
            above_since = s.t_s
        elif s.t_s - above_since >= 300:
            return s.t_s
    return None
