"""The sentences about the life of an incident, where they depend on more than a fact put in its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName
from receiver.pipeline.actions import RIGHTS
from receiver.render.wording import say
from receiver.render.wording.incident import DOING


def verdict(cause: str, confidence: float, detail: str = "") -> Reason:
    return reason("incident.verdict", cause=cause, confidence=confidence, detail=detail)


def test_every_action_has_words_for_who_may_not() -> None:
    """The name of one without words is in the message."""
    assert RIGHTS.keys() ^ DOING.keys() == set()


@pytest.mark.parametrize("cause", [*CauseName, "a_leaf_of_another_release"])
@pytest.mark.parametrize("confidence", [0, 0.3, 0.7, 1])
def test_every_verdict_that_was_ever_given_can_be_quoted(cause: str, confidence: float) -> None:
    """Also by a release that knows other leaves."""
    assert say(verdict(str(cause), confidence)) != ""


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (reason("incident.log.acknowledged", by="Ines"), "acknowledged by Ines"),
        (reason("incident.log.acknowledged", by=""), "acknowledged"),
        (reason("incident.log.silenced", until=datetime(2024, 11, 10, 4, 13, tzinfo=UTC), by="Otto"), "silenced until 04:13 UTC by Otto"),
        (reason("incident.log.silence_not_set", why=reason("silence.no_alertmanager")), "silence not set: ALERTMANAGER_URL is not set"),
        (reason("incident.log.refused", by="", what="quiet"), "refused: somebody may not silence (slack_users in the settings)"),
        (reason("incident.log.ticked", item="root_cause", by="Ines"), "Root cause: ticked by Ines"),
        (reason("incident.log.tick_taken_back", item="of_another_release", by=""), "of_another_release: tick taken back"),
        (
            reason("incident.log.verdict_changed", before=verdict("leak", 0.7), now=verdict("unknown", 0.5)),
            "was 'looks like a leak', now 'cannot tell yet'",
        ),
        (reason("incident.log.legacy", text="{not} a place for facts"), "{not} a place for facts"),
        (reason("storm.kills", kills=1, verdict=verdict("leak", 0.9)), "1 kill, likely leak"),
        (reason("storm.workers_killed", kills=81), "81 workers killed, pod Running"),
        (reason("notice.no_heartbeat", silent_s=659.0), "no heartbeat from Alertmanager for 10 min: alerts may not reach this channel. Check Prometheus and Alertmanager"),
    ],
    ids=lambda x: x.code if isinstance(x, Reason) else "",
)  # fmt: skip
def test_a_sentence(said: Reason, text: str) -> None:
    """As the history, a digest and the channel show it."""
    assert say(said) == text
