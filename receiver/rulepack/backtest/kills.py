"""The OOM kills that really happened, from what kube-state-metrics and cAdvisor recorded; none of our rules is needed for it.

Four traces of a kill are asked for, none of which sees every one (rules/oom.rules.yaml says why), and folded into one
kill where they tell of the same container within FOLD_S.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from receiver.domain.identity import Subject, Workload, workload_from_pod_name
from receiver.rulepack.backtest.asking import Asker
from receiver.rulepack.backtest.expand import Expander
from receiver.rulepack.backtest.narrow import MAX_PODS, pods_matcher

STEP_S = 60
DAY_S = 86_400
FOLD_S = 180  # cAdvisor and kube-state-metrics are scraped apart, each up to a minute after the kill, and one scrape may fail
# For so long after a kill its time is looked for: a gap of kube-state-metrics of up to an hour hides none.
DATED_S = 3600

_BY = "cluster, namespace, pod, container, uid"
_OOM = ', reason="OOMKilled"'
DATED, COUNTED, DEAD, PROCESS = TRACES = ("time of death", "restart", "dead container", "OOM event")


def _states(name: str, matchers: str = "") -> str:
    """The same state of ordinary and of init containers."""
    listed = f"kube_pod_container_status_{name}|kube_pod_init_container_status_{name}"
    return f'{{__name__=~"{listed}"{matchers}}}'


def _events(matchers: str = "") -> str:
    return f'container_oom_events_total{{container!="", container!="POD"{matchers}}}'


def _whose(trace: str) -> str:
    """PromQL, asked once a day: which pods the trace has anything to tell of. Cheap, and spares the rest of the cluster."""
    reason, dated = f"last_over_time({_states('last_terminated_reason', _OOM)}[1d])", _states("last_terminated_timestamp")
    return {
        DATED: f"max by (pod) ({reason} and on ({_BY}) last_over_time({dated}[1d]))",
        COUNTED: f"max by (pod) ({reason} unless on ({_BY}) last_over_time({dated}[1d]))",
        DEAD: f"max by (pod) (last_over_time({_states('terminated_reason', _OOM)}[1d]))",
        PROCESS: f"max by (pod) (changes({_events()}[1d]) > 0)",
    }[trace]


def _query(trace: str, pods: str) -> str:
    """PromQL of which every point is a kill, or (DATED) carries the kill's time as its value. `pods`: a matcher, or nothing."""
    reason, dated = _states("last_terminated_reason", f"{_OOM}{pods}"), _states("last_terminated_timestamp", pods)
    restarts, dead = _states("restarts_total", pods), _states("terminated_reason", f"{_OOM}{pods}")
    grew = f"max by ({_BY}) ({restarts}) - max by ({_BY}) ({restarts} offset {STEP_S}s) > 0"
    born = f"max by ({_BY}) ({restarts}) > 0 unless on ({_BY}) {restarts} offset {STEP_S}s"
    young = "time() - kube_pod_start_time < 600"
    return {
        DATED: f"max by ({_BY}) ({dated} > time() - {DATED_S}) and on ({_BY}) ({reason} == 1)",
        COUNTED: (
            f"(max by ({_BY}) ({reason}) == 1 unless on ({_BY}) {dated})"
            f" and on ({_BY}) (({grew}) or ({born} and on (cluster, namespace, pod, uid) ({young})))"
        ),
        DEAD: (f"max by ({_BY}) ({dead}) == 1 unless on ({_BY}) (max by ({_BY}) (max_over_time({dead}[1h] offset {STEP_S}s)) == 1)"),
        PROCESS: f"max by (cluster, namespace, pod, container) ({_events(pods)} - {_events(pods)} offset {STEP_S}s) > 0",
    }[trace]


