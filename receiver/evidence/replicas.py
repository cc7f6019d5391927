"""The PromQL about a workload's replicas: branches of questions that are asked anyway, so that they cost no request.

Of a workload of any size some pods are asked for: the subject's, those that live now and those of earlier rollouts, a few of each
with most samples. A branch of a question by the minute answers at every so many seconds only.
"""

from __future__ import annotations

MOST_ALIVE, MOST_GONE = 5, 3
DAY_STEP_S, PEAK_STEP_S, RATE_STEP_S, WEEK_STEP_S = 300, 900, 900, 1800
_WORKING_SET, _OWN = "container_memory_working_set_bytes", "container_memory_rss"


def of_day(*, pod: str, workload: str, others: str, by: str, step_s: int) -> tuple[tuple[str, str], ...]:
    """Floors and peaks of the last day, for a question asked every `step_s`. The matchers are `Selectors`'."""
    picked = _picked(pod, others, by, "1d")
    floors, peaks = _floors(workload, by, DAY_STEP_S), f"max by ({by}) (max_over_time({_WORKING_SET}{{{workload}}}[{PEAK_STEP_S}s]))"
    return (
        ("replicas", f"({floors}) and on ({_pod_of(by)}) {picked} and on () {_every(DAY_STEP_S, step_s)}"),
        ("replica_peaks", f"{peaks} and on ({_pod_of(by)}) {picked} and on () {_every(PEAK_STEP_S, step_s)}"),
    )


def of_week(*, pod: str, workload: str, others: str, by: str) -> tuple[tuple[str, str], ...]:
    """Floors of the last week, for a question asked every half hour."""
    return (("replicas", f"({_floors(workload, by, WEEK_STEP_S)}) and on ({_pod_of(by)}) {_picked(pod, others, by, '7d')}"),)


def rates(rate: str, *, pod: str, others: str, by: str, step_s: int) -> str:
    """A rate of those pods, four times an hour, for a question asked every `step_s`."""
    picked = _picked(pod, others, by, "1d")
    return f"sum by ({_pod_of(by)}) ({rate}) and on ({_pod_of(by)}) {picked} and on () {_every(RATE_STEP_S, step_s)}"


def _floors(workload: str, by: str, step_s: int) -> str:
    """Of the process's own memory; of the working set where that is not scraped."""
    return " or ".join(f"max by ({by},id) (min_over_time({metric}{{{workload}}}[{step_s}s]))" for metric in (_OWN, _WORKING_SET))


def _picked(pod: str, others: str, by: str, window: str) -> str:
    def counted(matchers: str, during: str) -> str:
        return f"sum by ({_pod_of(by)}) (count_over_time({_WORKING_SET}{{{matchers}}}[{during}] @ end()))"

    alive = counted(others, "15m")
    gone = f"({counted(others, window)} unless on ({_pod_of(by)}) {alive})"
    return f"({counted(pod, window)} or topk({MOST_ALIVE}, {alive}) or topk({MOST_GONE}, {gone}))"


def _every(seconds: int, step_s: int) -> str:
    return f"(vector(time() % {seconds}) < {step_s})"


def _pod_of(by: str) -> str:
    return by.rpartition(",")[0]
