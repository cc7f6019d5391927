"""What speaks against a verdict, why the other causes were refused, and what would settle it."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Doubt
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.verdict import Detail, Verdict
from receiver.domain.confidence import LIKELY
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName

LOOK_AGAIN_CONFIDENCE = 0.7  # below it the next looks may well say something else

DOUBTS: Mapping[Doubt, Reason] = {
    Doubt.HARDLY_GROWS: reason("memory.refused.hardly_grows"),
    Doubt.NOT_STEADY: reason("memory.refused.not_steady"),
    Doubt.ONE_STEP: reason("memory.refused.one_step"),
    Doubt.LEVELLED: reason("memory.refused.levelled"),
    Doubt.FOLLOWS_RATE: reason("memory.refused.follows_rate"),
}
# Verdicts about the rise itself: they name what became of it, so "not a leak, because ..." would say it twice or too surely.
ABOUT_THE_RISE: frozenset[Detail] = frozenset(
    {"early", "climbing", "slowing", "slow_growth", "spike_or_new_level", "page_cache", "warm_up", "step"}
)

# Which of a verdict's own reasons answers the question about another cause with no.
REFUSED_BY: Mapping[Detail, Mapping[CauseName, str]] = {
    "early": {CauseName.LEAK: "memory.may_still_rise"},
    "near_limit": {CauseName.SPIKE: "memory.small_peaks_kill"},
    "flat": {CauseName.SPIKE: "memory.flat", CauseName.LIMIT_TOO_LOW: "memory.flat"},
    "page_cache": {CauseName.LEAK: "memory.file_cache", CauseName.LIMIT_TOO_LOW: "memory.process_itself"},
}

SETTLED_BY: Mapping[Detail, Reason] = {
    "first_life": reason("memory.settle.plateau_or_second_life"),
    "slowing": reason("memory.settle.plateau_or_growth"),
    "slow_growth": reason("memory.settle.longer_growth"),
    "climbing": reason("memory.settle.more_lives"),
    "after_change": reason("memory.settle.growth_and_change"),
    "steady": reason("memory.settle.one_more_life"),
    "memory_volume": reason("memory.settle.size_of_files"),
    "early": reason("memory.settle.half_an_hour"),
    "near_limit": reason("memory.settle.level_that_stays"),
    "batch": reason("memory.settle.request_rate"),
    "traffic": reason("memory.settle.next_peak"),
    "startup": reason("memory.settle.another_start"),
    "startup_in_burst": reason("memory.settle.quiet_start"),
    "never_up": reason("memory.settle.log_of_start"),
    "lives_too_short": reason("memory.settle.log_of_life"),
    "too_short": reason("memory.settle.history", history_s=th.MIN_HISTORY_S),
    "spike_or_new_level": reason("memory.settle.down_or_on"),
    "page_cache": reason("memory.settle.kill_or_volumes"),
    "no_limit": reason("memory.settle.limit"),
    "unexplained_kills": reason("memory.settle.shorter_interval"),
}


def against(findings: MemoryFindings, verdict: Verdict) -> tuple[Reason, ...]:
    """Why the other causes were refused, and what makes this one less sure."""
    cause, level = verdict.cause, findings.level
    is_leak, has_no_rate = cause is CauseName.LEAK, level is not None and level.rate_correlation is None
    no_leak = _no_leak(findings, verdict)
    found = [
        reason("memory.not_a_leak", because=no_leak) if no_leak is not None else None,
        reason("memory.not_a_low_limit", usage_ratio=level.median)
        if cause in (CauseName.LEAK, CauseName.SPIKE) and level is not None and level.median < th.LOW_MEDIAN
        else None,
        reason("memory.growth_stopped", held_s=findings.leak.tested[-1].length_s) if is_leak and findings.leak.has_stopped else None,
        reason("memory.rate_unknown") if is_leak and has_no_rate else None,
        reason("memory.only_working_set")
        if cause in (CauseName.LEAK, CauseName.LIMIT_TOO_LOW) and not findings.columns.has_own_memory
        else None,
        reason("memory.limit_not_scraped") if not findings.is_limit_known else None,
        reason("memory.kills_presumed") if any(k.is_presumed for k in findings.lives.kills) else None,
    ]
    return tuple(r for r in found if r is not None)


def refused(findings: MemoryFindings, verdict: Verdict, because: tuple[Reason, ...]) -> dict[CauseName, Reason]:
    """Why another cause is not it, where this verdict says so. `because`: the reasons of the verdict."""
    by_code = {r.code: r for r in because}
    found = {leaf: by_code[code] for leaf, code in REFUSED_BY.get(verdict.detail, {}).items() if code in by_code}
    no_leak = _no_leak(findings, verdict)
    return found if no_leak is None else {**found, CauseName.LEAK: no_leak}


def _no_leak(findings: MemoryFindings, verdict: Verdict) -> Reason | None:
    """Why the newest life does not climb, where that is no part of the verdict itself."""
    newest = findings.leak.newest
    if verdict.cause is CauseName.LEAK or verdict.detail in ABOUT_THE_RISE or newest is None or newest.rises:
        return None
    return DOUBTS[newest.doubt]


def settle_by(findings: MemoryFindings, verdict: Verdict) -> Reason | None:
    """What would make the verdict sure, and when we look again; None when it is sure."""
    if verdict.confidence >= LIKELY:
        return None
    what = SETTLED_BY.get(verdict.detail, reason("memory.settle.longer_history"))
    if verdict.detail == "batch" and findings.level is not None and findings.level.rate_correlation is not None:
        what = reason("memory.settle.times_of_jobs")
    return reason("memory.look_again", settle_by=what) if verdict.confidence < LOOK_AGAIN_CONFIDENCE else what
