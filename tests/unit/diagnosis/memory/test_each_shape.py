"""Each memory shape a reader would name is told as what it is."""

from __future__ import annotations

import math

import pytest

from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.facts import MemoryHistory
from receiver.domain.reason import codes_of, reason
from receiver.domain.report import CauseName
from receiver.domain.units import MIB
from tests.unit.diagnosis.memory.kit import drawn, history, lives, minutes, sample

LEAK, SPIKE, LIMIT, STARTUP, UNKNOWN = CauseName.LEAK, CauseName.SPIKE, CauseName.LIMIT_TOO_LOW, CauseName.STARTUP, CauseName.UNKNOWN


def told(shape_history: MemoryHistory) -> tuple[CauseName, str]:
    shape = shape_of(shape_history)
    return shape.cause, shape.detail


def test_four_ramps_that_end_in_kills_are_surely_a_leak():
    """A floor that climbs to the limit in every life is said with confidence, growth and kill count."""
    shape = shape_of(lives(4, 180, lambda up: 22 + up * 0.43))

    assert (shape.cause, shape.detail) == (LEAK, "steady")
    assert shape.confidence >= 0.85
    assert len(shape.kills) == 4
    grew = shape.because[0]
    assert grew.code == "memory.grew_in_lives"
    assert (grew["lives_grown"], grew["lives_tested"], grew["is_lower_bound"]) == (4, 4, True)
    assert grew["floor_start_bytes"] == pytest.approx(24 * MIB, rel=0.02)
    assert grew["floor_end_bytes"] == pytest.approx(99 * MIB, rel=0.02)
    assert shape.growth_bytes_per_h == pytest.approx(0.43 * 60 * MIB, rel=0.05)


def test_garbage_collection_on_a_rising_floor_is_a_leak():
    """A saw-tooth whose low points rise is a leak, however far each collection falls."""
    assert told(drawn(12, lambda m: 25 + m * 0.06 + 14 * (m % 40) / 40))[0] is LEAK


def test_garbage_collection_on_a_level_floor_is_none():
    """The same saw-tooth with level low points is no leak, also while its newest tooth rises."""
    assert told(drawn(12.5, lambda m: 25 + 25 * (m % 200) / 200))[0] is UNKNOWN


def test_ramps_reset_by_deploys_are_a_leak_without_a_kill():
    """Restarts that were no kills split lives too; nothing is counted as killed."""
    shape = shape_of(lives(5, 240, lambda up: 20 + up * 0.2, killed=False))

    assert shape.cause is LEAK
    assert shape.kills == ()
    assert not any(life.is_killed for life in shape.lives)


def test_a_leak_since_a_change_names_its_beginning():
    """Six quiet hours and then a steady rise: the time of the change is found to a few minutes."""
    shape = shape_of(drawn(12, lambda m: 30 + max(0.0, m - 360) * 0.1))

    assert (shape.cause, shape.detail) == (LEAK, "after_change")
    assert shape.change_at_s == pytest.approx(360 * 60, abs=600)


def test_a_leak_by_requests_under_falling_load_is_not_taken_for_a_warm_up():
    """With a request rate, growth is held against requests served, not against time."""

    def served(m: float) -> float:
        return m - 0.0008 * m * m  # integral of a rate that falls to a twentieth

    rows = [sample(m, 20 + 0.1 * served(m), request_rate=1 - 0.0016 * m) for m in minutes(10)]

    assert told(history(rows))[0] is LEAK
    assert told(history([sample(m, 20 + 0.1 * served(m)) for m in minutes(10)]))[0] is UNKNOWN


def test_growth_that_is_only_more_traffic_is_no_leak():
    """Memory that goes with the request rate of the moment is explained by it."""
    rows = []
    for m in minutes(10):
        rate = 10 + m * 0.1 + 6 * math.sin(m * 1.7)
        rows.append(sample(m, 10 + rate * 0.6, request_rate=rate))

    assert told(history(rows))[0] is UNKNOWN
    assert told(history(rows))[1] == "follows_rate"


def test_a_first_ramp_is_told_as_leak_or_warm_up():
    """One life that rises for some hours may still level off: low confidence, and the reasons name both."""
    shape = shape_of(drawn(5, lambda m: 20 + m * 0.15))

    assert (shape.cause, shape.detail) == (LEAK, "first_life")
    assert shape.confidence <= 0.5
    assert "memory.leak_or_warm_up" in codes_of(*shape.because)
    assert codes_of(shape.settle_by) == ("memory.look_again", "memory.settle.plateau_or_second_life")


