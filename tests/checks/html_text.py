"""A page as the text that a reader gets: one block a line, tables cell by cell, what can be pressed in brackets. No styles, no pictures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    ("address", "article", "aside", "details", "div", "dd", "dl", "dt", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "header", "li", "main", "nav",
     "ol", "p", "pre", "section", "summary", "table", "tr", "ul", "br")
)  # fmt: skip
_SILENT = frozenset(("style", "script", "head", "svg", "template"))
_MARKS = {"h1": "# ", "h2": "## ", "h3": "### ", "li": "- ", "summary": "> "}


def text_of(html: str) -> str:
    """The visible text of a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[ \t]+", " ", line).rstrip() for line in "".join(reader.found).split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(line.strip() if not line.startswith("    ") else line for line in lines)).strip() + "\n"


class _Reader(HTMLParser):
    """Collects the text; `found` is joined as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0
        self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag == "pre":
            self._pre += 1
        if self._silent:
            return
        if tag in _BLOCKS:
            self.found.append("\n" + _MARKS.get(tag, ""))
        elif tag == "button":
            self.found.append(" [")
        elif tag in ("td", "th"):
            self.found.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
            return
        if tag == "pre":
            self._pre -= 1
        if self._silent:
            return
        if tag in _BLOCKS:
            self.found.append("\n")
        elif tag == "button":
            self.found.append("] ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data if self._pre else re.sub(r"\s+", " ", data))
