"""Clues: what several parts of the diagnosis derive from the facts, derived once.

Which container it is about, which limit counts for it, how long its last lives were, how full it was just before it
died, and what its log witnesses beside errors. No verdicts here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from receiver.diagnosis.log.announced import Announced, announced_kills
from receiver.diagnosis.log.ceilings import Setting, settings_of
from receiver.diagnosis.log.log_clues import begun_after_quiet, says_it_serves, still_loading, worker_lives
from receiver.diagnosis.log.runtimes import as_seen_by, detect_runtime
from receiver.diagnosis.log.signatures import LoadingLine, find_signature, rising_words
from receiver.diagnosis.memory.shape import shape_of
from receiver.diagnosis.memory.witness import Witness
from receiver.diagnosis.memory.witnesses import witnesses_of
from receiver.diagnosis.unlimited import without_unlimited
from receiver.domain.facts import ContainerFacts, Facts, MemoryHistory, RateSource, Revision, SiblingFact, Termination
from receiver.domain.identity import UNKNOWN_KIND, Workload
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Shape, Signature
from receiver.domain.units import KIB, from_epoch

JUST_BEFORE_S = 180.0  # how far back "just before it died" reaches: a few scrapes at the usual 30 to 60 s
ROLLOUT_REACH_S = 1800.0  # pods of a rollout may start this long after its ReplicaSet; a change is seen a little later still
ROLLOUT_SLACK_S = 600.0  # the start of a rise is read off bins, and may come out early
FEW_SCRAPES = 3  # a life with fewer has no known peak
TELLING_RATIO = 0.9  # of the limit: so high a sample tells, however few there are
SCRAPE_SLACK_S = 5.0  # scrape times and kubelet times come from different clocks


RESTS_ON_RATE = frozenset(
    ("memory.follows_request_rate", "memory.not_with_request_rate", "memory.goes_with_request_rate", "memory.rate_was_high")
)

# The kernel rounds a limit to pages, of 64 KiB at most, and the kubelet may report what came of it.
SAME_WITHIN_BYTES = 64 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRaise:
    """One rollout that raised this container's memory limit. Bytes; `at` is when its first pod could start."""

    at: datetime
    before_bytes: int
    after_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """Facts, and what follows from them without judging. Bytes and seconds; None where it is not known."""

    facts: Facts
    container_name: str
    container: ContainerFacts | None
    limit_bytes: int | None  # the one in force for the container: its own, else the pod's
    request_bytes: int | None
    limit_is_pod_level: bool
    shape: Shape | None
    witnesses: tuple[Witness, ...]  # of memory, beside its own series
    signature: Signature | None  # without the deaths that `announced` explains
    announced: tuple[Announced, ...]  # kills that a manager, runtime or script announced in the log as its own
    runtime: str
    settings: tuple[Setting, ...]  # by which the program bounds its own memory
    loading: tuple[LoadingLine, ...]  # lines of loading among the last lines of the log
    rising: tuple[str, ...]  # counters in the log that rose until its end
    last_line: str
    serves: bool  # the log of the dead instance says that its start was over
    begun: str  # the line of work that the log ends with after a quiet time
    is_log_of_survivor: bool  # the log of the dead instance is gone; this is the one that runs now
    lives_s: tuple[float, ...]  # spans of the last lives that ended, newest first: from the status and the exact times of the history
    worker_lives_s: tuple[float, ...]  # from boot to SIGKILL of each child process that the log tells of
    raises: tuple[LimitRaise, ...]  # newest first

    @property
    def workload(self) -> Workload:
        """The owner to edit: confirmed by the API, else as inferred, else the bare pod."""
        if self.facts.workload is not None:
            return self.facts.workload.workload
        return self.facts.subject.workload or Workload(kind="Pod" if self.facts.pod else UNKNOWN_KIND, name=self.facts.subject.pod)

    @property
    def alert_names(self) -> frozenset[str]:
        """The names of the alerts of this incident."""
        return frozenset(a.name for a in self.facts.alerts if a.name)

    @property
    def could_ask_kubernetes(self) -> bool:
        """Whether the pod itself could be read."""
        return self.facts.pod is not None and not self.facts.pod.is_pieced_together

    def missing_why(self, *sources: str) -> str:
        """Why the first of these sources is not available, with the hint for the reader; or an empty text."""
        for source in sources:
            for entry in self.facts.missing:
                if entry.source == source or entry.source.startswith(f"{source}."):
                    return f"{entry.why}; {entry.hint_for_reader}" if entry.hint_for_reader else entry.why
        return ""


