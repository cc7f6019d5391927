"""A saved case: what it keeps of a gap, and cases that older releases saved."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from receiver.domain.case import Case, Missing, case_from_json
from receiver.domain.identity import Subject

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
GAPS = (
    Missing(source="traffic", why="no query", hint="set REQUEST_RATE_QUERY", is_configuration=True),
    Missing(source="metrics", why="no container runs", hint="later", is_retryable=True, is_normal=True),
)


def test_a_gap_comes_back_as_it_was() -> None:
    """Whose the hint is, whether it is asked again, whether it is normal."""
    case = Case(gathered_at=NOW, subject=Subject(namespace="shop", pod="orders-1"), missing=GAPS)

    assert case_from_json(case.to_json()).missing == GAPS


def test_a_case_of_an_older_release_is_read() -> None:
    """It does not say whose a hint is: it stays the reader's."""
    document = Case(gathered_at=NOW, subject=Subject(namespace="shop", pod="orders-1"), missing=GAPS).to_json()
    for gap in document["missing"]:
        del gap["configuration"]

    read = case_from_json(document)

    assert [gap.is_configuration for gap in read.missing] == [False, False]
    assert read.missing[0].hint_for_reader == "set REQUEST_RATE_QUERY"


@pytest.mark.parametrize(("gap", "keys"), list(zip(GAPS, ({"configuration"}, set()), strict=True)))
def test_a_report_says_whose_the_hint_is(gap: Missing, keys: set[str]) -> None:
    """`source`, `why` and `hint` always; `configuration` only where that is what lacks."""
    assert gap.to_json().keys() == {"source", "why", "hint"} | keys
