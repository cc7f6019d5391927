"""Whether a setting of the program's own decides: a ceiling that its container's limit is below, or one that the program itself filled.

A program whose heap may be larger than its container is killed by the kernel before its own ceiling can stop it, whatever fills the
heap: it may be garbage that nobody had reason to collect, a leak, or what it needs. So the setting is what is to be changed first; with it
below the limit the program collects in time, or ends with an error of its own that says what filled it.
"""

from __future__ import annotations

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.file_cache import explained_by_cache
from receiver.diagnosis.causes.leaf import YES, Answer
from receiver.diagnosis.causes.leak import growing_steadily
from receiver.diagnosis.causes.startup import BEFORE_START_REASONS
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.kernel_lines import victim_of
from receiver.diagnosis.death.kill import own_limit
from receiver.diagnosis.death.lookups import kernel_kills, newest, uids_of
from receiver.diagnosis.log.ceilings import Allowance, Fit, allowance_of, workers_of
from receiver.diagnosis.log.ceilings.advice import what_they_allow
from receiver.diagnosis.log.ceilings.allowance import fewer, told_of, written
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, Kill, KillKind, Sender, Signature
from receiver.domain.tidy import tidy_up
from receiver.domain.units import MIB

CEILING = "ceiling"  # detail: a ceiling above the limit
OWN_MAXIMUM = "runtime_limit"  # detail: a ceiling that the program filled, and ended itself

# How sure it is that the ceilings are what to change.
SURE = {Fit.ABOVE: 0.9, Fit.NO_ROOM: 0.75, Fit.TOGETHER: 0.7, Fit.WITH_BESIDE: 0.6, Fit.SOFT: 0.6}
GIVES_WAY = (Fit.WITH_BESIDE, Fit.SOFT)  # to a leak that is seen: they may never have been reached
NEEDS_SCRIPT = 0.7  # whether the variable reaches the program is not seen
WORKERS = 0.7  # by what the killed one held
WORKERS_BY_SHARE = 0.6  # by what is left for each
LEAST_WORKER_BYTES = 40 * MIB  # an interpreter with a framework seldom needs less,
USUAL_WORKER_BYTES = 80 * MIB  # and about this much with an application in it
ONCE = 0.5  # one life: its heap may be too small, or it leaks
HIGH_USE = 0.8  # of the limit: from here on a living container is told before it is killed
WORKERS_FILL = 0.9  # of the limit: what is left is for their parent
AT_ONCE_S = 10.0  # a heap that is full so soon is too small for the start
TWICE = 2
WORTH_RAISING = 1.1  # x: less is no change
SMALL_BYTES = 250 * MIB  # below it the JVM's default is MinRAMPercentage (50), not MaxRAMPercentage (25)

# Errors that say that one of the program's own pools was full, and which.
FILLED = {
    "jvm-heap": "heap", "jvm-gc-overhead": "heap", "jvm-metaspace": "metaspace", "jvm-direct": "direct", "openj9-oom": "heap", "graalvm-native-heap": "heap",
    "akka-fatal-oom": "heap", "solr-oom-script": "heap", "gradle-daemon-heap": "heap", "node-heap": "heap", "dotnet-oom": "heap",
}  # fmt: skip


# What kills a program because one of its pools is full: its own handler, or the script beside it.
OWN_HANDLERS = (Sender.JVM_HANDLER, Sender.KILL_SCRIPT)


def a_setting_decides(clues: Clues, kill: Kill) -> Answer | None:
    """Yes for ceilings above the limit, and for one that is full. No answer where none is known, or none is in question."""
    full = filled_itself(clues, kill)
    if full is not None:
        return _filled(clues, kill, full)
    if not _is_full(clues, kill) or _start_does_not_fit(clues):
        return None
    allowed = allowance_of(clues.settings, clues.limit_bytes)
    if allowed is not None and allowed.fit.is_bad:
        return _above(clues, kill, allowed)
    return _too_many_workers(clues, kill)


def filled_itself(clues: Clues, kill: Kill) -> Signature | None:
    """The pool of its own that was full when it ended itself, or had itself killed; None where that is not how it ended."""
    full = own_limit(clues)
    if full is None or full.id not in FILLED:
        return None
    by_handler = kill.kind is KillKind.SIGKILL_NOT_OOM and kill.sender in OWN_HANDLERS
    return full if by_handler or (kill.kind is KillKind.NONE and kill.exit_code not in (None, 0)) else None


