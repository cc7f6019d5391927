"""Links of the pages lead somewhere, and every page can be reached from the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.checks.pages import anchors, links, pages
from tests.places import REPO

INDEX = Path("docs/README.md")
PAGES = pages()


def targets(page: Path) -> Iterator[tuple[str, Path, str]]:
    """(link as written, what it names in the repository, anchor) of each link that leaves no repository."""
    for link in links((REPO / page).read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = unquote(link).partition("#")
        named = (REPO / page.parent / path).resolve() if path else REPO / page
        yield link, named.relative_to(REPO.resolve()) if named.is_relative_to(REPO.resolve()) else named, anchor


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    """A page that was renamed, or a heading that was rewritten, is noticed where it is linked."""
    broken = []
    for link, target, anchor in targets(page):
        there = REPO / target
        if not there.exists() or (anchor and (there.suffix != ".md" or anchor not in anchors(there.read_text()))):
            broken.append(link)

    assert broken == []


def test_a_broken_link_would_be_found() -> None:
    """The tests above can fail: a file and a heading that are not there."""
    text = "# A page\n## A `b` & c\n## A `b` & c\n[x](gone.md) [y](#a-b--c-2)"

    assert links(text) == ["gone.md", "#a-b--c-2"]
    assert anchors(text) == {"a-page", "a-b--c", "a-b--c-1"}


def test_every_page_is_reached_from_the_index() -> None:
    """By links to pages, one after the other: a folder's listing counts for nothing."""
    waiting, seen = [INDEX], {INDEX}
    while waiting:
        for _, target, _ in targets(waiting.pop()):
            if target.suffix == ".md" and target not in seen:
                seen.add(target)
                waiting.append(target)

    assert [str(page) for page in PAGES if page.parts[0] == "docs" and page not in seen] == []


def test_the_index_names_what_is_for_people_itself() -> None:
    """Each page of docs/ stands in the index with a word about it: nobody must guess behind which other page it is."""
    named = {target for _, target, _ in targets(INDEX)}

    assert [str(page) for page in PAGES if page.parent in (INDEX.parent, INDEX.parent / "rules") and page not in {*named, INDEX}] == []


def test_the_readme_leads_to_the_index() -> None:
    assert INDEX in {target for _, target, _ in targets(Path("README.md"))}
