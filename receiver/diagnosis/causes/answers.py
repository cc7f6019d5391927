"""The answers to the tree's questions, one function each, and how sure each may make us.

Confidence comes from the shape of memory where there is one (measured there), and from the container's last lives and
its log where Prometheus saw nothing: short lives are between two scrapes, and absence of growth in the metrics is no
evidence of no growth. What cannot be known is `cannot_tell`, never a quiet no.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from receiver.diagnosis.causes.file_cache import FileCache, file_cache
from receiver.diagnosis.clues import Clues, rollout_before
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death.kill import is_memory_eviction, own_limit
from receiver.diagnosis.log.log_clues import quoted_line, rise_words, sizes_in
from receiver.domain.reason import Words, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Shape
from receiver.domain.units import from_epoch, human_bytes, human_duration, human_percent

YES = "yes"
NO = "no"
CANNOT_TELL = "cannot_tell"

STARTING_S = 600.0  # a life that ends within ten minutes may have died of starting
AT_ONCE_S = 10.0  # no service does much work in ten seconds: lives this short, again and again, die of starting
MOMENT_S = 30.0  # up to here nobody can tell start-up from fast growth by the clock alone
FEW_RESTARTS = 3  # with one known life of seconds: the others were hardly long
MANY_RESTARTS = 5  # this many restarts with the same short lives leave little doubt
BIG_BURST_RATIO = 0.5  # a last log line that names this much of the limit names what filled it
BLIND_S = 120.0  # lives shorter than a few scrapes: levels and peaks in the metrics are between lives as much as in them
SHAPE_SEES_S = 1800.0  # a life shorter than half an hour is too short for a shape

# How sure each witness may make us; 0.85 and more is worded "likely", 0.6 and more "looks like".
SURE_FACT = 0.95
INIT_CONTAINER = 0.9
START_OOM = 0.85
LOADING_LINE = 0.7
AT_ONCE_TWICE = 0.7
LOG_RISES = 0.6
LOG_BURST = 0.6
FILE_CACHE = 0.7  # a fact of the newest scrape; that it stays so is not known from a short history
ONE_REPLICA = 0.8  # a leak is in the code that all replicas run
MANY_SIBLINGS = 3  # other replicas: fewer may be luck
UNSURE = 0.5
TOO_EARLY = "its kills come too soon after each start to see a level or a growth"
TIMES_DISAGREE = "its scrapes and its status disagree about when its lives began and ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. `decides`: it names the question's leaf; the rest then says how sure, why, and what speaks against it."""

    answer: str
    because: Words
    decides: bool = False
    confidence: float = 0.0
    reasons: tuple[Words, ...] = ()
    against: tuple[Words, ...] = ()
    settle_by: Words = ""
    detail: str = ""


# --- was it memory at all ---------------------------------------------------------------------------------------------


def killed_for_memory(clues: Clues, kill: Kill) -> Answer:
    """No leads to not_memory when something else ended it; nothing ended or an own limit of the program goes on."""
    because = kill.because[0] if kill.because else ""
    match kill.kind:
        case KillKind.CONTAINER_OOM | KillKind.CHILD_PROCESS_OOM | KillKind.NODE_OOM:
            return Answer(answer=YES, because=because)
        case KillKind.EVICTION:
            if is_memory_eviction(clues):
                return Answer(answer=YES, because=because)
            return Answer(answer=NO, because=because, decides=True, confidence=SURE_FACT, reasons=kill.because, detail="eviction")
        case KillKind.SUSPECTED_OOM:
            return Answer(answer=CANNOT_TELL, because=reason("tree.probably", because=because))
        case KillKind.SIGKILL_NOT_OOM:
            confidence = SURE_FACT if kill.is_sure else UNSURE
            return Answer(answer=NO, because=because, decides=True, confidence=confidence, reasons=kill.because, detail=kill.trigger)
        case _:
            return _not_killed(clues, kill)


