"""No question led to a leaf: cannot tell yet, which is an answer. Why, and what would settle it."""

from __future__ import annotations

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.common import SHAPE_SEES_S
from receiver.diagnosis.causes.file_cache import explained_by_cache
from receiver.diagnosis.causes.leaf import Leaf, Raise, always
from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death.kill import own_limit
from receiver.diagnosis.death.lookups import is_early_warning
from receiver.diagnosis.death.refusals import over_volume_in
from receiver.diagnosis.log.log_clues import quoted_line
from receiver.diagnosis.log.signatures.model import REFUSED
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Shape

NOTHING_KNOWN = 0.3
FILE_CACHE = 0.7  # a fact of the newest scrape; that it stays so is not known from a short history


def unknown_cause(clues: Clues, kill: Kill) -> Cause:
    """Cannot tell yet: why, and what would settle it."""
    full = own_limit(clues)
    if full is not None and kill.kind is KillKind.NONE and kill.exit_code not in (None, 0):
        return Cause(
            name=CauseName.UNKNOWN, confidence=UNSURE, detail="runtime_limit",
            because=(common.ended_over(full), reason("unknown.what_refused_it") if full.kind == REFUSED else reason("unknown.limit_or_leak")),
            settle_by=reason("unknown.heap_dump_settles"),
        )  # fmt: skip
    over = over_volume_in(clues) if kill.kind is KillKind.EVICTION else None
    if over is not None:
        return Cause(
            name=CauseName.UNKNOWN, confidence=common.SURE_FACT, detail="memory_volume",
            because=(reason("node.own_volume", volume=over.volume, size_limit=over.limit), *kill.because[1:]),
        )  # fmt: skip
    if kill.is_open_end and (kill.reason or kill.exit_code is not None) and not is_early_warning(clues):
        return _open_end(clues, kill)
    if cache := explained_by_cache(clues, kill):
        return Cause(
            name=CauseName.UNKNOWN, confidence=FILE_CACHE, detail="page_cache",
            because=(cache.because, reason("unknown.cache_is_taken_back")),
            settle_by=reason("unknown.longer_history_settles"),
        )  # fmt: skip
    return _cannot_tell(clues, kill)


def _open_end(clues: Clues, kill: Kill) -> Cause:
    """It ended, and what was seen says neither that memory ended it nor that it did not."""
    log = clues.facts.log
    about_log: list[Reason] = []
    if log is None:
        about_log = [reason("unknown.log_unread", why=why)] if (why := clues.missing_why("log")) else []
    elif not clues.is_log_of_survivor:
        found = clues.signature
        about_log = [reason("death.log_line", line=quoted_line(found.line)) if found is not None else reason("unknown.log_silent")]
    ratio = memory_ratio_before(clues, kill.at, kill.started_at)
    memory = reason("death.memory_before", usage_ratio=ratio) if ratio is not None else reason("death.memory_before_unknown")
    return Cause(
        name=CauseName.UNKNOWN, confidence=NOTHING_KNOWN, detail="open_end", because=(*kill.because, *about_log, memory),
        settle_by=reason("unknown.words_settle") if ratio is not None else reason("unknown.memory_or_words_settle"),
    )  # fmt: skip


def _cannot_tell(clues: Clues, kill: Kill) -> Cause:
    shape = clues.shape
    says = shape if shape is not None and shape.cause is CauseName.UNKNOWN else None  # another verdict of it was refused by a leaf
    is_short = bool(clues.lives_s) and max(clues.lives_s) < SHAPE_SEES_S and kill.kind in common.AT_THE_LIMIT and not kill.is_of_child
    reasons = _by_lives(clues, kill, is_short=is_short)
    if says is not None:
        reasons += says.because
    elif shape is None or not reasons:
        reasons.append(common.no_shape(clues))
    return Cause(
        name=CauseName.UNKNOWN,
        confidence=min(says.confidence, 1.0) if says is not None else NOTHING_KNOWN,
        because=tuple(dict.fromkeys(reasons)),
        against=says.against if says is not None else (),
        settle_by=(says.settle_by if says is not None else None) or _what_would_settle(clues),
        detail=_detail(shape, is_short=is_short),
    )


def _by_lives(clues: Clues, kill: Kill, *, is_short: bool) -> list[Reason]:
    """What the lives say, of the container or of its child processes."""
    reasons: list[Reason] = []
    if is_short:
        reasons.append(reason("unknown.lives_too_short", lives_s=clues.lives_s))
    if kill.is_of_child and clues.worker_lives_s:
        typical_s = sorted(clues.worker_lives_s)[len(clues.worker_lives_s) // 2]
        reasons.append(reason("unknown.workers_die_young", life_s=typical_s))
    return reasons


def _detail(shape: Shape | None, *, is_short: bool) -> str:
    if shape is None:
        return "lives_too_short" if is_short else "no_history"
    return shape.detail if shape.cause is CauseName.UNKNOWN and not is_short else "lives_too_short"


def _what_would_settle(clues: Clues) -> Reason:
    if clues.facts.history is None:
        return reason("unknown.history_settles")
    if clues.facts.log is None:
        return reason("unknown.log_or_history_settles")
    return reason("unknown.half_an_hour_settles")


LEAF = Leaf(
    name=CauseName.UNKNOWN,
    question=None,
    root="unclear",
    a_raise=Raise.UNKNOWN,
    suspects=("stream_data", "paginate", "clean_up", "bound_caches"),
    is_growth=True,
    verdict=always(reason("leaf.unknown.verdict")),
    verdicts={
        "runtime_limit": always(reason("leaf.unknown.runtime_limit")),
        "memory_volume": common.FULL_VOLUME,
        "page_cache": always(reason("leaf.unknown.page_cache")),
    },
    in_digest=reason("leaf.unknown.digest"),
    digest_rank=70,
)
