"""Clues: what several parts of the diagnosis derive from the facts, derived once.

Which container it is about, which limit counts for it, how long its last lives were, how full it was just before it
died, and what its log witnesses beside errors. No verdicts here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from receiver.diagnosis.runtimes import detect_runtime
from receiver.diagnosis.series import shape_of
from receiver.diagnosis.signatures import LoadingLine, find_signature, loading_lines, rising_words, strip_kube_time
from receiver.domain.facts import ContainerFacts, Facts, LogFacts, MemoryHistory, Termination
from receiver.domain.identity import UNKNOWN_KIND, Workload
from receiver.domain.report import Shape, Signature

JUST_BEFORE_S = 180.0  # how far back "just before it died" reaches: a few scrapes at the usual 30 to 60 s
SCRAPE_SLACK_S = 5.0  # scrape times and kubelet times come from different clocks
LINES_AFTER_LOADING = 2  # more lines than these after a line of loading: other work went on, it did not die of loading

# Alert names that claim a kill (rules/ of this project, and the rules most people have).
OOM_ALERTS = frozenset(
    {"OOMKilled", "OOMKilledRepeatedly", "OOMKilledAtStartup", "KubeContainerOOMKilled", "KubernetesContainerOomKiller", "PodOOMKilled",
     "ContainerOOMKilled", "KubePodOOMKilled", "ContainerOomEvents"}
)  # fmt: skip
CHILD_ALERTS = frozenset({"ChildProcessOOMKilled"})
SUSPECT_ALERTS = frozenset({"SigkilledNearMemoryLimit"})
NODE_OOM_ALERTS = frozenset({"NodeOOMKill", "HostOomKillDetected", "UnattributedOOMKill"})
NODE_PRESSURE_ALERTS = frozenset({"NodeMemoryPressure", "KubeNodePressure"})
EVICTION_ALERTS = frozenset({"PodEvicted", "PodsEvictedForMemory", "KubeNodeEviction"})
WARNING_ALERTS = frozenset({"HighMemoryUsage", "MemoryLimitImminent", "MemoryLeakSuspected", "NoMemoryLimit", "MemoryRequestTooLow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
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
    signature: Signature | None
    runtime: str
    loading: tuple[LoadingLine, ...]  # lines of loading among the last lines of the log
    rising: tuple[str, ...]  # counters in the log that rose until its end
    last_line: str
    is_log_of_survivor: bool  # the log of the dead instance is gone; this is the one that runs now
    lives_s: tuple[float, ...]  # spans of the last lives that ended, newest first: from the status and the exact times of the history
    worker_lives_s: tuple[float, ...]  # from boot to SIGKILL of each child process that the log tells of
    raises: tuple[Raise, ...]  # newest first

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
        return self.facts.pod is not None

    def missing_why(self, *sources: str) -> str:
        """Why the first of these sources could not be had, or an empty text."""
        for source in sources:
            for entry in self.facts.missing:
                if entry.source == source or entry.source.startswith(f"{source}."):
                    return f"{entry.why}; {entry.hint}" if entry.hint else entry.why
        return ""


def clues_of(facts: Facts) -> Clues:
    """What follows from the facts without judging."""
    name = _container_name(facts)
    container = facts.pod.container(name) if facts.pod else None
    own_limit = container.limit_bytes if container else None
    pod_limit = facts.pod.pod_limit_bytes if facts.pod else None
    lines = facts.log.lines if facts.log else ()
    texts = tuple(text for line in lines if (text := strip_kube_time(line).strip()))
    shape = shape_of(facts.history) if facts.history is not None else None
    is_pod_level = own_limit is None and pod_limit is not None
    own_request = container.request_bytes if container else None
    is_survivors = facts.log is not None and facts.log.is_current and container is not None and container.newest_termination is not None
    return Clues(
        facts=facts,
        container_name=name,
        container=container,
        limit_bytes=pod_limit if is_pod_level else own_limit if own_limit is not None else _limit_of_history(facts, shape),
        request_bytes=facts.pod.pod_request_bytes if is_pod_level and facts.pod else own_request,
        limit_is_pod_level=is_pod_level,
        shape=shape,
        signature=find_signature(lines) if lines else None,
        runtime=detect_runtime(container, facts.log),
        loading=() if is_survivors else _still_loading(texts),
        rising=rising_words(texts),
        last_line=texts[-1] if texts and not is_survivors else "",
        is_log_of_survivor=is_survivors,
        lives_s=_lives(container, facts.history),
        worker_lives_s=_worker_lives(facts.log),
        raises=_raises(facts, name),
    )


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


_PID = re.compile(r"\bpid:? ?(\d{1,9})\b", re.IGNORECASE)
_CHILD_DIED = re.compile(r"\b(?:SIGKILL|signal 9)\b")
_CHILD_BOOTED = re.compile(r"\b(?:boot(?:ing|ed)|start(?:ing|ed)|spawn(?:ing|ed)|fork(?:ing|ed))\b", re.IGNORECASE)


def _worker_lives(log: LogFacts | None) -> tuple[float, ...]:
    """Seconds from the boot of a child process to its SIGKILL, for those of which the log has both with a time."""
    if log is None or len(log.times) != len(log.lines):
        return ()
    booted: dict[str, datetime] = {}
    spans = []
    for line, at in zip(log.lines, log.times, strict=True):
        pid = _PID.search(line[:1000])
        if pid is None or at is None:
            continue
        if _CHILD_DIED.search(line):
            if (since := booted.pop(pid[1], None)) is not None:
                spans.append((at - since).total_seconds())
        elif _CHILD_BOOTED.search(line):
            booted[pid[1]] = at
    return tuple(spans)


def rise_words(clues: Clues, name: str) -> str:
    """How far a counter rose in the log (`from 5 to 85`), or an empty text."""
    pattern = re.compile(re.escape(name) + r'"?(?:=|: ?| )(-?\d{1,18}(?:\.\d{1,6})?(?: ?[KMGT]i?B)?)', re.IGNORECASE)
    lines = clues.facts.log.lines if clues.facts.log else ()
    values = [m[1] for line in lines if (m := pattern.search(line[:4096]))]
    return f"from {values[0]} to {values[-1]}" if len(values) > 1 else ""


def memory_ratio_before(clues: Clues, at: datetime | None) -> float | None:
    """The highest share of the limit within `JUST_BEFORE_S` before `at`, or None when nothing was scraped then.

    Low is no proof: Prometheus often misses the last seconds of a container.
    """
    history = clues.facts.history
    if history is None or at is None:
        return None
    end = at.timestamp()
    ratios = [
        s.working_set_bytes / limit
        for s in history.samples
        if end - max(JUST_BEFORE_S, 2 * history.step_s) <= s.t_s <= end + SCRAPE_SLACK_S and (limit := s.limit_bytes or clues.limit_bytes)
    ]
    return max(ratios, default=None)


# Words of a start-up that is over: what comes after them is work.
_UP = re.compile(r"\b(?:serving|listening|ready|warmed|started|finished|completed?|done|accepting connections)\b", re.IGNORECASE)


def _still_loading(texts: tuple[str, ...]) -> tuple[LoadingLine, ...]:
    """The lines of loading with which the log ends; none when it says that start-up was over, or goes on with other work."""
    since_up = max((i for i, text in enumerate(texts) if _UP.search(text) and not _STARTING.search(text)), default=-1) + 1
    entries = tuple(e for e in loading_lines(texts) if e.line_index >= since_up)
    if not entries or len(texts) - 1 - entries[-1].line_index > LINES_AFTER_LOADING:
        return ()
    return entries


_STARTING = re.compile(r"\bstart(?:ing|ed (?:loading|to load|reading))\b|\d ?/ ?\d", re.IGNORECASE)


def _raises(facts: Facts, container: str) -> tuple[Raise, ...]:
    """The rollouts that raised the limit, newest first."""
    revisions = facts.workload.revisions if facts.workload else ()
    found = []
    for newer, older in pairwise(revisions):
        after, before = newer.limits_bytes.get(container), older.limits_bytes.get(container)
        if after and before and after > before and newer.created_at is not None:
            found.append(Raise(at=newer.created_at, before_bytes=before, after_bytes=after))
    return tuple(found)


_SIZE = re.compile(r"(?<![\w./])(\d{1,6}(?:\.\d{1,3})?) ?([KMGT]i?B|[KMGT]i?)\b", re.IGNORECASE)
_UNIT_BYTES: dict[str, int] = {"k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4, "ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}


def sizes_in(line: str) -> tuple[int, ...]:
    """The memory sizes a log line names, in bytes. GB is 10^9 and GiB 2^30, as written."""
    return tuple(int(float(m[1]) * _UNIT_BYTES[m[2].lower().removesuffix("b")]) for m in _SIZE.finditer(line[:4096]))


_PROGRESS = re.compile(r"(?<![\w./])(\d{1,9}(?:\.\d{1,3})?) ?/ ?(\d{1,9}(?:\.\d{1,3})?)")


def left_to_load_bytes(entry: LoadingLine) -> int | None:
    """What a progress line (`loaded 100/200 MiB`) says was still to come, in bytes."""
    match = _PROGRESS.search(entry.line)
    if match is None or entry.size_bytes is None or float(match[2]) <= 0 or float(match[1]) > float(match[2]):
        return None
    return int(entry.size_bytes * (1 - float(match[1]) / float(match[2])))
