"""Raises of the limit that the killed container had already: what they say about one more."""

from __future__ import annotations

from receiver.diagnosis.clues import Clues, LimitRaise
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Kill


def raises_before(clues: Clues, kill: Kill, *, window_s: float) -> tuple[LimitRaise, ...]:
    """Raises of the last `window_s` seconds before the kill that the killed container had, newest first.

    A pod of the old revision may die while the raise is rolled out: that says nothing about the raise.
    """
    at, limit = kill.at or clues.facts.now, clues.limit_bytes or 0
    return tuple(r for r in clues.raises if r.at <= at and (at - r.at).total_seconds() <= window_s and r.after_bytes <= limit)


def step_of(raised: LimitRaise) -> Reason:
    """The raise alone: from how much to how much."""
    return reason("advice.step", before_bytes=raised.before_bytes, after_bytes=raised.after_bytes)


def raise_and_kill(raised: LimitRaise, kill: Kill, clues: Clues) -> Reason:
    """The raise, and how long before the kill it was."""
    ago_s = ((kill.at or clues.facts.now) - raised.at).total_seconds()
    return reason("advice.step_before_kill", before_bytes=raised.before_bytes, after_bytes=raised.after_bytes, ago_s=ago_s)
