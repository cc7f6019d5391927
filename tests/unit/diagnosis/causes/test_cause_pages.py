"""Every leaf of the tree has its page, in one form, and no page is about a cause that does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from receiver.domain.report import CauseName
from tests.checks.doc_tables import DOCS, filled, question_table, root_table
from tests.places import REPO

CAUSES = REPO / "docs" / "causes"
HEADINGS = ["Meaning", "How we know", "What to do now", "The real fix"]


@pytest.mark.parametrize("cause", CauseName)
def test_each_cause_has_its_page(cause: CauseName) -> None:
    """A page named as the report names the cause, with the four headings in order and text under each."""
    text = (CAUSES / f"{cause.value}.md").read_text()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]

    assert [s.splitlines()[0] for s in sections] == HEADINGS
    assert all(len(s.splitlines()) > 2 for s in sections)


def test_links_lead_somewhere() -> None:
    """No link between the pages is broken, and the overview names every page."""
    pages = list(CAUSES.rglob("*.md"))
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
    overview = (CAUSES / "README.md").read_text()

    assert {p.relative_to(CAUSES).as_posix() for p in pages} - {"README.md"} <= set(re.findall(r"\]\(([^)]+)\)", overview))
    assert {p.stem for p in CAUSES.glob("*.md")} - {"README"} == {c.value for c in CauseName}


@pytest.mark.parametrize(
    ("page", "mark", "table"), [("causes/README.md", "questions", question_table), ("templates.md", "roots", root_table)]
)
@pytest.mark.wording
def test_tables_list_the_leaves(page: str, mark: str, table: Callable[[], str]) -> None:
    """They are what `python -m tests.checks.doc_tables` would write."""
    text = (DOCS / page).read_text()

    assert filled(text, mark, table()) == text