def _not_killed(clues: Clues, kill: Kill) -> Answer:
    because = kill.because[0] if kill.because else ""
    full = own_limit(clues)
    if kill.exit_code is not None and full is not None:
        return Answer(answer=NO, because=f"the program ran into a limit of its own: {full.meaning}")
    is_warning = bool(clues.alert_names) and clues.alert_names <= names.WARNING_ALERTS
    if kill.exit_code in (None, 0) or is_warning:
        return Answer(answer=NO if kill.is_sure else CANNOT_TELL, because=because)
    if clues.facts.log is None:
        reasons = (because, "the log could not be read, so the program's own words are missing")
        return Answer(answer=NO, because=because, decides=True, confidence=LOADING_LINE, reasons=reasons, detail="other_exit")
    reasons = (because, "its log names no memory error")
    if clues.signature is not None:
        return Answer(answer=NO, because=reason("tree.log_names", because=because, meaning=clues.signature.meaning))
    return Answer(answer=NO, because=because, decides=True, confidence=INIT_CONTAINER, reasons=reasons, detail="other_exit")


def node_ran_out(clues: Clues, kill: Kill) -> Answer:
    """Yes for a kill by the node or an eviction for memory, and for a node's own pressure alert."""
    if kill.kind in (KillKind.NODE_OOM, KillKind.EVICTION):
        reasons = list(kill.because)
        node = clues.facts.node
        if node is not None and node.other_oom_kills:
            reasons.append(f"also killed for memory there: {', '.join(node.other_oom_kills[:3])}")
        confidence = 0.9 if kill.is_sure else LOG_RISES
        return Answer(
            answer=YES, because=kill.because[-1], decides=True, confidence=confidence, reasons=tuple(reasons), detail=kill.kind.value
        )
    if clues.alert_names & names.NODE_PRESSURE_ALERTS and not kill.exit_code:
        says = tuple(f"the alert {name} says so" for name in sorted(clues.alert_names & names.NODE_PRESSURE_ALERTS))
        is_seen = clues.facts.node is not None and clues.facts.node.has_memory_pressure is True
        return Answer(answer=YES, because=says[0], decides=True, confidence=0.9 if is_seen else LOG_RISES, reasons=says, detail="node")
    if kill.kind is KillKind.CONTAINER_OOM and clues.limit_bytes:
        whose = "the limit of its pod," if clues.limit_is_pod_level else "its own limit of"
        return Answer(answer=NO, because=f"it was killed at {whose} {human_bytes(clues.limit_bytes)}")
    node = clues.facts.node
    if node is not None and node.has_memory_pressure is not None:
        if node.has_memory_pressure:
            return Answer(answer=CANNOT_TELL, because=f"node {node.name} reports memory pressure, but nothing ties this container to it")
        return Answer(answer=NO, because=f"node {node.name} reports no memory pressure")
    if kill.kind is KillKind.CHILD_PROCESS_OOM:
        return Answer(answer=NO, because="the counter counts kills at the container's own limit")
    if kill.kind is KillKind.NONE and kill.is_sure:
        return Answer(answer=NO, because="the kernel killed nothing")
    return Answer(answer=CANNOT_TELL, because=clues.missing_why("node") or "nothing is known of the node")


# --- the article's tree, with its tip on start-up ---------------------------------------------------------------------


def while_starting(clues: Clues, kill: Kill) -> Answer:
    """Yes when it dies before it can have done work: by its kind, its log, its last lives, or the shape of memory."""
    container, shape = clues.container, clues.shape
    was_killed = kill.kind in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM)
    if kill.kind is KillKind.CHILD_PROCESS_OOM:
        return Answer(answer=NO, because="the main process has been up all along")
    if not was_killed and (shape is None or shape.cause is not CauseName.STARTUP):
        return Answer(answer=NO, because="nothing was killed while starting")
    if container is not None and container.kind == "init" and was_killed:
        return _yes(INIT_CONTAINER, "it is an init container: it runs only at start-up", clues, detail="init_container")
    if kill.reason == "StartError":
        detail = "memory_volume" if clues.facts.pod and clues.facts.pod.memory_volumes else "start_error"
        return Answer(
            answer=YES,
            because="memory was full before its process began",
            decides=True,
            confidence=START_OOM,
            reasons=kill.because,
            detail=detail,
        )
    if was_killed and clues.loading and all(s <= STARTING_S for s in clues.lives_s[:1]):
        return _died_loading(clues, kill)
    if was_killed and _dies_at_once(clues):
        longest = max(clues.lives_s)
        many = (kill.restarts or 0) >= MANY_RESTARTS
        took = f"{human_duration(longest)}{' or less' if len(clues.lives_s) > 1 and longest >= 1 else ''}"
        lives = f"its last {len(clues.lives_s)} lives took" if len(clues.lives_s) > 1 else "its last life took"
        reason = f"{lives} {took}, {kill.restarts} restarts"
        return _yes(START_OOM if many else AT_ONCE_TWICE, reason, clues, detail="at_once")
    if shape is not None and shape.cause is CauseName.STARTUP and not _outlived_start(clues):
        if clues.rising and not clues.loading:
            return Answer(answer=NO, because=f"short lives, but its log shows work until the kill: {clues.rising[0]} rises in every line")
        if clues.lives_s and AT_ONCE_S < max(clues.lives_s) <= MOMENT_S:
            return _not_starting(clues, kill)
        return _startup_by_shape(clues, shape)
    return _not_starting(clues, kill)


