"""What the answers of several leaves have in common.

Confidence comes from the shape of memory where there is one (measured there), and from the container's last lives and
its log where Prometheus saw nothing: short lives are between two scrapes, and absence of growth in the metrics is no
evidence of no growth. What cannot be known is `cannot_tell`, never a quiet no.
"""

from __future__ import annotations

from dataclasses import dataclass

from receiver.diagnosis.causes.leaf import YES, Answer, Verdict
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.signatures import taken_sizes
from receiver.diagnosis.log.signatures.model import REFUSED
from receiver.diagnosis.memory.replicas import REGRESSION
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, KillKind, Shape, Signature

STARTING_S = 600.0  # a life that ends within ten minutes may have died of starting
BIG_BURST_RATIO = 0.5  # a last log line that names this much of the limit names what filled it
BLIND_S = 120.0  # lives shorter than a few scrapes: levels and peaks in the metrics are between lives as much as in them
SHAPE_SEES_S = 1800.0  # a life shorter than half an hour is too short for a shape

SURE_FACT = 0.95  # as sure as any witness may make us
LOG_RISES = 0.6  # counters of a log, or a witness that may be about something else

FULL_VOLUME = Verdict(  # detail `memory_volume`: files in memory fill the limit, at the start or while it grows
    likely=reason("tree.volume_likely"), looks_like=reason("tree.volume_looks_like"), could_be=reason("tree.volume_could_be")
)

AT_THE_LIMIT = (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM)  # the container itself was killed, for its own memory


def by_shape(shape: Shape) -> Answer:
    """Yes, by the word of the shape of memory."""
    because = shape.because[0] if shape.because else reason("tree.by_shape")
    return Answer(
        answer=YES, because=because, decides=True, confidence=shape.confidence, reasons=shape.because,
        against=shape.against, settle_by=shape.settle_by, detail=shape.detail,
    )  # fmt: skip


def is_regression(because: tuple[Reason, ...]) -> bool:
    """Whether the growth began with a rollout, by the other replicas' word: going back ends it."""
    return any(r.code in REGRESSION for r in because)


def is_blind(clues: Clues) -> bool:
    """Whether all known lives were too short for the metrics to say anything about levels."""
    return len(clues.lives_s) > 0 and max(clues.lives_s) < BLIND_S


def sees_a_leaf(shape: Shape) -> bool:
    """Whether the shape knows enough to refuse the other leaves."""
    return shape.cause is not CauseName.UNKNOWN or shape.detail in ("flat", "page_cache")


def outlived_start(clues: Clues) -> bool:
    """Whether every life whose exact times are known lasted longer than any start: the kubelet's clock beats the scrapes."""
    return bool(clues.lives_s) and min(clues.lives_s) > STARTING_S


def too_early(clues: Clues) -> Reason:
    """Why a shape of early kills says nothing about levels and growth."""
    return reason("tree.times_disagree") if outlived_start(clues) else reason("tree.too_early")


def no_shape(clues: Clues) -> Reason:
    """Why there is no shape, or what the shape says instead."""
    if clues.shape is not None and clues.shape.because:
        return clues.shape.because[0]
    why = clues.missing_why("history", "prometheus")
    return reason("tree.no_history_because", why=why) if why else reason("tree.no_history")


def ended_over(found: Signature) -> Reason:
    """What the log says ended the program: a limit of its own, or an allocation that was refused, and not at the container's limit."""
    if found.kind == REFUSED:
        return reason("tree.allocation_refused", meaning=found.meaning)
    return reason("tree.own_limit", meaning=found.meaning)


@dataclass(frozen=True, slots=True)
class Burst:
    """The line of the log that announces what filled the memory, and the size that it names: None when it names none."""

    line: str
    size_bytes: int | None


def burst_of(clues: Clues) -> Burst | None:
    """What the log ends with: a line that takes a large part of the limit at once, or work that begins after a quiet time."""
    log, limit = clues.facts.log, clues.limit_bytes
    if log is None or log.is_current or not limit or clues.rising or (clues.loading and not clues.begun):
        return None
    largest, line = max((max(taken_sizes(text), default=0), text) for text in (clues.begun, clues.last_line))
    if largest >= BIG_BURST_RATIO * limit:
        return Burst(line, largest)
    return Burst(clues.begun, None) if clues.begun else None
