"""Whether a fix held: what the time since it says, 24 h and 48 h later. Pure.

No kill alone is no proof: where nothing was measured nobody can tell, a leak under a higher limit has only not been killed yet, and
what used to live three days has not shown anything after one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median, quantiles

from receiver.diagnosis.advice.checklist import COULD_NOT_CHECK, DONE, TODO
from receiver.diagnosis.causes.leaf import Raise
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.domain.facts import PodSince, Since
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, CheckItem, Report
from receiver.domain.runs import Runs, runs_of
from receiver.domain.units import from_epoch

HELD, DELAYS, TOO_EARLY, NO_EVIDENCE, FAILED = "held", "delays", "too_early", "no_evidence", "failed"  # outcomes of a later look
MONITOR = "monitor_48h"

COVERED_RATIO = 0.5  # of the time must have been measured, else nobody can tell
STILL_GROWS_RATIO = 0.2  # of the growth before: below it a leak is taken for mended
FORESEEABLE_S = 14 * 86_400.0  # a limit that is reached later than that is none that a leak's next kill is foretold for
ENOUGH_LIVES = 0.8  # of a life before must have passed, else the time says nothing
TIGHT_RATIO = 0.9  # of the limit: its highest per cent of samples is above it
FALL_RATIO = 0.6  # memory that falls to less than this from one sample to the next begins a new life
WARM_UP_S = 1800.0
MIN_IN_HOUR = 0.7  # of an hour's samples
FEW_SAMPLES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is asked: a fix since `since`, `after_s` ago. `limit_bytes`: in force since then, where it is known.

    `replaces_pods`: it is in the template, so what ran before does not have it.
    """

    since: datetime
    after_s: float
    limit_bytes: int | None = None
    replaces_pods: bool = False
    growth_before_bytes_per_h: float | None = None
    life_before_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of it. `again_at`: when the answer would be a better one, where it was too early. `killed_at`: of FAILED."""

    outcome: str
    because: Reason
    again_at: datetime | None = None
    killed_at: datetime | None = None


def verdict_of(report: Report, trial: Trial) -> Verdict:
    """What the time since the fix says."""
    since, facts = report.facts.since, report.facts
    begun_s, now_s = trial.since.timestamp(), facts.now.timestamp()
    if since is not None and (killed_at := _killed(since, trial)) is not None:
        return Verdict(outcome=FAILED, because=reason("fix.said"), killed_at=killed_at)
    missing_s = trial.after_s - _covered_s(since, begun_s, now_s)
    if since is None or not _is_measured(report, trial, missing_s):
        return Verdict(outcome=NO_EVIDENCE, because=reason("follow_up.no_evidence", after_s=trial.after_s, missing_s=missing_s))
    values = [v for pod in since.pods for t, v in pod.samples if t >= begun_s]
    limit = trial.limit_bytes or next((int(v) for pod in since.pods for _, v in reversed(pod.limits)), None)
    before, after = _growth(report, trial, since)
    numbers = {
        "after_s": trial.after_s, "peak_bytes": max(values), "limit_bytes": limit, "before_bytes_per_h": before, "after_bytes_per_h": after,
    }  # fmt: skip
    still_grows = after is not None and after > max(STILL_GROWS_RATIO * (before or 0.0), 0.0)
    next_at = _full_at(since, limit, after, begun_s) if still_grows else None
    if next_at is not None:
        return Verdict(outcome=DELAYS, because=reason("follow_up.delays", next_at=next_at, **numbers))
    if trial.life_before_s is not None and trial.after_s < ENOUGH_LIVES * trial.life_before_s:
        again_at = trial.since + timedelta(seconds=min(1.5 * trial.life_before_s, 7 * 86_400.0))
        too_early = reason("follow_up.too_early", after_s=trial.after_s, life_s=trial.life_before_s)
        return Verdict(outcome=TOO_EARLY, because=too_early, again_at=again_at)
    held = reason(
        "follow_up.held", restarts=_restarts(since, begun_s), evicted=_evicted(since, begun_s), throttled_ratio=_throttled(since, begun_s),
        is_tight=limit is not None and _p99(values) >= TIGHT_RATIO * limit, p99_bytes=_p99(values), **numbers,
    )  # fmt: skip
    return Verdict(outcome=HELD, because=held)


def _growth(report: Report, trial: Trial, since: Since) -> tuple[float | None, float | None]:
    """Of a leak, before and after the fix, in bytes an hour. What wobbles around a level is no growth."""
    if leaf_of(report.cause.name).a_raise is not Raise.DELAYS or report.cause.name is CauseName.UNKNOWN:
        return None, None
    before, after = growth_at_equal_hours(since, trial.since.timestamp())
    return (trial.growth_before_bytes_per_h if before is None else before), after


def _killed(since: Since, trial: Trial) -> datetime | None:
    """The first kill since the fix in any of the pods that have it. A pod of before may die while it is rolled out."""
    found = []
    for pod in since.pods:
        is_older = trial.replaces_pods and _began_s(pod) < trial.since.timestamp() - since.step_s
        for at_s in () if is_older and not _keeps_its_name(pod.pod) else pod.kill_times_s:
            limit = next((v for t, v in reversed(pod.limits) if t <= at_s), None)
            is_of_before = limit is not None and trial.limit_bytes is not None and abs(limit - trial.limit_bytes) > 0.01 * trial.limit_bytes
            if at_s > trial.since.timestamp() and not is_of_before:
                found.append(at_s)
    return from_epoch(min(found)) if found else None


def _began_s(pod: PodSince) -> float:
    """When it was seen first, in seconds since 1970."""
    return min((series[0][0] for series in (pod.samples, pod.limits, pod.restarts) if series), default=math.inf)


def _keeps_its_name(pod: str) -> bool:
    """Whether the pod that takes its place has the same name: a StatefulSet's."""
    return pod.rpartition("-")[2].isdigit()


