"""Our rules beside others over the same cases: docs/rules/compared.md is true, and ours is wrong only where we say so."""

from __future__ import annotations

from itertools import pairwise

import pytest

from receiver.rulepack import rules_dir
from tests.golden import Golden
from tests.lab.rule_comparison import OURS, RIGHT, STEPS, Compared, compare, markdown, spans


@pytest.fixture(scope="module")
def compared() -> tuple[Compared, ...]:
    return compare(rules_dir())


def test_the_page_is_true(compared: tuple[Compared, ...], golden: Golden) -> None:
    """docs/rules/compared.md is what a real Prometheus says now (`pytest --update-golden` writes it anew)."""
    golden("../../docs/rules/compared.md", markdown(compared))


def test_ours_is_wrong_only_where_listed(compared: tuple[Compared, ...]) -> None:
    """No false alarm, no miss, no flapping, no double alert, except in the cases that name their blind spot."""
    wrong = {s.what for one in compared for s, said in zip(one.scenarios, one.verdicts[OURS], strict=True) if said != RIGHT}
    listed = {scenario.what for one in compared for scenario in one.scenarios if scenario.blind}

    assert wrong == listed


def test_the_cases_can_show_every_fault(compared: tuple[Compared, ...]) -> None:
    """Each kind of fault is found in some other rule, so a cell that says "right" means something."""
    said = " ".join(cell for one in compared for name, column in one.verdicts.items() if name != OURS for cell in column)

    assert [word for word in ("missed", "false alarm", "flaps", "twice", "never ends", "error") if word not in said] == []


@pytest.mark.parametrize(
    ("there", "for_steps", "keep_steps", "fires"),
    [
        (range(0, 5), 0, 0, [(0, 4)]),
        (range(0, 10), 10, 0, []),
        (range(0, 12), 10, 0, [(10, 11)]),
        ([*range(0, 12), *range(14, 20)], 10, 4, [(10, 23)]),
        ([*range(0, 12), *range(17, 40)], 10, 4, [(10, 15), (27, 43)]),
        ([0, 1, 3, 4], 2, 0, []),
        (range(STEPS - 2, STEPS), 0, 10, [(STEPS - 2, STEPS - 1)]),
    ],
)
def test_for_and_keep_firing_for(there: list[int], for_steps: int, keep_steps: int, fires: list[tuple[int, int]]) -> None:
    """An alert fires once its expression has held for `for`, and ends when it has not for keep_firing_for."""
    assert list(spans(there, for_steps, keep_steps)) == fires
    assert all(a[1] < b[0] for a, b in pairwise(fires))
