"""The pulse of all open incidents: few batched questions to Prometheus, and single ones to Kubernetes for whom it does not know.

What a round may cost is bounded here and stated in docs/watch.md. A source that does not answer is a problem that is told, and
leaves its incidents without a pulse: nothing is concluded from it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.case.access import mapping, objects, text
from receiver.case.pod import pod_facts
from receiver.domain.facts import PodFacts
from receiver.domain.identity import Subject
from receiver.domain.kube_names import workload_from_pod_name
from receiver.domain.pulse import MOST_PODS, ContainerPulse, Pulses, Wanted
from receiver.domain.units import from_epoch
from receiver.errors import NotFound, SourceError
from receiver.evidence import queries
from receiver.evidence.cache import Cache
from receiver.evidence.kube import Kube, is_kube_name, object_path
from receiver.evidence.look import KUBERNETES, PROMETHEUS, EvidenceConfig
from receiver.evidence.owner_mark import owner_mark
from receiver.evidence.prometheus import Prometheus
from receiver.transport import Deadline

MOST_POD_REQUESTS = 30  # to Kubernetes in one round, for the pods that Prometheus does not know
PAGE = 500  # pods of a namespace that are listed to find who replaced a pod


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One incident with what its pods are called."""

    wanted: Wanted
    pattern: str

    def owns(self, pod: str) -> bool:
        """Whether a pod is the incident's, or one of the same workload: `cart-db-0` is none of the Deployment `cart`."""
        subject = self.wanted.subject
        if pod == subject.pod:
            return True
        own, guess = workload_from_pod_name(subject.pod), workload_from_pod_name(pod)
        is_like_ours = own is None or guess is None or guess.name == own.name
        is_named_so = bool(subject.pod) or subject.workload is None or (guess is not None and guess.name == subject.workload.name)
        return is_like_ours and is_named_so and re.fullmatch(self.pattern, pod) is not None

    @property
    def stems(self) -> Iterator[str]:
        """How the pods' names begin, as far as it is known: up to a dash."""
        subject = self.wanted.subject
        yield subject.pod
        if subject.workload is not None:
            yield subject.workload.name


