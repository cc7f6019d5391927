"""The incoming webhook and the console."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from receiver.errors import Ambiguous, BadMessage, DeliveryError, RetryLater, SinkMisconfigured
from receiver.sinks import SINKS
from receiver.sinks.base import CannotReconcile, Sink
from receiver.sinks.console import ConsoleConfig, ConsoleSink
from receiver.sinks.json_webhook import JsonWebhookConfig, JsonWebhookSink
from receiver.sinks.webhook import SlackWebhookConfig, SlackWebhookSink
from tests.fakes.slack import WEBHOOK_CHANNEL, WEBHOOK_PATH, FakeSlack, Fault
from tests.golden import Golden
from tests.unit.render import cases
from tests.unit.render.test_messages import renderer


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


@pytest.mark.parametrize(
    ("fault", "error"),
    [
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
    ],
    ids=lambda p: f"{p.kind}-{p.status}-{p.word}" if isinstance(p, Fault) else None,
)
def test_every_answer_of_the_webhook_has_its_class(slack: FakeSlack, fault: Fault, error: type) -> None:
    """Webhooks answer in plain words; none of the errors shows the address, which is a secret."""
    slack.fail(Fault(**(vars(fault) | {"method": "webhook"})))
    with pytest.raises(DeliveryError) as caught:
        webhook(slack).post("", body(), delivery_id="d")

    assert type(caught.value) is error
    assert (
        WEBHOOK_PATH.rsplit("/", 1)[1]
        not in f"{caught.value} {caught.value!r} {webhook(slack)!r} {SlackWebhookConfig(url=slack.webhook_url)!r}"
    )


def test_a_webhook_cannot_look_back(slack: FakeSlack) -> None:
    """After a lost answer nobody can say whether the message arrived."""
    with pytest.raises(CannotReconcile):
        webhook(slack).find("", "d", oldest=0)


def test_the_console_prints_the_whole_message_folded(golden: Golden) -> None:
    """Without any Slack setting, the message is readable in a terminal, as stdout's encoding allows."""
    stream = io.StringIO()
    sink = ConsoleSink(ConsoleConfig(width=90), stream=stream)
    view, report = cases.leak()
    sink.post("", renderer().single(view, report).body(), delivery_id="d")
    sink.update("", "", renderer().single(view, report).body())

    printed = stream.getvalue()
    assert max(len(line) for line in printed.splitlines()) <= 110
    assert printed.rstrip().endswith("(changed) 🔴 orders-api: OOMKilled 4 times in 8 h. Likely a memory leak")
    golden("slack/console-a-leak.txt", printed)


def test_a_console_of_little_encoding_and_a_closed_one() -> None:
    """An ASCII terminal gets question marks, not a crash; a closed stream is a delivery error."""
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleSink(stream=ascii_only).post("", body("🔴 x"), delivery_id="d")

    assert b"? x" in raw.getvalue()
    ascii_only.close()
    with pytest.raises(RetryLater):
        ConsoleSink(stream=ascii_only).post("", body(), delivery_id="d")


def test_every_registered_sink_keeps_the_interface() -> None:
    """Names are unique, and what a sink says it can do is fixed."""
    sinks: list[Sink] = [
        ConsoleSink(), SlackWebhookSink(SlackWebhookConfig(url="https://hooks.example/x")), JsonWebhookSink(JsonWebhookConfig(url="https://x.example"))
    ]  # fmt: skip

    assert len({s.name for s in SINKS}) == len(SINKS) == 4
    assert [(s.name, s.has_threads, s.can_edit) for s in SINKS] == [
        ("slack", True, True),
        ("webhook", False, False),
        ("console", False, False),
        ("json_webhook", False, False),
    ]
    assert all(isinstance(s, SINKS) for s in sinks)
