"""The page that pictures are made of: it draws every message that the product sends, and is no way in for foreign text."""

from __future__ import annotations

import pytest

from tests.fakes.slack import Posted
from tests.pictures.page import DARK, LIGHT, page
from tests.unit.render.cases import CASES
from tests.unit.render.test_renderer import renderer


def posted(text: str, blocks: list[dict[str, object]]) -> Posted:
    return Posted(channel="C1", ts="1731229200.000100", text=text, blocks=blocks, metadata={})


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_message_can_be_drawn(name: str, theme: str) -> None:
    """No block of ours is unknown to it, and each header stands in it."""
    for message in renderer().incident(*CASES[name]()):
        body = message.body()
        drawn = page([posted(body["text"], body["blocks"])], theme=theme, fonts="file:///none", picture=lambda _: None)

        headers = [block["text"]["text"] for block in body["blocks"] if block["type"] == "header"]
        assert all(header.replace("&", "&amp;") in drawn for header in headers)


def test_foreign_text_is_text() -> None:
    """A log line cannot put an element into the page."""
    part = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "<script>alert(1)</script>"}]}
    html = page([posted("x", [{"type": "rich_text", "elements": [part]}])], theme=LIGHT, fonts="", picture=lambda _: None)

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