class PulseReader:
    """Takes pulses. One object lives as long as the process; it shares the looks' cache. None for a source that is not configured."""

    def __init__(self, config: EvidenceConfig, *, kube: Kube | None, prometheus: Prometheus | None, cache: Cache) -> None:
        self._config = config
        self._kube = kube
        self._prometheus = prometheus
        self._cache = cache

    def take(self, wanted: Sequence[Wanted], *, now: datetime, deadline_s: float) -> Pulses:
        """The pods of these incidents as they are now, those first whose turn it is. Never raises for a source's failure."""
        deadline = Deadline(deadline_s)
        asked = [_Asked(wanted=w, pattern=queries.pod_pattern(w.subject)) for w in wanted if self._may_be_asked(w.subject)]
        round_ = _Round(deadline=deadline)
        if self._prometheus is not None:
            for part in _parts(asked, most_chars=_room(self._prometheus)):
                self._ask_prometheus(self._prometheus, part, round_, at_s=now.timestamp())
        if self._kube is not None:
            for one in asked:
                if one.wanted.id not in round_.pods and one.wanted.subject.pod:
                    self._ask_kubernetes(self._kube, one, round_)
        return Pulses(pods=round_.pods, partial=frozenset(round_.partial), problems=round_.problems, requests=dict(round_.requests))

    def owner(self, subject: Subject, *, deadline_s: float) -> tuple[str, int]:
        """A mark of what the workload's owner and its autoscalers ask for, and the requests that it cost (owner_mark.py)."""
        if self._kube is None or not self._may_be_asked(subject):
            return "", 0
        return owner_mark(self._kube, self._cache, self._config, subject, Deadline(deadline_s))

    def forget(self, subject: Subject) -> None:
        """What looks have kept of the namespace is older than what was seen: the next look asks anew."""
        part = f"/namespaces/{subject.namespace}/"
        self._cache.drop(lambda key: isinstance(key, tuple) and bool(key) and part in str(key[0]))

    def _may_be_asked(self, subject: Subject) -> bool:
        ours = self._config.cluster_name
        if ours and subject.cluster and subject.cluster != ours:
            return False
        names = (subject.pod, subject.container, subject.workload.name if subject.workload is not None else "")
        return bool(subject.namespace and any(names)) and all(is_kube_name(n) for n in (subject.namespace, *names) if n)

    # -- Prometheus

    def _ask_prometheus(self, prometheus: Prometheus, part: Sequence[_Asked], round_: _Round, *, at_s: float) -> None:
        """The newest values of these incidents' containers. Whoever is known has a pulse then."""
        if PROMETHEUS in round_.problems or round_.deadline.is_over:
            return
        containers = [a.wanted.subject.container for a in part]
        query = queries.pulse(
            prometheus.config,
            [a.wanted.subject.namespace for a in part],
            sorted({a.pattern for a in part}),
            containers if all(containers) else (),
        )
        round_.requests[PROMETHEUS] += 1
        try:
            answer = prometheus.instant(query, at_s, deadline=round_.deadline)
        except SourceError as exc:
            round_.problems[PROMETHEUS] = str(exc)
            return
        for incident_id, pods in _read(answer.series, part, prometheus.config.state_label_prefix, _labels(prometheus)).items():
            round_.pods[incident_id] = _bounded(pods)

    # -- Kubernetes

    def _ask_kubernetes(self, kube: Kube, one: _Asked, round_: _Round) -> None:
        """The pod's own status, or when it is gone that of who replaced it."""
        if KUBERNETES in round_.problems or round_.deadline.is_over or round_.requests[KUBERNETES] >= MOST_POD_REQUESTS:
            return
        subject = one.wanted.subject
        pods = object_path("api/v1", "pods", namespace=subject.namespace)
        try:
            round_.requests[KUBERNETES] += 1
            try:
                found: Sequence[Any] = (kube.get(f"{pods}/{subject.pod}", deadline=round_.deadline),)
                round_.partial.add(one.wanted.id)
            except NotFound:
                round_.requests[KUBERNETES] += 1
                listed = objects(kube.get(pods, {"limit": PAGE}, deadline=round_.deadline), "items")
                found = [p for p in listed if one.owns(text(p, "metadata", "name"))]
        except SourceError as exc:
            if exc.retryable:  # it is away: the others are not asked in vain; a refusal is this one's alone
                round_.problems[KUBERNETES] = str(exc)
            return
        read = {facts.name: _of_pod(facts, subject.container) for p in found if (facts := pod_facts(p)) is not None}
        round_.pods[one.wanted.id] = _bounded({name: pulse for name, pulse in read.items() if pulse is not None})


class _Round:
    """What one round has found out so far."""

    def __init__(self, *, deadline: Deadline) -> None:
        self.deadline = deadline
        self.pods: dict[str, Mapping[str, ContainerPulse]] = {}
        self.partial: set[str] = set()
        self.problems: dict[str, str] = {}
        self.requests: Counter[str] = Counter()


def _parts(asked: Sequence[_Asked], *, most_chars: int) -> Iterator[list[_Asked]]:
    """The incidents in as few groups as queries of a bounded length allow, neighbours together."""
    part: list[_Asked] = []
    chars = 0
    names: set[str] = set()
    for one in sorted(asked, key=lambda a: (a.wanted.subject.namespace, a.pattern)):
        subject = one.wanted.subject
        new = {one.pattern, f"namespace {subject.namespace}", f"container {subject.container}"} - names
        cost = sum(len(name) + 1 for name in new)
        if part and chars + cost > most_chars:
            yield part
            part, chars, names = [], 0, set()
            cost = len(one.pattern) + len(subject.namespace) + len(subject.container) + 24
        part.append(one)
        chars += cost
        names |= new
    if part:
        yield part


