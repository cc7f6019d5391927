"""The sentences about who ended it, where they depend on more than a fact put in its place."""

from __future__ import annotations

import pytest

from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Sender
from receiver.render.wording import say
from receiver.render.wording.death import SENDERS, detail_words, sender_words


def test_every_sender_has_words() -> None:
    """The headline names who killed it; the name of one without words is in the message."""
    assert {sender.value for sender in Sender if not SENDERS.get(sender)} == set()


def test_the_kernel_is_no_sender() -> None:
    """Nobody is named for an OOM kill."""
    assert sender_words(None) == ""


def test_detail_of_what_was_not_memory_is_the_sender_in_words() -> None:
    """Every other cause keeps its finer word."""
    probe = Cause(name=CauseName.NOT_MEMORY, confidence=0.95, detail=Sender.LIVENESS_PROBE)

    assert detail_words(probe) == "liveness probe"
    assert detail_words(Cause(name=CauseName.LEAK, confidence=0.95, detail="after_change")) == "after_change"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (reason("death.pod_stopped", reason="Preempting", sender=Sender.PREEMPTION), "the pod's status is Preempting: preemption by a pod of higher priority"),
        (reason("death.oom_counter_rose", kills=1), "container_oom_events_total rose once without a restart"),
        (reason("death.oom_counter_rose", kills=81), "container_oom_events_total rose 81 times without a restart"),
        (reason("death.log_lines", lines=1, line="Worker died"), 'the log says so in 1 line: "Worker died"'),
        (reason("death.evicted", message=""), "the pod's status is Evicted: no message"),
        (reason("death.other_end", exit_code=None, reason=""), "exit code unknown, reason none: no SIGKILL, and no OOM kill was recorded"),
        (reason("death.other_end", exit_code=0, reason="Completed"), "exit code 0, reason Completed: no SIGKILL, and no OOM kill was recorded"),
    ],
    ids=lambda value: value.code if isinstance(value, Reason) else "",
)  # fmt: skip
def test_sentences_read_well(said: Reason, text: str) -> None:
    """One and many, nothing and zero."""
    assert say(said) == text
