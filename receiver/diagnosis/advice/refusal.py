"""When no change of the limit is proposed: it would not help, or it cannot be sized. Each reason has its code."""

from __future__ import annotations

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.ceilings import defeated
from receiver.diagnosis.advice.demand import peak_bytes
from receiver.diagnosis.advice.raises import raises_before, step_of
from receiver.diagnosis.causes.common import is_regression
from receiver.diagnosis.causes.leaf import Before, Raise, Whose
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.causes.settings import OWN_MAXIMUM
from receiver.diagnosis.causes.startup import REFUSES
from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death.kill import own_limit
from receiver.diagnosis.death.refusals import refusal_in
from receiver.diagnosis.death.witnesses.metrics import NEAR_LIMIT
from receiver.diagnosis.log.log_clues import needed_to_start_bytes
from receiver.diagnosis.log.signatures.model import REFUSED
from receiver.domain.confidence import LIKELY
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Sender

NOT_AN_OOM = "advice.not_an_oom"  # the one that forbids a raise: something else was seen to end it
# Where the limit was raised already and that did not help.
RAISED_IN_VAIN = ("advice.raised_before", "advice.raised_for_a_release", "advice.raised_often")

KILLED_FOR_MEMORY = (KillKind.CONTAINER_OOM, KillKind.CHILD_PROCESS_OOM, KillKind.SUSPECTED_OOM)


def refusal_of(clues: Clues, kill: Kill, cause: Cause) -> Reason | None:
    """Why no raise helps or can be sized; None when one can be proposed, and then the limit is known."""
    return (
        _not_its_limit(clues, kill, cause)
        or _limit_not_known(clues)
        or _nothing_died(clues, kill, cause)
        or _raised_enough(clues, kill, cause)
    )


def _not_its_limit(clues: Clues, kill: Kill, cause: Cause) -> Reason | None:
    """More room under this limit is not what it lacks."""
    match leaf_of(cause.name).whose:
        case Whose.NOBODY:
            return _not_memory(clues, kill, cause)
        case Whose.NODE:
            return reason("advice.refused_under_pressure") if cause.detail == "refused" else _node(clues, kill)
    if kill.kind is KillKind.EVICTION:
        return reason("advice.volume_over_size_limit")
    if kill.kind is KillKind.NONE and kill.exit_code not in (None, 0) and (full := own_limit(clues)) is not None:
        return reason("advice.allocation_refused") if full.kind == REFUSED else reason("advice.stopped_at_own_limit")
    if cause.detail == OWN_MAXIMUM:
        return reason("advice.stopped_at_own_limit")
    if (useless := defeated(clues, cause)) is not None:
        return useless
    return reason("advice.mostly_file_cache") if cause.detail == "page_cache" else None


def _not_memory(clues: Clues, kill: Kill, cause: Cause) -> Reason:
    """Only what was seen to be something else forbids a raise."""
    if cause.detail == "refused":
        return reason("advice.refused_for_request") if refusal_in(clues) is not None else reason("advice.refused_for_another_reason")
    ratio = memory_ratio_before(clues, kill.at or clues.facts.now, kill.started_at)
    if kill.kind is not KillKind.EVICTION and ratio is not None and NEAR_LIMIT.matches(ratio):
        return reason("advice.near_limit_as_well", usage_ratio=ratio)
    if kill.sender is Sender.ITSELF and ratio is None:
        return reason("advice.memory_not_excluded")
    return reason("advice.not_an_oom") if cause.confidence >= LIKELY else reason("advice.probably_not_an_oom")


def says_it_needs(clues: Clues, cause: Cause) -> int | None:
    """What the program says it must have to start, in bytes; None where it does not refuse to, or names no number like its limit."""
    if cause.detail != REFUSES or clues.signature is None:
        return None
    needed = needed_to_start_bytes(clues.signature.line)
    return needed if needed is not None and needed > (clues.limit_bytes or 0) / 2 else None


def _node(clues: Clues, kill: Kill) -> Reason:
    if kill.kind is KillKind.EVICTION:
        return reason("advice.eviction_not_prevented")
    if clues.could_ask_kubernetes and clues.limit_bytes is None:
        return reason("advice.node_took_unlimited")
    return reason("advice.node_ran_out")


def _limit_not_known(clues: Clues) -> Reason | None:
    """There is no limit to raise, or nobody knows it."""
    if clues.limit_bytes is not None:
        return None
    if not clues.could_ask_kubernetes:
        return reason("advice.limit_not_known")
    if clues.container is None and not clues.limit_is_pod_level:
        return reason("advice.container_not_known")
    # Nothing cuts off a container without a limit, so its peak is what it needs.
    return reason(
        "advice.no_limit_to_raise", peak_bytes=peak_bytes(clues), over_s=clues.shape.history_s if clues.shape is not None else 0.0
    )


def _nothing_died(clues: Clues, kill: Kill, cause: Cause) -> Reason | None:
    """Without a kill only a level close under the limit is reason enough, or a program that says what it needs to start."""
    if cause.detail == REFUSES:
        return None if says_it_needs(clues, cause) is not None else reason("advice.needs_more_untold")
    leaf = leaf_of(cause.name)
    if kill.is_open_end and leaf.name is CauseName.UNKNOWN:
        return reason("advice.memory_not_excluded")
    fits = (peak_bytes(clues) or 0.0) * policy.PEAK_MARGIN <= (clues.limit_bytes or 0)
    if kill.kind in KILLED_FOR_MEMORY or leaf.raise_before_kill is Before.ALWAYS:
        return None
    if leaf.raise_before_kill is Before.PEAKS and not fits:
        return None
    return reason("advice.leak_not_stopped") if leaf.a_raise is Raise.DELAYS else reason("advice.nothing_killed")


def _raised_enough(clues: Clues, kill: Kill, cause: Cause) -> Reason | None:
    """Raises that did not help say more than any chart."""
    raises = raises_before(clues, kill, window_s=policy.RAISES_WINDOW_S) if kill.kind in KILLED_FOR_MEMORY else ()
    steps = tuple(step_of(r) for r in reversed(raises))
    if raises and leaf_of(cause.name).a_raise is Raise.DELAYS:
        if is_regression(cause.because):
            return reason("advice.raised_for_a_release", steps=steps)
        return reason("advice.raised_before", steps=steps)
    if len(raises) >= policy.MAX_RAISES:
        return reason("advice.raised_often", count=len(raises), steps=steps)
    return None
