"""Whatever the APIs answered, reading a case never fails."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.reading import facts_of
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject
from receiver.domain.units import parse_time
from tests.unit.evidence.kit import lab

NOW = parse_time("2026-11-23T01:07:00Z")
SOURCES = (
    "pod", "events", "nodeevents", "log", "owners", "replicasets", "siblings", "node", "nodepods", "metrics", "hpa", "vpa", "limitrange",
    "resourcequota", "history", "recent", "peaks", "traffic", "rules", "silences",
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from(["metadata", "spec", "status", "items", "series", "x"]), children, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(SOURCES), ANY_JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_json_reads(answers):
    """Answers of any shape."""
    facts_of(Case(gathered_at=NOW, subject=Subject(namespace="shop", pod="web-1"), answers=answers))


@pytest.fixture(scope="module")
def case() -> Case:
    with lab("cgroupv2-b-sidecar-oom") as running:
        return running.gather()


@pytest.mark.parametrize("seed", range(40))
def test_a_real_case_with_pieces_torn_out_reads(case, seed):
    """A value here or there missing, or of another type, costs that value and nothing else."""
    answers = json.loads(json.dumps(case.answers))
    tear = random.Random(seed)

    def visit(value: Any) -> Any:
        if tear.random() < 0.01:
            return tear.choice([None, [], {}, "", "x", 0, -1, True, [None], {"a": None}])
        if isinstance(value, dict):
            return {k: visit(v) for k, v in value.items() if tear.random() > 0.005}
        return [visit(v) for v in value] if isinstance(value, list) else value

    facts_of(Case(gathered_at=NOW, subject=case.subject, answers=visit(copy.deepcopy(answers))))


def test_gaps_of_the_case_stay_gaps():
    """What the gatherers could not have is in the facts, unchanged."""
    gap = Missing(source="log", why="403", hint="grant get pods/log")

    assert facts_of(Case(gathered_at=NOW, subject=Subject(), missing=(gap,))).missing == (gap,)
