"""The incoming webhook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from receiver.errors import Ambiguous, BadMessage, DeliveryError, RetryLater, SinkMisconfigured
from receiver.sinks.base import CannotReconcile
from receiver.sinks.webhook import SlackWebhookConfig, SlackWebhookSink
from tests.fakes.slack import WEBHOOK_CHANNEL, WEBHOOK_PATH, FakeSlack, Fault
from tests.unit.render import cases
from tests.unit.render.test_renderer import renderer
from tests.unit.sinks.kit import Answer, SinkCase

FAULTS: tuple[tuple[Fault, type[DeliveryError]], ...] = (
    (Fault(kind="error", status=400, word="invalid_payload"), BadMessage),
    (Fault(kind="error", status=400, word="invalid_blocks"), BadMessage),
    (Fault(kind="error", status=403, word="action_prohibited"), SinkMisconfigured),
    (Fault(kind="error", status=404, word="no_service"), SinkMisconfigured),
    (Fault(kind="error", status=404, word="channel_not_found"), SinkMisconfigured),
    (Fault(kind="error", status=410, word="channel_is_archived"), SinkMisconfigured),
    (Fault(kind="error", status=500, word="rollup_error"), Ambiguous),
    (Fault(kind="status", status=404), SinkMisconfigured),
    (Fault(kind="status", status=301), SinkMisconfigured),
    (Fault(kind="status", status=502), Ambiguous),
    (Fault(kind="ratelimited", retry_after_s=9), RetryLater),
    (Fault(kind="garbage"), Ambiguous),
    (Fault(kind="close"), Ambiguous),
    (Fault(kind="lost"), Ambiguous),
)
CASE = SinkCase(
    server=FakeSlack, make=lambda slack, timeout_s: SlackWebhookSink(SlackWebhookConfig(url=slack.webhook_url, timeout_s=timeout_s)),
    nobody=lambda: SlackWebhookSink(SlackWebhookConfig(url=f"http://127.0.0.1:9{WEBHOOK_PATH}")), channel="",
    answers=tuple(
        Answer(name=f"{f.kind}-{f.status}-{f.word}", prepare=lambda slack, f=f: slack.fail(replace(f, method="webhook")), error=error)  # type: ignore[misc]
        for f, error in FAULTS
    ),
    hang=lambda slack: slack.fail(Fault(kind="hang", method="webhook")), no_answer=Ambiguous, secrets=(WEBHOOK_PATH.rsplit("/", 1)[1],),
)  # fmt: skip


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake
        assert fake.complaints == []


def webhook(slack: FakeSlack) -> SlackWebhookSink:
    return SlackWebhookSink(SlackWebhookConfig(url=slack.webhook_url, timeout_s=5.0))


def body(text: str = "hello") -> dict[str, Any]:
    return {"text": text, "blocks": [], "full_text": text}


@pytest.mark.parametrize("name", list(cases.CASES))
def test_every_kind_of_incident_passes_the_webhook_in_one_message(slack: FakeSlack, name: str) -> None:
    """The one-message form is accepted whole, and a later state is a second, short message."""
    view, report = cases.CASES[name]()
    single = renderer().single(view, report)
    sink = webhook(slack)

    assert sink.post("", single.body(), delivery_id="d") is None
    sink.post("", renderer().later(view, report).body(), delivery_id="d2")
    first, second = slack.channel(WEBHOOK_CHANNEL).roots
    assert first.message.shown() == single.full_text
    assert len(second.message.shown()) < 900


def test_a_text_only_webhook_carries_the_whole_in_its_text(slack: FakeSlack) -> None:
    """Mattermost would show an empty message otherwise."""
    sink = SlackWebhookSink(SlackWebhookConfig(url=slack.webhook_url, is_text_only=True))
    sink.post("", renderer().single(*cases.leak()).body(), delivery_id="d")
    (seen,) = slack.channel(WEBHOOK_CHANNEL).roots

    assert seen.message.blocks == []
    for label in ("Do     Fix", "Why    Grew", "Next   Killed", "kubectl -n shop set resources"):
        assert label in seen.message.text


def test_a_webhook_cannot_look_back(slack: FakeSlack) -> None:
    """After a lost answer nobody can say whether the message arrived."""
    with pytest.raises(CannotReconcile):
        webhook(slack).find("", "d", oldest=0)
