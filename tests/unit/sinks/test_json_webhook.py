"""The JSON webhook: the document, the key that makes repeats harmless, and each answer in its class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from receiver.errors import BadMessage, DeliveryError, RetryLater, SinkMisconfigured
from receiver.sinks.json_webhook import JsonWebhookConfig, JsonWebhookSink
from tests.fakes.json_receiver import SECRET_PATH, JsonReceiver

BODY: dict[str, Any] = {
    "text": "opened",
    "blocks": [],
    "full_text": "opened: x",
    "document": {"schema": "oomtriage.report/v1", "ä": [1, None]},
}
TOKEN = "planted-token"


@pytest.fixture
def program() -> Iterator[JsonReceiver]:
    with JsonReceiver() as receiver:
        yield receiver


def sink_of(program: JsonReceiver, **more: Any) -> JsonWebhookSink:
    return JsonWebhookSink(JsonWebhookConfig(**({"url": program.url, "token": TOKEN, "timeout_s": 5.0} | more)))


def test_the_document_arrives_as_it_is_with_key_and_token(program: JsonReceiver) -> None:
    """A repeat carries the same Idempotency-Key; the address keeps its query."""
    sink = sink_of(program)
    for _ in range(2):
        assert sink.post("", BODY, delivery_id="d-1") is None
    (headers, document), (again, _) = program.requests

    assert document == BODY["document"]
    assert (headers["idempotency-key"], again["idempotency-key"]) == ("d-1", "d-1")
    assert (headers["authorization"], headers["content-type"], headers["path"]) == (f"Bearer {TOKEN}", "application/json", SECRET_PATH)
    assert sink.find("", "d-1", oldest=0.0) is None


def test_what_has_no_document_goes_as_text(program: JsonReceiver) -> None:
    """A notice is not lost on a program."""
    sink_of(program).post("", {"text": "t", "blocks": [], "full_text": "whole"}, delivery_id="d")

    assert program.documents == [{"schema": "oomtriage.message/v1", "text": "whole"}]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadMessage), (409, BadMessage), (413, BadMessage), (422, BadMessage), (401, SinkMisconfigured), (403, SinkMisconfigured),
        (404, SinkMisconfigured), (410, SinkMisconfigured), (302, SinkMisconfigured), (408, RetryLater), (429, RetryLater), (500, RetryLater), (503, RetryLater),
    ],
)  # fmt: skip
def test_every_answer_has_its_class(program: JsonReceiver, status: int, error: type) -> None:
    """Doubt is only a retry here; nothing of it tells address or token."""
    program.answers = [(status, {"Retry-After": "7", "Location": "http://127.0.0.1:9/"})]
    sink = sink_of(program)
    with pytest.raises(DeliveryError) as caught:
        sink.post("", BODY, delivery_id="d")

    assert type(caught.value) is error
    assert (
        "planted"
        not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {sink!r} {JsonWebhookConfig(url=program.url, token=TOKEN)!r}"
    )
    assert len(program.requests) == 1
    if status == 429:
        assert getattr(caught.value, "retry_after_s", None) == 7.0


def test_no_answer_is_a_retry(program: JsonReceiver) -> None:
    """A hang, and nobody there at all."""
    program.answers = [(0, {})]
    for sink in (sink_of(program, timeout_s=0.3), sink_of(program, url="http://127.0.0.1:9/planted")):
        with pytest.raises(RetryLater) as caught:
            sink.post("", BODY, delivery_id="d")
        assert "planted" not in str(caught.value)