def _outlived_start(clues: Clues) -> bool:
    """Whether every life whose exact times are known lasted longer than any start: the kubelet's clock beats the scrapes."""
    return bool(clues.lives_s) and min(clues.lives_s) > STARTING_S


def _too_early(clues: Clues) -> str:
    return TIMES_DISAGREE if _outlived_start(clues) else TOO_EARLY


def _startup_by_shape(clues: Clues, shape: Shape) -> Answer:
    """The shape's word, taken down where all lives are so short that fast growth would look the same."""
    answer = _from_shape(shape)
    if not _is_blind(clues):
        return answer
    against = (f"lives of {_spans(clues.lives_s)}: fast growth would look the same", *answer.against)
    return replace(answer, confidence=min(answer.confidence, LOG_RISES), against=against)


def _dies_at_once(clues: Clues) -> bool:
    """Lives of a few seconds, again and again, and no witness that the last one was serving."""
    if not clues.lives_s or max(clues.lives_s) > AT_ONCE_S or clues.rising:
        return False
    restarts = clues.container.restart_count if clues.container is not None else 0
    return len(clues.lives_s) >= 2 or restarts >= FEW_RESTARTS


def _died_loading(clues: Clues, kill: Kill) -> Answer:
    """The log ends while something is being loaded into memory."""
    entry = max(clues.loading, key=lambda e: (e.size_bytes or 0, e.line_index))
    announced = max((e.size_bytes for e in clues.loading if e.size_bytes), default=None)
    reasons = [f'its log ends while loading: "{quoted_line(entry.line)}"']
    confidence = LOADING_LINE
    if announced and clues.limit_bytes and announced > clues.limit_bytes:
        reasons.append(f"{human_bytes(announced)} do not fit into a limit of {human_bytes(clues.limit_bytes)}")
        confidence += 0.15
    if (kill.restarts or 0) >= 2 or (clues.shape is not None and clues.shape.cause is CauseName.STARTUP):
        reasons.append(f"restarted {kill.restarts} times" if kill.restarts else "memory shows the same in other lives")
        confidence += 0.1
    if clues.lives_s:
        reasons.append(f"killed {human_duration(clues.lives_s[0])} after its start")
    against = ("a job that loads after start looks the same in its log",) if not clues.lives_s else ()
    return Answer(
        answer=YES,
        because=reasons[0],
        decides=True,
        confidence=min(confidence, SURE_FACT),
        reasons=tuple(reasons),
        against=against,
        detail="loading",
    )


def _not_starting(clues: Clues, kill: Kill) -> Answer:
    if clues.lives_s:
        life = clues.lives_s[0]
        if life > STARTING_S:
            return Answer(answer=NO, because=f"it ran {human_duration(life)} before it was killed")
        if clues.rising:
            return Answer(
                answer=NO,
                because=f"it lived {human_duration(life)}, and its log shows work until the kill: {clues.rising[0]} rises in every line",
            )
        if _burst(clues):
            return Answer(answer=NO, because=f"it lived {human_duration(life)} and was idle before the last line of its log")
        return Answer(answer=CANNOT_TELL, because=f"a life of {human_duration(life)} is too short to tell start-up from fast growth")
    if clues.shape is not None and clues.shape.cause is not CauseName.UNKNOWN:
        return Answer(
            answer=NO,
            because="memory shows kills long after the start" if clues.shape.kills else "memory shows lives well beyond the start",
        )
    return Answer(answer=CANNOT_TELL, because="when its last life began and ended is not known")


