"""What a dead container leaves behind in Prometheus is not taken for a living one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receiver.case.series import Stairs, Track, alive, highest, tracks


def track(points, id="", pod="p", reason=""):
    return Track(pod=pod, container="c", id=id, reason=reason, points=tuple(points))


def test_the_newest_series_of_a_dead_container_ends_at_its_death():
    """It is waiting in its back-off, and its last value is still exported, with small wobbles of a last scrape."""
    points = [(t, 100.0 + t) for t in range(0, 100, 10)]

    (kept,) = alive([track(points, id="/1")], [55.0])

    assert kept[-1][0] == 50


def test_each_life_ends_at_its_own_death():
    """Three lives, three series, two deaths: the living one goes on."""
    lives = [track([(t, float(t)) for t in range(s, s + 90, 10)], id=f"/{s}") for s in (0, 100, 200)]

    kept = alive(lives, [45.0, 145.0])

    assert [points[-1][0] for points in kept] == [40, 140, 280]


def test_a_superseded_series_that_stands_still_ends_where_it_stood_still():
    """No death is known (an old kube-state-metrics): the flat tail under the next life is the look-back's."""
    old = track([(0, 1.0), (10, 5.0), *((t, 9.0) for t in range(20, 320, 10))], id="/1")
    new = track([(t, 2.0) for t in range(60, 320, 10)], id="/2")

    kept, _ = alive([old, new], [])

    assert kept == ((0, 1.0), (10, 5.0), (20, 9.0))


def test_an_idle_container_that_stands_still_for_hours_is_alive():
    """Constant memory is what a healthy idle program has; only the last minutes before it was replaced are doubtful."""
    idle = track([(t, 50.0) for t in range(0, 7200, 60)], id="/1")
    after = track([(t, 60.0) for t in range(7260, 9000, 60)], id="/2")

    only, (replaced, _) = alive([idle], []), alive([idle, after], [])

    assert len(only[0]) == 120
    assert replaced[-1][0] >= 7140 - 330 - 60


def test_a_series_over_several_lives_has_no_ghosts():
    """/metrics/resource has no id: after a death its last value repeats until the next life is measured."""
    resource = track([(0, 10.0), (10, 80.0), (20, 80.0), (30, 80.0), (40, 12.0), (50, 80.0)])

    (kept,) = alive([resource], [12.0])

    assert kept == ((0, 10.0), (10, 80.0), (40, 12.0), (50, 80.0))


def test_two_exporters_of_one_container_are_never_added_up():
    """A kubelet scraped at two endpoints shows each container twice: the higher counts."""
    assert highest([[(0, 5.0), (10, 6.0)], [(2, 7.0), (12, 3.0)]], 10) == {2: 7.0, 12: 6.0}


def test_a_staircase_is_carried_on_and_then_forgotten():
    """A limit told half a minute ago holds; of one told half an hour ago nothing is known."""
    stairs = Stairs([track([(0, 96.0), (600, 96.0), (610, 160.0)])])

    assert stairs.at(-1) is None
    assert stairs.at(300) == 96.0  # the ends of a step that stood still
    assert stairs.at(640) == 160.0
    assert stairs.at(3000) is None


@given(
    st.lists(st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e9)), min_size=1, max_size=30), min_size=1, max_size=5),
    st.lists(st.floats(0, 1e5), max_size=5),
)
def test_only_measured_points_are_kept_and_none_is_made_up(series, deaths):
    """Whatever the series and deaths: every kept point was there."""
    lives = [track(sorted(points), id=f"/{i}") for i, points in enumerate(series)]

    for before, after in zip(lives, alive(lives, sorted(deaths)), strict=True):
        assert set(after) <= set(before.points)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c), max_leaves=20)
)
def test_any_answer_reads(answer):
    """A malformed answer has no series."""
    assert isinstance(tracks({"series": {"x": [{"metric": {}, "values": answer}]}}, "x"), tuple)
    assert tracks(answer, "x") == () or isinstance(answer, dict)


def test_the_last_measurement_of_a_life_may_be_scraped_after_its_end():
    """It stands still from then on, above all before: the dead one's peak, and not a life of minutes in the back-off."""
    points = [
        (0.0, 10.0),
        (5.0, 40.0),
        (10.0, 70.0),
        (15.0, 93.0),
        *((15.0 + 5 * i, 93.0) for i in range(1, 50)),
        (300.0, 3.0),
        (305.0, 30.0),
    ]

    (kept,) = alive([track(points)], [12.0])

    assert [v for _, v in kept] == [10.0, 40.0, 70.0, 93.0, 3.0, 30.0]
    assert 10.0 < kept[3][0] < 12.0


def test_a_fresh_container_that_idles_is_no_ghost():
    """It starts below what its predecessor had."""
    points = [(0.0, 60.0), (10.0, 90.0), (15.0, 20.0), (20.0, 20.0), (25.0, 20.0)]

    (kept,) = alive([track(points)], [12.0])

    assert kept == tuple(points)