def _room(prometheus: Prometheus) -> int:
    """Characters for names in one query; they stand in it twice when the exporters do not agree about labels."""
    left = queries.MOST_QUERY_CHARS - len(queries.pulse(prometheus.config, (), (), ()))
    return left // 2 if prometheus.config.state_label_prefix else left


def _labels(prometheus: Prometheus) -> tuple[str, str, str]:
    config = prometheus.config
    return config.namespace_label, config.pod_label, config.container_label


def _read(
    series: Sequence[Mapping[str, Any]], part: Sequence[_Asked], prefix: str, labels: tuple[str, str, str]
) -> Mapping[str, Mapping[str, ContainerPulse]]:
    """The series by incident and pod."""
    known: dict[tuple[str, str], list[_Asked]] = defaultdict(list)
    for one in part:
        for stem in set(one.stems) - {""}:
            known[one.wanted.subject.namespace, stem].append(one)
    values: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for entry in series:
        metric = mapping(entry, "metric")
        name = queries.PULSE_METRICS.get(text(metric, "__name__"), "")
        value = _value(entry)
        if not name or value is None:
            continue
        namespace, pod, container = (text(metric, prefix + label) or text(metric, label) for label in labels)
        for one in _meant(known, namespace, pod, container):
            _note(values[one.wanted.id, pod], name, value, text(metric, "reason"))
    found: dict[str, dict[str, ContainerPulse]] = defaultdict(dict)
    for (incident_id, pod), told in values.items():
        found[incident_id][pod] = ContainerPulse(**told)
    return found


def _meant(known: Mapping[tuple[str, str], Sequence[_Asked]], namespace: str, pod: str, container: str) -> Iterator[_Asked]:
    """The incidents that a pod's container belongs to."""
    stems = [pod, *(pod[:i] for i, letter in enumerate(pod) if letter == "-")]
    for stem in stems:
        for one in known.get((namespace, stem), ()):
            if one.wanted.subject.container in ("", container) and one.owns(pod):
                yield one


def _note(told: dict[str, Any], name: str, value: float, reason: str) -> None:
    """One more value of a container; of two series of one thing the higher."""
    if name in ("reason", "ended"):
        if value > 0 and (name == "ended" or not told.get("is_ended")):  # how it ended now is newer than how it did before
            told |= {"reason": reason, "is_ended": name == "ended"}
    elif name == "died_at":
        if value > 0:
            told["died_at"] = max(from_epoch(value), told.get("died_at") or from_epoch(0))
    elif name == "is_ready":
        told["is_ready"] = bool(value)
    else:
        told[name] = max(int(value), told.get(name) or 0)


def _value(entry: Mapping[str, Any]) -> float | None:
    value = entry.get("value")
    try:
        number = float(value[1]) if isinstance(value, list) else math.nan
    except (ValueError, TypeError, IndexError):
        return None
    return number if math.isfinite(number) else None


def _of_pod(pod: PodFacts, container: str) -> ContainerPulse | None:
    own = pod.container(container) if container else next((c for c in pod.containers if c.kind == "regular"), None)
    if own is None:
        return None
    died = own.newest_termination
    return ContainerPulse(
        restarts=own.restart_count, died_at=died.finished_at if died else None, reason=died.reason if died else "",
        is_ended=own.terminated is not None, limit_bytes=own.limit_bytes, is_ready=own.is_ready,
    )  # fmt: skip


def _bounded(pods: Mapping[str, ContainerPulse]) -> Mapping[str, ContainerPulse]:
    """Of a large workload those with most restarts."""
    if len(pods) <= MOST_PODS:
        return dict(pods)
    worst = sorted(pods, key=lambda name: (-(pods[name].restarts or 0), name))[:MOST_PODS]
    return {name: pods[name] for name in worst}
