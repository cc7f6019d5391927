"""What died, how often, and how many replicas: the part of the context about kills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from receiver.domain.facts import Facts
from receiver.domain.incident import IncidentView
from receiver.domain.report import Kill, KillKind, Report
from receiver.domain.units import UNLIMITED_BYTES, from_epoch, human_bytes, human_duration
from receiver.render import words
from receiver.render.context.model import KillWords, ReplicaWords
from receiver.render.inline import when
from receiver.render.text import clean_line
from receiver.render.wording import phrase
from receiver.render.wording.death import sender_words

_WORDS = {
    KillKind.CONTAINER_OOM: "OOMKilled",
    KillKind.NODE_OOM: "OOM-killed by its node",
    KillKind.EVICTION: "evicted",
    KillKind.CHILD_PROCESS_OOM: "processes OOM-killed",
}
_IN_SERIES = (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM, KillKind.NODE_OOM)


def kill_words(view: IncidentView, report: Report | None, now: datetime) -> KillWords:
    """What died and how often: what the incident knows of all its kills, and what the report knows of the newest."""
    kill = report.kill if report else None
    counted = _Counted.of(view, report)
    word = _word(kill)
    short = f"{word} x{counted.count}" if counted.count > 1 else word
    is_exit_137 = kill is not None and kill.kind is KillKind.SUSPECTED_OOM and kill.exit_code == 137
    replicas = replica_words(view, report.facts if report else None)
    restarts = kill.restarts if kill else None
    return KillWords(
        **(_facts_of(kill) if kill else _OF_NO_REPORT),
        count=counted.count,
        phrases=_phrases(word, counted.count, counted.span, restarts, replicas, is_exit_137=is_exit_137),
        short=short,
        at=when(counted.newest_at, now) if counted.newest_at else None,
        span=counted.span,
        processes=max(report.facts.child_kills or 0, view.processes_killed or 0) or None if report else None,
        limit=human_bytes(limit) if (limit := limit_at_kill(report)) else "",
    )


def limit_at_kill(report: Report | None) -> int | None:
    """The limit that was in force when it was killed: a raise since then is not what it died at."""
    if report is None or report.baseline is None or not report.kill.kind.is_kill:
        return None
    limit = report.baseline.setup.limit_bytes
    return limit if limit and limit < UNLIMITED_BYTES else None


class _OfOneKill(TypedDict):
    kind: str
    reason: str
    exit_code: int | None
    trigger: str
    sender: str
    is_probe: bool
    is_sure: bool
    life: str
    because: tuple[str, ...]


_OF_NO_REPORT = _OfOneKill(
    kind=KillKind.NONE.value, reason="", exit_code=None, trigger="", sender="", is_probe=False, is_sure=False, life="", because=()
)  # fmt: skip


def _facts_of(kill: Kill) -> _OfOneKill:
    """The newest death, and how we know."""
    life_s = (kill.at - kill.started_at).total_seconds() if kill.at and kill.started_at else None
    return _OfOneKill(
        kind=kill.kind.value,
        reason=clean_line(kill.reason, 60),
        exit_code=kill.exit_code,
        trigger=sender_words(kill.sender),
        sender=kill.sender.value if kill.sender else "",
        is_probe=bool(kill.sender and kill.sender.is_probe),
        is_sure=kill.is_sure,
        life=human_duration(life_s) if life_s is not None and life_s >= 0 else "",
        because=tuple(phrase(b) for b in kill.because),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """How often, and over which span. Every source counts a part: the incident's memory, the series. None can count too many."""

    count: int
    newest_at: datetime | None
    span: str

    @classmethod
    def of(cls, view: IncidentView, report: Report | None) -> _Counted:
        kind = report.kill.kind if report else KillKind.NONE
        series = report.shape.kills if report and report.shape and kind in _IN_SERIES else ()
        count = max(view.kill_count, len(series), 1 if kind is not KillKind.NONE else 0)
        newest_at = max((t for t in (view.last_kill_at, report.kill.at if report else None) if t), default=None)
        firsts = [t for t in (view.first_kill_at, from_epoch(series[0]) if series else None) if t]
        span_s = (newest_at - min(firsts)).total_seconds() if newest_at and firsts else 0.0
        return cls(count=count, newest_at=newest_at, span=words.roughly(span_s) if span_s >= 60 and count > 1 else "")


def _word(kill: Kill | None) -> str:
    """What happened, in a word or two, as sure as it is."""
    if kill is None:
        return "killed"
    if kill.kind is KillKind.SUSPECTED_OOM:
        is_reported = not kill.reason and kill.exit_code is None
        return "process killed" if kill.is_of_child else "reported OOMKilled" if is_reported else "probably OOM"
    return _WORDS.get(kill.kind, "killed")


def _phrases(word: str, count: int, span: str, restarts: int | None, replicas: ReplicaWords, *, is_exit_137: bool) -> tuple[str, ...]:
    """`OOMKilled 4 times in 8 h`, then shorter ones. A count of 1 with restarts says those: other kills may be among them.

    `is_exit_137`: that an OOM was the reason is concluded from a SIGKILL, and what was seen is said first.
    """
    base: tuple[str, ...]
    if is_exit_137:
        times = f" {words.times(count)}" if count > 1 else ""
        base = (f"killed{times} (exit 137), probably OOM", f"{word} x{count}" if count > 1 else word)
    elif count <= 1:
        base = (f"{word}, {restarts} restarts", word) if restarts and restarts > 1 else (word,)
    else:
        times = words.times(count)
        base = tuple(dict.fromkeys((f"{word} {times} in {span}" if span else f"{word} {times}", f"{word} {times}")))
    if replicas.phrase:
        shorter = (f"{word} x{count} on {replicas.phrase}",) if count > 1 else ()
        return (f"{base[-1]} on {replicas.phrase}", *shorter, *base)
    return base


def replica_words(view: IncidentView, facts: Facts | None) -> ReplicaWords:
    """How many of the workload's pods were hit, as far as known: by this incident, and by their own statuses."""
    workload = facts.workload if facts else None
    desired = workload.replicas_desired if workload else None
    hit = {p for p in view.pods if p}
    if facts and facts.subject.pod:
        hit.add(facts.subject.pod)
    if workload:
        hit |= {s.pod for s in workload.siblings if s.last_reason == "OOMKilled"}
    count = len(hit)
    if desired is not None and desired > 1:
        shown = min(count, desired)  # pods are replaced: their names may outnumber the replicas
        all_of = "both replicas" if desired == 2 else f"all {desired} replicas"
        named = all_of if shown == desired else f"{shown} of {desired} replicas"
        return ReplicaWords(hit=shown, desired=desired, is_one_of_many=shown == 1, is_all=shown == desired, phrase=named)
    hit_now = count if desired is None else 1
    named = words.counted(hit_now, "replica") if hit_now > 1 else ""
    return ReplicaWords(hit=hit_now, desired=None, is_one_of_many=False, is_all=False, phrase=named)
