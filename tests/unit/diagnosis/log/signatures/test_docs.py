"""The page about signatures lists what the catalogue holds."""

from __future__ import annotations

from tests.checks.doc_tables import DOCS, filled, signature_table


def test_page_lists_the_catalogue() -> None:
    """docs/signatures.md is what `python -m tests.checks.doc_tables` would write."""
    page = (DOCS / "signatures.md").read_text()

    assert filled(page, "signatures", signature_table()) == page
