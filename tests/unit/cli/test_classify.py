"""What `oomtriage classify` says of one CSV."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.classify import classify_text

HEADER = "t_seconds,working_set_bytes,limit_bytes,rss_bytes,cache_bytes,request_rate,restarts,oom_kills"


def test_the_answer_has_what_the_interface_promises():
    """One JSON object: file, cause, a number for confidence, reasons, and what would settle it."""
    rows = "\n".join(f"{i * 30},{40_000_000 + i % 7},100000000" for i in range(300))
    answer = json.loads(json.dumps(classify_text("flat.csv", f"{HEADER}\n{rows}\n", None)))

    assert answer["file"] == "flat.csv"
    assert answer["cause"] == "unknown"
    assert isinstance(answer["confidence"], float)
    assert answer["because"]
    assert "settle_by" in answer


def test_a_header_alone_is_a_series_without_rows():
    """Nothing to read is told as no history, not as an error."""
    answer = classify_text("empty.csv", HEADER, None)

    assert (answer["cause"], answer["confidence"]) == ("unknown", 0.0)


def test_what_is_no_series_is_an_error_that_says_where():
    """The line and the column, in place of an answer."""
    assert classify_text("x.csv", f"{HEADER}\n0,ten\n", None) == {
        "file": "x.csv",
        "error": "line 2, column working_set_bytes: 'ten' is not a number",
    }


@given(st.text(max_size=300))
def test_any_text_gives_an_answer_or_an_error(text: str):
    """Nothing that can be typed breaks it."""
    answer = classify_text("x", f"{HEADER}\n{text}", 100.0)

    assert ("error" in answer) != ("cause" in answer)
