"""The answer `since`: every pod of the workload, from a day before a fix to now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from receiver.case.access import get
from receiver.case.series import Track, alive, highest, tracks
from receiver.domain.facts import PodSince, Since

SAME_DEATH_S = 2.0  # two series tell one moment, rounded differently


def since_of(answer: object, *, container: str) -> Since | None:
    """What was answered, by pod; None where it was not asked."""
    start, end, step = (get(answer, key) for key in ("start", "end", "step_s"))
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)) or not isinstance(step, (int, float)):
        return None
    use, limits = _by_pod(tracks(answer, "working_set", container=container)), _by_pod(tracks(answer, "limit", container=container))
    restarts = _by_pod(tracks(answer, "restarts", container=container))
    killed = _by_pod(t for t in tracks(answer, "killed_at", container=container))
    names = dict.fromkeys([*use, *limits, *restarts, *killed])
    return Since(
        pods=tuple(_pod(name, use[name], limits[name], restarts[name], killed[name]) for name in names if name),
        start_s=float(start),
        end_s=float(end),
        step_s=float(step),
        evicted=_merged(tracks(answer, "evicted")),
        throttled=_merged(tracks(answer, "throttled")),
    )


def _by_pod(found: Iterable[Track]) -> defaultdict[str, list[Track]]:
    by_pod: defaultdict[str, list[Track]] = defaultdict(list)
    for track in found:
        by_pod[track.pod].append(track)
    return by_pod


def _pod(name: str, use: list[Track], limits: list[Track], restarts: list[Track], killed: list[Track]) -> PodSince:
    deaths: list[float] = []
    for at in sorted({value for track in killed for _, value in track.points if value > 0}):
        if not deaths or at - deaths[-1] > SAME_DEATH_S:
            deaths.append(at)
    return PodSince(
        pod=name,
        samples=tuple(highest(alive(use, deaths), 1.0).items()),
        limits=_merged(limits),
        restarts=_merged(restarts),
        kill_times_s=tuple(deaths),
    )


def _merged(found: Iterable[Track]) -> tuple[tuple[float, float], ...]:
    return tuple(highest((t.points for t in found), 1.0).items())
