"""Messages of one sentence that no incident tells: a notice to the default channel, a test alert."""

from __future__ import annotations

from receiver.domain.incident import Message
from receiver.domain.reason import Reason
from receiver.render.wording import say

MAX_TEXT = 500


def notice_message(what: Reason, *, is_over: bool = False) -> Message:
    """A notice as a message. It may quote what a stranger sent: that is shown as plain text and never parsed. `is_over`: nothing
    is wrong any more.
    """
    heading = "✅ The receiver hears from Alertmanager again" if is_over else "⚠️ The receiver needs a look"
    text = "✅ oomtriage hears from Alertmanager again" if is_over else "⚠️ oomtriage needs a look: see the message"
    return _message(heading, text, what)


def test_message(what: Reason, *, is_over: bool) -> Message:
    """The message of a test alert: nobody who meets it should look for what is wrong."""
    heading = "🧪 Test alert, over: nothing was wrong" if is_over else "🧪 Test alert: nothing is wrong"
    return _message(heading, heading, what)


def _message(heading: str, text: str, what: Reason) -> Message:
    shown = "".join(c if c.isprintable() else " " for c in say(what))[:MAX_TEXT]
    return Message(
        slot="root",
        text=text,
        blocks=(
            {"type": "header", "text": {"type": "plain_text", "text": heading, "emoji": False}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": shown}]}]},
        ),
        full_text=f"{heading}\n{shown}",
    )
