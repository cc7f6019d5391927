"""What becomes of a message when an attempt to deliver it failed: one table, read from top to bottom, the first row that fits holds.

Two rules stand behind it: what may have arrived is never sent again before it was looked for, and a message is posted twice
in its life at most, however often its edits are refused. The states that the steps lead to: receiver/store/outbox.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto

from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, NotEditable, RetryLater, SinkMisconfigured


class Failure(Enum):
    """What went wrong, as far as it decides what happens next."""

    DOUBT = auto()  # it may have arrived
    RATE_LIMIT = auto()
    PASSING = auto()  # surely not arrived, and worth another try
    SINK = auto()  # a setting: nothing can be delivered to this sink
    CHANNEL = auto()  # a setting: nothing can be delivered to this channel
    CONTENT = auto()  # this very message
    GONE = auto()  # the message to edit, or the thread to reply to
    NOT_EDITABLE = auto()  # the message to edit stands there, and may not be changed
    OTHER = auto()


class Step(Enum):
    """What is done about it."""

    LOOK_FIRST = auto()  # after a grace, look for it in the channel before sending it again
    RETRY = auto()  # after a growing pause
    PAUSE_CHANNEL = auto()  # for as long as the sink asks; no attempt of the message's
    PAUSE_SINK = auto()  # until somebody mends the setting; no attempt of the message's
    AWAIT_PICTURE = auto()  # a file needs a moment until messages can use it
    SEND_PLAIN = auto()  # as text, without blocks
    REPOST = auto()  # once more; a root takes its thread with it
    REPOST_ROOT = auto()  # the thread is gone: its root once more, and the reply behind it
    POST_ALONE = auto()  # there is no thread to put it into, and it must be heard
    SETTLE = auto()  # as it stands; its edits rest from now on
    BURY = auto()  # a dead letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A failed attempt. `can_repost`, `can_repost_root`: not posted twice yet. `can_await_picture`: it has a picture, and was not
    refused for it too often. `is_too_old`: tried for longer than RETRY_MAX_AGE.
    """

    failure: Failure
    is_edit: bool
    is_reply: bool = False
    is_broadcast: bool = False
    is_plain: bool = False
    can_await_picture: bool = False
    can_repost: bool = True
    can_repost_root: bool = True
    is_too_old: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A condition that is None holds of every situation."""

    then: Step
    failure: Failure | None = None
    is_edit: bool | None = None
    is_reply: bool | None = None
    is_broadcast: bool | None = None
    is_plain: bool | None = None
    can_await_picture: bool | None = None
    can_repost: bool | None = None
    can_repost_root: bool | None = None
    is_too_old: bool | None = None

    def fits(self, situation: Situation) -> bool:
        """Whether every condition holds."""
        return all(getattr(self, name) in (None, getattr(situation, name)) for name in _CONDITIONS)


_CONDITIONS = tuple(f.name for f in fields(Situation))

TABLE = (
    Row(is_too_old=True, then=Step.BURY),
    Row(failure=Failure.DOUBT, is_edit=False, then=Step.LOOK_FIRST),
    Row(failure=Failure.DOUBT, then=Step.RETRY),  # an edit may be repeated
    Row(failure=Failure.RATE_LIMIT, then=Step.PAUSE_CHANNEL),  # the whole channel, so that the order of its messages stays
    Row(failure=Failure.PASSING, then=Step.RETRY),
    Row(failure=Failure.SINK, then=Step.PAUSE_SINK),
    Row(failure=Failure.CHANNEL, then=Step.BURY),
    Row(failure=Failure.CONTENT, can_await_picture=True, then=Step.AWAIT_PICTURE),
    Row(failure=Failure.CONTENT, is_plain=False, then=Step.SEND_PLAIN),
    Row(failure=Failure.CONTENT, then=Step.BURY),
    Row(failure=Failure.GONE, is_edit=True, can_repost=True, then=Step.REPOST),
    Row(failure=Failure.GONE, is_edit=True, then=Step.SETTLE),
    Row(failure=Failure.GONE, is_reply=True, can_repost_root=True, then=Step.REPOST_ROOT),
    Row(failure=Failure.GONE, is_reply=True, is_broadcast=True, then=Step.POST_ALONE),
    Row(failure=Failure.GONE, is_reply=True, then=Step.SETTLE),
    Row(failure=Failure.NOT_EDITABLE, is_edit=True, then=Step.SETTLE),
    Row(then=Step.BURY),
)

RESULTS: Mapping[Failure, str] = {  # of oomtriage_deliveries_total; the others are `refused`
    Failure.DOUBT: "ambiguous", Failure.RATE_LIMIT: "rate_limited", Failure.PASSING: "retry", Failure.SINK: "misconfigured",
    Failure.CHANNEL: "misconfigured",
}  # fmt: skip

_CLASSES: tuple[tuple[type[DeliveryError], Failure], ...] = (
    (Ambiguous, Failure.DOUBT), (RetryLater, Failure.PASSING), (SinkMisconfigured, Failure.SINK), (BadMessage, Failure.CONTENT),
    (NotEditable, Failure.NOT_EDITABLE), (Gone, Failure.GONE),
)  # fmt: skip


def failure_of(exc: DeliveryError) -> Failure:
    """What a sink's error means here."""
    if isinstance(exc, RetryLater) and exc.retry_after_s is not None:
        return Failure.RATE_LIMIT
    if isinstance(exc, SinkMisconfigured) and not exc.is_whole_sink:
        return Failure.CHANNEL
    return next((failure for error, failure in _CLASSES if isinstance(exc, error)), Failure.OTHER)


def step_for(situation: Situation) -> Step:
    """What is done about it."""
    return next(row.then for row in TABLE if row.fits(situation))
