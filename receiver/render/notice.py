"""A notice to the default channel: what no incident tells."""

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
    shown = "".join(c if c.isprintable() else " " for c in say(what))[:MAX_TEXT]
    return Message(
        slot="root",
        text="✅ oomtriage hears from Alertmanager again" if is_over else "⚠️ oomtriage needs a look: see the message",
        blocks=(
            {"type": "header", "text": {"type": "plain_text", "text": heading, "emoji": False}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": shown}]}]},
        ),
        full_text=f"{heading}\n{shown}",
    )
