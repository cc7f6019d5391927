"""Messages for receivers that drop blocks: all of it in `text`, within its limit, and able to call nobody."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.render.compatible import TEXT_MAX, text_body
from receiver.render.text import unescape_mrkdwn
from tests.checks.slack_limits import MENTION, problems
from tests.golden import Golden
from tests.unit.render import cases
from tests.unit.render.test_hostile import CHEAP
from tests.unit.render.test_renderer import renderer

AT = re.compile(r"(?<!\w)@\w")


def bodies(name: str) -> list[dict[str, Any]]:
    view, report = cases.CASES[name]()
    made = (*renderer().incident(view, report), renderer().single(view, report), renderer().later(view, report))
    return [m.body() for m in made]


@pytest.mark.parametrize("name", list(cases.CASES))
def test_every_message_is_one_good_text(name: str) -> None:
    """Nothing unescaped, nothing invisible, within 4,000 characters, and its first line is the header."""
    for body in bodies(name):
        shown = text_body(body)

        assert problems(shown) == []
        assert shown["blocks"] == []
        assert len(shown["text"]) <= TEXT_MAX
        assert unescape_mrkdwn(shown["text"]).startswith(body["full_text"].splitlines()[0].replace("@", "＠"))
        assert not AT.search(shown["text"])


def test_the_lines_a_tired_reader_needs_are_there(golden: Golden) -> None:
    """Do, Why, Next on lines of their own, and the page's address, which the word `details` alone would lose."""
    root = text_body(bodies("a-leak")[0])["text"]

    assert [line.split()[0] for line in root.splitlines()[2:6]] == ["Do", "Why", "Next", "Facts"]
    assert root.endswith(f"details: {cases.PAGE}")
    golden("slack/text-a-leak.txt", "\n\n".join(text_body(b)["text"] for b in bodies("a-leak")))


def test_only_the_configured_mention_calls(golden: Golden) -> None:
    """A route's mention stays at the end; names in the alert's own text are taken apart."""
    view, report = cases.leak()
    called = renderer().incident(cases.view_of(report, mention="<!subteam^S0123ABCD>"), report)[0].body()
    hostile = {
        "text": "x",
        "blocks": [],
        "full_text": "@all ping @ines.b, mail ines@example.net, (@here) x@sha256:1 ![p](http://evil/p.png) <!channel>",
    }

    assert MENTION.findall(text_body(called)["text"]) == ["<!subteam^S0123ABCD>"]
    assert view.mention == ""
    assert text_body(hostile)["text"] == (
        "＠all ping ＠ines.b, mail ines@example.net, (＠here) x@sha256:1 ![p] (http://evil/p.png) &lt;!channel&gt;"
    )


@CHEAP
@given(text=st.text(max_size=300), repeat=st.integers(1, 200), url=st.text(max_size=40))
def test_any_text_stays_within_the_limit(text: str, repeat: int, url: str) -> None:
    """Escaping can make text five times as long; an entity is never cut, and no address breaks out."""
    blocks = [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": f"https://{url}", "text": "details"}]}],
        }
    ]
    shown = text_body({"text": "fallback", "blocks": blocks, "full_text": text * repeat})

    assert problems({"text": shown["text"]}) == []
    assert len(shown["text"]) <= TEXT_MAX
    assert not AT.search(shown["text"].split("\ndetails: ")[0])


def test_what_is_cut_says_so() -> None:
    """A long log of ampersands ends with an ellipsis, whole entities before it."""
    shown = text_body({"text": "x", "blocks": [], "full_text": "\n".join(["&" * 500] * 8)})["text"]

    assert len(shown) > TEXT_MAX - 10
    assert shown.endswith("&amp;…")