def clues_of(facts: Facts) -> Clues:
    """What follows from the facts without judging."""
    facts = without_unlimited(facts)
    name = _container_name(facts)
    container = facts.pod.container(name) if facts.pod else None
    lines = facts.log.lines if facts.log else ()
    texts = tuple(text for line in lines if (text := line.strip()))
    announced = announced_kills(lines)
    explained = frozenset(i for a in announced for i in a.explains)
    witnesses = witnesses_of(facts, container, name)
    shape = _with_rate_source(shape_of(facts.history, witnesses=witnesses), facts) if facts.history is not None else None
    limit = _limit_in_force(facts, container, shape)
    runtime = detect_runtime(container, facts.log) or (facts.heap.runtime if facts.heap is not None else "")
    is_survivors = facts.log is not None and facts.log.is_current and container is not None and container.newest_termination is not None
    return Clues(
        facts=facts,
        container_name=name,
        container=container,
        limit_bytes=limit.limit_bytes,
        request_bytes=limit.request_bytes,
        limit_is_pod_level=limit.is_pod_level,
        shape=shape,
        witnesses=witnesses,
        signature=as_seen_by(find_signature(lines, pod=facts.subject.pod, but_not=explained), runtime),
        runtime=runtime,
        settings=settings_of(container, facts.log, runtime),
        announced=announced,
        loading=() if is_survivors else still_loading(texts),
        rising=rising_words(texts),
        last_line=texts[-1] if texts and not is_survivors else "",
        serves=not is_survivors and says_it_serves(texts),
        begun="" if is_survivors else begun_after_quiet(facts.log, _died_at(container)),
        is_log_of_survivor=is_survivors,
        lives_s=_lives(container, facts.history),
        worker_lives_s=worker_lives(facts.log),
        raises=_raises(facts, name),
    )


def _with_rate_source(shape: Shape, facts: Facts) -> Shape:
    """The shape, which knows rates only, with the metric that they are of, where its verdict rests on them."""
    if facts.rate is None or not RESTS_ON_RATE & {r.code for r in shape.because}:
        return shape
    return replace(shape, because=(*shape.because, rate_source(facts.rate)))


