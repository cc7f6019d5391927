"""It dies before it can have done work: its start needs more than the limit."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.common import AT_THE_LIMIT, FULL_VOLUME, LOG_RISES, STARTING_S, SURE_FACT
from receiver.diagnosis.causes.leaf import YES, Answer, Leaf, Question, Raise, Verdict, cannot_tell, no
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.kill import refuses_to_start
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm, Shape

AT_ONCE_S = 10.0  # no service does much work in ten seconds: lives this short, again and again, die of starting
MOMENT_S = 30.0  # up to here nobody can tell start-up from fast growth by the clock alone
FEW_RESTARTS = 3  # with one known life of seconds: the others were hardly long
MANY_RESTARTS = 5  # this many restarts with the same short lives leave little doubt

REFUSES = "refuses_to_start"  # detail: the program itself says that the limit is below its need
BEFORE_START_REASONS = frozenset(
    {"StartError", "RunContainerError", "CreateContainerError", "ContainerCannotRun", "FailedCreatePodSandBox", "Failed"}
)

# How sure each witness may make us.
INIT_CONTAINER = 0.9
SAYS_WHAT_IT_NEEDS = 0.9
START_OOM = 0.85
AT_ONCE_OFTEN = 0.85
AT_ONCE_TWICE = 0.7
LOADING_LINE = 0.7
DOES_NOT_FIT = 0.15  # more, when the log names a size above the limit
SEEN_TWICE = 0.1  # more, when it is not the first time
LOG_AGREES = 0.05  # more, when another witness decides and the log ends while loading


def while_starting(clues: Clues, kill: Kill) -> Answer:
    """Yes when it dies before it can have done work: by its kind, its log, its last lives, or the shape of memory."""
    shape = clues.shape
    is_early_shape = shape is not None and shape.cause is CauseName.STARTUP
    if kill.is_of_child:
        return no(reason("startup.main_process_up"))
    if (said := refuses_to_start(clues)) is not None and kill.kind is KillKind.NONE and kill.exit_code not in (None, 0):
        line = reason("startup.refuses", line=quoted_line(said.line))
        return Answer(answer=YES, because=line, decides=True, confidence=SAYS_WHAT_IT_NEEDS, reasons=(line,), detail=REFUSES)
    if kill.kind not in AT_THE_LIMIT and not is_early_shape:
        return no(reason("startup.nothing_killed"))
    if answer := _by_the_kill(clues, kill):
        return answer
    if shape is not None and is_early_shape and not common.outlived_start(clues) and not clues.begun:
        return _by_shape(clues, shape)
    return _not_starting(clues)


def _by_the_kill(clues: Clues, kill: Kill) -> Answer | None:
    """What kind of container it is, how it ended, the end of its log, and how long it lived."""
    was_killed = kill.kind in AT_THE_LIMIT
    if was_killed and clues.container is not None and clues.container.kind == "init":
        return _yes(INIT_CONTAINER, reason("startup.init_container"), clues, detail="init_container")
    if kill.reason in BEFORE_START_REASONS and was_killed:
        detail = "memory_volume" if clues.facts.pod and clues.facts.pod.memory_volumes else "start_error"
        full = reason("startup.full_before")
        return Answer(answer=YES, because=full, decides=True, confidence=START_OOM, reasons=kill.because, detail=detail)
    if was_killed and clues.loading and not clues.begun and all(s <= STARTING_S for s in clues.lives_s[:1]):
        return _died_loading(clues, kill)
    if was_killed and _dies_at_once(clues):
        is_sure = (kill.restarts or 0) >= MANY_RESTARTS
        return _yes(AT_ONCE_OFTEN if is_sure else AT_ONCE_TWICE, _at_once(clues, kill), clues, detail="at_once")
    return None


def _dies_at_once(clues: Clues) -> bool:
    """Lives of a few seconds, again and again, and no witness that the last one was serving."""
    if not clues.lives_s or max(clues.lives_s) > AT_ONCE_S or clues.rising or clues.serves:
        return False
    restarts = clues.container.restart_count if clues.container is not None else 0
    return len(clues.lives_s) >= 2 or restarts >= FEW_RESTARTS


def _at_once(clues: Clues, kill: Kill) -> Reason:
    longest_s = max(clues.lives_s)
    if len(clues.lives_s) == 1:
        return reason("startup.last_life", life_s=longest_s, restarts=kill.restarts)
    if longest_s < 1:
        return reason("startup.last_lives_moments", lives=len(clues.lives_s), longest_s=longest_s, restarts=kill.restarts)
    return reason("startup.last_lives", lives=len(clues.lives_s), longest_s=longest_s, restarts=kill.restarts)


def _died_loading(clues: Clues, kill: Kill) -> Answer:
    """The log ends while something is being loaded into memory."""
    entry = max(clues.loading, key=lambda e: (e.size_bytes or 0, e.line_index))
    announced = max((e.size_bytes for e in clues.loading if e.size_bytes), default=None)
    reasons = [reason("startup.ends_loading", line=quoted_line(entry.line))]
    confidence = LOADING_LINE
    if announced and clues.limit_bytes and announced > clues.limit_bytes:
        reasons.append(reason("startup.does_not_fit", announced_bytes=announced, limit_bytes=clues.limit_bytes))
        confidence += DOES_NOT_FIT
    if (kill.restarts or 0) >= 2 or (clues.shape is not None and clues.shape.cause is CauseName.STARTUP):
        reasons.append(reason("startup.restarted", restarts=kill.restarts) if kill.restarts else reason("startup.same_in_other_lives"))
        confidence += SEEN_TWICE
    if clues.lives_s:
        reasons.append(reason("startup.killed_after", life_s=clues.lives_s[0]))
    against = (reason("startup.or_a_job_that_loads"),) if not clues.lives_s else ()
    return Answer(
        answer=YES, because=reasons[0], decides=True, confidence=min(confidence, SURE_FACT), reasons=tuple(reasons), against=against,
        detail="loading",
    )  # fmt: skip


def _by_shape(clues: Clues, shape: Shape) -> Answer:
    """The shape's word, unless the log shows work; taken down where lives are so short that fast growth would look the same."""
    if clues.rising and not clues.loading:
        return no(reason("startup.short_lives_of_work", counter=clues.rising[0]))
    if clues.lives_s and AT_ONCE_S < max(clues.lives_s) <= MOMENT_S:
        return _not_starting(clues)
    answer = common.by_shape(shape)
    if not common.is_blind(clues):
        return answer
    against = (reason("startup.or_fast_growth", lives_s=clues.lives_s), *answer.against)
    return replace(answer, confidence=min(answer.confidence, LOG_RISES), against=against)