def growing_steadily(clues: Clues, kill: Kill) -> Answer:
    """Yes when the floor of memory rises life after life; or, where no scrape saw it, when the log's counters rise until the kill."""
    shape = clues.shape
    if shape is not None and shape.cause is CauseName.LEAK:
        return _leak_by_shape(clues, shape)
    if _log_shows_growth(clues, kill):
        return _growth_by_log(clues, kill)
    if shape is not None and shape.cause is CauseName.STARTUP:
        return Answer(answer=CANNOT_TELL, because=_too_early(clues))
    if _explained_by_cache(clues, kill):
        return Answer(answer=NO, because="what rises is file cache; the memory of the process itself is flat")
    if shape is not None and (shape.cause is not CauseName.UNKNOWN or shape.detail in ("flat", "page_cache")):
        return Answer(answer=NO, because=_refused(shape, CauseName.LEAK) or "no steady rise of the floor in any life")
    return Answer(answer=CANNOT_TELL, because=_no_shape_words(clues))


def _leak_by_shape(clues: Clues, shape: Shape) -> Answer:
    """The shape's word, with the rollout it began with, and with what the other replicas say against it."""
    answer = _from_shape(shape)
    rollout = rollout_before(clues, from_epoch(shape.change_at_s)) if shape.change_at_s is not None else None
    if rollout is not None:
        image = rollout.images.get(clues.container_name, "")
        answer = replace(answer, reasons=(*answer.reasons, f"it began with the rollout {rollout.name}{f' ({image})' if image else ''}"))
    siblings = clues.facts.workload.siblings if clues.facts.workload is not None else ()
    if len(siblings) < MANY_SIBLINGS or any(s.restart_count or s.last_reason for s in siblings):
        return answer
    against = f"none of the {len(siblings)} other replicas was killed: one that gets more than its share of work looks the same"
    return replace(answer, confidence=min(answer.confidence, ONE_REPLICA), against=(against, *answer.against))


def _log_shows_growth(clues: Clues, kill: Kill) -> bool:
    """Counters that rise to the end of a short life, which Prometheus cannot have seen in full."""
    ended = kill.kind in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM) or (
        kill.kind is KillKind.NONE and kill.exit_code not in (None, 0)
    )
    ended = ended or kill.kind is KillKind.CHILD_PROCESS_OOM
    is_short = all(s <= SHAPE_SEES_S for s in clues.lives_s[:1])
    sees_nothing = clues.shape is None or clues.shape.cause in (CauseName.UNKNOWN, CauseName.STARTUP) or _is_blind(clues)
    return bool(clues.rising) and ended and is_short and sees_nothing


def _growth_by_log(clues: Clues, kill: Kill) -> Answer:
    name = clues.rising[0]
    whose = (
        "the log of its successor"
        if clues.is_log_of_survivor
        else "its log up to its end"
        if kill.kind is KillKind.NONE
        else "its log up to the kill"
    )
    reasons = [
        " ".join(f"{whose}: {name} rises in every line {rise_words(clues.facts.log.lines if clues.facts.log else (), name)}".split())
    ]
    if kill.kind is KillKind.NONE and clues.signature is not None:
        reasons.insert(0, f"the program ran into a limit of its own: {clues.signature.meaning}")
    against = []
    if clues.lives_s:
        against.append(f"a life of {human_duration(clues.lives_s[0])} is short: work that needs more than the limit looks the same")
    is_batch = clues.workload.kind in ("Job", "CronJob")
    if is_batch:
        against.append("a job may simply need this much: it never gets to its end")
    detail = "runtime_limit" if kill.kind is KillKind.NONE else "log"
    return Answer(
        answer=YES, because=reasons[-1], decides=True, confidence=UNSURE if is_batch or clues.is_log_of_survivor else LOG_RISES, reasons=tuple(reasons), against=tuple(against),
        settle_by="a longer life with memory history would settle it: a plateau speaks against a leak", detail=detail,
    )  # fmt: skip


