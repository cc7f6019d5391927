"""What stands in a Markdown page: links, the anchors that a link may name, and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.places import REPO

PATTERNS = ("*.md", "docs/**/*.md", "deploy/**/*.md", "rules/**/*.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A block of code: its language (empty where none is named), the line on which its code begins, and the code."""

    language: str
    line: int
    code: str


def pages() -> list[Path]:
    """Every page that people read, by its path in the repository."""
    return sorted({path.relative_to(REPO) for pattern in PATTERNS for path in REPO.glob(pattern)})


def links(text: str) -> list[str]:
    """The targets of links and pictures, as written."""
    return [
        str(child.attrs["src" if child.type == "image" else "href"])
        for token in _parse(text)
        for child in token.children or ()
        if child.type in ("link_open", "image")
    ]


def anchors(text: str) -> set[str]:
    """What `#...` may name in a page, as GitHub and GitLab make it of its headings: the second of two alike gets `-1`."""
    found: set[str] = set()
    tokens = _parse(text)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            shown = "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
            found.add(next(name for name in _numbered(slug) if name not in found))
    return found


def fences(text: str) -> list[Fence]:
    """The blocks of code."""
    return [
        Fence(language=token.info.strip(), line=token.map[0] + 2, code=token.content)
        for token in _parse(text)
        if token.type == "fence" and token.map
    ]


def spans(text: str) -> list[str]:
    """The code within lines."""
    return [child.content for token in _parse(text) for child in token.children or () if child.type == "code_inline"]


def code_of(text: str) -> list[str]:
    """Every line of code, and every code span."""
    return [*spans(text), *(line for fence in fences(text) for line in joined(fence.code).splitlines())]


def joined(code: str) -> str:
    """Commands of a shell, each on one line."""
    return re.sub(r"\\\n\s*", " ", code)


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    number = 0
    while True:
        number += 1
        yield f"{slug}-{number}"


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)