def test_a_first_ramp_of_more_than_a_day_is_surer():
    """No warm-up measured took longer than nine hours, so a day of steady growth is told as a leak."""
    assert shape_of(drawn(30, lambda m: 20 + m * 0.03, step_s=60)).confidence >= 0.7


def test_a_finished_warm_up_is_no_leak():
    """Rising for two hours and level for ten is a filled cache."""
    assert told(drawn(12, lambda m: 20 + 40 * (1 - math.exp(-m / 40))))[0] is UNKNOWN


def test_a_cache_that_fills_ever_more_slowly_is_no_leak():
    """A logarithm never quite ends, but it slows down; a leak does not."""
    assert told(drawn(24, lambda m: 20 + 6 * math.log1p(m / 4), step_s=60))[0] is UNKNOWN


def test_file_cache_is_no_leak_though_the_working_set_rises_to_the_limit():
    """With the process's own memory flat, the rest is cache that the kernel takes back."""
    rows = [sample(m, min(20 + m * 0.2, 95), own_mib=20, cache_mib=min(m * 0.2, 75)) for m in minutes(12)]
    shape = shape_of(history(rows))

    assert (shape.cause, shape.detail) == (UNKNOWN, "page_cache")
    assert shape.cache_share == pytest.approx(75 / 95, abs=0.01)


def test_files_in_memory_that_fill_the_limit_until_a_kill_are_a_leak():
    """The kernel would have taken file cache back: a kill with little own memory says it could not (tmpfs)."""
    rows = []
    for life in range(3):
        for i in range(200):
            used = 20 + i * 0.4
            rows.append(sample(life * 101 + i / 2, used, own_mib=18, cache_mib=used - 18, restarts=float(life), oom_kills=float(life)))
    rows.append(sample(303, 20, own_mib=18, cache_mib=2, restarts=3.0, oom_kills=3.0))
    shape = shape_of(history(rows))

    assert (shape.cause, shape.detail) == (LEAK, "memory_volume")
    assert shape.because[-1] == reason("memory.files_in_memory", own_bytes=18 * MIB)


def test_a_level_near_the_limit_is_a_limit_too_low():
    """Flat at 88 % is neither leak nor spike, and says how little it grows."""
    shape = shape_of(drawn(8, lambda m: 88 + 0.5 * math.sin(m)))

    assert (shape.cause, shape.detail) == (LIMIT, "near_limit")
    assert shape.because[0].code == "memory.flat_near_limit"
    assert shape.against == (reason("memory.not_a_leak", because=reason("memory.refused.hardly_grows")),)


def test_a_level_is_sure_when_it_has_stood_for_a_day_or_two_lives():
    """Hours near the limit may be the crest of a wave or the end of a slow leak: until then it is said with 0.7 at most."""

    def level(m: float) -> float:
        return 88 + 0.5 * math.sin(m)

    assert shape_of(drawn(8, level)).confidence <= 0.7
    assert shape_of(drawn(26, level, step_s=60)).confidence >= 0.85
    assert shape_of(lives(3, 120, lambda up: level(up) if up > 3 else 30 * up), now_s=330 * 60).confidence >= 0.85


def test_the_last_hours_of_a_slow_leak_are_no_low_limit():
    """How memory came near the limit is asked, not only that it stands there: a line that goes on is a leak."""
    shape = shape_of(drawn(40, lambda m: 20 + 0.0315 * m, step_s=60))

    assert shape.cause is LEAK


def test_a_heap_that_stands_at_its_own_ceiling_before_it_dies_has_leaked():
    """A runtime fights at its ceiling for a good part of its life, and exits by itself: the climb before is what counts."""
    shape = shape_of(lives(3, 240, lambda up: min(12 + up * 0.35, 62), killed=False))

    assert (shape.cause, shape.kills) == (LEAK, ())


def test_one_odd_life_does_not_throw_away_what_the_others_have_shown():
    """Four lives climb to a kill, one was restarted early after a flat hour: evidence is added up, no test has a veto."""
    four = lives(4, 150, lambda up: 20 + up * 0.52)
    flat = [sample(604 + m, 21, restarts=4.0, oom_kills=4.0) for m in minutes(1)]
    again = [sample(666 + m, 20 + m * 0.5, restarts=5.0, oom_kills=4.0) for m in minutes(2)]
    shape = shape_of(history((*four.samples[:-1], *flat, *again)))

    assert shape.cause is LEAK
    assert shape.confidence >= 0.85


