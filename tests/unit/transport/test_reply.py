"""What a service answered, read without trusting it."""

from __future__ import annotations

import pytest

from receiver.transport import parse_json


@pytest.mark.parametrize(
    ("body", "read"),
    [(rb'{"a": "x\ud800y"}', {"a": "x?y"}), (rb'{"\udfff": 1}', {"?": 1}), (rb'"\ud83d\ude00"', "😀"), (b'"plain"', "plain")],
)
def test_half_characters_are_replaced(body, read):
    """A lone surrogate in somebody's annotation must not cost the whole case when it is stored."""
    assert parse_json(body, "the answer") == read
