"""docs/doctor.md is what the code says."""

from __future__ import annotations

import pytest

from receiver.render.doctor import document
from tests.checks.doc_tables import DOCS, check_table, filled
from tests.support import NOW

PAGE = (DOCS / "doctor.md").read_text()


def test_the_table_of_checks_is_made_from_them() -> None:
    """`python -m tests.checks.doc_tables` writes it."""
    assert filled(PAGE, "checks", check_table()) == PAGE


@pytest.mark.parametrize("key", document((), version="1", at=NOW, took_s=0.0, hide=lambda text: text))
def test_every_key_of_the_document_is_shown(key: str) -> None:
    assert f'"{key}"' in PAGE
