"""Markdown to HTML for runbooks and pages about causes: CommonMark with tables, and nothing that a page could do to its reader.

Raw HTML is shown as the text it is, an image as its description. A link leads to http(s), or to another page beside this one or
in a folder there (`NAME.md`, with one folder before it at most); any other target is dropped and its text stays. Text in, HTML out; never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_WEB = re.compile(r"^https?://", re.IGNORECASE)
_PAGE = re.compile(r"^(?P<page>(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+)\.md(?P<heading>#[A-Za-z0-9_-]+)?$")
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s")


def to_html(text: str) -> Markup:
    """The document as HTML."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type == "fence":
            token.info = ""  # the language; nothing here colours it
        token.children = list(_safe(token.children)) if token.children is not None else None
    # The parser escapes whatever it does not write itself, and what it may write of its own is settled above.
    return Markup(parser.renderer.render(tokens, parser.options, {}).strip())  # noqa: S704


def first_sentence(text: str) -> str:
    """The first sentence below the first heading of level 2, as plain text: what the page is about, in a list of pages."""
    tokens = _parser().parse(text)
    start = next((i + 2 for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"), 0)
    body = next((_text(token) for token in tokens[start:] if token.type == "inline"), "")
    sentence = _SENTENCE_END.split(body, maxsplit=1)[0]
    return f"{sentence[:-1]}." if sentence.endswith(":") else sentence


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "xhtmlOut": False}).enable("table")


def _text(inline: Token) -> str:
    """What a reader sees of a line or of an image's description, without the marks."""
    return "".join(" " if token.type == "softbreak" else token.content for token in inline.children or ())


def _safe(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same, with links that lead where a link may, and the text of images."""
    attributes: list[dict[str, str | int | float]] = []
    for token in tokens:
        if token.type == "image":
            yield Token("text", "", 0, content=_text(token))
            continue
        if token.type == "link_open":
            attributes.append(_link(str(token.attrs["href"])))
            token.attrs = attributes[-1]
        if token.type not in ("link_open", "link_close") or attributes[-1]:
            yield token
        if token.type == "link_close":
            attributes.pop()


def _link(target: str) -> dict[str, str | int | float]:
    """The attributes of a link; none where it may not lead."""
    page = _PAGE.match(target)
    if page is not None:
        return {"href": f"{page['page']}{page['heading'] or ''}"}
    return {"href": target, "rel": "noreferrer"} if _WEB.match(target) else {}
