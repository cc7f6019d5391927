"""A body read one alert at a time says the same as one read whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.domain.alert_stream import WINDOW_BYTES, Body
from receiver.domain.alerts import parse_notification
from receiver.errors import PayloadError
from tests.support import alert, payload

TEXTS = st.text(max_size=12) | st.sampled_from(['"', "\\", '\\"', "[{", "}]", '","alerts":[', "é😀", "\n"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda c: st.lists(c, max_size=4) | st.dictionaries(TEXTS, c, max_size=4),
    max_leaves=12,
)


def whole(body: bytes) -> Any:
    try:
        return parse_notification(json.loads(body))
    except ValueError as exc:
        raise PayloadError(str(exc)) from exc


def streamed(body: bytes) -> Any:
    read = Body(body)
    alerts = tuple(read)
    return read.envelope.receiver, read.envelope.truncated_alerts, alerts


def outcome(read: Any, body: bytes) -> Any:
    try:
        found = read(body)
    except PayloadError:
        return "refused"
    return found if isinstance(found, tuple) else (found.receiver, found.truncated_alerts, found.alerts)


@given(
    st.lists(st.dictionaries(TEXTS, TEXTS, max_size=3), max_size=4), st.dictionaries(TEXTS, JSON, max_size=3), st.sampled_from([None, 0, 2])
)
def test_alerts_and_envelope_are_those_of_the_whole(labels: list[dict[str, str]], extra: dict[str, Any], indent: int | None) -> None:
    document = {**extra, **payload(alert()), "alerts": [{**alert().to_json(), "labels": label} for label in labels]}
    body = json.dumps(document, indent=indent, ensure_ascii=bool(indent)).encode()

    assert outcome(streamed, body) == outcome(whole, body)


@given(st.dictionaries(st.sampled_from(["alerts", "version", "x"]) | TEXTS, JSON, max_size=4))
def test_any_json_has_the_same_outcome(document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()

    assert outcome(streamed, body) == outcome(whole, body)


@given(st.data())
def test_a_damaged_body_has_the_same_outcome(data: st.DataObject) -> None:
    body = bytearray(json.dumps(payload(alert(), alert(pod="p2"))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from([b"", b'"', b",", b"}", b"]", b"[", b"\\", b" "]))

    assert outcome(streamed, bytes(body)) == outcome(whole, bytes(body))


@pytest.mark.parametrize("text", ["[{},]", "[,{}]", "[{} {}]", '[{"a":1}'])
def test_a_list_that_is_none_is_refused(text: str) -> None:
    assert outcome(streamed, f'{{"version": "4", "alerts": {text}}}'.encode()) == "refused"


@pytest.mark.parametrize("filling", ["x", "é", "😀", "\\"])
def test_alerts_larger_than_a_window_and_on_its_edges(filling: str) -> None:
    """Of all sizes around the window, so that every kind of character is cut at its edge once."""
    sizes = (10, WINDOW_BYTES - 300, WINDOW_BYTES, WINDOW_BYTES + 1, 7, 3 * WINDOW_BYTES, *range(900, 920))
    alerts = [{**alert().to_json(), "annotations": {"a": filling * (size // len(filling.encode()))}} for size in sizes]
    body = json.dumps({**payload(alert()), "alerts": alerts}, ensure_ascii=False).encode()

    assert outcome(streamed, body) == outcome(whole, body)


def test_two_lists_of_alerts_are_refused() -> None:
    assert outcome(streamed, b'{"version": "4", "alerts": [], "alerts": [1]}') == "refused"


def test_a_string_that_does_not_end_costs_one_look() -> None:
    """Each quotation mark in it could begin another one: so long a body took minutes."""
    assert outcome(streamed, b'{"x":"' + b'\\"' * 200_000) == "refused"
