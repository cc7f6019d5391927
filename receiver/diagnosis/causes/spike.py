"""Memory is low between short peaks, and a peak reaches the limit."""

from __future__ import annotations

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.common import Burst
from receiver.diagnosis.causes.leaf import YES, Answer, Before, Leaf, Question, Raise, Verdict, cannot_tell, no
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.domain.reason import reason
from receiver.domain.report import Cause, CauseName, Kill, LongTerm

LOG_BURST = 0.6  # the last line of the log alone: no scrape saw the peak


def only_during_spikes(clues: Clues, kill: Kill) -> Answer:
    """Yes when memory is low between short peaks; or when the log's last line names a burst that fills the limit."""
    shape = clues.shape
    is_blind = common.is_blind(clues)
    if shape is not None and shape.cause is CauseName.SPIKE and not is_blind:
        return common.by_shape(shape)
    burst = common.burst_of(clues)
    sees_nothing = shape is None or shape.cause is CauseName.UNKNOWN or is_blind or (shape.cause is CauseName.STARTUP and bool(clues.begun))
    if burst is not None and clues.limit_bytes and sees_nothing and kill.kind in common.AT_THE_LIMIT:
        return _burst(burst, clues.limit_bytes)
    if shape is not None and shape.cause in (CauseName.STARTUP, CauseName.SPIKE):
        return cannot_tell(common.too_early(clues))
    if shape is not None and common.sees_a_leaf(shape):
        return no(shape.refused.get(CauseName.SPIKE) or reason("spikes.no_peaks"))
    return cannot_tell(common.no_shape(clues))


def _burst(burst: Burst, limit_bytes: int) -> Answer:
    size = burst.size_bytes
    how = (
        reason("spikes.fills_limit", burst_bytes=size, limit_ratio=size / limit_bytes) if size is not None else reason("spikes.after_quiet")
    )
    reasons = (reason("spikes.last_line", line=quoted_line(burst.line)), how)
    return Answer(
        answer=YES, because=reasons[0], decides=True, confidence=LOG_BURST, reasons=reasons, against=(reason("spikes.not_scraped"),),
        settle_by=reason("spikes.history_settles"), detail="burst",
    )  # fmt: skip


def fixes(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """A bound turns a peak into a wait."""
    return (LongTerm(id="bound_concurrency", advice=reason("fix.bound_concurrency")),)


LEAF = Leaf(
    name=CauseName.SPIKE,
    question=Question(id="spikes", text=reason("leaf.spike.question"), ask=only_during_spikes),
    root="spike",
    a_raise=Raise.CURES,
    raise_before_kill=Before.PEAKS,
    suspects=("paginate", "stream_data", "clean_up", "bound_caches"),
    fixes=fixes,
    scales_out=True,
    verdict=Verdict(
        likely=reason("leaf.spike.likely"),
        looks_like=reason("leaf.spike.looks_like"),
        could_be=reason("leaf.spike.could_be"),
    ),
    in_digest=reason("leaf.spike.digest"),
    digest_rank=40,
    known_as=reason("leaf.spike.known_as"),
    unclear=reason("leaf.spike.unclear"),
)
