"""Nobody is sent to a page that is not in this repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.places import REPO

# A page as comments, docstrings and hints name it. Test files make up pages of their own.
NAMED = re.compile(r"(?<![\w/.{<}-])(?:[\w-]+/)*[\w-]+\.md\b")
ELSEWHERE = {"NAME.md", "comment.md"}  # files that the reader has, or a script writes


def named() -> Iterator[tuple[str, str]]:
    """(where, page) of every page that the code, the templates, the rules or the manifests name."""
    for folder in ("receiver", "templates", "rules", "deploy", "bench", "tools", "tests/lab"):
        for path in sorted((REPO / folder).rglob("*")):
            if path.suffix in (".py", ".j2", ".yaml", ".yml") and "recordings" not in path.parts:
                for number, line in enumerate(path.read_text().splitlines(), start=1):
                    yield from ((f"{path.relative_to(REPO)}:{number}", found) for found in NAMED.findall(line))


def exists(where: str, page: str) -> bool:
    """A page is named by its path in the repository, or beside the file that names it."""
    beside = REPO / Path(where.partition(":")[0]).parent / page
    return page in ELSEWHERE or (REPO / page).is_file() or beside.is_file()


def test_every_page_that_is_named_exists() -> None:
    """A page outside the repository, or one that was renamed, helps nobody."""
    found = list(named())

    assert len(found) > 20
    assert [f"{where} {page}" for where, page in found if not exists(where, page)] == []
