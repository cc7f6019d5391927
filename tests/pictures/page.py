"""A Slack channel as an HTML page, near enough to judge a message by: line breaks, lengths, order, colours. Not Slack's own look.

Blocks as Slack's Block Kit has them (header, rich_text, context, image, actions), with the thread under its root.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from receiver.domain.units import from_epoch
from receiver.render.text import unescape_mrkdwn
from tests.checks.slack_limits import MENTION
from tests.fakes.slack import Posted

LIGHT, DARK = "light", "dark"
WIDTH_PX = {LIGHT: 640, DARK: 360}
_COLOURS = {
    LIGHT: "--bg:#fff;--fg:#1d1c1d;--grey:#616061;--line:#ddd;--link:#1264a3;--code:#c01343;--pre:#f8f8f8;--chip:#e8f5fa;--green:#007a5a",
    DARK: "--bg:#1a1d21;--fg:#d1d2d3;--grey:#9a9b9e;--line:#35373b;--link:#1d9bd1;--code:#e8912d;--pre:#222529;--chip:#22353f;--green:#007a5a",
}
_STYLE = """
@font-face { font-family: Words; src: url(FONTS/lato/Lato-Regular.ttf); font-weight: 400 }
@font-face { font-family: Words; src: url(FONTS/lato/Lato-Bold.ttf); font-weight: 700 }
@font-face { font-family: Words; src: url(FONTS/lato/Lato-Italic.ttf); font-style: italic }
@font-face { font-family: Fixed; src: url(FONTS/dejavu/DejaVuSansMono.ttf) }
@font-face { font-family: Signs; src: url(FONTS/noto/NotoColorEmoji.ttf) }
@font-face { font-family: Rest; src: url(FONTS/dejavu/DejaVuSans.ttf) }
* { box-sizing: border-box }
html { background: var(--bg) }
body { margin: 0; padding: 12px; color: var(--fg); background: var(--bg); font: 15px/22px Words, Signs, Rest; overflow-wrap: anywhere }
.lock { background: var(--pre); border-radius: 12px; padding: 8px 12px; margin-bottom: 12px }
.lock small, .name small { color: var(--grey) }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 8px; margin-bottom: 16px }
.avatar { width: 36px; height: 36px; border-radius: 8px; background: #3b4f6d; color: #fff; font-weight: 700; text-align: center; line-height: 36px }
.name { font-weight: 700 } .name small { font-weight: 400; font-size: 12px; margin-left: 4px }
.note { color: var(--grey); font-size: 13px }
h2 { font-size: 18px; line-height: 24px; margin: 4px 0 8px }
p { margin: 2px 0 } ul, ol { margin: 2px 0; padding-left: 24px }
code, pre { font: 12px/18px Fixed, Signs, Rest }
code { color: var(--code); background: var(--pre); border: 1px solid var(--line); border-radius: 3px; padding: 1px 3px }
pre { background: var(--pre); border: 1px solid var(--line); border-radius: 4px; padding: 8px; margin: 4px 0; white-space: pre-wrap }
a { color: var(--link); text-decoration: none }
.call { color: var(--link); background: var(--chip); border-radius: 3px; padding: 0 2px }
img { width: 100%; max-width: 480px; border-radius: 8px; display: block; margin: 4px 0 }
.grey { color: var(--grey); font-size: 12px; line-height: 18px; margin: 6px 0 }
.button { display: inline-block; border: 1px solid var(--line); border-radius: 4px; padding: 3px 12px; margin: 4px 8px 4px 0; font-weight: 700; font-size: 14px }
.primary { background: var(--green); border-color: var(--green); color: #fff }
"""

# How tall the page is, once fonts and pictures are there: for the browser's second run.
_MEASURE = """<script>addEventListener("load", () => document.fonts.ready.then(() => {
document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height) }))</script>"""

Picture = Callable[[str], bytes | None]
Block = Mapping[str, Any]


def page(messages: list[Posted], *, theme: str, fonts: str, picture: Picture, has_lock_screen: bool = True) -> str:
    """The messages as a page. `picture`: the PNG of a file id; `fonts`: the folder of Debian's truetype fonts."""
    shown = [_lock(messages[0])] if has_lock_screen and messages else []
    shown += [_message(m, picture) for m in messages]
    style = f":root {{ {_COLOURS[theme]} }}" + _STYLE.replace("FONTS", fonts)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{style}</style><body>{"".join(shown)}{_MEASURE}</body></html>'


def _lock(message: Posted) -> str:
    words = unescape_mrkdwn(MENTION.sub("", message.text)).rstrip()
    return f'<div class="lock"><small>Slack · #incidents</small><br>{escape(words)}</div>'


def _message(message: Posted, picture: Picture) -> str:
    note = '<div class="note">replied to a thread · also sent to the channel</div>' if message.is_broadcast else ""
    note = note or ('<div class="note">reply in the thread</div>' if message.thread_ts else "")
    edited = ' <small class="note">(edited)</small>' if message.edits else ""
    head = f'<div class="name">OOM Triage <small>APP {from_epoch(message.posted_at):%H:%M}</small></div>'
    body = "".join(_block(b, picture) for b in message.blocks) if message.blocks else f"<p>{escape(unescape_mrkdwn(message.text))}</p>"
    return f'<div class="message"><div class="avatar">OT</div><div>{head}{note}{body}{edited}</div></div>'


def _block(block: Block, picture: Picture) -> str:
    match block["type"]:
        case "header":
            return f"<h2>{escape(block['text']['text'])}</h2>"
        case "context":
            return f'<div class="grey">{" ".join(escape(e["text"]) for e in block["elements"])}</div>'
        case "image":
            png = picture(str(block.get("slack_file", {}).get("id", "")))
            source = f"data:image/png;base64,{base64.b64encode(png).decode()}" if png else ""
            return (
                f'<img src="{source}" alt="{escape(block["alt_text"])}">'
                if source
                else f'<p class="note">[{escape(block["alt_text"])}]</p>'
            )
        case "rich_text":
            return "".join(_part(p) for p in block["elements"])
        case "actions":
            return "<div>" + "".join(_button(e) for e in block["elements"]) + "</div>"
    raise ValueError(f"a block of type {block['type']}: draw it here")


def _part(part: Block) -> str:
    words = "" if part["type"] == "rich_text_list" else "".join(_inline(e) for e in part["elements"])
    match part["type"]:
        case "rich_text_preformatted":
            return f"<pre>{words}</pre>"
        case "rich_text_list":
            tag = "ol" if part["style"] == "ordered" else "ul"
            return f"<{tag}>" + "".join(f"<li>{''.join(_inline(e) for e in i['elements'])}</li>" for i in part["elements"]) + f"</{tag}>"
    return f"<p>{words}</p>"


def _inline(element: Block) -> str:
    match element["type"]:
        case "link":
            return f"<a>{escape(str(element.get('text') or element['url']))}</a>"
        case "date":  # as its reader's zone has it; here UTC
            return escape(re.sub(r"\s*UTC$", "", str(element["fallback"])))
        case "usergroup" | "user" | "broadcast":
            return '<span class="call">@oncall</span>'
    words = escape(str(element.get("text", "")))
    style = element.get("style", {})
    for name, tag in (("code", "code"), ("bold", "b"), ("italic", "i"), ("strike", "s")):
        words = f"<{tag}>{words}</{tag}>" if style.get(name) else words
    return words


def _button(element: Block) -> str:
    label = element["text"]["text"] if element["type"] == "button" else "⋯"
    kind = "button primary" if element.get("style") == "primary" else "button"
    return f'<span class="{kind}">{escape(label)}</span>'
