"""What must not change a verdict does not: units, time base, constant load, later data, gaps, missing columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.facts import MemoryHistory, Sample
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName, Shape
from receiver.render.wording import say
from tests.unit.diagnosis.memory.kit import drawn, history, labelled_traces, lives, minutes, numbers_of, reasons_of, sample

TRACES = {name: history for name, _, history in labelled_traces()}


def changed(h: MemoryHistory, change: Callable[[Sample], Sample]) -> MemoryHistory:
    return replace(h, samples=tuple(change(s) for s in h.samples))


def verdict(shape: Shape) -> tuple[CauseName, float, str]:
    return shape.cause, shape.confidence, shape.detail


def in_bytes_times(factor: float) -> Callable[[Sample], Sample]:
    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    return lambda s: replace(
        s,
        working_set_bytes=s.working_set_bytes * factor,
        limit_bytes=scaled(s.limit_bytes),
        rss_bytes=scaled(s.rss_bytes),
        cache_bytes=scaled(s.cache_bytes),
    )


@pytest.mark.parametrize("name", TRACES)
def test_units_and_time_base_do_not_matter(name: str):
    """Bytes in other units, times since 1970 instead of since the start, a rate in other units. With a constant more (probes, say)
    the load has grown by a smaller share, so a little less of the growth is its.
    """
    h = TRACES[name]
    expected = verdict(shape_of(h))

    assert verdict(shape_of(changed(h, in_bytes_times(3.7)))) == expected
    assert verdict(shape_of(changed(h, lambda s: replace(s, t_s=s.t_s + 1.7e9)))) == expected
    if any(s.request_rate is not None for s in h.samples):
        assert verdict(shape_of(changed(h, lambda s: replace(s, request_rate=s.request_rate and s.request_rate * 60)))) == expected
        more = changed(h, lambda s: replace(s, request_rate=None if s.request_rate is None else s.request_rate + 25))
        cause, confidence, detail = verdict(shape_of(more))
        assert (cause, detail) == (expected[0], expected[2])
        assert confidence == pytest.approx(expected[1], abs=0.05)
    else:
        assert verdict(shape_of(changed(h, lambda s: replace(s, request_rate=7.0)))) == expected


@pytest.mark.parametrize("name", TRACES)
def test_later_data_does_not_matter(name: str):
    """A verdict of then is the same whether or not the future is in the history."""
    h = TRACES[name]
    then = h.samples[len(h.samples) * 3 // 5].t_s

    assert shape_of(h, now_s=then) == shape_of(replace(h, samples=tuple(s for s in h.samples if s.t_s <= then)), now_s=then)


def test_exact_times_later_than_now_are_not_looked_at():
    """A kill that has not happened yet is not in the report."""
    h = replace(drawn(3, lambda m: 40), kill_times_s=(7200.0,), starts_s=(0.0, 7201.0))

    assert shape_of(h, now_s=7000).kills == ()
    assert shape_of(h, now_s=7000) == shape_of(replace(h, kill_times_s=(), starts_s=(0.0,)), now_s=7000)


def test_the_order_of_rows_does_not_matter():
    """Rows are put in order; of two rows of one time the higher counts."""
    h = lives(3, 120, lambda up: 20 + up * 0.6)
    doubled = [*h.samples, *(replace(s, working_set_bytes=s.working_set_bytes * 0.1) for s in h.samples[::7])]

    assert shape_of(replace(h, samples=tuple(reversed(doubled)))) == shape_of(h)


@pytest.mark.parametrize("step_s", [10, 60, 300])
@pytest.mark.parametrize("hours", [3, 24, 336])
def test_steps_and_spans(step_s: int, hours: int):
    """A leak that takes its time three times over is one from 10 s to 5 min steps and from hours to weeks."""
    life = hours * 60 / 3.2
    if step_s == 10 and hours == 336:
        pytest.skip("120,960 rows: nobody keeps that")

    shape = shape_of(lives(3, life, lambda up: 20 + up * 75 / life, step_s=step_s))

    assert shape.cause is CauseName.LEAK
    assert len(shape.lives) == 4


def test_a_gap_in_the_middle_is_said_and_survived():
    """A third of the scrapes missing at a stretch does not hide a leak."""
    h = lives(3, 180, lambda up: 20 + up * 0.42)
    shape = shape_of(replace(h, samples=tuple(s for s in h.samples if not 4000 < s.t_s < 14000)))

    assert shape.cause is CauseName.LEAK
    assert shape.missing_s == pytest.approx(10000, abs=200)


def test_without_a_limit_a_leak_is_still_seen_and_a_level_is_not_judged():
    """No limit: growth is judged against what was seen; near or far cannot be said."""
    leak = shape_of(changed(lives(3, 180, lambda up: 20 + up * 0.42), lambda s: replace(s, limit_bytes=None)))
    level = shape_of(drawn(8, lambda m: 88, limit_mib=None))

    assert leak.cause is CauseName.LEAK
    assert leak.limit_bytes is None
    assert (level.cause, level.detail) == (CauseName.UNKNOWN, "no_limit")
    assert level.confidence < 0.85


def test_a_limit_of_zero_is_no_limit():
    """cAdvisor exports 0 for "none": no ratio is made of it."""
    shape = shape_of(drawn(8, lambda m: 88, limit_mib=0))

    assert shape.limit_bytes is None
    assert shape.near_limit_share is None


def test_without_a_kill_counter_restarts_from_the_limit_are_presumed_kills():
    """Said as presumed, and never surely."""
    h = changed(lives(4, 180, lambda up: 20 + up * 0.43), lambda s: replace(s, oom_kills=None))
    shape = shape_of(h)

    assert shape.cause is CauseName.LEAK
    assert len(shape.kills) == 4
    assert shape.confidence < 0.85
    assert "memory.kills_presumed" in codes_of(*shape.against)


def test_restarts_that_nobody_counts_show_by_the_fall():
    """A new process begins far below where the old one was: lives are split without a counter."""
    h = changed(lives(4, 180, lambda up: 20 + up * 0.43 if up > 2 else 4 + 8 * up), lambda s: replace(s, oom_kills=None, restarts=None))

    assert len(shape_of(h).lives) == 5


def test_only_the_working_set_makes_a_plateau_less_sure():
    """Without the process's own memory a high level may be file cache."""
    rows = [replace(s, rss_bytes=None, cache_bytes=None) for s in drawn(8, lambda m: 88).samples]
    shape = shape_of(history(rows))

    assert shape.cause is CauseName.LIMIT_TOO_LOW
    assert shape.confidence <= 0.6
    assert "memory.only_working_set" in codes_of(*shape.against)


