"""Every verdict gives its reasons, and says why the other causes were refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

from receiver.diagnosis.memory.objections import REFUSED_BY, SETTLED_BY
from receiver.diagnosis.memory.reasons import BECAUSE
from receiver.diagnosis.memory.shape import shape_of
from receiver.diagnosis.memory.verdict import Detail
from receiver.domain.reason import reason
from receiver.domain.report import CauseName
from tests.unit.diagnosis.memory.kit import drawn, history, labelled_traces, lives, minutes, sample

HARDLY_GROWS = reason("memory.refused.hardly_grows")


def test_every_detail_of_a_verdict_has_its_reasons():
    """A new verdict without reasons would break at night."""
    assert set(BECAUSE) == set(get_args(Detail))


def test_every_reason_has_its_facts_known():
    """No fact of a recorded trace is None, except a limit that is not known: a sentence could not be filled in."""
    for name, _, h in labelled_traces():
        shape = shape_of(h)
        for said in (*shape.because, *shape.against):
            unknown = [fact for fact, value in said.facts if value is None and fact != "limit_bytes"]
            assert unknown == [], f"{name}: {said.code}"


def test_a_verdict_that_is_likely_needs_nothing_to_settle_it():
    """Below that it says what would, and below 0.7 that there will be another look."""
    for name, _, h in labelled_traces():
        for shape in (shape_of(h), shape_of(h, now_s=h.samples[len(h.samples) // 3].t_s)):
            looks_again = shape.settle_by is not None and shape.settle_by.code == "memory.look_again"
            assert (shape.settle_by is None) == (shape.confidence >= 0.85), name
            assert looks_again == (shape.confidence < 0.7), name


class TestRefused:
    """The tree asks for one cause after the other; the shape answers for those it has refused."""

    def test_a_level_near_the_limit_is_no_leak_and_its_peaks_are_no_spike(self):
        """With kills by small peaks the peaks are named; without kills nothing is said of them."""
        flat = drawn(8, lambda m: 88 + 0.5 * math.sin(m))
        killed = history(
            [replace(s, oom_kills=float(s.t_s > 5 * 3600), restarts=float(s.t_s > 5 * 3600)) for s in flat.samples],
        )

        assert shape_of(flat).refused == {CauseName.LEAK: HARDLY_GROWS}
        assert shape_of(killed).cause is CauseName.LIMIT_TOO_LOW
        assert shape_of(killed).refused[CauseName.SPIKE] == reason("memory.small_peaks_kill", kills=1)

    def test_a_quiet_container_is_refused_everything(self):
        """One look at level and peak answers two questions, the floor the third."""
        shape = shape_of(drawn(6, lambda m: 40 + 0.2 * math.sin(m)))

        assert shape.refused == {
            CauseName.LEAK: HARDLY_GROWS,
            CauseName.SPIKE: shape.because[0],
            CauseName.LIMIT_TOO_LOW: shape.because[0],
        }

    def test_file_cache_is_no_leak_once_it_has_stopped_growing(self):
        """While it still grows it may be files in memory: then nothing is refused."""
        rows = [sample(m, min(20 + m * 0.2, 95), own_mib=20, cache_mib=min(m * 0.2, 75)) for m in minutes(12)]
        full, growing = shape_of(history(rows)), shape_of(history(rows), now_s=4 * 3600)

        assert full.refused[CauseName.LEAK].code == "memory.file_cache"
        assert (growing.detail, CauseName.LEAK in growing.refused) == ("page_cache", False)

    def test_a_first_half_hour_near_the_limit_may_still_rise(self):
        """Too young for a verdict on the floor: its age is the answer."""
        shape = shape_of(drawn(0.4, lambda m: 88))

        assert shape.detail == "early"
        assert shape.refused[CauseName.LEAK].code == "memory.may_still_rise"

    def test_a_leak_does_not_refuse_itself(self):
        """Neither for the lives that grow nor for one that does not."""
        assert CauseName.LEAK not in shape_of(lives(4, 180, lambda up: 22 + up * 0.43)).refused

    def test_the_tables_name_details_that_exist(self):
        """Else a renamed detail would lose its answers without a word."""
        assert set(REFUSED_BY) | set(SETTLED_BY) <= set(get_args(Detail))


def test_the_time_to_the_limit_is_headroom_over_slope():
    """67 MiB of 100 at 9 MiB/h: a good three and a half hours."""
    shape = shape_of(drawn(5, lambda m: 22 + m * 0.15))

    assert shape.time_to_limit_s is not None
    assert abs(shape.time_to_limit_s / 3600 - 33 / 9) < 0.2
    assert shape_of(replace(drawn(5, lambda m: 40), step_s=30)).time_to_limit_s is None