def test_a_leak_whose_kills_come_at_the_crests_of_the_load_is_a_leak():
    """Requests in flight swing, every request leaks a little, the crest does the rest."""

    def level(up: float) -> float:
        return 24 + up * 0.13 + 9 * math.sin(up / 38)

    shape = shape_of(lives(4, 400, level, step_s=60))

    assert shape.cause is LEAK


def test_kills_out_of_a_low_level_are_spikes_whatever_came_before():
    """Shortly before each kill most of the limit was free: leaks die from above."""
    shape = shape_of(lives(4, 200, lambda up: 95 if up > 197 else 24 + 0.01 * up))

    assert shape.cause is SPIKE
    pieces = {codes_of(e)[1]: e for e in shape.evidence if e.code == "memory.evidence"}
    assert pieces["memory.piece.kills_from_below"]["strength"] == 1.0


def test_memory_that_grew_no_more_than_the_load_is_no_sure_leak():
    """Half as many requests more, half as much memory more."""
    rows = [sample(m, 30 * (1 + m / 1200), request_rate=10 * (1 + m / 1200)) for m in minutes(10)]
    alone = [sample(m, 30 * (1 + m / 1200), request_rate=10.0 + 0.1 * math.sin(m)) for m in minutes(10)]

    assert told(history(alone))[0] is LEAK
    assert told(history(rows))[0] is UNKNOWN


def test_a_new_level_needs_time_to_be_one():
    """Twenty minutes after a step up it may be a peak; two hours after it is a level."""
    stepped = drawn(8, lambda m: 85 if m > 240 else 30)

    assert shape_of(stepped, now_s=260 * 60).detail == "spike_or_new_level"
    assert shape_of(stepped, now_s=380 * 60).cause is LIMIT


def test_a_lowered_limit_makes_yesterdays_level_too_high():
    """Ratios are held against today's limit where that is lower."""
    rows = [sample(m, 45, limit_mib=100 if m < 300 else 50) for m in minutes(5.5)]

    assert told(history(rows))[0] is LIMIT


def test_bursts_that_follow_the_request_rate_are_traffic_spikes():
    """Usual use is low, peaks come with the rate: the reasons name it."""
    rows = []
    for m in minutes(12):
        rate = 40.0 if 120 <= m % 240 < 130 else 10 + 2 * math.sin(m)
        rows.append(sample(m, 15 + rate * 1.8, request_rate=rate))
    shape = shape_of(history(rows))

    assert (shape.cause, shape.detail) == (SPIKE, "traffic")
    assert shape.rate_correlation is not None
    assert shape.rate_correlation > 0.9


def test_peaks_without_a_request_rate_may_be_batch_work():
    """Peaks are a spike, but what drives them is not claimed."""
    shape = shape_of(drawn(12, lambda m: 85 if m % 180 > 170 else 25))

    assert (shape.cause, shape.detail) == (SPIKE, "batch")
    assert shape.because[-1] == reason("memory.traffic_or_batch")


def test_kills_within_a_minute_of_the_start_are_start_up():
    """Again and again killed while climbing: start-up needs more than the limit."""
    shape = shape_of(lives(6, 1.5, lambda up: 10 + up * 55, down_minutes=4))

    assert shape.cause is STARTUP
    assert shape.confidence >= 0.85


def test_lives_of_seconds_are_too_short_for_a_verdict():
    """Thirteen seconds at a scrape of five: a fast leak and a start-up look the same."""
    starts = [i * 40.0 for i in range(8)]
    rows = [sample((s + d) / 60, 5 + d * 7, restarts=None, oom_kills=None) for s in starts for d in (4.0, 9.0)]
    shape = shape_of(history(rows, starts_s=tuple(starts), kill_times_s=tuple(s + 13 for s in starts)))

    assert (shape.cause, shape.detail) == (UNKNOWN, "lives_too_short")
    assert shape.because[0] == reason("memory.cannot_tell_yet", because=reason("memory.lives_too_short", typical_life_s=13.0))
    assert len(shape.kills) == 8


def test_lives_under_a_second_by_exact_times_never_came_up():
    """What no scrape can see, the kubelet's times can: killed in its first second, again and again."""
    starts = [i * 60.0 for i in range(6)]
    rows = [sample(m, 0.1, restarts=None, oom_kills=None) for m in minutes(0.1)]
    shape = shape_of(history(rows, starts_s=tuple(starts), kill_times_s=tuple(s + 0.6 for s in starts)))

    assert (shape.cause, shape.detail) == (STARTUP, "never_up")


