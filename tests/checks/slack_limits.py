"""Every limit and escaping rule of Slack that a message of ours can meet, and the reading budgets of docs/messages.md.

`slack_error` is what Slack would answer; `problems` adds our own rules (no mrkdwn in blocks, nothing unescaped, nothing
invisible, no mention that was not configured); `budget_problems` what a tired reader can take in. Counts are code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

HEADER, BLOCKS, CONTEXT_ELEMENTS, ACTIONS, TEXT_TRUNCATED, CUMULATIVE = 150, 50, 10, 25, 40_000, 13_200
OUR_CUMULATIVE = 10_000
ALT_TEXT, URL, BLOCK_ID, SECTION_FIELDS = 2_000, 3_000, 255, 10
BUDGET_HEADER, BUDGET_TEXT, BUDGET_ROOT, BUDGET_ROOT_BLOCKS, BUDGET_THREAD, BUDGET_DIGEST, BUDGET_DIGEST_LINES = (
    62,
    120,
    800,
    8,
    3_000,
    6_000,
    90,
)

MENTION = re.compile(r"<!subteam\^[A-Z0-9]+>|<@[A-Z0-9]+>|<!(?:here|channel|everyone)>")
MENTION_TYPES = {"usergroup": "usergroup_id", "user": "user_id", "broadcast": "range"}
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_RICH_PARTS = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
_DATE_TOKENS = re.compile(r"\{(date|date_num|date_short|date_long|date_pretty|date_short_pretty|date_long_pretty|time|time_secs|ago)\}")


def slack_error(body: Mapping[str, Any]) -> str | None:
    """The error word of chat.postMessage for this body, or None."""
    blocks = body.get("blocks") or []
    if not blocks and not str(body.get("text") or "").strip():
        return "no_text"
    if len(str(body.get("text") or "")) > TEXT_TRUNCATED:
        return "msg_too_long"
    if list(_invalid_blocks(blocks)):
        return "invalid_blocks"
    if sum(len(t) for b in blocks for t in _strings(b)) > CUMULATIVE:
        return "msg_blocks_too_long"
    return None


def problems(body: Mapping[str, Any], *, allowed_mention: str = "") -> list[str]:
    """Everything wrong with a message of ours, as sentences; empty for a good one."""
    blocks = body.get("blocks") or []
    found = [f"Slack: {error}" for error in [slack_error(body)] if error]
    found += list(_invalid_blocks(blocks))
    found += [f"{key}: not a field that we send" for key in ("attachments", "link_names", "parse", "as_user", "icon_url") if key in body]
    found += list(_unsafe_text(str(body.get("text") or ""), allowed_mention))
    found += [p for b in blocks for p in _unsafe_block(b, allowed_mention)]
    total = sum(len(t) for b in blocks for t in _strings(b))
    if total > OUR_CUMULATIVE:
        found.append(f"{total} characters in all blocks, more than {OUR_CUMULATIVE}")
    if _FORBIDDEN.search(str(body.get("full_text") or "").replace("\t", " ")):
        found.append("full_text holds control or invisible characters")
    return found


def budget_problems(slot: str, body: Mapping[str, Any]) -> list[str]:
    """Where a message is longer than its place allows."""
    blocks = body.get("blocks") or []
    if not blocks:
        return []  # words alone, for receivers that show no blocks: `text` is all there is
    seen = sum(len(t) for b in blocks for t in visible_strings(b))
    found = []
    text = MENTION.sub("", str(body["text"])).rstrip()
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    if len(plain) > BUDGET_TEXT:
        found.append(f"text of {len(plain)} characters")
    if not plain.strip():
        found.append("no text for the lock screen")
    for block in blocks:
        if block["type"] == "header" and len(block["text"]["text"]) > BUDGET_HEADER:
            found.append(f"header of {len(block['text']['text'])} characters: {block['text']['text']}")
    if slot == "root" and (seen > BUDGET_ROOT or len(blocks) > BUDGET_ROOT_BLOCKS):
        found.append(f"root of {seen} characters in {len(blocks)} blocks")
    elif slot.startswith("digest-page"):
        lines = sum(1 for b in blocks for _ in _lines(b))
        if seen > BUDGET_DIGEST or lines > BUDGET_DIGEST_LINES:
            found.append(f"digest page of {seen} characters in {lines} lines")
    elif slot != "root" and seen > BUDGET_THREAD:
        found.append(f"reply of {seen} characters")
    return found


def visible_strings(node: Any) -> Iterator[str]:
    """What a reader sees: texts, and the fallbacks of dates; no alt texts, addresses or labels of buttons."""
    if isinstance(node, dict):
        if node.get("type") == "date":
            yield str(node.get("fallback", ""))
        elif node.get("type") in ("image", "actions"):
            return
        elif isinstance(node.get("text"), str):
            yield node["text"]
        else:
            for key in ("text", "elements"):
                yield from visible_strings(node.get(key))
    elif isinstance(node, list):
        for item in node:
            yield from visible_strings(item)


def _strings(node: Any) -> Iterator[str]:
    """Everything that Slack may count: every text, alt text and fallback."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("text", "alt_text", "fallback") and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _strings(value)
    elif isinstance(node, list):
        for item in node:
            yield from _strings(item)


