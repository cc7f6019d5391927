"""The console."""

from __future__ import annotations

import io
from typing import Any

import pytest

from receiver.errors import RetryLater
from receiver.sinks.console import ConsoleConfig, ConsoleSink
from tests.golden import Golden
from tests.unit.render import cases
from tests.unit.render.test_renderer import renderer
from tests.unit.sinks.kit import SinkCase

CASE = SinkCase(make=lambda _, __: ConsoleSink())


def body(text: str = "hello") -> dict[str, Any]:
    return {"text": text, "blocks": [], "full_text": text}


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
