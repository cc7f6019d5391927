"""Every number behind kill, cause and proposal, one a line, for `-v`. The shape's own numbers stand beside it in the report."""

from __future__ import annotations

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice import rate_model
from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.report import Cause, Kill, Proposal
from receiver.domain.units import format_time, human_bytes, human_duration, human_percent


def numbers_of(clues: Clues, kill: Kill, cause: Cause, proposal: Proposal) -> tuple[str, ...]:
    """What was measured or read, and the factors it was multiplied with. Only what is known."""
    return (*_of_kill(clues, kill), *_of_cause(clues, cause), *_of_limits(clues), *_of_proposal(clues, proposal))


def _of_kill(clues: Clues, kill: Kill) -> list[str]:
    parts = [f"kill {kill.kind}", "sure" if kill.is_sure else "not sure"]
    parts += [f"exit code {kill.exit_code}"] if kill.exit_code is not None else []
    parts += [f"restarts {kill.restarts}"] if kill.restarts is not None else []
    found = [", ".join(parts)]
    ratio = memory_ratio_before(clues, kill.at)
    if ratio is not None:
        found.append(f"highest memory just before the kill {human_percent(ratio)} of the limit")
    if clues.facts.child_kills:
        found.append(f"kills of child processes counted {clues.facts.child_kills}")
    if clues.lives_s:
        found.append(f"lives by the status, newest first: {', '.join(human_duration(s) for s in clues.lives_s[:6])}")
    if clues.worker_lives_s:
        found.append(f"lives of child processes by the log: {', '.join(human_duration(s) for s in clues.worker_lives_s[:6])}")
    return found


def _of_cause(clues: Clues, cause: Cause) -> list[str]:
    found = [f"cause {cause.name}, confidence {cause.confidence:.2f} (likely from {LIKELY:g}, looks like from {PLAUSIBLE:g})"]
    shape = clues.shape
    if shape is not None and (shape.cause, round(shape.confidence, 3)) != (cause.name, round(cause.confidence, 3)):
        found.append(f"by the shape of memory alone: {shape.cause}, confidence {shape.confidence:.2f}")
    siblings = clues.facts.workload.siblings if clues.facts.workload is not None else ()
    if siblings:
        hit = sum(1 for s in siblings if s.restart_count or s.last_reason)
        found.append(f"other replicas {len(siblings)}, of them with a restart or kill {hit}")
    return found


def _of_limits(clues: Clues) -> list[str]:
    facts = clues.facts
    named = (
        ("limit in force", clues.limit_bytes),
        ("request", clues.request_bytes),
        ("use now", facts.usage_bytes),
        ("peak of the long look", facts.history.peak_bytes_long if facts.history is not None else None),
        ("node can give", facts.node.allocatable_bytes if facts.node is not None else None),
        ("limits of all pods on the node", facts.node.limits_total_bytes if facts.node is not None else None),
        ("LimitRange maximum", facts.quota_max_limit_bytes),
        ("quota left for limits", facts.quota_free_limit_bytes),
        ("quota left for requests", facts.quota_free_request_bytes),
    )
    found = [f"{name} {human_bytes(value)} ({value:.0f} bytes)" for name, value in named if value is not None]
    found += [f"limit raised {format_time(r.at)}: {human_bytes(r.before_bytes)} to {human_bytes(r.after_bytes)}" for r in clues.raises]
    return found


def _of_proposal(clues: Clues, proposal: Proposal) -> list[str]:
    if proposal.none or proposal.limit_bytes is None or not proposal.limit_before_bytes:
        return [f"no proposal: {proposal.none}"] if proposal.none else []
    found = [f"proposal {proposal.role}: limit x {proposal.limit_bytes / proposal.limit_before_bytes:.2f} ({proposal.limit_bytes} bytes)"]
    if proposal.buys_h is not None:
        found.append(f"lasts {proposal.buys_h:.3f} h per life")
    found.append(
        f"factors: x {policy.RAISE_AFTER_KILL:g} after a kill, x {policy.RAISE_AFTER_SECOND_KILL:g} after a second one or for time, "
        f"at least {human_bytes(policy.RAISE_FLOOR_BYTES)} more, peak x {policy.PEAK_MARGIN:g}, rate model x {policy.RATE_MODEL_MARGIN:g}, size named in the log x {policy.ANNOUNCED_MARGIN:g}, "
        f"with what is left to load x {policy.PROGRESS_MARGIN:g}"
    )
    model = rate_model.fit(clues.facts.history, clues.shape.rate_correlation if clues.shape is not None else None)
    if model is not None:
        found.append(
            f"rate model: {human_bytes(model.base_bytes)} + {human_bytes(model.bytes_per_rate)} x rate, peak rate {model.peak_rate:.4g}, "
            f"so {human_bytes(model.peak_bytes)}"
        )
    return found