def _lines(block: Mapping[str, Any]) -> Iterator[Any]:
    for part in block.get("elements", []):
        if part.get("type") == "rich_text_list":
            yield from part["elements"]
        elif str(part.get("type", "")).startswith("rich_text"):
            yield part


def _invalid_blocks(blocks: Any) -> Iterator[str]:
    if not isinstance(blocks, list):
        yield "blocks is no list"
        return
    if len(blocks) > BLOCKS:
        yield f"{len(blocks)} blocks"
    ids = [b["block_id"] for b in blocks if isinstance(b, dict) and "block_id" in b]
    if len(ids) != len(set(ids)) or any(not 0 < len(i) <= BLOCK_ID for i in ids):
        yield "block_id repeated, empty or too long"
    checks = {
        "header": _header,
        "context": _context,
        "image": _image,
        "rich_text": _rich_text,
        "actions": _actions,
        "section": _section,
        "divider": _nothing,
    }
    for index, block in enumerate(blocks):
        check = checks.get(str(block.get("type"))) if isinstance(block, dict) else None
        if check is None:
            yield f"/blocks/{index}: unknown type"
        else:
            yield from (f"/blocks/{index}: {p}" for p in check(block))


def _plain_text(value: Any, limit: int) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") != "plain_text" or not isinstance(value.get("text"), str):
        yield "expected plain_text"
    elif not 0 < len(value["text"]) <= limit:
        yield f"plain_text of {len(value['text'])} characters"


def _nothing(block: Mapping[str, Any]) -> Iterator[str]:
    return iter(())