def test_a_burst_that_kills_again_after_the_restart_is_not_start_up():
    """The first kill of an episode decides; the next ones are restarts into the same burst."""
    rows = []
    restarts = 0
    for m in minutes(6):
        in_burst = 300 <= m < 306
        if in_burst and m != 300 and m % 1 == 0:
            restarts += 1
        rows.append(sample(m, 95 if in_burst and m % 1 else 30, restarts=float(restarts), oom_kills=float(restarts)))

    assert told(history(rows))[0] is SPIKE


def test_a_quiet_container_is_unknown_with_weight():
    """Flat and low is no cause, said surely."""
    shape = shape_of(drawn(6, lambda m: 40 + 0.2 * math.sin(m)))

    assert (shape.cause, shape.detail) == (UNKNOWN, "flat")
    assert shape.confidence >= 0.85


def test_twelve_minutes_are_too_little():
    """A short history is said to be short, with what would settle it."""
    shape = shape_of(drawn(0.2, lambda m: 20 + m))

    assert (shape.cause, shape.detail) == (UNKNOWN, "too_short")
    assert shape.because == (reason("memory.cannot_tell_yet", because=reason("memory.history_too_short", history_s=720.0)),)
    assert shape.settle_by == reason("memory.look_again", settle_by=reason("memory.settle.history", history_s=1800.0))


def test_no_history_is_not_no_problem():
    """Without a row nothing is said, with no confidence at all."""
    shape = shape_of(history([]))

    assert (shape.cause, shape.confidence, shape.detail) == (UNKNOWN, 0.0, "no_history")


def test_a_fixed_leak_is_told_less_surely():
    """Three ramps to a kill and then a long quiet life: something has changed, and the reasons say so."""
    leaking = lives(3, 120, lambda up: 20 + up * 0.65)
    quiet = [sample(363 + m, 25, restarts=3.0, oom_kills=3.0) for m in minutes(4)]
    shape = shape_of(history((*leaking.samples[:-1], *quiet)))

    assert shape.confidence <= 0.6
    assert shape.cause is not LEAK or "memory.growth_stopped" in codes_of(*shape.against)


def test_a_leak_per_request_under_a_rising_load_is_no_traffic_once_a_restart_has_shown_it():
    """Within each life memory goes with the request rate; the restart takes the memory and leaves the rate."""
    rows, used, life = [], 20.0, 0
    for m in minutes(6.5):
        rate = 10 - 9 * math.cos(2 * math.pi * m / 140)
        used += rate * 0.057
        if used > 98:
            used, life = 20.0, life + 1
        rows.append(sample(m, used, request_rate=rate, restarts=float(life), oom_kills=float(life)))

    assert told(history(rows))[0] is LEAK


def test_a_peak_that_fell_from_the_limit_by_itself_is_no_restart():
    """The restart counter did not move: it came down."""
    shape = shape_of(drawn(6, lambda m: 97 if 200 <= m < 204 else 30 + 0.5 * math.sin(m)))

    assert len(shape.lives) == 1
    assert shape.cause is SPIKE


def test_a_crash_loop_of_short_lives_is_no_burst_after_hours():
    """A day of quiet, and then seven hours of lives of two minutes: they need more than the limit to start."""
    rows = [sample(m, 50.0) for m in minutes(24, 60)]
    for life in range(1, 85):
        begin = 24 * 60 + life * 5
        rows += [sample(begin + up, 20 + 38 * up, restarts=float(life), oom_kills=float(life)) for up in (0, 1, 2)]

    assert told(history(rows))[0] is STARTUP


def test_a_first_rise_of_an_hour_is_not_worth_a_word_yet():
    """As many warm-ups and jobs look so as leaks; it is told from 75 min on."""
    assert told(drawn(1.1, lambda m: 20 + m))[0] is UNKNOWN
    assert told(drawn(1.7, lambda m: 20 + 0.7 * m))[0] is LEAK


def test_a_large_swing_is_not_called_flat():
    """What falls and rises by a third of the limit is no flat line, and nothing is said surely of it."""
    shape = shape_of(drawn(24, lambda m: 25 + 35 * (m % 90) / 90))

    assert (shape.cause, shape.detail) == (UNKNOWN, "no_pattern")
    assert shape.confidence < 0.85
