"""Memory over time: the answers of Prometheus as one container's `MemoryHistory`.

The last day comes minute by minute, the last hour also as scraped. A container that is older than that hour is shown
minute by minute; a younger one as scraped, because a minute's step would leave nothing of lives that last seconds. Before
a young pod stands the pod of the workload that it replaced.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from receiver.case.access import get
from receiver.case.killed import is_memory_death
from receiver.case.rate import rate_at, request_rate
from receiver.case.series import STALE_S, Stairs, Track, alive, highest, tracks
from receiver.domain.facts import ContainerFacts, MemoryHistory, PodFacts, Sample, Termination

MINUTE_S = 60.0
YOUNG_S = 6 * 3600.0  # a pod seen for less than this is shown with its predecessor before it
RECENT_SLACK_S = 600.0
MIN_STEP_S = 5.0
SAME_DEATH_S = 2.0  # the kubelet and kube-state-metrics round the same moment differently


@dataclass(frozen=True, slots=True, kw_only=True)
class _Death:
    at_s: float
    is_memory: bool


def memory_history(
    answers: Mapping[str, Any], *, pod: PodFacts | None, pod_name: str, container: str, now_s: float
) -> MemoryHistory | None:
    """The history of one container of one pod; None when Prometheus answered nothing about it."""
    day, hour = answers.get("history"), answers.get("recent")
    if day is None and hour is None:
        return None
    read = pod.container(container) if pod else None
    own = read if pod is not None and not pod.is_pieced_together else None  # its exact times; the series tell theirs below
    reasons = _memory_reasons(own)
    deaths = _deaths((hour, day), own, pod_name, container, reasons)
    series = _Series(pod_name=pod_name, container=container, sources=(hour, day), deaths=deaths, memory_reasons=reasons)
    source, step_s, use = _by_minute_or_as_scraped(series, day, hour, now_s)
    limit_now = (read.limit_bytes if read else None) or (pod.pod_limit_bytes if pod else None)
    samples = _samples(series, source, step_s, use=use, limit_now=limit_now, rate=request_rate(answers.get("traffic")))
    is_young = bool(samples) and samples[-1].t_s - samples[0].t_s < YOUNG_S
    earlier = _predecessor(day, container, samples[0].t_s, limit_now) if is_young else ()
    starts = _starts(own) + ((samples[0].t_s,) if earlier else ())
    if not samples and not deaths:
        return None
    return MemoryHistory(
        samples=earlier + samples,
        step_s=step_s,
        starts_s=tuple(sorted(starts)),
        kill_times_s=tuple(d.at_s for d in series.deaths if d.is_memory),
        ends_s=now_s,
        pod=pod_name,
        kernel_peaks=_kernel_peaks(series, hour),
        replaced_at_s=samples[0].t_s if earlier else None,
        peak_bytes_long=max(
            (v for t in tracks(answers.get("peaks"), "working_set", container=container) for _, v in t.points), default=None
        ),
    )


def _kernel_peaks(series: _Series, hour: object) -> tuple[tuple[float, float], ...]:
    """0 is a runtime that does not know it: runc before 1.2 on cgroup v2, or a kernel before 5.19."""
    peaks = ((t.points[0][0], max(v for _, v in t.points)) for t in series.named(hour, "max_usage"))
    return tuple((first_s, n_bytes) for first_s, n_bytes in peaks if n_bytes > 0)


def _by_minute_or_as_scraped(series: _Series, day: object, hour: object, now_s: float) -> tuple[object, float, dict[float, float]]:
    """The source to show, its step in seconds, and its use: minute by minute for a container that is older than the last hour."""
    scraped_step_s = _scrape_step_s(hour, series.pod_name, series.container)
    # The kubelet exports 0 for a container that it has not measured yet: no sample.
    minutes = {t: v for t, v in series.use(day, "working_set", MINUTE_S).items() if v > 0}
    scraped = {t: v for t, v in series.use(hour, "working_set", scraped_step_s).items() if v > 0}
    hour_began_s = _number(get(hour, "start")) or now_s
    is_old = bool(minutes) and min(minutes) < hour_began_s - RECENT_SLACK_S
    return (day, MINUTE_S, minutes) if is_old or not scraped else (hour, scraped_step_s, scraped)


def child_kills(answers: Mapping[str, Any], *, pod: PodFacts | None, pod_name: str, container: str) -> int | None:
    """OOM kills that the container running now has survived: the increase of its container_oom_events_total. None: not scraped."""
    own = pod.container(container) if pod else None
    if own is not None and own.state not in ("running", "unknown"):
        return None
    began_s = own.state_since.timestamp() if own is not None and own.state_since else 0.0
    counts = []
    for source in (answers.get("recent"), answers.get("history")):
        series = [t for t in tracks(source, "oom_events", container=container, pod=pod_name) if t.points[0][0] >= began_s - SAME_DEATH_S]
        if not series:
            continue
        newest = max(series, key=lambda t: t.points[0][0])
        first, last = newest.points[0], newest.points[-1]
        born_here = began_s > (_number(get(source, "start")) or 0.0)
        counts.append(int(last[1] - (0.0 if born_here else first[1])))
    return max(counts, default=None)


def busiest_container(answers: Mapping[str, Any], pod_name: str) -> str:
    """The container that uses most memory, by the newest samples; empty when there are none."""
    best: dict[str, float] = {}
    for track in tracks(answers.get("recent"), "working_set", pod=pod_name) or tracks(answers.get("history"), "working_set", pod=pod_name):
        best[track.container] = max(best.get(track.container, 0.0), track.points[-1][1])
    return max(best, key=lambda name: best[name], default="")


def container_by_metrics(answers: Mapping[str, Any], pod_name: str) -> str:
    """Which container it is about when the pod can no longer be read: the last that was OOM killed, else the busiest."""
    for source in (answers.get("recent"), answers.get("history")):
        killed = [t for t in tracks(source, "last_terminated_reason", pod=pod_name) if t.reason == "OOMKilled" and t.points[-1][1] > 0]
        if killed:
            return max(killed, key=lambda t: t.points[0][0]).container
    return busiest_container(answers, pod_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Where one container's series are found, and when it died."""

    pod_name: str
    container: str
    sources: tuple[object, ...]
    deaths: tuple[_Death, ...]
    memory_reasons: frozenset[str]

    def named(self, source: object, name: str) -> tuple[Track, ...]:
        return tracks(source, name, container=self.container, pod=self.pod_name)

    def use(self, source: object, name: str, step_s: float) -> dict[float, float]:
        """Time -> the highest value of the step, of lives only."""
        return highest(alive(self.named(source, name), [d.at_s for d in self.deaths]), step_s)

    def stairs(self, name: str) -> Stairs:
        return Stairs([t for s in self.sources for t in self.named(s, name)])

    def restart_counts(self, source: object, times: list[float]) -> list[float | None]:
        """The restart count at each time; without kube-state-metrics, how many series (lives) had begun, less the first."""
        told = self.stairs("restarts")
        if told.is_known:
            return self._by_container([told.at(t) for t in times], source, times)
        begins = sorted(t.points[0][0] for t in self.named(source, "working_set") if t.id)
        return [float(max(bisect_right(begins, t) - 1, 0)) for t in times] if begins else [None] * len(times)

    def _by_container(self, told: list[float | None], source: object, times: list[float]) -> list[float | None]:
        """The counts, which are told up to a scrape late, put right by the container's ids: another one is a restart, the same is none."""
        series = self.named(source, "working_set")
        ids = {t: track.id for track, points in zip(series, alive(series, [d.at_s for d in self.deaths]), strict=True) for t, _ in points}
        counts = list(told)
        for i, (before, t) in enumerate(pairwise(times), 1):
            was, count = counts[i - 1], counts[i]
            if was is not None and count is not None and ids.get(before) and ids.get(t):
                counts[i] = was if ids[before] == ids[t] else max(count, was + 1)
        return counts

    def kill_counts(self, times: list[float], restarts: list[float | None]) -> list[float | None]:
        """How many OOM kills were known at each time since the first; None where no source tells kills from other deaths.

        Deaths whose time is known count when they happened. A restart that none of them accounts for counts when its reason
        was told as a kill (older kube-state-metrics tell no times), or when every known death was one: lives between two
        scrapes. Both are counted from the first time on, because a restart is told up to minutes (the back-off) after its death.
        """
        reasons = [t for s in self.sources for t in self.named(s, "last_terminated_reason")]
        if not self.deaths and not reasons:
            return [None] * len(times)
        at = [d.at_s for d in self.deaths if d.is_memory]
        is_always_memory = bool(self.deaths) and len(at) == len(self.deaths)
        counts: list[float | None] = []
        kills = told = 0.0
        before: float | None = None
        for t, count in zip(times, restarts, strict=True):
            if count is not None:
                if before is not None and count > before:
                    is_memory = _reason_at(reasons, t) in self.memory_reasons if reasons else is_always_memory
                    told += count - before if is_memory else 0.0
                before = count
            kills = max(kills, told, float(bisect_right(at, t) - bisect_right(at, times[0])))
            counts.append(kills)
        return counts


