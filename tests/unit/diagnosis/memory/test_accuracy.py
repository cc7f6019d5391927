"""The procedure holds its measured accuracy on recorded and on simulated programs."""

from __future__ import annotations

from collections import Counter

from receiver.diagnosis.memory.shape import shape_of
from tests.lab.first_alert import first_alert
from tests.lab.synthetic import FIRST_SET, SECOND_SET, cases
from tests.lab.third_set import THIRD_SET
from tests.unit.diagnosis.memory.kit import labelled_traces


def test_recorded_traces_are_told_apart():
    """Every recorded trace gets its label at the end of its history."""
    wrong = {name: shape_of(h).cause.value for name, label, h in labelled_traces() if shape_of(h).cause.value != label}

    assert wrong == {}


def test_at_the_first_alert_what_is_answered_is_right():
    """With rows up to the first alert only: two thirds answered, nine in ten of these rightly, nothing wrong said surely."""
    told = []
    for _, label, h in labelled_traces():
        alert = first_alert(h)
        if alert is not None:
            told.append((label, shape_of(h, now_s=alert)))
    answered = [(label, s) for label, s in told if s.cause.value != "unknown"]

    assert len(answered) >= 0.65 * len(told)
    assert sum(s.cause.value == label for label, s in answered) >= 0.9 * len(answered)
    assert all(s.cause.value == label for label, s in answered if s.confidence >= 0.7)


def test_simulated_programs_are_told_apart():
    """Other run-times and shapes: 97 in 100 right, hardly a false leak, and what is said surely is right."""
    core: Counter[tuple[str, str]] = Counter()
    sure: Counter[bool] = Counter()
    for _, label, is_hard, h in cases(range(500, 502), FIRST_SET + SECOND_SET + THIRD_SET):
        shape = shape_of(h)
        if not is_hard:
            core[label, shape.cause.value] += 1
            if shape.confidence >= 0.85:
                sure[shape.cause.value == label] += 1
    right = sum(n for (label, said), n in core.items() if label == said)
    said_leak = sum(n for (_, said), n in core.items() if said == "leak")
    leaks = sum(n for (label, _), n in core.items() if label == "leak")

    assert right >= 0.97 * sum(core.values())
    assert core["leak", "leak"] >= 0.97 * said_leak
    assert core["leak", "leak"] >= 0.95 * leaks
    assert sure[True] >= 0.98 * sure.total()
    assert sure.total() >= 90
