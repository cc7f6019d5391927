"""Mentions: the only text of ours that may ping, and only as a route's configuration says.

A configured mention is Slack's own form: `<!subteam^S012>`, `<@U012>`, `<!here>`, `<!channel>`, `<!everyone>`. Anything
else is not a mention and is dropped, because what is not understood might ping somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from receiver.render.blocks import Block

_MENTION = re.compile(
    r"<!subteam\^(?P<group>[A-Z0-9]{2,20})(?:\|[^<>|]{0,40})?>|<@(?P<user>[A-Z0-9]{2,20})>|<!(?P<range>here|channel|everyone)>"
)
_TYPES = frozenset({"usergroup", "user", "broadcast"})


def elements(mention: str) -> list[Mapping[str, Any]]:
    """A configured mention as rich_text elements; one string may hold several."""
    found: list[Mapping[str, Any]] = []
    for match in _MENTION.finditer(mention):
        if match["group"]:
            found.append({"type": "usergroup", "usergroup_id": match["group"]})
        elif match["user"]:
            found.append({"type": "user", "user_id": match["user"]})
        else:
            found.append({"type": "broadcast", "range": match["range"]})
    return found


def as_section(mention: str) -> Block | None:
    """The mention as a line of its own."""
    found = elements(mention)
    return {"type": "rich_text_section", "elements": found} if found else None


def as_mrkdwn(mention: str) -> str:
    """The mention for the end of the top-level text, or nothing."""
    found = [match[0] for match in _MENTION.finditer(mention)]
    return " " + " ".join(found) if found else ""


def without(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message body without its mentions, for edits: an edit must not read as a second call."""
    text = _MENTION.sub("", str(body.get("text", ""))).rstrip()
    silent = (_silent(b) for b in body.get("blocks", ()))
    return {**body, "text": text, "blocks": [b for b in silent if b.get("elements") != []]}


def _silent(block: Mapping[str, Any]) -> Mapping[str, Any]:
    if block.get("type") != "rich_text":
        return block
    parts = [p for p in block["elements"] if not any(e.get("type") in _TYPES for e in p["elements"])]
    return {**block, "elements": parts}
