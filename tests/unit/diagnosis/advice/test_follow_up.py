"""Whether a fix held, from the memory of all pods since: every outcome, and what is no proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from receiver.diagnosis.advice.follow_up import Trial, growth_at_equal_hours, verdict_of
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.facts import PodSince, Since
from receiver.domain.identity import Workload
from receiver.domain.report import CauseName, Report, Shape
from receiver.domain.units import MIB
from tests.support import NOW
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, container, death, facts, shape

TOO_LOW = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, median_bytes=85.0 * MIB, peak_bytes=96.0 * MIB)
STEP, H = 300.0, 3600.0
END = NOW.timestamp()
FIXED = END - 24 * H
TRIAL = Trial(since=NOW - timedelta(hours=24), after_s=24 * H, limit_bytes=200 * MIB)


def line(start: float, end: float, low_mib: float, per_h_mib: float = 0.0) -> tuple[tuple[float, float], ...]:
    """Memory from `low_mib` on, growing evenly."""
    n = int((end - start) / STEP)
    return tuple((start + i * STEP, (low_mib + per_h_mib * i * STEP / H) * MIB) for i in range(n))


def saw(start: float, end: float, per_h_mib: float, span_h: float) -> tuple[tuple[float, float], ...]:
    """A leak that is killed every `span_h` hours."""
    found: list[tuple[float, float]] = []
    while start < end:
        found += line(start, min(start + span_h * H, end), 30, per_h_mib)
        start += span_h * H
    return tuple(found)


def since(*pods: PodSince) -> Since:
    return Since(pods=pods, start_s=FIXED - 24 * H, end_s=END, step_s=STEP)


def report(seen: Shape, told: Since | None) -> Report:
    return replace_since(report_of(replace(clues_of(facts(container(dead=death()))), shape=seen)), told)


def replace_since(found: Report, told: Since | None) -> Report:
    return replace(found, facts=replace(found.facts, since=told))


def test_held() -> None:
    """No kill, measured throughout: peak and p99 against the new limit."""
    verdict = verdict_of(report(TOO_LOW, since(PodSince(pod="new", samples=line(FIXED, END, 85)))), TRIAL)

    assert verdict.outcome == "held"
    assert (verdict.because["peak_bytes"], verdict.because["limit_bytes"], verdict.because["is_tight"]) == (85 * MIB, 200 * MIB, False)
    assert verdict.because["after_bytes_per_h"] is None


def test_held_but_close_to_the_limit_says_so() -> None:
    """The highest per cent of samples is near it."""
    verdict = verdict_of(report(TOO_LOW, since(PodSince(pod="new", samples=line(FIXED, END, 190)))), TRIAL)

    assert (verdict.outcome, verdict.because["is_tight"]) == ("held", True)


def test_killed_in_a_pod_that_has_it() -> None:
    """Whichever pod, and however long gone."""
    dead = PodSince(pod="new", samples=line(FIXED, END, 85), limits=((FIXED, 200.0 * MIB),), kill_times_s=(FIXED + 5 * H,))

    assert verdict_of(report(TOO_LOW, since(dead)), TRIAL).killed_at == NOW - timedelta(hours=19)


def test_a_pod_of_before_may_die_meanwhile() -> None:
    """It had the old limit."""
    old = PodSince(pod="old", samples=line(FIXED - H, FIXED + H, 85), limits=((FIXED - H, 96.0 * MIB),), kill_times_s=(FIXED + 600,))
    new = PodSince(pod="new", samples=line(FIXED, END, 85), limits=((FIXED, 200.0 * MIB),))

    assert verdict_of(report(TOO_LOW, since(old, new)), TRIAL).outcome == "held"


def test_a_pod_of_before_without_a_known_limit_may_die_meanwhile() -> None:
    """An image was changed, or nobody told the old limit: what ran before the fix and was replaced by it does not have it."""
    old = PodSince(pod="shop-7c9d8f6b5-x2x4z", restarts=((FIXED - 2 * H, 3.0),), kill_times_s=(FIXED + 120,))
    new = PodSince(pod="shop-5d6f7c8b9-a1b2c", samples=line(FIXED, END, 85), kill_times_s=())
    trial = replace(TRIAL, limit_bytes=None, replaces_pods=True)

    assert verdict_of(report(TOO_LOW, since(old, new)), trial).outcome == "held"
    assert verdict_of(report(TOO_LOW, since(old, new)), replace(trial, replaces_pods=False)).outcome == "failed"
    assert verdict_of(report(TOO_LOW, since(replace(old, pod="shop-0"), new)), trial).outcome == "failed"  # its namesake has it


def test_evictions_and_throttling_are_those_since_the_fix() -> None:
    """Evicted pods stay and are counted for days; an hour of throttling is not the time."""
    told = replace(
        since(PodSince(pod="new", samples=line(FIXED, END, 85))),
        evicted=((FIXED - 5 * H, 2.0), (FIXED + H, 2.0), (FIXED + 2 * H, 3.0)),
        throttled=((FIXED - 5 * H, 0.7), (FIXED + H, 0.2), (FIXED + 2 * H, 0.4)),
    )
    because = verdict_of(report(TOO_LOW, told), TRIAL).because

    assert (because["evicted"], round(float(because["throttled_ratio"]), 3)) == (1, 0.3)  # type: ignore[arg-type]


def test_one_run_of_what_is_scheduled_says_something() -> None:
    """It runs for an hour a day: half of the day is never measured."""
    seen = report(TOO_LOW, since(PodSince(pod="report-29000000-abcde", samples=line(FIXED + 5 * H, FIXED + 6 * H, 85))))
    nightly = replace(seen, subject=replace(seen.subject, workload=Workload(kind="CronJob", name="report")))

    assert verdict_of(seen, TRIAL).outcome == "no_evidence"
    assert verdict_of(nightly, TRIAL).outcome == "held"
    assert verdict_of(replace_since(nightly, since()), TRIAL).outcome == "no_evidence"


@pytest.mark.parametrize(
    "told",
    [pytest.param(None, id="away"), pytest.param(since(PodSince(pod="new", samples=line(FIXED, FIXED + 5 * H, 85))), id="5 of 24 h")],
)
def test_what_was_not_measured_is_no_proof(told: Since | None) -> None:
    """Prometheus away: never a sign that it held."""
    verdict = verdict_of(report(TOO_LOW, told), TRIAL)

    assert verdict.outcome == "no_evidence"
    assert verdict.because["missing_s"] == pytest.approx((24 if told is None else 19) * H, abs=STEP)


def test_a_leak_that_goes_on_is_only_delayed() -> None:
    """3 MiB an hour before and after: the next kill is foretold."""
    pods = (PodSince(pod="old", samples=saw(FIXED - 24 * H, FIXED, 3, 24)), PodSince(pod="new", samples=line(FIXED, END, 30, 3)))
    verdict = verdict_of(report(LEAK_SHAPE, since(*pods)), TRIAL)

    assert verdict.outcome == "delays"
    next_at = verdict.because["next_at"]
    assert isinstance(next_at, type(NOW))
    assert (next_at - NOW).total_seconds() / H == pytest.approx((200 - 102) / 3, abs=0.5)


def test_a_leak_mended_in_code_is_flat_at_the_same_hours() -> None:
    """What it grew before is known beside it."""
    pods = (PodSince(pod="old", samples=saw(FIXED - 24 * H, FIXED, 20, 2.5)), PodSince(pod="new", samples=line(FIXED, END, 50)))
    verdict = verdict_of(report(LEAK_SHAPE, since(*pods)), TRIAL)

    assert verdict.outcome == "held"
    assert verdict.because["before_bytes_per_h"] == pytest.approx(20 * MIB, rel=0.05)
    assert verdict.because["after_bytes_per_h"] == pytest.approx(0, abs=0.1 * MIB)


def test_what_used_to_live_longer_has_shown_nothing_yet() -> None:
    """Three days a life: a day says nothing; once more after a life and a half."""
    told = since(PodSince(pod="new", samples=line(FIXED, END, 85)))
    verdict = verdict_of(report(TOO_LOW, told), replace(TRIAL, life_before_s=72 * H))

    assert verdict.outcome == "too_early"
    assert verdict.again_at == TRIAL.since + timedelta(hours=108)


def test_growth_is_compared_at_equal_hours_of_the_day() -> None:
    """Busy from noon to midnight, before and after; only the afternoon was measured since: the quiet night does not count for it."""
    noon = FIXED - (FIXED % 86_400.0) - 12 * H
    busy_before = line(noon, noon + 12 * H, 30, 10)
    quiet_before = line(noon - 12 * H, noon, 30)
    noon_after = noon + 2 * 86_400.0
    busy_after = line(noon_after, noon_after + 12 * H, 30, 10)
    told = Since(
        pods=(PodSince(pod="a", samples=quiet_before), PodSince(pod="b", samples=busy_before), PodSince(pod="c", samples=busy_after)),
        start_s=noon - 12 * H, end_s=noon_after + 12 * H, step_s=STEP,
    )  # fmt: skip
    before, after = growth_at_equal_hours(told, noon + 86_400.0)

    assert before == pytest.approx(10 * MIB, rel=0.05)
    assert after == pytest.approx(10 * MIB, rel=0.05)
