"""Each program of the table is told as the table of docs/ceilings.md says: what decides, with its origin, and what to do."""

from __future__ import annotations

import re

import pytest

from receiver.domain.units import MIB
from tests.checks.doc_tables import DOCS, ceiling_table, filled, program_table
from tests.lab.programs import EXITED, PROGRAMS, Program, report_of, told


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.id)
def test_cause_and_raise(program: Program) -> None:
    """The leaf that it leads to, and the limit that is offered: none that the setting would fill as well."""
    report = report_of(program)
    limit = (report.proposal.limit_bytes or 0) // MIB

    assert report.cause.name == program.cause
    assert limit == program.proposes_mib
    if program.end != EXITED and report.cause.remedy is not None and not report.cause.remedy.by_name.get("soft"):
        covering = report.cause.remedy["covering_bytes"]
        assert not limit or (isinstance(covering, int) and limit * MIB >= covering)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.id)
@pytest.mark.wording
def test_what_to_do_comes_first(program: Program) -> None:
    """The setting that decides stands in the first line, with the value that fits."""
    _, do = told(program)

    assert [words for words in program.says if not re.search(re.escape(words), do)] == []


@pytest.mark.parametrize(("mark", "table"), [("settings", ceiling_table), ("programs", program_table)])
@pytest.mark.wording
def test_tables_are_true(mark: str, table: object) -> None:
    """They are what `python -m tests.checks.doc_tables` would write."""
    assert callable(table)
    text = (DOCS / "ceilings.md").read_text()

    assert filled(text, mark, table()) == text
