"""Every number behind kill, cause and proposal, one a line, for `-v`. The shape's own numbers stand beside it in the report."""

from __future__ import annotations

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice import rate_model
from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Kill, Proposal

MOST_LIVES = 6  # the newest ones


def numbers_of(clues: Clues, kill: Kill, cause: Cause, proposal: Proposal) -> tuple[Reason, ...]:
    """What was measured or read, and the factors it was multiplied with. Only what is known."""
    return (*_of_kill(clues, kill), *_of_cause(clues, cause), *_of_limits(clues), *_of_proposal(clues, proposal))


def _of_kill(clues: Clues, kill: Kill) -> list[Reason]:
    found = [reason("numbers.kill", kind=kill.kind.value, is_sure=kill.is_sure, exit_code=kill.exit_code, restarts=kill.restarts)]
    ratio = memory_ratio_before(clues, kill.at, kill.started_at)
    if ratio is not None:
        found.append(reason("numbers.before_kill", ratio=ratio))
    if clues.facts.child_kills:
        found.append(reason("numbers.child_kills", count=clues.facts.child_kills))
    if clues.lives_s:
        found.append(reason("numbers.lives_by_status", lives_s=clues.lives_s[:MOST_LIVES]))
    if clues.worker_lives_s:
        found.append(reason("numbers.worker_lives_by_log", lives_s=clues.worker_lives_s[:MOST_LIVES]))
    return found


def _of_cause(clues: Clues, cause: Cause) -> list[Reason]:
    found = [reason("numbers.cause", name=cause.name.value, confidence=cause.confidence, likely=LIKELY, plausible=PLAUSIBLE)]
    shape = clues.shape
    if shape is not None and (shape.cause, round(shape.confidence, 3)) != (cause.name, round(cause.confidence, 3)):
        found.append(reason("numbers.shape_alone", name=shape.cause.value, confidence=shape.confidence))
    siblings = clues.facts.workload.siblings if clues.facts.workload is not None else ()
    if siblings:
        found.append(reason("numbers.siblings", count=len(siblings), hit=sum(1 for s in siblings if s.restart_count or s.last_reason)))
    return found


def _of_limits(clues: Clues) -> list[Reason]:
    facts = clues.facts
    history, node = facts.history, facts.node
    found = (
        reason("numbers.limit", n_bytes=clues.limit_bytes),
        reason("numbers.request", n_bytes=clues.request_bytes),
        reason("numbers.use_now", n_bytes=facts.usage_bytes),
        reason("numbers.long_peak", n_bytes=history.peak_bytes_long if history is not None else None),
        reason("numbers.node_gives", n_bytes=node.allocatable_bytes if node is not None else None),
        reason("numbers.node_limits", n_bytes=node.limits_total_bytes if node is not None else None),
        reason("numbers.limit_range", n_bytes=facts.quota_max_limit_bytes),
        reason("numbers.quota_limits", n_bytes=facts.quota_free_limit_bytes),
        reason("numbers.quota_requests", n_bytes=facts.quota_free_request_bytes),
    )
    raises = [reason("numbers.raised", at=r.at, before_bytes=r.before_bytes, after_bytes=r.after_bytes) for r in clues.raises]
    return [*(f for f in found if f["n_bytes"] is not None), *raises]


def _of_proposal(clues: Clues, proposal: Proposal) -> list[Reason]:
    if proposal.none is not None or proposal.limit_bytes is None or not proposal.limit_before_bytes:
        return [reason("numbers.no_proposal", why=proposal.none)] if proposal.none is not None else []
    found = [
        reason(
            "numbers.proposal", role=proposal.role, factor=proposal.limit_bytes / (clues.limit_bytes or proposal.limit_before_bytes), limit_bytes=proposal.limit_bytes
        ),
        *([reason("numbers.lasts", lasts_h=proposal.buys_h)] if proposal.buys_h is not None else []),
        reason(
            "numbers.factors", after_kill=policy.RAISE_AFTER_KILL, after_second=policy.RAISE_AFTER_SECOND_KILL, floor_bytes=policy.RAISE_FLOOR_BYTES,
            peak=policy.PEAK_MARGIN, rate=policy.RATE_MODEL_MARGIN, announced=policy.ANNOUNCED_MARGIN, progress=policy.PROGRESS_MARGIN,
        ),
    ]  # fmt: skip
    if clues.facts.rate is not None:
        found.append(reason("numbers.rate_metric", metric=clues.facts.rate.metric))
    model = rate_model.fit(clues.facts.history, clues.shape.rate_correlation if clues.shape is not None else None)
    if model is not None:
        found.append(
            reason(
                "numbers.rate_model", base_bytes=model.base_bytes, bytes_per_rate=model.bytes_per_rate, peak_rate=model.peak_rate,
                peak_bytes=model.peak_bytes,
            )
        )  # fmt: skip
    return found
