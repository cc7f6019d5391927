"""The table of what becomes of a message that did not arrive, row by row."""

from __future__ import annotations

import itertools
from dataclasses import fields

import pytest

from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, NotEditable, RetryLater, SinkMisconfigured
from receiver.worker.transitions import TABLE, Failure, Situation, Step, failure_of, step_for

EVERY = [
    Situation(failure=failure, **dict(zip((f.name for f in fields(Situation) if f.name != "failure"), values, strict=True)))
    for failure in Failure
    for values in itertools.product((False, True), repeat=len(fields(Situation)) - 1)
]


def post(failure: Failure, **more: bool) -> Situation:
    return Situation(failure=failure, is_edit=False, **more)


def edit(failure: Failure, **more: bool) -> Situation:
    return Situation(failure=failure, is_edit=True, **more)


@pytest.mark.parametrize(
    ("situation", "step"),
    [
        (post(Failure.DOUBT), Step.LOOK_FIRST),
        (post(Failure.DOUBT, is_reply=True, is_plain=True), Step.LOOK_FIRST),
        (post(Failure.DOUBT, is_too_old=True), Step.BURY),
        (edit(Failure.DOUBT), Step.RETRY),
        (post(Failure.RATE_LIMIT), Step.PAUSE_CHANNEL),
        (edit(Failure.RATE_LIMIT), Step.PAUSE_CHANNEL),
        (edit(Failure.RATE_LIMIT, is_too_old=True), Step.BURY),
        (post(Failure.PASSING), Step.RETRY),
        (edit(Failure.PASSING), Step.RETRY),
        (post(Failure.SINK), Step.PAUSE_SINK),
        (edit(Failure.SINK), Step.PAUSE_SINK),
        (post(Failure.CHANNEL), Step.BURY),
        (edit(Failure.CHANNEL), Step.BURY),
        (post(Failure.CONTENT, can_await_picture=True), Step.AWAIT_PICTURE),
        (post(Failure.CONTENT, can_await_picture=True, is_plain=True), Step.AWAIT_PICTURE),
        (post(Failure.CONTENT), Step.SEND_PLAIN),
        (edit(Failure.CONTENT), Step.SEND_PLAIN),
        (post(Failure.CONTENT, is_plain=True), Step.BURY),
        (edit(Failure.CONTENT, is_plain=True), Step.BURY),
        (edit(Failure.GONE), Step.REPOST),
        (edit(Failure.GONE, is_reply=True), Step.REPOST),
        (edit(Failure.GONE, can_repost=False), Step.SETTLE),
        (edit(Failure.GONE, is_reply=True, can_repost=False), Step.SETTLE),
        (post(Failure.GONE, is_reply=True), Step.REPOST_ROOT),
        (post(Failure.GONE, is_reply=True, is_broadcast=True), Step.REPOST_ROOT),
        (post(Failure.GONE, is_reply=True, can_repost_root=False), Step.SETTLE),
        (post(Failure.GONE, is_reply=True, is_broadcast=True, can_repost_root=False), Step.POST_ALONE),
        (post(Failure.GONE), Step.BURY),
        (edit(Failure.NOT_EDITABLE), Step.SETTLE),
        (edit(Failure.NOT_EDITABLE, is_reply=True, can_repost=False), Step.SETTLE),
        (post(Failure.NOT_EDITABLE), Step.BURY),
        (post(Failure.OTHER), Step.BURY),
        (edit(Failure.OTHER), Step.BURY),
    ],
    ids=str,
)
def test_each_row(situation: Situation, step: Step) -> None:
    """What is done, by what failed and how the message stands."""
    assert step_for(situation) is step


def test_every_row_is_needed() -> None:
    """None is hidden behind the ones before it, and every step is reached."""
    deciding = {next(row for row in TABLE if row.fits(situation)) for situation in EVERY}

    assert deciding == set(TABLE)
    assert {row.then for row in TABLE} == set(Step)


def test_what_may_have_arrived_is_never_just_sent_again() -> None:
    """The rule that keeps a message from standing there twice."""
    doubtful = [s for s in EVERY if s.failure is Failure.DOUBT and not s.is_edit]

    assert {step_for(s) for s in doubtful} == {Step.LOOK_FIRST, Step.BURY}


def test_nothing_is_posted_a_third_time() -> None:
    """However its edits or its thread are refused."""
    spent = [s for s in EVERY if not s.can_repost and not s.can_repost_root]

    assert not {step_for(s) for s in spent} & {Step.REPOST, Step.REPOST_ROOT}
    assert {step_for(s) for s in EVERY if s.failure is Failure.NOT_EDITABLE} == {Step.SETTLE, Step.BURY}


@pytest.mark.parametrize(
    ("exc", "failure"),
    [
        (Ambiguous("x"), Failure.DOUBT), (RetryLater("x"), Failure.PASSING), (RetryLater("x", retry_after_s=0.0), Failure.RATE_LIMIT),
        (SinkMisconfigured("x"), Failure.SINK), (SinkMisconfigured("x", is_whole_sink=False), Failure.CHANNEL),
        (BadMessage("x"), Failure.CONTENT), (Gone("x"), Failure.GONE), (NotEditable("x"), Failure.NOT_EDITABLE),
        (DeliveryError("x"), Failure.OTHER),
    ],
    ids=repr,
)  # fmt: skip
def test_every_class_of_error_has_its_failure(exc: DeliveryError, failure: Failure) -> None:
    """One classification, at the edge of the sender."""
    assert failure_of(exc) is failure
