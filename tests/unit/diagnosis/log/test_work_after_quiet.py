"""Work that begins after a quiet time, and a log that says that its start is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.diagnosis.log.log_clues import begun_after_quiet, says_it_serves
from receiver.domain.facts import Facts, LogFacts
from receiver.domain.report import CauseName, Report, Shape
from receiver.domain.units import MIB
from tests.unit.diagnosis.facts_kit import DIED, container, death, facts, log


def quiet_log(*lines: tuple[str, float]) -> LogFacts:
    """Lines with the seconds that each came before the death."""
    times = tuple(DIED - timedelta(seconds=before_s) for _, before_s in lines)
    return LogFacts(container="orders-api", lines=tuple(line for line, _ in lines), times=times)


def _with_shape(base: Facts, seen: Shape) -> Report:
    return report_of(replace(clues_of(base), shape=seen))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((("idle at 20 MiB", 60), ("batch export requested: buffering 90 MiB", 0.5)), "batch export requested: buffering 90 MiB"),
        ((("INFO serving", 300), ("POST /reports started", 4)), "POST /reports started"),
        ((("INFO serving", 300), ("job 17 begins", 4), ("job 17: stage 1", 3), ("job 17: stage 2", 2)), "job 17 begins"),
        ((("INFO serving", 20), ("job 17 begins", 4)), ""),
        ((("INFO serving", 300), ("job 17 begins", 120)), ""),
        ((("loading model weights", 300), ("reading index of 90 MiB", 1)), ""),
        ((("starting", 90), ("processing batch", 1)), ""),
        ((("INFO serving", 300), ("SIGTERM", 1)), ""),
        ((("job 17 begins", 4),), ""),
        ((), ""),
    ],
)
def test_work_after_a_quiet_time(lines: tuple[tuple[str, float], ...], expected: str) -> None:
    """Half a minute without a word, then work, moments before the death: not while it starts, not long ago, not without work."""
    assert begun_after_quiet(quiet_log(*lines), DIED) == expected


def test_without_times_only_a_line_that_says_so_is_quiet() -> None:
    """Logs without the kubelet's stamps."""
    assert begun_after_quiet(log("waiting for messages", "received batch of 90 MiB"), DIED) == "received batch of 90 MiB"
    assert begun_after_quiet(log("INFO connected", "received batch of 90 MiB"), DIED) == ""
    assert begun_after_quiet(None, DIED) == ""


@pytest.mark.parametrize(
    ("line", "is_up"),
    [
        ("INFO: OrderService started, max heap 494 MiB", True),
        ("info: listening on :3000", True),
        ("Server started in 2.3 s", True),
        ("Startup complete", True),
        ("starting server on port 80", False),
        ("Starting OrderService", False),
        ("job started", False),
    ],
)
def test_a_log_that_says_it_serves(line: str, is_up: bool) -> None:
    """What comes after it is no start-up."""
    assert says_it_serves((line,)) is is_up


@pytest.mark.parametrize(
    "line", ["WARN batch export requested: buffering 90 MiB", "loading batch 4 into memory (90 MiB)", "POST /export begins"]
)
@pytest.mark.parametrize("restarts", [1, 4])
def test_batch_after_idling_is_a_peak_from_the_first_kill_on(line: str, restarts: int) -> None:
    """After a minute of idling nothing starts, however early the scrapes and the clock make it look."""
    one = container(limit=96 * MIB, dead=death(lived_s=61), restart_count=restarts)
    early = Shape(cause=CauseName.STARTUP, confidence=0.8)
    base = facts(one, log=quiet_log(("memlab ready", 61), ("idle at 20 MiB", 60), (line, 0.3)))
    for report in (diagnose(base), _with_shape(base, early)):
        assert (report.cause.name, report.cause.detail) == (CauseName.SPIKE, "burst")


@pytest.mark.parametrize(
    "line",
    [
        "cache capacity 90 MiB",
        "upload limit is 90MB",
        "buffering at most 90 MiB",
        "max rows 50000 per import",
        "90 MiB free for uploads",
        "job 17 finished",
    ],
)
def test_bound_stated_after_idling_is_no_peak(line: str) -> None:
    """What is only stated filled nothing: no peak is told, and no raise as its cure."""
    one = container(limit=96 * MIB, dead=death(lived_s=61), restart_count=4)
    report = diagnose(facts(one, log=quiet_log(("memlab ready", 61), ("idle at 20 MiB", 60), (line, 0.3))))

    assert report.cause.name is CauseName.UNKNOWN


def test_loading_at_once_is_still_a_start() -> None:
    """The same line without a quiet time before it."""
    one = container(limit=96 * MIB, dead=death(lived_s=6), restart_count=4)
    report = diagnose(facts(one, log=quiet_log(("memlab starting", 6), ("loading batch 4 into memory (90 MiB)", 2))))

    assert report.cause.name is CauseName.STARTUP


def test_maximum_in_the_log_is_no_demand() -> None:
    """`max heap 494 MiB` fills nothing: neither a peak nor the size of the raise comes from it."""
    one = container(limit=128 * MIB, dead=death(lived_s=6), restart_count=2)
    report = diagnose(facts(one, log=log("Nov 30, 2026 3:25:33 PM Leak main", "INFO: report of 494 MiB max heap")))

    assert report.cause.name is not CauseName.SPIKE
    assert (report.proposal.limit_bytes or 0) < 494 * MIB


def test_a_service_that_says_it_is_up_does_not_die_at_once() -> None:
    """Six seconds of service, again and again, are no start-up that needs more."""
    dead = container(limit=128 * MIB, dead=death(lived_s=6), restart_count=12)

    assert diagnose(facts(dead, log=log("booting"))).cause.name is CauseName.STARTUP
    assert diagnose(facts(dead, log=log("info: listening on :3000"))).cause.name is not CauseName.STARTUP
