"""The trim: two quiet days after a raise, the room that nobody used can go back."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.patch import change_of, commands_of, diff_of, patch_of
from receiver.diagnosis.advice.starting_point import start_of
from receiver.diagnosis.clues import clues_of
from receiver.domain.facts import Facts
from receiver.domain.reason import reason
from receiver.domain.report import Proposal
from receiver.domain.tidy import tidy_up

TRIM = "trim"


def trim_offer(facts: Facts, *, peak_bytes: float, limit_bytes: int, quiet_s: float) -> Proposal | None:
    """A lower limit for a container that had no kill for `quiet_s`; None when that is too short, or saves too little.

    Sized by the highest memory of that time, which is true demand now that nothing cuts it off. The peak of a quiet weekend is
    not the peak of a month end: the offer says over what time it was seen.
    """
    trimmed = tidy_up(peak_bytes * policy.PEAK_MARGIN)
    if quiet_s < policy.QUIET_BEFORE_TRIM_S or trimmed > limit_bytes * (1 - policy.TRIM_MIN_SAVING):
        return None
    clues = clues_of(facts)
    start = start_of(clues)
    if start.template is None or start.template_bytes != limit_bytes:
        return None  # what is in force is not what the template says: that comes first
    request = start.template.request_bytes
    lower = trimmed if request is not None and request > trimmed else None
    # Not in place: lowering the limit of a running container is refused before Kubernetes 1.34, and risky after.
    change = replace(change_of(clues, start, limit_bytes=trimmed, request_bytes=lower), is_running=False)
    commands, notes = commands_of(change)
    return Proposal(
        role=TRIM, limit_before_bytes=limit_bytes, limit_bytes=trimmed, request_before_bytes=request, request_bytes=lower,
        patch=patch_of(change), diff=diff_of(change), commands=commands, caveats=notes,
        why=reason("advice.trim", peak_bytes=peak_bytes, quiet_s=quiet_s, saved_bytes=limit_bytes - trimmed),
    )  # fmt: skip
