"""Markdown to HTML, as much of it as a runbook needs: headings, paragraphs, lists, code, links, bold.

Everything is escaped; raw HTML is shown as the text it is. A link leads to http(s), or to another page beside this one
(`NAME.md`); any other target is dropped and its text stays. Text in, HTML out; never raises.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

MAX_DEPTH = 8  # of lists in lists; what lies deeper is a paragraph

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^`]*$")
_HEADING = re.compile(r"^(#{1,6}) +(.*)$")
_ITEM = re.compile(r"^ {0,3}(?P<marker>[-*+]|\d{1,9}[.)])(?P<space> +|$)")
_INLINE = re.compile(
    r"(?P<fence>`+)(?P<code>.+?)(?<!`)(?P=fence)(?!`)"
    r"|\*\*(?P<bold>[^*]+)\*\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<target>[^()\s]*)\)",
    re.DOTALL,
)
_PAGE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+)\.md$")
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s")


def to_html(text: str) -> Markup:
    """The document as HTML."""
    return _blocks(text.expandtabs(4).splitlines(), depth=0)


def first_sentence(text: str) -> str:
    """The first sentence below the first heading of level 2, as plain text: what the page is about, in a list of pages."""
    lines = text.splitlines()
    start = next((i + 1 for i, line in enumerate(lines) if line.startswith("## ")), 0)
    body = [line.strip() for line in lines[start:]]
    while body and not body[0]:
        body.pop(0)
    end = body.index("") if "" in body else len(body)
    sentence = _SENTENCE_END.split(" ".join(body[:end]), maxsplit=1)[0].replace("`", "")
    return f"{sentence[:-1]}." if sentence.endswith(":") else sentence


def _blocks(lines: Sequence[str], *, depth: int) -> Markup:
    parts: list[Markup] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif _FENCE.match(line):
            html, at = _code(lines, at)
            parts.append(html)
        elif heading := _HEADING.match(line):
            level = len(heading[1])
            parts.append(Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading[2].rstrip(" #"))))
            at += 1
        elif _ITEM.match(line) and depth < MAX_DEPTH:
            html, at = _list(lines, at, depth=depth)
            parts.append(html)
        else:
            end = at + 1
            while end < len(lines) and not _ends_paragraph(lines[end]):
                end += 1
            parts.append(Markup("<p>{}</p>").format(_inline("\n".join(line.strip() for line in lines[at:end]))))
            at = end
    return Markup("\n").join(parts)


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or bool(_FENCE.match(line) or _HEADING.match(line) or _ITEM.match(line))


def _code(lines: Sequence[str], at: int) -> tuple[Markup, int]:
    """The fenced block that begins at `at`, and where it ends; an open one takes the rest."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    fence = lines[at].strip()[:3]
    end = at + 1
    while end < len(lines) and not (lines[end].strip().startswith(fence) and not lines[end].strip().strip(fence[0])):
        end += 1
    code = "\n".join(_without_indent(line, indent) for line in lines[at + 1 : end])
    return Markup("<pre><code>{}</code></pre>").format(code), end + 1


def _list(lines: Sequence[str], at: int, *, depth: int) -> tuple[Markup, int]:
    """The list whose first item is at `at`, and where it ends."""
    first = _ITEM.match(lines[at])
    assert first is not None
    is_ordered = first["marker"][0].isdigit()
    items: list[Markup] = []
    while at < len(lines) and _continues(lines[at], is_ordered=is_ordered):
        item, at = _item(lines, at)
        inner = _blocks(item, depth=depth + 1)
        if inner.startswith("<p>") and inner.count("<p>") == 1:  # one paragraph, perhaps a list or code below: no space around it
            inner = inner.replace("<p>", "", 1).replace("</p>", "", 1)
        items.append(Markup("<li>{}</li>").format(inner))
        after = next((i for i in range(at, len(lines)) if lines[i].strip()), len(lines))
        if after < len(lines) and _continues(lines[after], is_ordered=is_ordered):
            at = after
    body = Markup("\n").join(items)
    if not is_ordered:
        return Markup("<ul>\n{}\n</ul>").format(body), at
    return Markup('<ol start="{}">\n{}\n</ol>').format(int(first["marker"][:-1]), body), at


def _continues(line: str, *, is_ordered: bool) -> bool:
    """Whether the line begins another item of a list of that kind."""
    found = _ITEM.match(line)
    return found is not None and found["marker"][0].isdigit() == is_ordered


def _item(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """The lines of the item at `start` without its marker and indent, and where it ends."""
    first = _ITEM.match(lines[start])
    assert first is not None
    width = len(first[0]) if first["space"] else len(first[0]) + 1
    item = [lines[start][len(first[0]) :]]
    at = start + 1
    while at < len(lines):
        line = lines[at]
        is_inside = len(line) - len(line.lstrip()) >= width
        if line.strip() and not is_inside and (_ends_paragraph(line) or not lines[at - 1].strip()):
            break
        item.append(_without_indent(line, width))
        at += 1
    while at > start + 1 and not lines[at - 1].strip():
        item.pop()
        at -= 1
    return item, at


def _without_indent(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip())
    return line[min(indent, width) :]


def _inline(text: str) -> Markup:
    parts: list[Markup] = []
    at = 0
    for found in _INLINE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        at = found.end()
        if found["code"] is not None:
            parts.append(Markup("<code>{}</code>").format(found["code"].strip(" ") or found["code"]))
        elif found["bold"] is not None:
            parts.append(Markup("<strong>{}</strong>").format(_inline(found["bold"])))
        else:
            parts.append(_link(found["text"], found["target"]))
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def _link(text: str, target: str) -> Markup:
    page = _PAGE.match(target)
    if page is not None:
        return Markup('<a href="/runbooks/{}">{}</a>').format(page["name"], _inline(text))
    if target.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, _inline(text))
    return _inline(text)