def test_own_memory_scraped_more_rarely_than_the_working_set_is_enough():
    """The kubelet's two endpoints have two rhythms; the distance is carried on between them."""
    rows = [sample(m, min(20 + m * 0.2, 95), own_mib=20 if i % 3 == 0 else None, cache_mib=None) for i, m in enumerate(minutes(8))]

    assert shape_of(history(rows)).cause is CauseName.UNKNOWN


def test_a_counter_that_lags_behind_the_fall_ends_the_right_life():
    """The life ends where memory fell, though the restart is counted two scrapes later."""
    h = lives(3, 120, lambda up: 20 + up * 0.65)
    late = [
        replace(s, restarts=h.samples[max(i - 2, 0)].restarts, oom_kills=h.samples[max(i - 2, 0)].oom_kills)
        for i, s in enumerate(h.samples)
    ]
    shape = shape_of(
        replace(h, samples=(*late, replace(h.samples[-1], t_s=h.samples[-1].t_s + 30), replace(h.samples[-1], t_s=h.samples[-1].t_s + 60)))
    )

    assert shape.cause is CauseName.LEAK
    assert [round(life.peak_bytes / 2**20) for life in shape.lives[:3]] == [98, 98, 98]
    assert [life.floor_start_bytes is not None for life in shape.lives[:3]] == [True, True, True]


ROWS = st.lists(
    st.builds(
        Sample,
        t_s=st.floats(-1e6, 1e7, allow_nan=False),
        working_set_bytes=st.one_of(st.floats(0, 1e12), st.sampled_from([0.0, math.nan, math.inf, -1.0])),
        limit_bytes=st.one_of(st.none(), st.floats(0, 1e12), st.sampled_from([math.inf, 0.0])),
        rss_bytes=st.one_of(st.none(), st.floats(0, 1e12)),
        cache_bytes=st.one_of(st.none(), st.floats(0, 1e12)),
        request_rate=st.one_of(st.none(), st.floats(0, 1e6), st.just(math.nan)),
        restarts=st.one_of(st.none(), st.integers(0, 5).map(float)),
        oom_kills=st.one_of(st.none(), st.integers(0, 5).map(float)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, starts=st.lists(st.floats(-1e6, 1e7), max_size=4), kills=st.lists(st.floats(-1e6, 1e7), max_size=4))
def test_any_rows_give_a_verdict(rows: list[Sample], starts: list[float], kills: list[float]):
    """No rows, however wild, break the procedure, and what comes out can be shown."""
    shape = shape_of(MemoryHistory(samples=tuple(rows), step_s=30, starts_s=tuple(starts), kill_times_s=tuple(kills)))

    assert 0 <= shape.confidence <= 1
    assert shape.because
    assert all(math.isfinite(n) for r in reasons_of(shape) for n in numbers_of(r))
    assert all(say(r) for r in reasons_of(shape))
    assert all(life.end_s >= life.start_s - 1e-6 for life in shape.lives)
