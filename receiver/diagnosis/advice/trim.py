"""The trim: two quiet days after a raise, the room that nobody used can go back."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.patch import change_of, commands_of, diff_of, patch_of
from receiver.diagnosis.clues import clues_of
from receiver.domain.facts import Facts
from receiver.domain.report import Proposal
from receiver.domain.units import human_bytes, human_duration

TRIM = "trim"


def trim_offer(facts: Facts, *, quiet_s: float) -> Proposal:
    """A lower limit for a container that had no kill for `quiet_s` seconds (of its follow-up), or why there is none.

    Sized by the highest memory seen in that time, which is true demand now that nothing cuts it off. The peak of a
    quiet weekend is not the peak of a month end: the offer says over what time it was seen.
    """
    clues = clues_of(facts)
    limit = clues.limit_bytes
    if quiet_s < policy.QUIET_BEFORE_TRIM_S:
        return Proposal(none=f"quiet for {human_duration(quiet_s)} only")
    since_s = facts.now.timestamp() - quiet_s
    samples = facts.history.samples if facts.history is not None else ()
    seen = [s.working_set_bytes for s in samples if s.t_s >= since_s]
    if limit is None or not seen or not _covers(samples[0].t_s, samples[-1].t_s, since_s, facts.now.timestamp()):
        return Proposal(none="the memory of this time is not known in full")
    peak = max(seen)
    trimmed = policy.tidy_up(peak * policy.PEAK_MARGIN)
    if trimmed > limit * (1 - policy.TRIM_MIN_SAVING):
        return Proposal(none=f"the peak of {human_bytes(peak)} needs about what the limit is")
    request = min(clues.request_bytes, trimmed) if clues.request_bytes is not None and clues.request_bytes > trimmed else None
    # Not in place: lowering the limit of a running container is refused before Kubernetes 1.34, and risky after.
    change = replace(change_of(clues, limit_bytes=trimmed, request_bytes=request), is_running=False)
    commands, notes = commands_of(change)
    return Proposal(
        role=TRIM, limit_before_bytes=limit, limit_bytes=trimmed, request_before_bytes=clues.request_bytes, request_bytes=request,
        patch=patch_of(change), diff=diff_of(change), commands=commands, caveats=notes,
        why=f"no kill and a peak of {human_bytes(peak)} in {human_duration(quiet_s)}: {human_bytes(limit - trimmed)} less would do",
    )  # fmt: skip


def _covers(first_s: float, last_s: float, since_s: float, now_s: float) -> bool:
    """Whether samples reach over nearly all of the quiet time."""
    gap_s = policy.TRIM_MAX_GAP_S
    return first_s <= since_s + gap_s and last_s >= now_s - gap_s
