"""How long a limit lasts, from what was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.diagnosis.advice.demand import pace_h
from receiver.diagnosis.clues import LimitRaise, clues_of
from receiver.domain.units import MIB
from tests.unit.diagnosis.facts_kit import ago, container, death, facts


def test_a_life_counts_for_the_limit_it_ended_under() -> None:
    """Nine minutes under 128Mi, raised to 256Mi since: 512Mi lasts 36 minutes at that pace, not 18."""
    seen = clues_of(facts(container(limit=256 * MIB, dead=death(lived_s=540))))
    raised = LimitRaise(at=ago(60), before_bytes=128 * MIB, after_bytes=256 * MIB)

    assert pace_h(replace(seen, raises=(raised,)), 512 * MIB) == pytest.approx(0.6)


def test_a_raise_before_the_life_counts() -> None:
    """It ended under the limit that is in force."""
    seen = clues_of(facts(container(limit=256 * MIB, dead=death(lived_s=540))))
    raised = LimitRaise(at=ago(7200), before_bytes=128 * MIB, after_bytes=256 * MIB)

    assert pace_h(replace(seen, raises=(raised,)), 512 * MIB) == pytest.approx(0.3)
