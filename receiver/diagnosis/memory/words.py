"""The sentences: for every verdict what it rests on, what speaks against it, and what would settle it.

Short sentences with their numbers in them. One function a detail word; `SENTENCES` is the
list, and a test holds it against every detail the judge can give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.diagnosis.memory import ramp as ramps
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.judge import Seen, Verdict
from receiver.diagnosis.memory.measures import Measures
from receiver.domain.report import CauseName
from receiver.domain.units import human_bytes, human_duration, human_percent

Sentences = tuple[str, ...]
LOOK_AGAIN = "We look again in 30 min and in 2 h."


def per_hour(low: float, high: float | None = None) -> str:
    """Growth in bytes an hour as people say it: `20-21 MiB/h`, `3 MiB/day` when it is slow."""
    high = low if high is None else high
    unit = "h" if high >= 2**20 else "day"
    factor = 1 if unit == "h" else 24
    low_text, high_text = human_bytes(low * factor), human_bytes(high * factor)
    if low_text == high_text:
        return f"{low_text}/{unit}"
    if low_text.split()[1] == high_text.split()[1]:
        return f"{low_text.split()[0]}-{high_text}/{unit}"
    return f"{low_text} to {high_text}/{unit}"


def times(n: int) -> str:
    """`once`, `twice`, `5 times`."""
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def of_limit(n_bytes: float, limit_bytes: float | None) -> str:
    """`85 MiB (88 % of the limit)`, or the bytes alone."""
    return f"{human_bytes(n_bytes)} ({human_percent(n_bytes / limit_bytes)} of the limit)" if limit_bytes else human_bytes(n_bytes)


def because(seen: Seen, verdict: Verdict, m: Measures) -> Sentences:
    """What the verdict rests on, the weightiest first."""
    return SENTENCES[verdict.detail](seen, m)


def _steady(seen: Seen, m: Measures) -> Sentences:
    good, tested = seen.leak.ramping, seen.leak.tested
    killed = [x for x in good if x.span.is_killed]
    low, high = m.growth_range or (0.0, 0.0)
    start = min(x.ramp.floor_start for x in good)
    end = max(*(x.ramp.floor_end for x in good), m.last_seen_before_kill or 0.0)
    lives = f"in {len(good)} of {len(tested)} lives" if len(tested) > 1 else f"for {human_duration(good[0].length_s)}"
    at_least = "at least " if killed else ""
    told = [f"Grew {per_hour(low, high)} {lives}, from {human_bytes(start)} to {at_least}{human_bytes(end)}, with no plateau."]
    if killed:
        of_them = f"{len(killed)} of these lives" if len(good) > 1 else "This life"
        told.append(f"{of_them} ended in a kill at the limit.")
    return tuple(told)


def _memory_volume(seen: Seen, m: Measures) -> Sentences:
    own = f"{human_bytes(m.own_at_kill)} were the process's own" if m.own_at_kill is not None else "little of it was the process's own"
    return (*_steady(seen, m), f"When it was killed only {own}: the rest are files in memory (a tmpfs), which the kernel cannot take back.")


def _first_life(seen: Seen, m: Measures) -> Sentences:
    (life,) = seen.leak.ramping
    since = " since its start" if life.span.start_s is not None else ""
    low, high = human_bytes(life.ramp.floor_start), human_bytes(life.ramp.floor_end)
    told = [f"Growing {per_hour(m.growth or 0.0)} for {human_duration(life.length_s)}{since}, from {low} to {high}."]
    if life.length_s < th.FIRST_LIFE_SURE_S:
        told.append("Could be a leak or an unfinished warm-up; a plateau would settle it.")
    return tuple(told)


def _after_change(seen: Seen, m: Measures) -> Sentences:
    good = seen.leak.ramping
    first = good[0]
    whole_s = good[-1].ramp.end_s - first.ramp.start_s
    start, end = human_bytes(first.ramp.floor_start), human_bytes(max(x.ramp.floor_end for x in good))
    low, high = m.growth_range or (m.growth or 0.0, m.growth or 0.0)
    before_s = first.ramp.start_s - seen.columns.t[0]
    told = [f"Growing {per_hour(low, high)} for {human_duration(whole_s)}, from {start} to {end}."]
    told.append(f"In the {human_duration(before_s)} before that it did not grow so: it began with a change.")
    if any(x.span.is_killed for x in good):
        told.append("It grew until it was killed.")
    return tuple(told)


def _near_limit(seen: Seen, m: Measures) -> Sentences:
    level = seen.level
    assert level is not None
    usual = max(level.recent_median, level.median) * (m.limit or 1.0)
    newest = seen.leak.newest
    flat = newest is not None and newest.refused == ramps.TOO_LITTLE and level.recent_swing <= 0.1
    told = []
    if flat and newest is not None:
        growth = per_hour(max(newest.slope * 3600, seen.scale * 0.001))
        told.append(f"Flat at {of_limit(usual, m.limit)}, growth under {growth}.")
    else:
        told.append(f"Usually at {of_limit(usual, m.limit)}.")
    share = max(level.high_share_later, level.high_share_recent)
    told.append(f"At or above {human_percent(th.HIGH_RATIO)} of its limit {human_percent(share)} of the later time.")
    if m.kill_count:
        told.append(f"Small peaks hit the limit: killed {times(m.kill_count)}.")
    return tuple(told)


def _early(seen: Seen, m: Measures) -> Sentences:
    level = seen.level
    assert level is not None
    return (
        f"Climbed to {of_limit(level.recent_median * (m.limit or 1.0), m.limit)} as it started and has stayed there.",
        f"Only {human_duration(seen.history_s)} of history: an unfinished warm-up may still rise from here.",
    )


def _usual_and_peaks(seen: Seen, m: Measures) -> str:
    at_least = "at least " if m.kill_count else ""
    usual = f"Usually at {of_limit(m.median, m.limit)}" if m.median is not None else "Its usual level was not seen"
    return f"{usual}, with peaks to {at_least}{human_bytes(m.peak)}."


def _kills_in_bursts(seen: Seen, m: Measures) -> Sentences:
    episodes = seen.startup.episodes if seen.startup is not None else 0
    if not m.kill_count:
        return ()
    if m.kill_count == 1:
        return ("Killed once, at a peak.",)
    return (f"Killed {times(m.kill_count)}, in {episodes} burst{'s' if episodes != 1 else ''}.",)


def _traffic(seen: Seen, m: Measures) -> Sentences:
    rate = seen.level.rate_correlation if seen.level is not None else None
    return (
        _usual_and_peaks(seen, m),
        *_kills_in_bursts(seen, m),
        f"Memory follows the request rate (correlation {rate or 0:.2f} over {m.rate_pairs} scrapes).",
    )


def _batch(seen: Seen, m: Measures) -> Sentences:
    rate = seen.level.rate_correlation if seen.level is not None else None
    if rate is None:
        why = "No request rate is known, so traffic and batch work cannot be told apart."
    else:
        why = (
            f"It does not follow the request rate (correlation {rate:.2f}): batch work or single large requests are likelier than traffic."
        )
    return (_usual_and_peaks(seen, m), *_kills_in_bursts(seen, m), why)


def _startup(seen: Seen, m: Measures) -> Sentences:
    found = seen.startup
    assert found is not None
    counted = f"{found.early} of {found.total} times" if found.total > 1 else "once"
    return (f"Killed {counted} within {human_duration(found.longest_uptime_s)} of its start, before memory settled.",)


def _startup_in_burst(seen: Seen, m: Measures) -> Sentences:
    return (*_startup(seen, m), "The request rate was far above usual just then: it may be the same burst that kills it again.")


def _never_up(seen: Seen, m: Measures) -> Sentences:
    found = seen.startup
    assert found is not None
    counted = f"{found.early} of {found.total} times" if found.total > 1 else "once"
    return (f"Killed {counted}, typically {human_duration(found.typical_uptime_s)} after its start: it never came up.",)


def _lives_too_short(seen: Seen, m: Measures) -> Sentences:
    uptime = human_duration(seen.startup.typical_uptime_s) if seen.startup is not None else "seconds"
    need = f"start-up needing more than {human_bytes(m.limit)}" if m.limit else "a start-up that needs more than its limit"
    return (f"Cannot tell yet: lives of {uptime} are too short to see a shape.", f"Could be a leak that is fast, or {need}.")


def _too_short(seen: Seen, m: Measures) -> Sentences:
    return (f"Cannot tell yet: {human_duration(seen.history_s)} of history, too little to see a shape.",)


def _spike_or_new_level(seen: Seen, m: Measures) -> Sentences:
    told = f"Now at {of_limit(m.own_now, m.limit)}; its usual level so far was {human_bytes(m.median or 0.0)}."
    return (told, "Could be a peak, a new level, or a leak that has just begun; the next hours would settle it.")


def _climbing(seen: Seen, m: Measures) -> Sentences:
    why = seen.leak.why_not or "too little to tell a leak from a burst or a warm-up"
    growth = f"Climbs about {per_hour(m.growth)}" if m.growth else "Climbs"
    tested = max(len(seen.leak.tested), 1)
    where = "in the one life seen" if tested == 1 else f"in {len(seen.leak.ramping) or 1} of {tested} lives seen"
    return (f"{growth} {where}.", f"Cannot tell yet: {why}.")


def _slowing(seen: Seen, m: Measures) -> Sentences:
    newest = seen.leak.newest
    assert newest is not None
    return (
        f"Growing, from {human_bytes(newest.floor_start)} to {human_bytes(newest.floor_end)}, but ever more slowly: "
        f"its last part added {human_percent(newest.tail)} of what a steady rise would have.",
        "Could be a warm-up near its end or a leak under falling load; a plateau would settle it.",
    )


def _slow_growth(seen: Seen, m: Measures) -> Sentences:
    newest = seen.leak.newest
    assert newest is not None
    span = human_duration(newest.end_s - newest.start_s)
    return (f"Grew {human_bytes(newest.growth)} in {span}: too little to tell a slow leak from memory that is still settling.",)


def _warm_up(seen: Seen, m: Measures) -> Sentences:
    newest = seen.leak.newest
    assert newest is not None
    return (f"Rose from {human_bytes(newest.floor_start)} to {of_limit(newest.floor_end, m.limit)} and levelled off there.",)


def _page_cache(seen: Seen, m: Measures) -> Sentences:
    cache = max(m.working_set_at_peak - m.own_at_peak, 0.0)
    told = [f"The process itself: {of_limit(m.own_at_peak, m.limit)} when the working set was at its highest."]
    if seen.cache.is_growing:
        told.append(
            f"The other {human_bytes(cache)} look like file cache, which the kernel takes back before it kills; files in memory (a tmpfs) look the same."
        )
    else:
        told.append(f"The other {human_bytes(cache)} are file cache, which the kernel takes back before it kills anything. Not a leak.")
    return tuple(told)


def _follows_rate(seen: Seen, m: Measures) -> Sentences:
    return ("Memory goes up and down with the request rate; beside that it does not grow.", _usual_and_peaks(seen, m))


def _flat(seen: Seen, m: Measures) -> Sentences:
    return (
        f"Flat at {of_limit(m.median if m.median is not None else m.own_now, m.limit)}, peak {human_bytes(m.peak)}: no growth, no level near the limit.",
    )


def _step(seen: Seen, m: Measures) -> Sentences:
    newest = seen.leak.newest
    assert newest is not None
    return (
        f"Rose in one step, from {human_bytes(newest.floor_start)} to {of_limit(newest.floor_end, m.limit)}, and stays below its limit.",
    )


def _no_pattern(seen: Seen, m: Measures) -> Sentences:
    return (f"{_usual_and_peaks(seen, m)}", "It does not grow steadily, does not stay near its limit, and no peak came near it.")


def _no_limit(seen: Seen, m: Measures) -> Sentences:
    return ("No memory limit is known, so how near it comes cannot be said.", f"No steady growth; highest {human_bytes(m.peak)}.")


def _unexplained_kills(seen: Seen, m: Measures) -> Sentences:
    return (
        f"Killed {times(m.kill_count)}, but what was scraped explains none of it: highest {of_limit(m.peak, m.limit)}.",
        "Scrapes miss what happens between them.",
    )


SENTENCES: Mapping[str, Callable[[Seen, Measures], Sentences]] = {
    "steady": _steady,
    "memory_volume": _memory_volume,
    "first_life": _first_life,
    "after_change": _after_change,
    "near_limit": _near_limit,
    "early": _early,
    "traffic": _traffic,
    "batch": _batch,
    "startup": _startup,
    "startup_in_burst": _startup_in_burst,
    "never_up": _never_up,
    "lives_too_short": _lives_too_short,
    "too_short": _too_short,
    "spike_or_new_level": _spike_or_new_level,
    "climbing": _climbing,
    "slowing": _slowing,
    "slow_growth": _slow_growth,
    "warm_up": _warm_up,
    "page_cache": _page_cache,
    "follows_rate": _follows_rate,
    "flat": _flat,
    "step": _step,
    "no_pattern": _no_pattern,
    "no_limit": _no_limit,
    "unexplained_kills": _unexplained_kills,
}


def against(seen: Seen, verdict: Verdict, m: Measures) -> Sentences:
    """Why the other causes were refused, and what makes this one less sure."""
    told = []
    cause = verdict.cause
    if cause is not CauseName.LEAK and seen.leak.tested:
        told.append(_not_a_leak(seen, verdict))
    if cause in (CauseName.LEAK, CauseName.SPIKE) and seen.level is not None and seen.level.median < th.LOW_MEDIAN:
        told.append(f"Not a low limit as such: it usually uses {human_percent(seen.level.median)} of it.")
    if cause is CauseName.LEAK and seen.leak.has_stopped:
        held = human_duration(seen.leak.tested[-1].length_s)
        told.append(f"The newest life has not grown so for {held}: something has changed.")
    if cause is CauseName.LEAK and seen.level is not None and seen.level.rate_correlation is None:
        told.append("No request rate is known: growth that is more traffic cannot be ruled out.")
    if cause in (CauseName.LEAK, CauseName.LIMIT_TOO_LOW) and not seen.columns.has_own_memory:
        told.append("Only the working set was scraped: file cache is counted in it.")
    if not seen.is_limit_known:
        told.append("Its limit was not scraped: the highest level before a kill stands in for it.")
    if any(k.is_presumed for k in seen.lives.kills):
        told.append("No counter of OOM kills was scraped: restarts from the limit are taken for kills.")
    return tuple(t for t in told if t)


def _not_a_leak(seen: Seen, verdict: Verdict) -> str:
    newest = seen.leak.newest
    if (
        newest is None
        or newest.is_ramp
        or verdict.detail in ("climbing", "slowing", "slow_growth", "spike_or_new_level", "page_cache", "warm_up", "step")
    ):
        return ""
    reason = {
        ramps.TOO_LITTLE: "it hardly grows",
        ramps.NOT_STEADY: "it does not rise steadily",
        ramps.ONE_STEP: "it rose in one step",
        ramps.LEVELLED: "its rise has levelled off",
        ramps.LEVELLING: "its rise is levelling off",
        ramps.FOLLOWS_RATE: "its rise follows the request rate",
    }.get(newest.refused, "")
    return f"Not a leak: {reason}." if reason else ""


def settle_by(seen: Seen, verdict: Verdict) -> str:
    """What would make the verdict sure; empty when it is."""
    if verdict.confidence >= 0.85:
        return ""
    what = {
        "first_life": "A plateau (warm-up), or a second life that grows the same (leak).",
        "slowing": "A plateau (warm-up), or growth that goes on (leak).",
        "slow_growth": "A longer history: growth that goes on is a leak.",
        "climbing": "More lives or a longer one: growth in each of them is a leak.",
        "after_change": "Growth that goes on; the rollout or the change of load at that time.",
        "steady": "One more life that grows the same.",
        "memory_volume": "The size of the files in the pod's memory-backed volumes.",
        "early": "Half an hour more: staying there, or rising on.",
        "near_limit": "The next hours: a level that stays.",
        "batch": "A request rate (REQUEST_RATE_QUERY): does memory follow it? The times of batch jobs.",
        "traffic": "The next peak of the request rate.",
        "startup": "Another start: killed as early again, or not.",
        "startup_in_burst": "A start without that load.",
        "never_up": "The log of a start.",
        "lives_too_short": "The log of one life, or one life that lasts.",
        "too_short": f"{human_duration(th.MIN_HISTORY_S)} of history.",
        "spike_or_new_level": "Coming down again (a peak), staying (a new level) or rising on (a leak).",
        "page_cache": "A kill: the kernel never kills for file cache. The volumes of the pod: is one in memory?",
        "no_limit": "The container's memory limit.",
        "unexplained_kills": "A shorter scrape interval, or the log of a killed life.",
    }.get(verdict.detail, "A longer history.")
    if verdict.detail == "batch" and seen.level is not None and seen.level.rate_correlation is not None:
        what = "The times of batch jobs and of large requests: do the peaks fall on them?"
    return f"{what} {LOOK_AGAIN}" if verdict.confidence < 0.7 else what