def only_during_spikes(clues: Clues, kill: Kill) -> Answer:
    """Yes when memory is low between short peaks; or when the log's last line names a burst that fills the limit."""
    shape = clues.shape
    if shape is not None and shape.cause is CauseName.SPIKE and not _is_blind(clues):
        return _from_shape(shape)
    burst = _burst(clues)
    sees_nothing = shape is None or shape.cause is CauseName.UNKNOWN or _is_blind(clues)
    if burst and sees_nothing and kill.kind in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM):
        share = human_percent(burst / clues.limit_bytes) if clues.limit_bytes else "much"
        reasons = (
            f'the last line before the kill: "{quoted_line(clues.last_line)}"',
            f"{human_bytes(burst)} is {share} of the limit at once",
        )
        return Answer(
            answer=YES, because=reasons[0], decides=True, confidence=LOG_BURST, reasons=reasons,
            against=("no scrape saw the peak",), settle_by="memory history of a life that has both quiet time and a burst would settle it", detail="burst",
        )  # fmt: skip
    if shape is not None and (shape.cause is CauseName.STARTUP or (shape.cause is CauseName.SPIKE and _is_blind(clues))):
        return Answer(answer=CANNOT_TELL, because=_too_early(clues))
    if shape is not None and (shape.cause is not CauseName.UNKNOWN or shape.detail in ("flat", "page_cache")):
        return Answer(answer=NO, because=_refused(shape, CauseName.SPIKE) or "no short peaks over a low level")
    return Answer(answer=CANNOT_TELL, because=_no_shape_words(clues))


def _is_blind(clues: Clues) -> bool:
    """Whether all known lives were too short for the metrics to say anything about levels."""
    return len(clues.lives_s) > 0 and max(clues.lives_s) < BLIND_S


def _burst(clues: Clues) -> int | None:
    """The size that the last log line before the kill names, when it is a large part of the limit, in bytes."""
    if clues.facts.log is None or clues.facts.log.is_current or not clues.limit_bytes or clues.rising or clues.loading:
        return None
    biggest = max(sizes_in(clues.last_line), default=0)
    return biggest if biggest >= BIG_BURST_RATIO * clues.limit_bytes else None


def near_the_limit(clues: Clues, kill: Kill) -> Answer:
    """Yes when it lives close under its limit without growing."""
    shape = clues.shape
    if shape is not None and shape.cause is CauseName.LIMIT_TOO_LOW and not _is_blind(clues):
        return _from_shape(shape)
    usage, limit = clues.facts.usage_bytes, clues.limit_bytes
    if shape is not None and shape.cause is not CauseName.UNKNOWN:
        return Answer(answer=CANNOT_TELL, because=_too_early(clues))
    if cache := _explained_by_cache(clues, kill):
        return Answer(answer=NO, because=cache.because)
    if shape is not None and shape.detail in ("flat", "page_cache"):
        return Answer(answer=NO, because=shape.because[0] if shape.because else "memory stays well below the limit")
    if usage is not None and limit and usage / limit >= 0.8:
        return Answer(answer=CANNOT_TELL, because=f"now at {human_bytes(usage)} of {human_bytes(limit)}, but one look is not a level")
    return Answer(answer=CANNOT_TELL, because=_no_shape_words(clues))


# --- no leaf -----------------------------------------------------------------------------------------------------------


