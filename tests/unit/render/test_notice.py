"""A notice to the default channel."""

from __future__ import annotations

import pytest

from receiver.domain.reason import reason
from receiver.render.notice import notice_message
from tests.checks.slack_limits import problems


@pytest.mark.parametrize("text", ["<!channel> @here", "```\n*x*", "\x1b[31mred\x00", "\u202eevil", "x" * 100_000, "\ud800"])
def test_a_notice_about_a_strangers_text_is_a_harmless_message(text: str) -> None:
    """The reason may quote what somebody posted."""
    message = notice_message(reason("notice.body_unreadable", error=text))

    assert problems(message.body()) == []


def test_a_notice_counts_what_is_put_aside() -> None:
    """Each kind with its number, and the first of them with why."""
    what = reason("notice.quarantined", kinds=("alert", "evidence"), counts=(2, 3), first_kind="alert", first_id="7", why="no JSON")

    assert notice_message(what).full_text.splitlines()[1] == (
        "what is stored of 2 alerts, 3 evidence cannot be read and was put aside; everything else goes on. "
        "The log names each. First: alert 7: no JSON"
    )