def _not_starting(clues: Clues) -> Answer:
    if clues.lives_s:
        life_s = clues.lives_s[0]
        if life_s > STARTING_S:
            return no(reason("startup.ran", life_s=life_s))
        if clues.rising:
            return no(reason("startup.lived_working", life_s=life_s, counter=clues.rising[0]))
        if common.burst_of(clues):
            return no(reason("startup.lived_idle", life_s=life_s))
        return cannot_tell(reason("startup.too_short", life_s=life_s))
    if clues.shape is not None and clues.shape.cause is not CauseName.UNKNOWN:
        return no(reason("startup.kills_later") if clues.shape.kills else reason("startup.lives_longer"))
    return cannot_tell(reason("startup.life_not_known"))


def _yes(confidence: float, because: Reason, clues: Clues, *, detail: str) -> Answer:
    reasons = [because]
    if clues.loading:
        reasons.append(reason("startup.ends_loading", line=quoted_line(clues.loading[-1].line)))
        confidence = min(confidence + LOG_AGREES, SURE_FACT)
    return Answer(answer=YES, because=because, decides=True, confidence=confidence, reasons=tuple(reasons), detail=detail)


READ_IN_CHUNKS = {
    "python": ("for chunk in pandas.read_csv(path, chunksize=10_000): ...   # a part of the rows at a time instead of all",),
    "jvm": ("try (Stream<String> lines = Files.lines(path)) { ... }   # instead of Files.readAllLines",),
    "node": ("for await (const line of readline.createInterface({ input: fs.createReadStream(path) })) { ... }",),
    "go": ("scanner := bufio.NewScanner(file)   // instead of os.ReadFile",),
}


def fixes(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """Of the four habits the one that fills a start, with how it is done in this runtime."""
    if cause.detail == "memory_volume":
        return ()
    return (LongTerm(id="stream_data", advice=reason("fix.load_in_pieces"), commands=READ_IN_CHUNKS.get(clues.runtime, ())),)


LEAF = Leaf(
    name=CauseName.STARTUP,
    question=Question(id="startup", text=reason("leaf.startup.question"), ask=while_starting),
    root="startup",
    a_raise=Raise.CURES,
    fixes=fixes,
    verdict=Verdict(
        likely=reason("leaf.startup.likely"),
        looks_like=reason("leaf.startup.looks_like"),
        could_be=reason("leaf.startup.could_be"),
    ),
    verdicts={"memory_volume": FULL_VOLUME},
    in_digest=reason("leaf.startup.digest"),
    digest_rank=20,
    known_as=reason("leaf.startup.known_as"),
    unclear=reason("leaf.startup.unclear"),
)
