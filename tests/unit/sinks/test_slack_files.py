"""Pictures in messages: uploaded first, then named by an image block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from receiver.errors import BadMessage, DeliveryError, RetryLater, SinkMisconfigured
from receiver.render import blocks
from receiver.sinks.slack import SlackBotSink, SlackConfig, is_slacks
from tests.fakes.slack import FakeSlack, Fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
def sink(slack: FakeSlack) -> SlackBotSink:
    return SlackBotSink(SlackConfig(token=slack.token, api_url=slack.api_url, timeout_s=5.0))


def with_picture(file_id: str) -> dict[str, Any]:
    return {"text": "hello", "blocks": [blocks.image({"slack_file": {"id": file_id}}, "a rising line")], "full_text": "hello"}


def test_an_uploaded_picture_can_be_shown_in_a_message(slack: FakeSlack, sink: SlackBotSink) -> None:
    """The bytes arrive unchanged under their title, and a message with the file's id is accepted."""
    file_id = sink.upload(PNG, "memory.png", "Memory of orders-api")
    sink.post("C1", with_picture(file_id), delivery_id="d")

    stored = slack.files[file_id]
    assert (stored.name, stored.title, stored.content, stored.is_complete) == ("memory.png", "Memory of orders-api", PNG, True)
    (root,) = slack.channel("C1").roots
    assert root.message.shown() == "[chart: a rising line]"


def test_the_token_does_not_go_to_the_upload_address(slack: FakeSlack, sink: SlackBotSink) -> None:
    """The upload address carries its own secret and is on another host."""
    sink.upload(PNG, "memory.png", "Memory")
    assert slack.calls["upload"] == 1
    assert slack.upload_tokens == []


def test_a_missing_scope_costs_the_picture_and_not_the_sink(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Without files:write the refusal names the scope, is not about the whole sink, and messages still pass."""
    slack.scopes.discard("files:write")
    with pytest.raises(SinkMisconfigured, match="files:write") as refused:
        sink.upload(PNG, "memory.png", "Memory")
    assert not refused.value.is_whole_sink
    sink.post("C1", {"text": "hello", "blocks": [], "full_text": "hello"}, delivery_id="d")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("ratelimited", "files.getUploadURLExternal"), RetryLater),
        (Fault("error", "files.getUploadURLExternal", word="file_uploads_disabled"), BadMessage),
        (Fault("status", "upload", status=503), RetryLater),
        (Fault("status", "upload", status=400), BadMessage),
        (Fault("status", "upload", status=413), BadMessage),
        (Fault("close", "upload"), RetryLater),
        (Fault("lost", "files.completeUploadExternal"), RetryLater),
        (Fault("error", "files.completeUploadExternal", word="internal_error"), RetryLater),
        (Fault("garbage", "files.completeUploadExternal"), RetryLater),
    ],
    ids=lambda value: f"{value.method}-{value.kind}-{value.word}-{value.status}" if isinstance(value, Fault) else value.__name__,
)
def test_what_goes_wrong_with_an_upload_has_its_class(slack: FakeSlack, sink: SlackBotSink, fault: Fault, error: type) -> None:
    """Doubt is only a retry, because a second upload harms nobody; a second try then works."""
    slack.fail(fault)
    with pytest.raises(DeliveryError) as refused:
        sink.upload(PNG, "memory.png", "Memory")
    assert type(refused.value) is error
    assert slack.files[sink.upload(PNG, "memory.png", "Memory")].is_complete


def test_a_file_that_is_not_ready_yet_is_a_bad_message_for_now(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Slack takes a moment: until then it refuses the blocks, and the same message passes later."""
    file_id = sink.upload(PNG, "memory.png", "Memory")
    slack.slow_file_posts = 1
    with pytest.raises(BadMessage) as refused:
        sink.post("C1", with_picture(file_id), delivery_id="d")
    assert refused.value.code == "invalid_blocks"
    assert sink.post("C1", with_picture(file_id), delivery_id="d")


def test_an_address_that_is_not_https_gets_nothing(slack: FakeSlack) -> None:
    """Only the API's own origin (a test's) may be plain http."""
    sink = SlackBotSink(SlackConfig(token=slack.token, api_url=slack.api_url.replace("127.0.0.1", "localhost"), timeout_s=5.0))
    with pytest.raises(RetryLater, match="not its own"):
        sink.upload(PNG, "memory.png", "Memory")
    assert slack.calls["upload"] == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://files.slack.com/upload/v1/abc", True),
        ("https://slack.com/upload", True),
        ("https://files.slack-gov.com/upload", True),
        ("http://files.slack.com/upload", False),
        ("https://files.slack.com.evil.example/upload", False),
        ("https://evilslack.com/upload", False),
        ("https://files.slack.com@evil.example/", False),
        ("https://evil.example/files.slack.com", False),
        ("https://files.slack.com:8443/upload", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[", False),
    ],
)
def test_whose_an_upload_address_is(address: str, expected: bool) -> None:
    """An answer cannot make us send a picture, or anything, to a host that nobody configured."""
    assert is_slacks(address) is expected