def _is_full(clues: Clues, kill: Kill) -> bool:
    """Whether the container's limit was full of the program's own memory, or soon will be."""
    shape, limit = clues.shape, clues.limit_bytes
    if shape is not None and shape.detail in ("memory_volume", "page_cache"):
        return False
    if kill.kind in (*common.AT_THE_LIMIT, KillKind.CHILD_PROCESS_OOM):
        return kill.reason not in BEFORE_START_REASONS
    if kill.kind is not KillKind.NONE or kill.exit_code is not None or explained_by_cache(clues, kill):
        return False
    used = shape.current_bytes if shape is not None and shape.current_bytes is not None else clues.facts.usage_bytes
    return used is not None and limit is not None and used >= HIGH_USE * limit


def _start_does_not_fit(clues: Clues) -> bool:
    """Whether its log names more to be loaded than the limit: no setting makes that smaller."""
    return any((entry.size_bytes or 0) > (clues.limit_bytes or 0) for entry in clues.loading)


def _above(clues: Clues, kill: Kill, allowed: Allowance) -> Answer | None:
    """The ceilings come first; that it grows as well is told beside them, and names the leaf where only use can have grown."""
    first, above, grown = allowed.decides[0], what_they_allow(allowed), growing_steadily(clues, kill)
    if allowed.fit in GIVES_WAY and grown.decides:
        return None
    is_leak = grown.decides and (grown.detail == "log" or not any(s.row.fills for s in allowed.decides))
    against = grown.against if is_leak else (reason("ceiling.growth_says_little", flag=first.quoted),) if grown.decides else ()
    confidence = grown.confidence if is_leak else SURE[allowed.fit]
    told = told_of(first, first.bytes_of(allowed.limit_bytes) or 0)
    if first.needs_script:
        against = (reason("ceiling.needs_script", variable=first.source), *against)
        confidence = min(confidence, NEEDS_SCRIPT)
    return Answer(
        answer=YES, because=above, decides=True, leads_to=CauseName.LEAK if is_leak else None,
        confidence=confidence, reasons=(above, *grown.reasons) if is_leak else (above,),
        against=against, settle_by=reason("ceiling.below_it_settles"), detail=CEILING,
        headline=reason(
            "ceiling.headline", flag=first.flag, told=told, fit=allowed.fit.value, limit_bytes=allowed.limit_bytes, times=first.times,
            noun=first.row.per.noun if first.row.per is not None else "", each_bytes=(first.bytes_of(allowed.limit_bytes) or 0) // first.times,
            medium=reason("ceiling.headline_medium", flag=first.flag, told=told, fit=allowed.fit.value, limit_bytes=allowed.limit_bytes, times=first.times),
            short=reason("ceiling.headline_short", part=first.row.part, fit=allowed.fit.value),
        ),
        remedy=reason(
            "ceiling.lower", before=tuple(c.before for c in allowed.changes), sources=tuple(c.source for c in allowed.changes),
            after=tuple(c.after for c in allowed.changes), told=tuple(c.told for c in allowed.changes), covering_bytes=allowed.covering_bytes, soft=first.row.acts if allowed.fit is Fit.SOFT else "",
            is_leak=is_leak,
        ),
    )  # fmt: skip


def _too_many_workers(clues: Clues, kill: Kill) -> Answer | None:
    """Yes when as many processes as it starts do not fit under the limit, each as large as the one that the kernel killed, or as any is."""
    found = workers_of(clues.container) if clues.container is not None else None
    held, limit = _victim_bytes(clues), clues.limit_bytes
    if found is None or limit is None or growing_steadily(clues, kill).decides:
        return None
    count, workers, flag, source = found
    if held is not None and workers * held > limit:
        each, confidence, against = held, WORKERS, reason("ceiling.one_may_be_larger")
        because = reason(
            "ceiling.workers", workers=workers, noun=count.noun, flag=flag, each_bytes=held, need_bytes=workers * held, limit_bytes=limit
        )
    elif held is None and limit / workers < LEAST_WORKER_BYTES and count.is_heavy:
        each, confidence, against = USUAL_WORKER_BYTES, WORKERS_BY_SHARE, reason("ceiling.need_not_measured")
        because = reason(
            "ceiling.workers_share",
            workers=workers,
            noun=count.noun,
            flag=flag,
            share_bytes=limit / workers,
            least_bytes=LEAST_WORKER_BYTES,
        )
    else:
        return None
    need = workers * each
    after = fewer(count, flag, max(int(WORKERS_FILL * limit / each), 1))
    return Answer(
        answer=YES, because=because, decides=True, confidence=confidence, reasons=(because,), against=(against,),
        detail=CEILING, headline=reason(
            "ceiling.workers_headline", workers=workers, noun=count.noun, limit_bytes=limit, short=reason("ceiling.workers_headline_short", noun=count.noun)
        ),
        remedy=reason(
            "ceiling.fewer_workers", before=(flag,), sources=(source,), after=(after,), covering_bytes=tidy_up(need / WORKERS_FILL)
        ),
    )  # fmt: skip


