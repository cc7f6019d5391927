"""The page that pictures are made of: it draws every message that the product sends, and is no way in for foreign text."""

from __future__ import annotations

import json

import pytest

from tests.fakes.slack import Posted
from tests.golden import GOLDEN_DIR
from tests.pictures.page import DARK, LIGHT, page

MESSAGES = sorted((GOLDEN_DIR / "slack").glob("*.json"))


def posted(text: str, blocks: list[dict[str, object]]) -> Posted:
    return Posted(channel="C1", ts="1731229200.000100", text=text, blocks=blocks, metadata={})


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_golden_message_can_be_drawn(theme: str) -> None:
    """No block of ours is unknown to it, and each header stands in it."""
    drawn = 0
    for path in MESSAGES:
        lines = json.loads(path.read_text(encoding="utf-8"))
        for line in lines if isinstance(lines, list) else []:
            if "blocks" not in line:
                continue
            html = page([posted(line["text"], line["blocks"])], theme=theme, fonts="file:///none", picture=lambda _: None)
            drawn += 1
            headers = [b["text"]["text"] for b in line["blocks"] if b["type"] == "header"]
            assert all(h.replace("&", "&amp;") in html for h in headers)

    assert drawn > 30


def test_foreign_text_is_text() -> None:
    """A log line cannot put an element into the page."""
    part = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "<script>alert(1)</script>"}]}
    html = page([posted("x", [{"type": "rich_text", "elements": [part]}])], theme=LIGHT, fonts="", picture=lambda _: None)

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
