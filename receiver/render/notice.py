"""A notice to the default channel: what no incident tells."""

from __future__ import annotations

from receiver.domain.incident import Message
from receiver.domain.reason import Reason
from receiver.render.wording import say

MAX_TEXT = 500


def notice_message(what: Reason) -> Message:
    """A notice as a message. It may quote what a stranger sent: that is shown as plain text and never parsed."""
    shown = "".join(c if c.isprintable() else " " for c in say(what))[:MAX_TEXT]
    return Message(
        slot="root",
        text="⚠️ oomtriage needs a look: see the message",
        blocks=(
            {"type": "header", "text": {"type": "plain_text", "text": "⚠️ The receiver needs a look", "emoji": False}},
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": shown}]}]},
        ),
        full_text=f"⚠️ The receiver needs a look\n{shown}",
    )