def _victim_bytes(clues: Clues) -> int | None:
    """What the process held that the kernel killed, by the kernel's own line about this pod."""
    death, pod = newest(clues), clues.facts.pod
    of_death = [k.victim for k in kernel_kills(clues, death)] if death is not None else []
    uids = uids_of(pod)
    of_pod = [v for e in clues.facts.events if uids and (v := victim_of(e.message)).pod_uid in uids]
    return max((v.anon_rss_bytes for v in (*of_death, *of_pod) if v.anon_rss_bytes), default=None)


def _filled(clues: Clues, kill: Kill, full: Signature) -> Answer:
    """One of its own pools was full and it ended itself: a leak where that grew or happened again, else perhaps just too small."""
    grown, said = growing_steadily(clues, kill), common.ended_over(full)
    ended = _lives_ended(clues)
    is_batch = clues.workload.kind in ("Job", "CronJob")
    is_at_once = bool(clues.lives_s) and max(clues.lives_s) <= AT_ONCE_S and not clues.serves
    settle_by = reason("unknown.heap_dump_settles")
    if grown.decides:
        reasons = tuple(dict.fromkeys((said, *grown.reasons)))
        return _own(clues, full, said, confidence=grown.confidence, reasons=reasons, against=grown.against, is_leak=True)
    if ended >= TWICE and not is_at_once and not is_batch:
        again = reason("ceiling.filled_again", times=clues.container.restart_count if clues.container is not None else ended)
        return _own(
            clues,
            full,
            said,
            confidence=common.LOG_RISES,
            reasons=(said, again),
            against=(reason("ceiling.or_too_small"),),
            is_leak=True,
            settle_by=settle_by,
        )
    why = reason("ceiling.full_at_once", longest_s=max(clues.lives_s)) if is_at_once else reason("unknown.limit_or_leak")
    return _own(
        clues, full, said, confidence=common.LOG_RISES if is_at_once else ONCE, reasons=(said, why), is_leak=False, settle_by=settle_by
    )


def _own(
    clues: Clues, full: Signature, because: Reason, *, confidence: float, reasons: tuple[Reason, ...], against: tuple[Reason, ...] = (), is_leak: bool,
    settle_by: Reason | None = None,
) -> Answer:  # fmt: skip
    return Answer(
        answer=YES, because=reasons[-1] if is_leak else because, decides=True, leads_to=CauseName.LEAK if is_leak else None, confidence=confidence,
        reasons=reasons, against=against,
        settle_by=settle_by, detail=OWN_MAXIMUM, remedy=_about_its_own(clues, FILLED[full.id], is_leak=is_leak),
    )  # fmt: skip


def _lives_ended(clues: Clues) -> int:
    """How many lives of the container ended: it was restarted after each but the last."""
    container = clues.container
    return 0 if container is None else container.restart_count + (container.state != "running")


def _about_its_own(clues: Clues, part: str, *, is_leak: bool) -> Reason | None:
    """What to do about a ceiling that was full: raise it where the container has room, both where it has none; None where it is not known."""
    setting = next((s for s in clues.settings if s.row.part == part and not s.row.is_soft), None)
    limit = clues.limit_bytes
    if limit is None or (setting is None and (part != "heap" or clues.runtime != "jvm")):
        return None
    if setting is None:
        return reason("ceiling.set_share", limit_bytes=limit, is_small=limit < SMALL_BYTES, is_leak=is_leak)
    now = setting.bytes_of(limit) or 0
    others = sum(s.bytes_of(limit) or 0 for s in clues.settings if s is not setting and not s.row.is_soft)
    fitting = int(setting.row.share * limit if part == "heap" else min(TWICE * now, setting.row.share * limit - others))
    after = written(setting, fitting, ratio=fitting / limit)
    return reason(
        "ceiling.raise_own", before=(setting.flag,), sources=(setting.source,), after=(after,), told=(told_of(setting, now, fits_bytes=fitting),), has_room=fitting >= WORTH_RAISING * now, now_bytes=now, limit_bytes=limit, is_leak=is_leak,
    )  # fmt: skip
