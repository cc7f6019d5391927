"""The request beside a new limit: what the scheduler sets aside. Never above the limit."""

from __future__ import annotations

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.room import Room
from receiver.diagnosis.advice.sizing import STOP_GAP, Want
from receiver.diagnosis.clues import Clues
from receiver.domain.reason import Reason, reason
from receiver.domain.tidy import tidy_up


def request_for(clues: Clues, want: Want, limit: int, room: Room) -> tuple[int | None, tuple[Reason, ...]]:
    """The new request in bytes, or None to leave it; and what must be said about that."""
    before = clues.request_bytes
    if not clues.could_ask_kubernetes:
        return None, (reason("advice.request_not_known"),)
    if before is not None and before == clues.limit_bytes:
        return limit, (reason("advice.request_stays_equal"),)
    if want.role == STOP_GAP and before is not None:
        return None, ()
    request = int(min(_typical(clues, limit), limit))
    if not request or (before is not None and request <= before):
        return None, ()
    if room.most_request_bytes is not None and request > room.most_request_bytes:
        return None, (reason("advice.request_does_not_fit", request_bytes=request, because=room.request_because),)
    return request, ()


def _typical(clues: Clues, limit: int) -> float:
    """What it uses most of the time, in bytes; else in proportion to the limit; else what it used at least."""
    before, limit_before = clues.request_bytes, clues.limit_bytes
    typical = clues.shape.median_bytes if clues.shape is not None else None
    if typical:
        return float(tidy_up(typical * policy.REQUEST_MARGIN))
    if before is not None and limit_before:
        return float(tidy_up(before * limit / limit_before))
    return float(limit_before or 0)  # it used that much, or it would not have been killed
