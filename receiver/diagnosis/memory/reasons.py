"""The reasons of a verdict. One function a detail, where one line is not enough; `BECAUSE` is the list, and a test holds it against every detail that
a verdict can have. What a reason says in English is the business of `render/wording/memory.py`.

Facts are raw: bytes, bytes an hour (one number, or the range of several lives), seconds, ratios 0 to 1, counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.climb import Climb, Doubt
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.measures import Measures
from receiver.diagnosis.memory.verdict import Detail, Verdict
from receiver.domain.reason import Fact, Reason, reason

Reasons = tuple[Reason, ...]


def because(findings: MemoryFindings, verdict: Verdict, m: Measures) -> Reasons:
    """What the verdict rests on, the weightiest first."""
    return BECAUSE[verdict.detail](findings, m)


def _steady(findings: MemoryFindings, m: Measures) -> Reasons:
    good, tested = findings.leak.climbing, findings.leak.tested
    killed = [x for x in good if x.span.is_killed]
    facts: dict[str, Fact] = {
        "growth_bytes_per_h": m.growth_range or (0.0, 0.0), "floor_start_bytes": min(x.climb.floors[0] for x in good),
        "floor_end_bytes": max(*(x.climb.floor_end for x in good), m.last_seen_before_kill or 0.0), "is_lower_bound": bool(killed),
    }  # fmt: skip
    if len(tested) > 1:
        grew = reason("memory.grew_in_lives", lives_grown=len(good), lives_tested=len(tested), **facts)
    else:
        grew = reason("memory.grew_for", life_s=good[0].length_s, **facts)
    if not killed:
        return (grew,)
    return (grew, reason("memory.lives_killed", lives_killed=len(killed)) if len(good) > 1 else reason("memory.life_killed"))


def _first_life(findings: MemoryFindings, m: Measures) -> Reasons:
    life = findings.leak.climbing[-1]
    facts: dict[str, Fact] = {"growth_bytes_per_h": m.growth or 0.0, "span_s": life.length_s, **_floors(life.climb)}
    grows = reason("memory.growing_for", **facts) if life.span.start_s is None else reason("memory.growing_since_start", **facts)
    is_open = life.length_s < th.FIRST_LIFE_SURE_S and not findings.is_past_warm_up
    return (grows, reason("memory.leak_or_warm_up")) if is_open else (grows,)


def _after_change(findings: MemoryFindings, m: Measures) -> Reasons:
    good = findings.leak.climbing
    first = good[0]
    found = [
        reason(
            "memory.growing_for", growth_bytes_per_h=m.growth_range or m.growth or 0.0, span_s=good[-1].climb.end_s - first.climb.start_s,
            floor_start_bytes=first.climb.floors[0], floor_end_bytes=max(x.climb.floor_end for x in good),
        ),
        reason("memory.began_with_change", before_s=first.climb.start_s - findings.columns.t[0]),
    ]  # fmt: skip
    if any(x.span.is_killed for x in good):
        found.append(reason("memory.grew_until_killed"))
    return tuple(found)


def _near_limit(findings: MemoryFindings, m: Measures) -> Reasons:
    level = findings.level
    assert level is not None
    usual = max(level.recent_median, level.median) * (m.limit or 1.0)
    newest = findings.leak.newest
    flat = newest is not None and not newest.rises and newest.doubt is Doubt.HARDLY_GROWS and level.recent_swing <= 0.1
    found = []
    if flat and newest is not None:
        growth = max(newest.slope * 3600, findings.scale * 0.001)
        found.append(reason("memory.flat_near_limit", usual_bytes=usual, limit_bytes=m.limit, growth_below_bytes_per_h=growth))
    else:
        found.append(reason("memory.usually_at", usual_bytes=usual, limit_bytes=m.limit))
    share = max(level.high_share_later, level.high_share_recent)
    found.append(reason("memory.share_near_limit", near_ratio=th.HIGH_RATIO, time_ratio=share))
    if m.kill_count:
        found.append(reason("memory.small_peaks_kill", kills=m.kill_count))
    return tuple(found)


def _early(findings: MemoryFindings, m: Measures) -> Reasons:
    level = findings.level
    assert level is not None
    climbed = reason("memory.climbed_and_stayed", level_bytes=level.recent_median * (m.limit or 1.0), limit_bytes=m.limit)
    return (climbed, reason("memory.may_still_rise", history_s=findings.history_s))


def _usual_and_peaks(m: Measures) -> Reason:
    return reason(
        "memory.usual_and_peaks", usual_bytes=m.median, limit_bytes=m.limit, peak_bytes=m.peak, is_lower_bound=bool(m.kill_count)
    )  # fmt: skip


def _kills_in_bursts(findings: MemoryFindings, m: Measures) -> Reasons:
    if not m.kill_count:
        return ()
    if m.kill_count == 1:
        return (reason("memory.killed_at_peak"),)
    return (reason("memory.killed_in_bursts", kills=m.kill_count, bursts=findings.episodes),)


def _traffic(findings: MemoryFindings, m: Measures) -> Reasons:
    rate = findings.level.rate_correlation if findings.level is not None else None
    follows = reason(
        "memory.follows_request_rate", correlation=rate or 0.0, scrapes=findings.level.rate_pairs if findings.level is not None else 0
    )
    return (_usual_and_peaks(m), *_kills_in_bursts(findings, m), follows)


def _batch(findings: MemoryFindings, m: Measures) -> Reasons:
    rate = findings.level.rate_correlation if findings.level is not None else None
    why = reason("memory.traffic_or_batch") if rate is None else reason("memory.not_with_request_rate", correlation=rate)
    return (_usual_and_peaks(m), *_kills_in_bursts(findings, m), why)


def _startup(findings: MemoryFindings, m: Measures) -> Reasons:
    found = findings.startup
    assert found is not None
    return (reason("memory.killed_at_start", kills_early=found.early, kills=found.total, longest_life_s=found.longest_uptime_s),)


def _never_up(findings: MemoryFindings, m: Measures) -> Reasons:
    found = findings.startup
    assert found is not None
    return (reason("memory.never_up", kills_early=found.early, kills=found.total, typical_life_s=found.typical_uptime_s),)


def _lives_too_short(findings: MemoryFindings, m: Measures) -> Reasons:
    found = findings.startup
    assert found is not None
    return (
        reason("memory.cannot_tell_yet", because=reason("memory.lives_too_short", typical_life_s=found.typical_uptime_s)),
        reason("memory.fast_leak_or_startup", limit_bytes=m.limit),
    )


def _spike_or_new_level(findings: MemoryFindings, m: Measures) -> Reasons:
    now = reason("memory.above_usual", now_bytes=findings.columns.in_use[-1], limit_bytes=m.limit, usual_bytes=m.median)
    return (now, reason("memory.peak_level_or_leak"))


def _climbing(findings: MemoryFindings, m: Measures) -> Reasons:
    climbing, tested = len(findings.leak.climbing) or 1, max(len(findings.leak.tested), 1)
    if m.growth:
        climbs = reason("memory.climbs_at", growth_bytes_per_h=m.growth, lives_climbing=climbing, lives_tested=tested)
    else:
        climbs = reason("memory.climbs", lives_climbing=climbing, lives_tested=tested)
    return (climbs, reason("memory.cannot_tell_yet", because=reason("memory.too_little_to_tell")))


def _floors(climb: Climb | None) -> dict[str, Fact]:
    """From where to where a stretch climbed, which was measured."""
    assert climb is not None
    return {"floor_start_bytes": climb.floors[0], "floor_end_bytes": climb.floor_end}


def _slowing(findings: MemoryFindings, m: Measures) -> Reasons:
    newest = findings.leak.newest
    assert newest is not None
    return (reason("memory.slowing", **_floors(newest), tail_ratio=newest.tail), reason("memory.warm_up_or_falling_load"))


def _slow_growth(findings: MemoryFindings, m: Measures) -> Reasons:
    newest = findings.leak.newest
    assert newest is not None
    return (reason("memory.slow_growth", growth_bytes=newest.growth, span_s=newest.end_s - newest.start_s),)


def _page_cache(findings: MemoryFindings, m: Measures) -> Reasons:
    own = reason("memory.process_itself", own_bytes=m.own_at_peak, limit_bytes=m.limit)
    if findings.cache.is_growing:
        return (own, reason("memory.cache_or_files_in_memory", cache_bytes=m.cache_at_peak))
    return (own, reason("memory.file_cache", cache_bytes=m.cache_at_peak))


def _unexplained_kills(findings: MemoryFindings, m: Measures) -> Reasons:
    return (
        reason("memory.kills_unexplained", kills=m.kill_count, peak_bytes=m.peak, limit_bytes=m.limit),
        reason("memory.scrapes_miss"),
    )


BECAUSE: Mapping[Detail, Callable[[MemoryFindings, Measures], Reasons]] = {
    "steady": _steady,
    "memory_volume": lambda f, m: (*_steady(f, m), reason("memory.files_in_memory", own_bytes=m.own_at_kill)),
    "first_life": _first_life,
    "after_change": _after_change,
    "near_limit": _near_limit,
    "early": _early,
    "traffic": _traffic,
    "batch": _batch,
    "startup": _startup,
    "startup_in_burst": lambda f, m: (*_startup(f, m), reason("memory.rate_was_high")),
    "never_up": _never_up,
    "lives_too_short": _lives_too_short,
    "too_short": lambda f, m: (reason("memory.cannot_tell_yet", because=reason("memory.history_too_short", history_s=f.history_s)),),
    "spike_or_new_level": _spike_or_new_level,
    "climbing": _climbing,
    "slowing": _slowing,
    "slow_growth": _slow_growth,
    "warm_up": lambda f, m: (reason("memory.levelled_off", **_floors(f.leak.newest), limit_bytes=m.limit),),
    "page_cache": _page_cache,
    "follows_rate": lambda f, m: (reason("memory.goes_with_request_rate"), _usual_and_peaks(m)),
    "flat": lambda f, m: (reason("memory.flat", usual_bytes=m.median, limit_bytes=m.limit, peak_bytes=m.peak),),
    "step": lambda f, m: (reason("memory.one_step", **_floors(f.leak.newest), limit_bytes=m.limit),),
    "no_pattern": lambda f, m: (_usual_and_peaks(m), reason("memory.no_pattern")),
    "undecided": lambda f, m: (_usual_and_peaks(m), reason("memory.undecided")),
    "no_limit": lambda f, m: (reason("memory.no_limit_known"), reason("memory.no_steady_growth", peak_bytes=m.peak)),
    "unexplained_kills": _unexplained_kills,
}
