"""Text from outside made safe to show, and cut to size.

Labels, annotations, logs, events and error texts are untrusted. `clean_line` and `clean_block` take out what could move a
cursor, hide or reorder letters, or is no Unicode at all. Cutting counts code points and happens before escaping: an escaped
`&amp;` cut in the middle would be shown as it stands.
"""

from __future__ import annotations

import re

ELLIPSIS = "…"
LINE_MAX = 2_000  # characters of one value that are looked at at all: far above every budget, far below a 1 MB log line
REPLACEMENT = "\ufffd"

# CSI, OSC (to BEL or ST) and two-character escapes of ECMA-48, with the 8-bit CSI.
_ANSI = re.compile(r"\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[@-Z\\-_]?")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Bidi controls, zero-width and invisible marks, tag characters: they hide text or show it in another order.
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"\s+")


def clean_line(text: str, limit: int = LINE_MAX) -> str:
    """Untrusted text as one safe line of at most `limit` characters: every run of white space is one blank."""
    return cut(_BLANKS.sub(" ", _strip(text[: 4 * limit])).strip(), limit)


def clean_block(text: str, *, max_lines: int = 40, max_columns: int = 300) -> str:
    """Untrusted text as safe lines, with indentation kept; what is left out is counted in the text."""
    bounded = text[: 4 * max_lines * max_columns]
    lines = [line.expandtabs(4).rstrip() for line in _strip(_LINE_BREAKS.sub("\n", bounded)).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    shown = [cut(line, max_columns) for line in lines[:max_lines]]
    if len(lines) > max_lines:
        shown.append(f"{ELLIPSIS} {len(lines) - max_lines} more lines")
    elif len(text) > len(bounded):
        shown.append(f"{ELLIPSIS} {len(text) - len(bounded):,} more characters")
    return "\n".join(shown)


def visible(text: str) -> str:
    """Text without anything invisible; line breaks stay. The last net, under everything that enters a block."""
    return _strip(_LINE_BREAKS.sub("\n", text))


def _strip(text: str) -> str:
    text = _SURROGATE.sub(REPLACEMENT, text)
    return _CONTROL.sub("", _INVISIBLE.sub("", _ANSI.sub("", text)))


def cut(text: str, limit: int) -> str:
    """At most `limit` code points, with an ellipsis where something was cut off."""
    if len(text) <= limit:
        return text
    return text[: max(0, limit - 1)].rstrip() + ELLIPSIS if limit > 0 else ""


def cut_middle(text: str, limit: int) -> str:
    """At most `limit` code points; the middle goes, because names differ at both ends (`payments-recon…-worker`)."""
    if len(text) <= limit:
        return text
    if limit < 3:
        return cut(text, limit)
    tail = (limit - 1) // 3
    return text[: limit - 1 - tail] + ELLIPSIS + (text[-tail:] if tail else "")


def cut_sentences(text: str, limit: int) -> str:
    """At most `limit` code points, ending with a whole sentence where one fits into half of that."""
    if len(text) <= limit:
        return text
    end = max(text.rfind(mark, 0, limit) for mark in (". ", "; ", "? "))
    return text[: end + 1] if end >= limit // 2 else cut(text, limit)


def escape_mrkdwn(text: str) -> str:
    """For the top-level `text` only: the three characters that mrkdwn parses. Any other entity would be shown literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape_mrkdwn(text: str) -> str:
    """The reverse of `escape_mrkdwn`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def clean_phrase(text: str, limit: int = 400) -> str:
    """Untrusted text as a phrase that any sentence can hold: one safe line without a full stop."""
    return clean_line(text, limit).rstrip(".")


def ended(text: str) -> str:
    """A phrase with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:…" else text + "."


def sentence(text: str) -> str:
    """A phrase as a sentence: first letter in upper case, a full stop at the end."""
    whole = ended(text)
    return whole[:1].upper() + whole[1:]