def _is_measured(report: Report, trial: Trial, missing_s: float) -> bool:
    """Whether what was measured says anything: most of the time; of what does not run for ever, one run."""
    if runs_of(report.subject.workload, report.facts.pod) is not Runs.FOR_EVER:
        return missing_s < trial.after_s
    return missing_s <= (1 - COVERED_RATIO) * trial.after_s


def _covered_s(since: Since | None, begun_s: float, now_s: float) -> float:
    """How much of the time since the fix was measured, of any of its pods."""
    if since is None:
        return 0.0
    seen = {int(t // since.step_s) for pod in since.pods for t, _ in pod.samples if begun_s <= t <= now_s}
    return len(seen) * since.step_s


def _restarts(since: Since, begun_s: float) -> int:
    """Restarts of its pods since the fix."""
    total = 0.0
    for pod in since.pods:
        counts = [v for t, v in pod.restarts if t >= begun_s]
        total += max(counts[-1] - counts[0], 0.0) if counts else 0.0
    return int(total)


def _evicted(since: Since, begun_s: float) -> int:
    """Evictions since the fix: evicted pods stay, and are counted, until somebody deletes them."""
    before = next((v for t, v in reversed(since.evicted) if t < begun_s), 0.0)
    return int(max((v - before for t, v in since.evicted if t >= begun_s), default=0.0))


def _throttled(since: Since, begun_s: float) -> float | None:
    """The share of its CPU periods that were throttled since the fix, 0-1: the mean over its hours. None: not scraped."""
    found = [v for t, v in since.throttled if t >= begun_s]
    return fmean(found) if found else None


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]


def _full_at(since: Since, limit: int | None, growth_bytes_per_h: float | None, begun_s: float) -> datetime | None:
    """When the fullest of its pods is at the limit at this growth; None when that is too far away, or not known."""
    newest = [pod.samples[-1] for pod in since.pods if pod.samples and pod.samples[-1][0] >= max(begun_s, since.end_s - 4 * since.step_s)]
    if not newest or not limit or not growth_bytes_per_h:
        return None
    at_s, used = max(newest, key=lambda sample: sample[1])
    left_s = max(limit - used, 0.0) / growth_bytes_per_h * 3600
    return from_epoch(at_s + left_s) if left_s < FORESEEABLE_S else None


def growth_at_equal_hours(since: Since, begun_s: float) -> tuple[float | None, float | None]:
    """Growth in bytes an hour before and after the fix, over the hours of the day that both have: nights are not held against days."""
    before: defaultdict[int, list[float]] = defaultdict(list)
    after: defaultdict[int, list[float]] = defaultdict(list)
    for pod in since.pods:
        for hour_s, slope in _hourly(pod, since.step_s):
            (after if hour_s >= begun_s else before)[datetime.fromtimestamp(hour_s, UTC).hour].append(slope)
    both = before.keys() & after.keys()
    return _mean(before, both or before.keys()), _mean(after, both or after.keys())


def _mean(slopes: Mapping[int, Sequence[float]], hours: Iterable[int]) -> float | None:
    found = [fmean(slopes[h]) for h in hours]
    return fmean(found) if found else None


def _hourly(pod: PodSince, step_s: float) -> Iterator[tuple[float, float]]:
    """(start of the hour, bytes an hour) of each full clock hour inside one life, its warm-up left out."""
    for life in _lives(pod):
        hours: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for t, value in life:
            if t >= life[0][0] + WARM_UP_S:
                hours[int(t // 3600)].append((t, value))
        for hour, samples in hours.items():
            if len(samples) < max(MIN_IN_HOUR * 3600 / step_s, FEW_SAMPLES):
                continue
            third = max(len(samples) // 3, 1)
            first, last = samples[:third], samples[-third:]
            span_h = (fmean(t for t, _ in last) - fmean(t for t, _ in first)) / 3600
            yield hour * 3600.0, (median(v for _, v in last) - median(v for _, v in first)) / span_h


def _lives(pod: PodSince) -> Iterator[list[tuple[float, float]]]:
    """The samples of each life: cut at known kills, and where memory falls at once."""
    life: list[tuple[float, float]] = list(pod.samples[:1])
    for one, two in pairwise(pod.samples):
        if two[1] < FALL_RATIO * one[1] or any(one[0] <= at < two[0] for at in pod.kill_times_s):
            yield life
            life = []
        life.append(two)
    if life:
        yield life


def with_monitor(items: Sequence[CheckItem], outcome: str, because: Reason, *, is_final: bool) -> tuple[CheckItem, ...]:
    """The checklist with what the newest follow-up found."""
    state = {HELD: DONE if is_final else TODO, NO_EVIDENCE: COULD_NOT_CHECK}.get(outcome, TODO)
    said = reason("check.follow_up", outcome=outcome, because=because)
    return tuple(replace(item, state=state, result=said) if item.id == MONITOR else item for item in items)
