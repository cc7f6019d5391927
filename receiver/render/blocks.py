"""Block Kit, and the limits a message must keep. No mrkdwn in any block: text in rich_text and plain_text is never parsed.

Limits: contracts of Slack as measured (header 150, 50 blocks, about 12,000 characters in all blocks); budgets: what a tired
reader can take in (docs/templates.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from receiver.render import inline
from receiver.render.text import cut
from receiver.render.text import visible as safe

Block = Mapping[str, Any]

HEADER_MAX = 62  # two lines of a phone; Slack takes 150
TEXT_MAX = 120  # the lock screen
ROOT_MAX_CHARS, ROOT_MAX_BLOCKS = 800, 8
THREAD_MAX_CHARS = 3_000
DIGEST_PAGE_MAX_CHARS, DIGEST_PAGE_MAX_LINES = 6_000, 90
MESSAGE_MAX_CHARS = 10_000  # Slack refuses from about 11,300-13,200 with msg_blocks_too_long
MESSAGE_MAX_BLOCKS = 50
CONTEXT_MAX = 300


def header(text: str) -> Block:
    """The one line in large type."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(safe(inline.plain(text)), 150), "emoji": False}}


def rich(*parts: Block | None) -> Block:
    """One rich_text block of sections, lists and preformatted parts; what is None is left out."""
    return {"type": "rich_text", "elements": [dict(p) for p in parts if p]}


def section(text: str) -> Block | None:
    """One line, with its styled pieces. None for an empty one: Slack refuses empty sections."""
    found = inline.elements(text)
    return {"type": "rich_text_section", "elements": found} if found else None


def labelled(label: str, text: str) -> Block | None:
    """A line behind a bold label; the gap belongs to the label, because an element of only blanks is dropped."""
    found = inline.elements(text)
    if not found:
        return None
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": f"{label}  ", "style": {"bold": True}}, *found]}


def bullets(lines: Iterable[str], *, is_ordered: bool = False) -> Block | None:
    """A list, one line each."""
    sections = [s for s in (section(line) for line in lines) if s]
    if not sections:
        return None
    return {"type": "rich_text_list", "style": "ordered" if is_ordered else "bullet", "indent": 0, "elements": sections}


def preformatted(text: str) -> Block | None:
    """Text from outside, shown as it is; already cleaned by `text.clean_block`."""
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]} if (shown := safe(text)).strip() else None


def context(text: str) -> Block | None:
    """The grey line."""
    words = cut(safe(inline.plain(text)), CONTEXT_MAX)
    return {"type": "context", "elements": [{"type": "plain_text", "text": words, "emoji": False}]} if words else None


def image(source: Mapping[str, Any], alt_text: str) -> Block:
    """A chart. `source` is `{"slack_file": {"id": ...}}` or `{"image_url": ...}`."""
    return {"type": "image", **source, "alt_text": cut(alt_text, 2000)}


def visible(blocks: Sequence[Block]) -> int:
    """How many characters of text a reader sees in these blocks (button labels and alt texts not counted)."""
    return sum(len(line) for block in blocks for line in _texts(block))


def _texts(node: Mapping[str, Any]) -> Iterable[str]:
    kind = node.get("type", "")
    if kind == "header":
        yield node["text"]["text"]
    elif kind == "context":
        yield from (e["text"] for e in node["elements"])
    elif kind.startswith("rich_text"):
        for element in node["elements"]:
            if str(element.get("type", "")).startswith("rich_text"):
                yield from _texts(element)
            else:
                yield inline.element_text(element)


def as_text(blocks: Sequence[Block]) -> str:
    """The same message as plain text: what is in the blocks and nothing else, so that the two cannot disagree."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Mapping[str, Any]) -> Iterable[str]:
    kind = block["type"]
    if kind == "header":
        yield block["text"]["text"]
    elif kind == "context":
        yield "(" + " ".join(e["text"] for e in block["elements"]) + ")"
    elif kind == "image":
        yield f"[chart: {block['alt_text']}]"
    elif kind == "rich_text":
        for part in block["elements"]:
            yield from _part_lines(part)


def _part_lines(part: Mapping[str, Any]) -> Iterable[str]:
    if part["type"] == "rich_text_preformatted":
        words = "".join(inline.element_text(e) for e in part["elements"])
        yield from (f"    {line}" for line in words.split("\n"))
    elif part["type"] == "rich_text_list":
        for number, item in enumerate(part["elements"], start=1):
            mark = f"{number}." if part["style"] == "ordered" else "-"
            yield f"  {mark} {_words(item)}"
    elif words := _words(part):  # a mention has none
        yield words


def _words(part: Mapping[str, Any]) -> str:
    first, *rest = part["elements"]
    label = inline.element_text(first)
    is_bold = bool(first.get("style", {}).get("bold"))
    if is_bold and label.endswith("  ") and label.strip().isalpha():  # Do, Why, Next, Facts: one column
        label = f"{label.rstrip():<6} "
    elif is_bold and rest and any(c.isalnum() for c in label) and not label.endswith(":"):
        label = f"{label.rstrip()}:"  # bold ends a title; in plain text a colon does
    return (label + "".join(inline.element_text(e) for e in rest)).rstrip()