def rate_source(rate: RateSource) -> Reason:
    """Which metric the request rate is of."""
    if not rate.maker:
        return reason("memory.rate_by_setting", setting=rate.metric)
    return reason("memory.rate_by_metric", metric=rate.metric, maker=rate.maker, unit=rate.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    limit_bytes: int | None
    request_bytes: int | None
    is_pod_level: bool = False


def _limit_in_force(facts: Facts, container: ContainerFacts | None, shape: Shape | None) -> _Limit:
    """The container's own limit and request, else its pod's, else the limit that Prometheus saw."""
    own_bytes = container.limit_bytes if container else None
    if own_bytes is None and facts.pod is not None and facts.pod.pod_limit_bytes is not None:
        return _Limit(limit_bytes=facts.pod.pod_limit_bytes, request_bytes=facts.pod.pod_request_bytes, is_pod_level=True)
    limit_bytes = own_bytes if own_bytes is not None else _limit_of_history(facts, shape)
    return _Limit(limit_bytes=limit_bytes, request_bytes=container.request_bytes if container else None)


def _container_name(facts: Facts) -> str:
    """The container that the facts are about: named, the only one, or the one that died last."""
    if facts.subject.container:
        return facts.subject.container
    if facts.pod is None:
        return ""
    if len(facts.pod.containers) == 1:
        return facts.pod.containers[0].name
    dead = [(c.newest_termination, c.name) for c in facts.pod.containers]
    oom = [(t.finished_at.timestamp() if t.finished_at else 0.0, name) for t, name in dead if t is not None and t.reason == "OOMKilled"]
    return max(oom)[1] if oom else ""


def _limit_of_history(facts: Facts, shape: Shape | None) -> int | None:
    """The limit that Prometheus saw last, when the pod could not be read."""
    if facts.pod is not None:
        return None
    if shape is not None and shape.limit_bytes:
        return int(shape.limit_bytes)
    samples = facts.history.samples if facts.history else ()
    return next((int(s.limit_bytes) for s in reversed(samples) if s.limit_bytes), None)


def _died_at(container: ContainerFacts | None) -> datetime | None:
    death = container.newest_termination if container is not None else None
    return death.finished_at if death is not None else None


def _lives(container: ContainerFacts | None, history: MemoryHistory | None) -> tuple[float, ...]:
    """How long the last lives took, newest first; without those that never started."""
    ends: dict[int, float] = {}
    if history is not None:
        for kill in history.kill_times_s:
            starts = [s for s in history.starts_s if s <= kill]
            if starts and max(starts) > max((k for k in history.kill_times_s if k < kill), default=0.0):
                ends[round(kill)] = kill - max(starts)
    for t in (container.terminated, container.last_terminated) if container is not None else ():
        if t is not None and t.finished_at is not None and (span := life_s(t)) is not None:
            ends[round(t.finished_at.timestamp())] = span
    return tuple(ends[at] for at in sorted(ends, reverse=True))


def life_s(termination: Termination) -> float | None:
    """How long the life took that this ended, or None when the kubelet did not write both ends."""
    if termination.started_at is None or termination.finished_at is None or termination.started_at.year <= 1970:
        return None
    return max((termination.finished_at - termination.started_at).total_seconds(), 0.0)


def memory_ratio_before(clues: Clues, at: datetime | None, started_at: datetime | None = None) -> float | None:
    """The highest share of the limit within `JUST_BEFORE_S` before `at`, or None when nothing was scraped then.

    `started_at`: the start of the life that ended at `at`; what was scraped before is not about it. Of a life with fewer
    than `FEW_SCRAPES` only a high share is told: the peak of such a life lies between two scrapes. Low is no proof of any
    life: Prometheus often misses the last seconds of a container.
    """
    history = clues.facts.history
    if history is None or at is None:
        return None
    end = at.timestamp()
    is_known = started_at is not None and started_at.year > 1970
    start = started_at.timestamp() if started_at is not None and is_known else float("-inf")
    of_life = [s for s in history.samples if start <= s.t_s <= end + SCRAPE_SLACK_S]
    since = end - max(JUST_BEFORE_S, 2 * history.step_s)
    ratios = [s.working_set_bytes / limit for s in of_life if s.t_s >= since and (limit := s.limit_bytes or clues.limit_bytes)]
    highest = max(ratios, default=None)
    if highest is not None and is_known and len(of_life) < FEW_SCRAPES and highest < TELLING_RATIO:
        return None
    return highest


def kernel_peak_ratio(clues: Clues, since: datetime | None, until: datetime) -> float | None:
    """The highest share of its own limit that the kernel counted in the life between the two, as of its last scrape; None where it is not known.

    File cache counts, so near the limit it proves nothing. Below, nothing was killed at this limit until that scrape, spike or not.
    """
    peaks = clues.facts.history.kernel_peaks if clues.facts.history is not None else ()
    if not clues.limit_bytes or clues.limit_is_pod_level:
        return None
    begin = since.timestamp() - SCRAPE_SLACK_S if since is not None else float("-inf")
    inside = [peak for peak in peaks if begin <= peak[0] <= until.timestamp()]
    return max(inside)[1] / clues.limit_bytes if inside else None


def has_unseen_peak(container: ContainerFacts | None, history: MemoryHistory | None, now: datetime) -> bool:
    """Whether every life that is known was shorter than a few scrapes: then the highest scrape is not the peak of anything."""
    if history is None or container is None:
        return False
    is_up_long = container.state == "running" and (
        container.state_since is None or (now - container.state_since).total_seconds() >= FEW_SCRAPES * history.step_s
    )
    lives = _lives(container, history)
    return not is_up_long and bool(lives) and max(lives) < FEW_SCRAPES * history.step_s


def _raises(facts: Facts, container: str) -> tuple[LimitRaise, ...]:
    """When the limit was raised, newest first: by rollouts, in place as the history of the limit tells, and as the incident remembers."""
    found = {
        (c.before_bytes, c.after_bytes): LimitRaise(at=c.at, before_bytes=c.before_bytes, after_bytes=c.after_bytes)
        for c in facts.known.raises
        if c.before_bytes and c.after_bytes
    }
    samples = [s for s in facts.history.samples if s.limit_bytes] if facts.history is not None else []
    for older, newer in pairwise(samples):
        before, after = int(older.limit_bytes or 0), int(newer.limit_bytes or 0)
        if after > before:
            found[before, after] = LimitRaise(at=from_epoch(newer.t_s), before_bytes=before, after_bytes=after)
    revisions = facts.workload.revisions if facts.workload else ()
    for later, earlier in pairwise(revisions):
        limit, was = later.limits_bytes.get(container), earlier.limits_bytes.get(container)
        if limit and was and limit > was and later.created_at is not None:
            found[was, limit] = LimitRaise(at=later.created_at, before_bytes=was, after_bytes=limit)
    return tuple(sorted(found.values(), key=lambda r: r.at, reverse=True))


def is_same(one: int | None, other: int | None) -> bool:
    """Whether two limits are one: none and none, or the same but for the kernel's rounding."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < SAME_WITHIN_BYTES if min(one, other) > SAME_WITHIN_BYTES else one == other


def limit_at(clues: Clues, at: datetime | None) -> int | None:
    """The limit in force then, of the killed pod: by its raises and its series, for a resize in place is seen nowhere else."""
    history, limit = clues.facts.history, clues.limit_bytes
    if at is not None and (after := [r for r in clues.raises if r.at > at and is_same(r.after_bytes, limit)]):
        return after[-1].before_bytes
    if at is None or history is None or history.pod not in ("", clues.facts.subject.pod):
        return limit
    end_s = at.timestamp() + SCRAPE_SLACK_S
    before = [s.limit_bytes for s in history.samples if s.limit_bytes and s.t_s <= end_s]
    found = int(before[-1]) if before else None
    return found if found is not None and not is_same(found, limit) else limit


def own_revision(facts: Facts) -> Revision | None:
    """The revision that the facts' pod is of: by its owner, its label, or (of a pod that is gone) by its name. None: not known."""
    workload = facts.workload
    if workload is None:
        return None
    own = {name for kind, name in workload.chain if kind == "ReplicaSet"}
    own |= {facts.pod.labels.get("controller-revision-hash", "")} if facts.pod is not None else set()
    named = facts.subject.pod if facts.pod is None or facts.pod.is_pieced_together else ""
    return next((r for r in workload.revisions if r.name in own or (r.name and named.startswith(f"{r.name}-"))), None)


def newest_sibling(facts: Facts) -> SiblingFact | None:
    """The workload's pod that was made last, of the others."""
    dated = [s for s in facts.workload.siblings if s.created_at is not None] if facts.workload is not None else []
    return max(dated, key=lambda s: s.created_at.timestamp() if s.created_at else 0.0, default=None)


def rollout_before(clues: Clues, at: datetime) -> Revision | None:
    """The rollout with which a change at `at` may have begun: the newest of the half hour before it."""
    revisions = clues.facts.workload.revisions if clues.facts.workload else ()
    near = [r for r in revisions if r.created_at is not None and -ROLLOUT_SLACK_S <= (at - r.created_at).total_seconds() <= ROLLOUT_REACH_S]
    return max(near, key=lambda r: r.created_at or at, default=None)
