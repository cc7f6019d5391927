"""Firings beside kills: which kill an alert caught and how early, and which firing a kill went with. Pure.

A kill counts as caught by an alert about its container
    before   the alert was firing when it came: so long was there to act
    after    it began within LATE_S after: that is what an alert about kills does
    during   it was firing already about an earlier kill of the container
A firing without a kill is not a false alarm in itself: a container near its limit is near its limit.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from receiver.domain.identity import LabelNames, pod_key, subject_of, workload_from_pod_name, workload_key
from receiver.rulepack.backtest.kills import PastKill
from receiver.rulepack.backtest.plan import AlertRule
from receiver.rulepack.backtest.states import Labels, Span

LATE_S = 900  # scrape, evaluation, a `for` of some minutes, a window of ten: all of the pack's kill alerts speak by then
REOPEN_S = 86_400  # the receiver's REOPEN_WINDOW: firings of one workload closer than this are one thread


class How(StrEnum):
    """When an alert spoke of a kill."""

    BEFORE = "before"
    AFTER = "after"
    DURING = "during"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One firing of an alert for one label set."""

    labels: Labels
    span: Span

    @property
    def place(self) -> tuple[str, str, str, str]:
        """cluster, namespace, pod (empty: the alert is about no pod), container."""
        found = dict(self.labels)
        return found.get("cluster", ""), found.get("namespace", ""), found.get("pod", ""), found.get("container", "")

    def is_about(self, kill: PastKill) -> bool:
        """Whether the kill is of what the alert names; a label that the alert lacks fits everything."""
        cluster, namespace, pod, container = self.place
        return (
            bool(pod)
            and pod == kill.pod
            and namespace in ("", kill.namespace)
            and container in ("", kill.container)
            and (not cluster or not kill.cluster or cluster == kill.cluster)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A kill an alert spoke of. `seconds`: how long before, or how long after."""

    kill: PastKill
    how: How
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one alert would have done.

    `windows`: the evaluations that could be asked for. `missing`: why not all, or why none. `absent`: metrics it reads that were not there.
    `kills`: those in the windows (less those so near the end that it may have spoken later), None when the alert is not
    about single pods or was not asked for. `caught`: of them.
    `followed`: firings with a kill from LATE_S before to `within_s` after; `undecided`: the range ended too soon to say.
    `incidents`: threads this alert alone would have opened in Slack.
    """

    rule: AlertRule
    firings: tuple[Firing, ...]
    windows: tuple[tuple[int, int], ...]
    kills: tuple[PastKill, ...] | None
    caught: tuple[Caught, ...]
    followed: int
    undecided: int
    incidents: int
    missing: str = ""
    absent: tuple[str, ...] = ()

    @property
    def was_asked(self) -> bool:
        """Whether anything of it could be evaluated."""
        return bool(self.windows)

    @property
    def total_s(self) -> int:
        """Firing time, added up over all label sets."""
        return sum(firing.span.length_s for firing in self.firings)

    @property
    def median_s(self) -> float:
        """Length of the middle firing; 0 without any."""
        return statistics.median(firing.span.length_s for firing in self.firings) if self.firings else 0.0

    @property
    def without_kill(self) -> int:
        """Firings that no kill went with."""
        return len(self.firings) - self.followed - self.undecided

    def median_of(self, how: How) -> float | None:
        """The middle lead (BEFORE) or delay (AFTER) in seconds; None without any."""
        found = [one.seconds for one in self.caught if one.how is how]
        return statistics.median(found) if found else None

    @property
    def workloads(self) -> frozenset[str]:
        """Whom it named, replicas together."""
        return frozenset(whom(firing) for firing in self.firings)

    @property
    def missed(self) -> tuple[PastKill, ...]:
        """Kills it did not speak of."""
        caught = {id(one.kill) for one in self.caught}
        return tuple(kill for kill in self.kills or () if id(kill) not in caught)


def judge(
    rule: AlertRule,
    firings: Sequence[Firing],
    kills: Sequence[PastKill],
    *,
    windows: tuple[tuple[int, int], ...],
    end_s: int,
    within_s: float,
    missing: str = "",
    absent: tuple[str, ...] = (),
) -> Outcome:
    """One alert's firings beside the kills of the same range."""
    ordered = tuple(sorted(firings, key=lambda firing: (firing.span.from_s, firing.labels)))
    about_pods = rule.names_pods or any(firing.place[2] for firing in ordered)
    seen = tuple(kill for kill in kills if any(first <= kill.at_s <= last for first, last in windows))
    near, of_pod = _by_pod(ordered, kills)
    first_kill_s = {id(firing): _first_kill_s(firing, of_pod[firing.place[2]]) for firing in ordered}
    caught = [one for kill in seen if (one := _caught(kill, near[kill.pod], first_kill_s)) is not None] if about_pods else []
    followed = [_is_followed(firing, of_pod[firing.place[2]], within_s) for firing in ordered]
    undecided = sum(
        not has_kill and firing.span.until_s + within_s > end_s for firing, has_kill in zip(ordered, followed, strict=True)
    )  # fmt: skip
    known = {id(one.kill) for one in caught}
    judged = tuple(kill for kill in seen if id(kill) in known or kill.at_s <= end_s - LATE_S)
    return Outcome(
        rule=rule, firings=ordered, windows=windows, kills=judged if about_pods and windows else None, caught=tuple(caught),
        followed=sum(followed), undecided=undecided, incidents=incidents(ordered), missing=missing, absent=absent,
    )  # fmt: skip


def _by_pod(firings: Iterable[Firing], kills: Iterable[PastKill]) -> tuple[Mapping[str, list[Firing]], Mapping[str, list[PastKill]]]:
    """Both by pod, so that each is compared with its own pod's only."""
    near: dict[str, list[Firing]] = defaultdict(list)
    for firing in firings:
        near[firing.place[2]].append(firing)
    of_pod: dict[str, list[PastKill]] = defaultdict(list)
    for kill in kills:
        of_pod[kill.pod].append(kill)
    return near, of_pod


def _first_kill_s(firing: Firing, kills: Iterable[PastKill]) -> float:
    """When the first kill came that the firing may be about; never, for none."""
    since_s = firing.span.from_s - LATE_S
    return min((kill.at_s for kill in kills if kill.at_s >= since_s and firing.is_about(kill)), default=float("inf"))


def _caught(kill: PastKill, firings: Iterable[Firing], first_kill_s: Mapping[int, float]) -> Caught | None:
    """How the kill was spoken of: the earliest word counts."""
    for firing in firings:
        span = firing.span
        if not firing.is_about(kill) or not span.from_s - LATE_S <= kill.at_s < max(span.until_s, span.from_s + 1):
            continue
        if span.from_s >= kill.at_s:
            return Caught(kill=kill, how=How.AFTER, seconds=span.from_s - kill.at_s)
        how = How.DURING if first_kill_s[id(firing)] < kill.at_s else How.BEFORE
        return Caught(kill=kill, how=how, seconds=kill.at_s - span.from_s)
    return None


def _is_followed(firing: Firing, kills: Iterable[PastKill], within_s: float) -> bool:
    span = firing.span
    return any(firing.is_about(kill) and span.from_s - LATE_S <= kill.at_s <= span.until_s + within_s for kill in kills)


def whom(firing: Firing) -> str:
    """The workload's container as a person would name it: `shop/orders-api (app)`; else the labels that are there."""
    labels = dict(firing.labels)
    cluster, namespace, pod, container = firing.place
    if not pod:
        own = [f"{k}={v}" for k, v in firing.labels if k not in ("alertname", "severity", "incident")]
        return labels.get("node") or labels.get("instance") or namespace or ", ".join(own) or "(everything)"
    return place_name(cluster, namespace, pod, container)


def place_name(cluster: str, namespace: str, pod: str, container: str) -> str:
    """A pod's workload and container, as `whom` says it."""
    workload = workload_from_pod_name(pod)
    name = f"{namespace}/{workload.name if workload else pod}"
    return f"{cluster}: {name} ({container})" if cluster else f"{name} ({container})" if container else name


def incidents(firings: Iterable[Firing]) -> int:
    """How many threads these firings open: one per workload's container, and a new one after REOPEN_S of quiet."""
    spans: dict[str, list[Span]] = defaultdict(list)
    for firing in firings:
        spans[_incident_key(firing)].append(firing.span)
    count = 0
    for of_one in spans.values():
        quiet_since = float("-inf")
        for span in sorted(of_one, key=lambda span: span.from_s):
            count += span.from_s - quiet_since > REOPEN_S
            quiet_since = max(quiet_since, span.until_s)
    return count


def _incident_key(firing: Firing) -> str:
    labels: Mapping[str, str] = dict(firing.labels)
    subject = subject_of(labels, LabelNames())
    if subject.names_a_pod:
        workload = subject.workload
        return workload_key(subject, workload) if workload else pod_key(subject)
    if subject.namespace:
        return f"namespace {subject.cluster} {subject.namespace} {labels.get('alertname', '')}"
    return f"node {subject.cluster} {subject.node}" if subject.node else f"alert {firing.labels}"