# Metric -> what is not seen without it.
NEEDED: Mapping[str, str] = {
    "kube_pod_container_status_restarts_total": "no kube-state-metrics: kills of whole containers cannot be seen",
    "container_oom_events_total": "a process killed inside a container that lives on cannot be seen",
}
NEVER_SEEN = (
    "a kill followed by another death of the same container before the next scrape",
    "a kill in a pod that was gone before the next scrape",
    "the first OOM event of a container's counter, where nothing else tells of it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastKill:
    """One OOM kill that Prometheus remembers. `is_exact`: the time is Kubernetes' own; else it is right to about a minute. `traces`: what told of it.

    `is_process`: only the OOM counter told: a process inside died, and as far as is known the container lived on.
    """

    cluster: str
    namespace: str
    pod: str
    container: str
    at_s: float
    is_exact: bool = False
    traces: tuple[str, ...] = ()

    @property
    def is_process(self) -> bool:
        """Whether the container seems to have lived on."""
        return self.traces == (PROCESS,)

    @property
    def subject(self) -> Subject:
        """Whom it hit, with the workload read off the pod's name."""
        return Subject(
            cluster=self.cluster, namespace=self.namespace, pod=self.pod, container=self.container,
            workload=workload_from_pod_name(self.pod) or Workload(kind="Pod", name=self.pod, is_inferred=True),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The kills of a range in order of time. `missing`: what kept some of them from being seen."""

    kills: tuple[PastKill, ...]
    missing: tuple[str, ...] = ()


def find_kills(asker: Asker, *, start_s: int, end_s: int, matchers: str = "") -> Found:
    """Ask for every trace. SourceError when Prometheus cannot be asked at all."""
    expander = Expander((), matchers=matchers)
    traces: dict[str, list[PastKill]] = {trace: [] for trace in TRACES}
    missing: list[str] = []
    start_s, end_s = -(-start_s // STEP_S) * STEP_S, end_s // STEP_S * STEP_S
    for trace in TRACES:
        pods = _pods(asker, expander.expanded(_whose(trace), DAY_S).expr, start_s=start_s, end_s=end_s, what=f"kills by {trace}")
        if pods is None or len(pods) > MAX_PODS:
            named = ""
        elif pods:
            named = f", {pods_matcher(pods).text}"
        else:
            continue
        covered = asker.range(
            expander.expanded(_query(trace, named), STEP_S).expr, start_s=start_s, end_s=end_s, step_s=STEP_S,
            on_series=partial(_collect, trace, traces[trace]), what=f"kills by {trace}",
        )  # fmt: skip
        if covered.why:
            missing.append(f"kills by {trace} were not looked for in the whole range: {covered.why}")
    kills = tuple(kill for kill in fold(traces) if start_s <= kill.at_s <= end_s)
    return Found(kills=kills, missing=tuple(missing))


def _pods(asker: Asker, query: str, *, start_s: int, end_s: int, what: str) -> frozenset[str] | None:
    """The pods the query names on any day of the range; None when it was not answered for all of it."""
    pods: set[str] = set()
    days = -(-(end_s - start_s) // DAY_S)
    covered = asker.range(
        query, start_s=end_s - (days - 1) * DAY_S, end_s=end_s, step_s=DAY_S, what=f"{what}: whose",
        on_series=lambda labels, _: pods.add(labels.get("pod", "")),
    )  # fmt: skip
    return None if covered.why else frozenset(pods)


def _collect(trace: str, found: list[PastKill], labels: Mapping[str, str], points: list[tuple[int, str]]) -> None:
    """Add the kills of one series of the trace's answer."""
    # Of an undated trace the kill was some time in the step that ended at the point.
    times = dict.fromkeys(float(value) if trace == DATED else second - STEP_S / 2 for second, value in points)
    found += [
        PastKill(
            cluster=labels.get("cluster", ""), namespace=labels.get("namespace", ""), pod=labels.get("pod", ""),
            container=labels.get("container", ""), at_s=at_s, is_exact=trace == DATED, traces=(trace,),
        )
        for at_s in times
    ]  # fmt: skip


def fold(traces: Mapping[str, list[PastKill]]) -> list[PastKill]:
    """Traces of one kill become one. Exact times first, so that they decide when it was; in order of time."""
    containers: dict[tuple[str, str, str, str], _Known] = {}
    for trace in TRACES:
        for kill in sorted(traces.get(trace, ()), key=lambda kill: kill.at_s):
            containers.setdefault((kill.cluster, kill.namespace, kill.pod, kill.container), _Known()).add(kill, trace)
    kills = [kill for known in containers.values() for kill in known.kills]
    return sorted(kills, key=lambda kill: (kill.at_s, kill.namespace, kill.pod, kill.container))


class _Known:
    """The kills of one container so far, in order of time: a worker may be killed every minute of a week."""

    def __init__(self) -> None:
        self.kills: list[PastKill] = []
        self._times: list[float] = []

    def add(self, kill: PastKill, trace: str) -> None:
        """What a trace tells: of a kill that is known, or of another."""
        index = self._same(kill, trace)
        if index is None:
            at = bisect_right(self._times, kill.at_s)
            self._times.insert(at, kill.at_s)
            self.kills.insert(at, kill)
        elif trace not in self.kills[index].traces:
            self.kills[index] = replace(self.kills[index], traces=(*self.kills[index].traces, trace))

    def _same(self, kill: PastKill, trace: str) -> int | None:
        """Which of the known kills this trace tells of."""
        fold_s = 0 if trace == DATED else FOLD_S
        near = range(bisect_left(self._times, kill.at_s - fold_s), bisect_right(self._times, kill.at_s + fold_s))
        is_one_each = trace in (COUNTED, DEAD)  # one such point is one kill: two of them near each other are two
        candidates = (index for index in near if not is_one_each or trace not in self.kills[index].traces)
        return min(candidates, key=lambda index: abs(self._times[index] - kill.at_s), default=None)
