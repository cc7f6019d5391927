"""Alertmanager's body as data: whatever is accepted can be written down and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given

from receiver.domain.alerts import parse_alert, parse_notification
from receiver.errors import PayloadError
from tests.support import alert, payload
from tests.unit.domain.alert_bodies import entries

ZERO = "0001-01-01T00:00:00Z"  # Go's zero time: Alertmanager's endsAt of what still fires


def entry(**fields: object) -> dict[str, Any]:
    return {**alert(status="resolved").to_json(), **fields}


@pytest.mark.parametrize("field", ["startsAt", "endsAt"])
@pytest.mark.parametrize(
    "text",
    [
        "0002-01-01T00:00:00+14:00", "0001-01-01T00:00:00-00:01", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
        "3000-01-01T00:00:00Z", "2999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z",
        "yesterday", "", 5, {}, True,
    ],
    ids=str,
)  # fmt: skip
def test_a_time_that_no_alert_can_have_is_refused(field: str, text: object) -> None:
    """Judged in UTC: what an offset moves out of reach could be stored and never be read back."""
    if field == "endsAt" and text == "":
        return  # not said
    with pytest.raises(PayloadError, match=rf"alerts\[0\]\.{field} is .*: expected an RFC 3339 time between the years 1970 and 2999"):
        parse_notification(payload() | {"alerts": [entry(**{field: text})]})


@pytest.mark.parametrize("text", [None, "", ZERO])
def test_an_end_need_not_be_said(text: object) -> None:
    """Senders leave it out, or send Go's zero time."""
    assert parse_alert(entry(endsAt=text)).ends_at is None


@pytest.mark.parametrize("text", [ZERO, "9999-12-31T23:59:59-14:00", "yesterday", 5])
def test_what_fires_has_no_end(text: object) -> None:
    """The field says nothing then, so nothing in it holds the alert back."""
    assert parse_alert(entry(status="firing", endsAt=text)).ends_at is None


@given(entries)
@example({"status": "firing", "labels": {}, "startsAt": "0002-01-01T00:00:00+14:00"})
@example({"status": "resolved", "labels": {}, "startsAt": "2024-11-10T09:00:00Z", "endsAt": "9999-12-31T23:59:59-14:00"})
def test_what_is_accepted_is_read_back_as_it_was(sent: dict[str, Any]) -> None:
    """Through JSON as UTF-8, as the store keeps it. Anything else is refused with a reason, and never half taken."""
    try:
        taken = parse_alert(sent)
    except PayloadError:
        return
    stored = json.dumps(taken.to_json(), ensure_ascii=False).encode()

    assert parse_alert(json.loads(stored)) == taken
    assert parse_alert(json.loads(stored)).dedup_key == taken.dedup_key
