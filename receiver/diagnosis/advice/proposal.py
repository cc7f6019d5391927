"""A new memory limit and request from what was seen, or why there is none.

Rules that do not bend: never below what was seen; never above what the node can give, the LimitRange or the quota
allow; a leak is never sized up as a cure, it gets a stop-gap with the hours it buys; a kill hides demand above the
limit, so what is proposed after one is a lower bound and says so. The numbers and their reasons: `limits_policy`.
"""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.ceilings import change_of_setting
from receiver.diagnosis.advice.demand import lasts_h
from receiver.diagnosis.advice.elsewhere import VPA_DECIDES, about_start, elsewhere, unit_mistake
from receiver.diagnosis.advice.keep import kept
from receiver.diagnosis.advice.patch import change_of, commands_of, diff_of, patch_of
from receiver.diagnosis.advice.raises import raise_and_kill, raises_before
from receiver.diagnosis.advice.refusal import refusal_of
from receiver.diagnosis.advice.request import request_for
from receiver.diagnosis.advice.room import Room, room_of
from receiver.diagnosis.advice.sizing import Want, want_of
from receiver.diagnosis.advice.starting_point import Start, start_of
from receiver.diagnosis.advice.surroundings import autoscaler_caveats, heap_caveats
from receiver.diagnosis.advice.vpa_patch import VpaChange, vpa_change
from receiver.diagnosis.clues import Clues
from receiver.domain.facts import MemorySetting
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, Fix, Kill, KillKind, Proposal
from receiver.domain.tidy import tidy_down, tidy_up


def propose(clues: Clues, kill: Kill, cause: Cause, fix: Fix | None = None) -> Proposal:
    """The change to paste, or why there is none. A fix that may be enough is made to last; nothing more is piled on it."""
    start = start_of(clues)
    if (mistake := unit_mistake(clues, start)) is not None:
        return Proposal(none=mistake)
    if fix is not None and fix.is_enough:
        return kept(clues, fix, start)
    refusal = refusal_of(clues, kill, cause)
    if refusal is not None:
        change = change_of_setting(clues, cause)
        return Proposal(none=refusal, commands=change.commands, diff=change.diff)
    want, room = want_of(clues, kill, cause), room_of(clues)
    need = tidy_up(max(want.limit_bytes, start.waiting_bytes or 0))
    if (other := elsewhere(clues, start, need_bytes=need)) is not None:
        instead = vpa_change(clues, start, need_bytes=need) if other.code == VPA_DECIDES else VpaChange()
        return Proposal(none=other, commands=instead.commands, diff=instead.diff)
    want = _not_below(want, start)
    if start.waiting_bytes is not None and room.most_bytes is not None and start.waiting_bytes > room.most_bytes:
        return Proposal(none=reason("advice.resize_does_not_fit", limit_bytes=start.waiting_bytes, because=room.because))
    limit, bound = _fitted(want, room, limit_before=max(clues.limit_bytes or 0, start.template_bytes or 0))
    if limit is None:
        return Proposal(none=bound)
    want = replace(want, caveats=(*want.caveats, *([bound] if bound else [])))
    return _written(clues, kill, want, limit=limit, room=room, start=start)


def _not_below(want: Want, start: Start) -> Want:
    """At least what the template or a resize that waits asks for."""
    if start.at_least_bytes <= want.limit_bytes:
        return want
    return replace(want, limit_bytes=start.at_least_bytes, why=reason("advice.asked_for_already", limit_bytes=start.at_least_bytes))


def _fitted(want: Want, room: Room, *, limit_before: int) -> tuple[int | None, Reason | None]:
    """The tidy limit that there is room for, and what kept it below what is wanted; None and why when no raise is left."""
    wanted = tidy_up(want.limit_bytes)
    limit = tidy_down(room.most_bytes) if room.most_bytes is not None and wanted > room.most_bytes else wanted
    if limit < wanted and (limit <= limit_before or limit < want.floor_bytes):
        return None, reason("advice.no_room", limit_bytes=wanted, because=room.because)
    if limit <= limit_before:
        return None, reason("advice.enough_already", need_bytes=want.limit_bytes, limit_bytes=limit_before)
    return limit, reason("advice.less_than_wanted", limit_bytes=wanted, because=room.because) if limit < wanted else None


def _written(clues: Clues, kill: Kill, want: Want, *, limit: int, room: Room, start: Start) -> Proposal:
    """The change with its patch, its commands, and everything that must be said about it."""
    buys_h = lasts_h(clues, limit) if want.is_for_leak else None
    request, about_request = request_for(clues, want, limit, room)
    template = start.template or MemorySetting()
    request = request if request is None or request > (template.request_bytes or 0) else None
    failed = raises_before(clues, kill, window_s=policy.SECOND_KILL_WINDOW_S)
    change = change_of(clues, start, limit_bytes=limit, request_bytes=request)
    commands, notes = commands_of(change)
    caveats = (
        *about_start(clues, start),
        *want.caveats,
        *about_request,
        *((reason("advice.may_be_no_oom"),) if kill.kind is KillKind.SUSPECTED_OOM else ()),
        *heap_caveats(clues, limit),
        *autoscaler_caveats(clues),
        *notes,
    )
    return Proposal(
        role=want.role, limit_before_bytes=change.limit_before_bytes or clues.limit_bytes, limit_bytes=limit, request_before_bytes=change.request_before_bytes, request_bytes=request,
        buys_h=round(buys_h, 4) if buys_h is not None else None, patch=patch_of(change), diff=diff_of(change), commands=commands,
        why=_why(want, limit, buys_h), caveats=tuple(dict.fromkeys(caveats)), checks=room.checks,
        after_raise=raise_and_kill(failed[0], kill, clues) if failed else None,
    )  # fmt: skip


def _why(want: Want, limit: int, buys_h: float | None) -> Reason:
    if buys_h is not None and buys_h * 3600 < policy.STOP_GAP_MIN_S:
        return reason("advice.not_worth_a_rollout", limit_bytes=limit, lasts_s=buys_h * 3600)
    return want.why