def _samples(
    series: _Series,
    source: object,
    step_s: float,
    *,
    use: Mapping[float, float],
    limit_now: int | None,
    rate: tuple[list[float], list[float]],
) -> tuple[Sample, ...]:
    """One row per time of `use`, with everything else that was known then."""

    def by_step(name: str) -> dict[int, float]:
        return {int(t // step_s): v for t, v in series.use(source, name, step_s).items()}

    rss, cache = by_step("rss"), by_step("cache")
    enforced, limit = series.stairs("enforced_limit"), series.stairs("limit")
    told = series.stairs("restarts")
    restarts = series.restart_counts(source, list(use))
    kills = series.kill_counts(list(use), [told.at(t) for t in use] if told.is_known else restarts)
    rows = []
    for (t, working_set), restart_count, kill_count in zip(use.items(), restarts, kills, strict=True):
        in_force = enforced.at(t) or limit.at(t) or limit_now
        rows.append(
            Sample(
                t_s=t,
                working_set_bytes=working_set,
                limit_bytes=float(in_force) if in_force else None,
                rss_bytes=rss.get(int(t // step_s)),
                cache_bytes=cache.get(int(t // step_s)),
                request_rate=rate_at(rate, t, max(2 * step_s, 120.0)),
                restarts=restart_count,
                oom_kills=kill_count,
            )
        )
    return tuple(rows)


def _scrape_step_s(hour: object, pod: str, container: str) -> float:
    """The usual distance between samples, of the series that is scraped most often."""
    steps = []
    for track in tracks(hour, "working_set", container=container, pod=pod):
        gaps = sorted(b[0] - a[0] for a, b in pairwise(track.points))
        if len(gaps) >= 3:
            steps.append(gaps[len(gaps) // 2])
    return max(MIN_STEP_S, min(steps, default=60.0))


def _memory_reasons(own: ContainerFacts | None) -> frozenset[str]:
    """The reasons that mean memory here. A restart that dies of what a tmpfs still holds is a StartError; only its message tells."""
    return frozenset({"OOMKilled"} | {d.reason for d in _terminations(own) if is_memory_death(d)})


def _deaths(
    sources: tuple[object, ...], own: ContainerFacts | None, pod: str, container: str, memory_reasons: frozenset[str]
) -> tuple[_Death, ...]:
    """Known deaths with their exact times, oldest first: from kube-state-metrics and from the pod's status."""
    found: list[_Death] = []
    for termination in _terminations(own):
        if termination.finished_at is not None:
            found.append(_Death(at_s=termination.finished_at.timestamp(), is_memory=is_memory_death(termination)))
    for source in sources:
        reasons = tracks(source, "last_terminated_reason", container=container, pod=pod)
        for track in tracks(source, "last_terminated_at", container=container, pod=pod):
            for seen_at_s, at_s in track.points:
                if at_s > 0 and not any(abs(d.at_s - at_s) <= SAME_DEATH_S for d in found):
                    found.append(_Death(at_s=at_s, is_memory=_reason_at(reasons, seen_at_s) in memory_reasons))
    return tuple(sorted(found, key=lambda d: d.at_s))


def _reason_at(reasons: Sequence[Track], t_s: float) -> str:
    """The reason that is told when a death's time is first seen: both come with the same scrape."""
    known = [(r, Stairs([r]).at(t_s)) for r in reasons]
    return next((r.reason for r, value in known if value), "")


def _terminations(own: ContainerFacts | None) -> tuple[Termination, ...]:
    return tuple(t for t in (own.terminated, own.last_terminated) if t is not None) if own is not None else ()


def _starts(own: ContainerFacts | None) -> tuple[float, ...]:
    times = [t.started_at for t in _terminations(own) if t.started_at is not None]
    if own is not None and own.state == "running" and own.state_since is not None:
        times.append(own.state_since)
    return tuple(at.timestamp() for at in times)


def _predecessor(day: object, container: str, began_s: float, limit_now: int | None) -> tuple[Sample, ...]:
    """The samples of the workload's pod that was there right before this one began; empty when none was."""
    by_pod: dict[str, list[Track]] = {}
    for track in tracks(day, "before", container=container):
        by_pod.setdefault(track.pod, []).append(track)
    best: dict[float, float] = {}
    best_pod = ""
    for pod, lives in by_pod.items():
        use = {t: v for t, v in highest(alive(lives, ()), MINUTE_S).items() if t < began_s - MINUTE_S}
        if use and began_s - max(use) <= STALE_S and len(use) > len(best):
            best, best_pod = use, pod
    limit = Stairs(tracks(day, "before_limit", container=container, pod=best_pod))
    return tuple(Sample(t_s=t, working_set_bytes=v, limit_bytes=limit.at(t) or limit_now) for t, v in best.items())


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
