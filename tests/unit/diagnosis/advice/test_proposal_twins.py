"""One raise against the true demand of a twin without a limit: a small, fixed part of what `python -m bench proposal` tells."""

from __future__ import annotations

from tests.lab.killed_twins import NEAR, RIVALS, Outcome, outcomes

PAIRS = 3


def _enough(found: list[Outcome], name: str) -> float:
    rule = dict(RIVALS)[name]
    return sum(1 for o in found if (rule(o) or 0) >= o.demand) / len(found)


def test_one_raise_is_enough_nearly_always() -> None:
    """Of killed twins whose true demand is 1.05 to 1.6 x the limit, one proposal in twenty may be too small, no more."""
    found = outcomes(PAIRS, NEAR)

    assert len(found) >= 20
    assert _enough(found, "this project") >= 0.9
    assert _enough(found, "this project") > _enough(found, "limit x 1.5") > _enough(found, "KRR: peak x 1.15")


def test_pairs_are_the_same_each_time() -> None:
    """Everything follows from the seeds."""
    assert outcomes(1, NEAR) == outcomes(1, NEAR)
