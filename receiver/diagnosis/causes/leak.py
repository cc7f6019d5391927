"""It grows with time or with work done, and does not come back."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.common import FULL_VOLUME, LOG_RISES, SHAPE_SEES_S
from receiver.diagnosis.causes.file_cache import explained_by_cache
from receiver.diagnosis.causes.leaf import YES, Answer, Leaf, Question, Raise, Verdict, cannot_tell, no
from receiver.diagnosis.clues import Clues, rollout_before
from receiver.diagnosis.death.kill import own_limit
from receiver.diagnosis.log.log_clues import rise_of
from receiver.diagnosis.memory.replicas import ALONE, SHARED
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, Kill, KillKind, Shape
from receiver.domain.units import from_epoch

CEILING_AND_LEAK = Verdict(
    likely=reason("leaf.leak.ceiling_likely"),
    looks_like=reason("leaf.leak.ceiling_looks_like"),
    could_be=reason("leaf.leak.ceiling_could_be"),
)
ONE_REPLICA = 0.8  # a leak is in the code that all replicas run
MANY_SIBLINGS = 3  # other replicas: fewer may be luck


def growing_steadily(clues: Clues, kill: Kill) -> Answer:
    """Yes when the floor of memory rises life after life; or, where no scrape saw it, when the log's counters rise until the kill."""
    shape = clues.shape
    if shape is not None and shape.cause is CauseName.LEAK:
        return _by_shape(clues, shape)
    if _log_shows_growth(clues, kill):
        return _by_log(clues, kill)
    if shape is not None and shape.cause is CauseName.STARTUP:
        return cannot_tell(common.too_early(clues))
    if explained_by_cache(clues, kill):
        return no(reason("growing.file_cache"))
    if shape is not None and common.sees_a_leaf(shape):
        return no(shape.refused.get(CauseName.LEAK) or reason("growing.no_rise"))
    return cannot_tell(common.no_shape(clues))


def _by_shape(clues: Clues, shape: Shape) -> Answer:
    """The shape's word, with the rollout it began with, and with what the other replicas say against it."""
    answer = common.by_shape(shape)
    is_told = common.is_regression(shape.because)
    rollout = rollout_before(clues, from_epoch(shape.change_at_s)) if shape.change_at_s is not None and not is_told else None
    if rollout is not None:
        image = rollout.images.get(clues.container_name, "")
        began = (
            reason("growing.since_rollout_of", rollout=rollout.name, image=image)
            if image
            else reason("growing.since_rollout", rollout=rollout.name)
        )
        answer = replace(answer, reasons=(*answer.reasons, began))
    witnessed = {w.told.code for w in clues.witnesses}
    if not witnessed.isdisjoint(SHARED):
        return answer  # what their memory does says more than that they live
    if not witnessed.isdisjoint(ALONE):
        return replace(answer, confidence=min(answer.confidence, ONE_REPLICA))
    siblings = clues.facts.workload.siblings if clues.facts.workload is not None else ()
    if len(siblings) < MANY_SIBLINGS or any(s.restart_count or s.last_reason for s in siblings):
        return answer
    against = (reason("growing.other_replicas_live", replicas=len(siblings)), *answer.against)
    return replace(answer, confidence=min(answer.confidence, ONE_REPLICA), against=against)


def _log_shows_growth(clues: Clues, kill: Kill) -> bool:
    """Counters that rise to the end of a short life, which Prometheus cannot have seen in full."""
    ended = kill.kind in (*common.AT_THE_LIMIT, KillKind.CHILD_PROCESS_OOM) or (
        kill.kind is KillKind.NONE and kill.exit_code not in (None, 0) and own_limit(clues) is not None
    )
    is_short = all(s <= SHAPE_SEES_S for s in clues.lives_s[:1])
    sees_nothing = clues.shape is None or clues.shape.cause in (CauseName.UNKNOWN, CauseName.STARTUP) or common.is_blind(clues)
    return bool(clues.rising) and ended and is_short and sees_nothing


def _by_log(clues: Clues, kill: Kill) -> Answer:
    rises = _rises(clues, kill)
    ended_itself = kill.kind is KillKind.NONE
    full = (common.ended_over(clues.signature),) if ended_itself and clues.signature is not None else ()
    is_batch = clues.workload.kind in ("Job", "CronJob")
    against = [reason("growing.short_life", life_s=clues.lives_s[0])] if clues.lives_s else []
    if is_batch:
        against.append(reason("growing.job_may_need_it"))
    return Answer(
        answer=YES, because=rises, decides=True, confidence=UNSURE if is_batch or clues.is_log_of_survivor else LOG_RISES, reasons=(*full, rises),
        against=tuple(against), settle_by=reason("growing.longer_life_settles"), detail="runtime_limit" if ended_itself else "log",
    )  # fmt: skip


def _rises(clues: Clues, kill: Kill) -> Reason:
    """The counter that rises, in whose log, and how far."""
    name = clues.rising[0]
    if clues.is_log_of_survivor:
        whose = reason("growing.log_of_successor")
    elif kill.kind is KillKind.NONE:
        whose = reason("growing.log_to_its_end")
    else:
        whose = reason("growing.log_to_the_kill")
    rise = rise_of(clues.facts.log.lines if clues.facts.log else (), name)
    if rise is None:
        return reason("growing.counter_rises", log=whose, counter=" ".join(name.split()))
    return reason("growing.counter_rises_by", log=whose, counter=" ".join(name.split()), first=rise[0], last=rise[1])


LEAF = Leaf(
    name=CauseName.LEAK,
    question=Question(id="growing", text=reason("leaf.leak.question"), ask=growing_steadily),
    root="leak",
    a_raise=Raise.DELAYS,
    suspects=("bound_caches", "clean_up", "paginate", "stream_data"),
    is_growth=True,
    verdict=Verdict(
        likely=reason("leaf.leak.likely"),
        looks_like=reason("leaf.leak.looks_like"),
        could_be=reason("leaf.leak.could_be"),
    ),
    verdicts={"memory_volume": FULL_VOLUME, "ceiling": CEILING_AND_LEAK},
    in_digest=reason("leaf.leak.digest"),
    digest_rank=10,
    known_as=reason("leaf.leak.known_as"),
    unclear=reason("leaf.leak.unclear"),
    unclear_in_job=reason("leaf.leak.unclear_in_job"),
)