def unknown_cause(clues: Clues, kill: Kill) -> Cause:
    """Cannot tell yet: why, and what would settle it."""
    shape = clues.shape
    confidence = shape.confidence if shape is not None and shape.cause is CauseName.UNKNOWN else 0.3
    full = own_limit(clues)
    if full is not None and kill.kind is KillKind.NONE and kill.exit_code not in (None, 0):
        return Cause(
            name=CauseName.UNKNOWN, confidence=UNSURE, detail="runtime_limit",
            because=(f"the program ran into a limit of its own: {full.meaning}", "whether that limit is too small or the program leaks, memory alone cannot say"),
            settle_by="a heap dump at the error would settle it, or the heap's use after each collection: a rising floor is a leak",
        )  # fmt: skip
    if cache := _explained_by_cache(clues, kill):
        return Cause(
            name=CauseName.UNKNOWN, confidence=FILE_CACHE, detail="page_cache",
            because=(cache.because, "the kernel takes file cache back before it kills anything"),
            settle_by="an hour or more of history would settle that the process itself does not grow",
        )  # fmt: skip
    reasons: list[Words] = []
    is_short = bool(clues.lives_s) and max(clues.lives_s) < SHAPE_SEES_S and kill.kind in (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM)
    if is_short:
        reasons.append(f"lives of {_spans(clues.lives_s)} are too short to see a shape: start-up that needs more, or fast growth")
    if kill.kind is KillKind.CHILD_PROCESS_OOM and clues.worker_lives_s:
        typical = sorted(clues.worker_lives_s)[len(clues.worker_lives_s) // 2]
        reasons.append(f"each worker dies about {human_duration(typical)} after its boot: what a worker needs to start, or fast growth")
    says = shape if shape is not None and shape.cause is CauseName.UNKNOWN else None  # another verdict of it was refused above
    reasons += says.because if says is not None else () if shape is not None and reasons else (_no_shape_words(clues),)
    return Cause(
        name=CauseName.UNKNOWN,
        confidence=min(confidence, 1.0),
        because=tuple(dict.fromkeys(reasons)),
        against=says.against if says is not None else (),
        settle_by=(says.settle_by if says is not None else "") or _what_would_settle(clues),
        detail="lives_too_short" if is_short or (says is None and shape is not None) else says.detail if says is not None else "no_history",
    )


def _explained_by_cache(clues: Clues, kill: Kill) -> FileCache | None:
    """The file cache that makes a living container look full, where the shape itself is too short to say so."""
    return file_cache(clues) if kill.kind is KillKind.NONE and kill.exit_code is None else None


def corrected(confidence: float, leaf: CauseName, clues: Clues, kill: Kill) -> float:
    """Confidence, taken down where what it rests on is itself not sure."""
    if leaf in (CauseName.NOT_MEMORY, CauseName.NODE_PRESSURE):
        return confidence
    if kill.kind is KillKind.SUSPECTED_OOM:
        confidence = min(confidence, 0.8)  # "looks like" at most: whether memory was it is not certain
    if kill.kind is KillKind.CHILD_PROCESS_OOM:
        confidence = min(confidence, 0.6)  # the container's curve mixes all processes, and falls with each that dies
    if kill.kind is KillKind.NONE and kill.exit_code not in (None, 0):
        confidence = min(confidence, LOG_RISES)  # the container's limit was not what ended it
    return confidence


# --- words ---------------------------------------------------------------------------------------------------------------


def _yes(confidence: float, reason: str, clues: Clues, *, detail: str) -> Answer:
    reasons = [reason]
    if clues.loading:
        reasons.append(f'its log ends while loading: "{quoted_line(clues.loading[-1].line)}"')
        confidence = min(confidence + 0.05, SURE_FACT)
    return Answer(answer=YES, because=reason, decides=True, confidence=confidence, reasons=tuple(reasons), detail=detail)


def _from_shape(shape: Shape) -> Answer:
    because = shape.because[0] if shape.because else "by the shape of memory"
    return Answer(
        answer=YES, because=because, decides=True, confidence=shape.confidence, reasons=shape.because,
        against=shape.against, settle_by=shape.settle_by or "", detail=shape.detail,
    )  # fmt: skip


def _refused(shape: Shape, leaf: CauseName) -> Words:
    """Why the shape refused that leaf, in its own words."""
    return shape.refused.get(leaf, "")


def _no_shape_words(clues: Clues) -> Words:
    if clues.shape is not None and clues.shape.because:
        return clues.shape.because[0]
    why = clues.missing_why("history", "prometheus")
    return f"no memory history: {why}" if why else "no memory history"


def _what_would_settle(clues: Clues) -> str:
    if clues.facts.history is None:
        return "memory history from Prometheus would settle it"
    if clues.facts.log is None:
        return "the log of the killed container would settle it, or half an hour of memory history in one life"
    return "half an hour of memory history in one life would settle it"


def _spans(lives_s: tuple[float, ...]) -> str:
    low, high = human_duration(min(lives_s)), human_duration(max(lives_s))
    return low if low == high else f"{low} to {high}"