def _header(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _plain_text(block.get("text"), HEADER)


def _section(block: Mapping[str, Any]) -> Iterator[str]:
    text, many = block.get("text") or {}, block.get("fields") or []
    if not many and not 0 < len(str(text.get("text", ""))) <= 3000:
        yield "section text missing or over 3000"
    if len(many) > SECTION_FIELDS or any(not 0 < len(str(f.get("text", ""))) <= 2000 for f in many):
        yield "fields of a section: too many, empty or over 2000"


def _context(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 0 < len(elements) <= CONTEXT_ELEMENTS:
        yield "context without elements, or too many"
        return
    for element in elements:
        if element.get("type") not in ("plain_text", "mrkdwn", "image"):
            yield f"context element {element.get('type')}"
        elif element["type"] != "image" and not element.get("text"):
            yield "empty context text"


def _image(block: Mapping[str, Any]) -> Iterator[str]:
    if not 0 < len(str(block.get("alt_text", ""))) <= ALT_TEXT:
        yield "image without alt_text, or too long"
    if not (isinstance(block.get("slack_file"), dict) or 0 < len(str(block.get("image_url", ""))) <= URL):
        yield "image without source"


def _actions(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements") or []
    if not 0 < len(elements) <= ACTIONS:
        yield "actions without elements, or too many"
    ids = [e.get("action_id") for e in elements]
    if len(ids) != len(set(ids)):
        yield "action_id repeated"
    for element in elements:
        if not 0 < len(str(element.get("action_id", ""))) <= BLOCK_ID:
            yield "action_id missing or too long"
        if element.get("type") == "button":
            yield from _plain_text(element.get("text"), 75)
            if len(str(element.get("value", ""))) > 2000 or len(str(element.get("accessibility_label", ""))) > 75:
                yield "value or accessibility_label of a button too long"
            if len(str(element.get("url", ""))) > URL:
                yield "url of a button too long"
            if "confirm" in element:
                yield from _confirm(element["confirm"])
            if element.get("style", "primary") not in ("primary", "danger"):
                yield f"button of style {element['style']}"
        elif element.get("type") == "overflow":
            yield from _overflow(element)
        else:
            yield f"unknown element {element.get('type')}"


def _confirm(dialog: Mapping[str, Any]) -> Iterator[str]:
    for key, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from (f"confirm.{key}: {p}" for p in _plain_text(dialog.get(key), limit))


def _overflow(element: Mapping[str, Any]) -> Iterator[str]:
    options = element.get("options") or []
    if not 2 <= len(options) <= 5:  # one is allowed by now; a menu of one is a button
        yield f"{len(options)} options"
    for option in options:
        yield from _plain_text(option.get("text"), 75)
        if not 0 < len(str(option.get("value", ""))) <= 150:
            yield "value of an option missing or too long"


def _rich_text(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield "rich_text without elements"
        return
    for part in elements:
        if not isinstance(part, dict) or part.get("type") not in _RICH_PARTS:
            yield f"rich_text holds {part.get('type') if isinstance(part, dict) else part!r}"
        elif part["type"] == "rich_text_list":
            if part.get("style") not in ("bullet", "ordered"):
                yield "list without style"
            if not part.get("elements"):
                yield "empty list"
            for item in part.get("elements") or []:
                yield from _inlines(item) if item.get("type") == "rich_text_section" else ["list holds no section"]
        else:
            yield from _inlines(part)


def _inlines(part: Mapping[str, Any]) -> Iterator[str]:
    if not part.get("elements"):
        yield f"{part['type']} without elements"
    for element in part.get("elements") or []:
        kind = element.get("type")
        if kind == "text":
            if not isinstance(element.get("text"), str) or not element["text"]:
                yield "empty text"
            if not all(v is True and k in ("bold", "italic", "strike", "code") for k, v in element.get("style", {}).items()):
                yield "unknown style"
        elif kind == "link":
            if not re.match(r"https?://", str(element.get("url", ""))) or len(element["url"]) > URL:
                yield "link without http(s) address"
        elif kind == "date":
            if not isinstance(element.get("timestamp"), int) or not _DATE_TOKENS.search(str(element.get("format", ""))):
                yield "malformed date"
            if not element.get("fallback"):
                yield "date without fallback"
        elif kind in MENTION_TYPES:
            if not element.get(MENTION_TYPES[kind]):
                yield f"{kind} without {MENTION_TYPES[kind]}"
        elif kind != "emoji":
            yield f"unknown element {kind}"


def _unsafe_text(text: str, allowed_mention: str) -> Iterator[str]:
    """The top-level text: mrkdwn, so every & < > escaped but for a configured mention."""
    for mention in MENTION.findall(text):
        if mention not in allowed_mention:
            yield f"text mentions {mention}"
    rest = MENTION.sub("", text)
    if "<" in rest or ">" in rest or re.search(r"&(?!amp;|lt;|gt;)", rest):
        yield f"text is not escaped: {rest[:200]!r}"
    if _FORBIDDEN.search(rest.replace("\t", " ")):
        yield "text holds control or invisible characters"


def _unsafe_block(node: Any, allowed_mention: str) -> Iterator[str]:
    if isinstance(node, dict):
        kind = node.get("type")
        if kind == "mrkdwn":
            yield "mrkdwn inside a block"
        if kind == "plain_text" and node.get("emoji") is not False:
            yield "plain_text that turns :names: into emoji"
        if kind in MENTION_TYPES and str(node.get(MENTION_TYPES[kind])) not in allowed_mention:
            yield f"mentions {node.get(MENTION_TYPES[kind])}"
        if kind == "text" and isinstance(node.get("text"), str) and not node["text"].strip():
            yield "an element of only blanks"
        for key, value in node.items():
            if isinstance(value, str) and _FORBIDDEN.search(value):
                yield f"{key} holds control or invisible characters: {value[:80]!r}"
            yield from _unsafe_block(value, allowed_mention)
    elif isinstance(node, list):
        for item in node:
            yield from _unsafe_block(item, allowed_mention)
