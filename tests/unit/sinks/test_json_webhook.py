"""The JSON webhook: the document, the key that makes repeats harmless, and each answer in its class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from receiver.errors import BadMessage, DeliveryError, RetryLater, SinkMisconfigured
from receiver.sinks.json_webhook import JsonWebhookConfig, JsonWebhookSink
from tests.fakes.json_receiver import SECRET_PATH, JsonReceiver
from tests.unit.sinks.kit import Answer, SinkCase

BODY: dict[str, Any] = {
    "text": "opened",
    "blocks": [],
    "full_text": "opened: x",
    "document": {"schema": "oomtriage.report/v1", "ä": [1, None]},
}
TOKEN = "planted-token"


STATUSES: tuple[tuple[int, type[DeliveryError]], ...] = (
    (400, BadMessage), (409, BadMessage), (413, BadMessage), (422, BadMessage), (401, SinkMisconfigured), (403, SinkMisconfigured),
    (404, SinkMisconfigured), (410, SinkMisconfigured), (302, SinkMisconfigured), (408, RetryLater), (429, RetryLater), (500, RetryLater), (503, RetryLater),
)  # fmt: skip


def _answers(status: int) -> Callable[[JsonReceiver], None]:
    return lambda program: program.answers.append((status, {"Location": "http://127.0.0.1:9/"}))


CASE = SinkCase(
    server=JsonReceiver, make=lambda program, timeout_s: sink_of(program, timeout_s=timeout_s),
    nobody=lambda: JsonWebhookSink(JsonWebhookConfig(url="http://127.0.0.1:9/planted", token=TOKEN)),
    answers=tuple(Answer(name=str(status), prepare=_answers(status), error=error) for status, error in STATUSES),
    hang=_answers(0), no_answer=RetryLater, secrets=("planted",),
)  # fmt: skip


@pytest.fixture
def program() -> Iterator[JsonReceiver]:
    with JsonReceiver() as receiver:
        yield receiver


def sink_of(program: JsonReceiver, **more: Any) -> JsonWebhookSink:
    return JsonWebhookSink(JsonWebhookConfig(url=program.url, token=TOKEN, **{"timeout_s": 5.0, **more}))


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


def test_a_rate_limit_says_how_long(program: JsonReceiver) -> None:
    """As long as it was asked to wait."""
    program.answers = [(429, {"Retry-After": "7"})]
    with pytest.raises(RetryLater) as caught:
        sink_of(program).post("", BODY, delivery_id="d")

    assert caught.value.retry_after_s == 7.0


def test_its_settings_are_not_printed() -> None:
    """Neither address nor token."""
    assert "planted" not in repr(JsonWebhookConfig(url="http://127.0.0.1:9/planted", token=TOKEN))
