"""The nine items: their states and the few words behind each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.domain.case import Missing
from receiver.domain.facts import AlertCoverage, Facts
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CheckItem, Report
from receiver.domain.units import MIB
from receiver.render.wording import say
from tests.unit.diagnosis.facts_kit import LEAK_SHAPE, container, death, facts, history, killing, log

IDS = [
    "describe_pod",
    "exit_code",
    "memory_limits",
    "previous_logs",
    "memory_history",
    "root_cause",
    "apply_fix",
    "monitor_48h",
    "alerts_in_place",
]
COVERED = AlertCoverage(has_oom_rule=True, has_usage_rule=True, rule_names=("OOMKilled", "HighMemoryUsage"))


def _items(report: Report) -> dict[str, CheckItem]:
    return {i.id: i for i in report.checklist}


def _result(base: Facts, item: str) -> tuple[str, Reason]:
    found = _items(diagnose(base))[item]
    assert found.result is not None
    return found.state, found.result


@pytest.mark.wording
def test_leak_reads_like_the_message_guide() -> None:
    """The nine results of a leak with everything at hand: six done, two for the reader, one that could not be checked."""
    base = facts(
        container(limit=80 * MIB, dead=death(lived_s=10680), restart_count=4), log=log("INFO GET /orders 200"), history=history(0.5, 0.9, limit=80 * MIB),
        missing=(Missing(source="rules", why="403", hint="grant get on prometheusrules"),),
    )  # fmt: skip
    report = report_of(replace(clues_of(base), shape=LEAK_SHAPE))

    assert [(i.id, i.state, say(i.result)) for i in report.checklist] == [
        ("describe_pod", "done", "OOMKilled, 4 restarts"),
        ("exit_code", "done", "137, and reason OOMKilled"),
        ("memory_limits", "done", "80 MiB / 64 MiB, Burstable"),
        ("previous_logs", "done", "read, no memory error"),
        ("memory_history", "done", "11 h, 4 lives, 32 min missing"),
        ("root_cause", "done", "likely leak"),
        ("apply_fix", "todo", "for you: fix the code; stop-gap patch below"),
        ("monitor_48h", "todo", "starts once the fix is applied"),
        ("alerts_in_place", "could_not_check", "could not list rules: 403; grant get on prometheusrules"),
    ]


def test_probe_kill_leaves_three_that_do_not_apply() -> None:
    """Not an OOM: what was looked at is done, and fix, watching and alerts are not this item's business."""
    base = facts(
        container("search", limit=64 * MIB, dead=death("Error")), events=(killing("Container search failed liveness probe", container="search"),),
        log=log("INFO serving", container="search"), history=history(0.04, 0.04, limit=64 * MIB), coverage=COVERED,
    )  # fmt: skip
    items = diagnose(base).checklist

    assert [i.state for i in items] == ["done"] * 6 + ["not_applicable"] * 3
    assert items[1].result == reason("check.exit_sigkill", exit_code=137, reason="Error")


def test_ids_and_order_are_the_articles() -> None:
    """The ids are public, and in the article's order, whatever is known."""
    for base in (facts(), facts(container()), facts(container(dead=death()))):
        assert [i.id for i in diagnose(base).checklist] == IDS


@pytest.mark.parametrize(
    ("coverage", "state", "code"),
    [
        (COVERED, "done", "check.rules_watch"),
        (AlertCoverage(has_oom_rule=True, has_usage_rule=False), "todo", "check.no_usage_rule"),
        (AlertCoverage(has_oom_rule=False, has_usage_rule=True), "todo", "check.no_oom_rule"),
        (AlertCoverage(has_oom_rule=False, has_usage_rule=False), "todo", "check.no_rule"),
        (AlertCoverage(has_oom_rule=True), "could_not_check", "check.rules_not_listed"),
        (None, "could_not_check", "check.rules_not_listed"),
    ],
)
def test_alerts_in_place_needs_both_rules(coverage: AlertCoverage | None, state: str, code: str) -> None:
    """One rule of two is no coverage, and what could not be asked is not covered."""
    found, result = _result(facts(container(dead=death()), coverage=coverage), "alerts_in_place")

    assert (found, result.code) == (state, code)


def test_silenced_alert_is_in_place_and_said() -> None:
    """Rules watch the container, but nobody hears of it now."""
    state, result = _result(facts(container(dead=death()), coverage=replace(COVERED, is_silenced=True)), "alerts_in_place")

    assert (state, result["is_silenced"]) == ("done", True)


@pytest.mark.parametrize("source", ["pod", "log", "history"])
def test_missing_evidence_says_why(source: str) -> None:
    """What could not be read is `could not be checked` with the source's own reason, never a quiet done."""
    gap = Missing(source=source, why="HTTP 503", hint="ask again")
    base = facts(missing=(gap,)) if source == "pod" else facts(container(dead=death()), missing=(gap,))
    item = {"pod": "describe_pod", "log": "previous_logs", "history": "memory_history"}[source]

    assert _result(base, item) == ("could_not_check", reason("advice.quoted", text="HTTP 503; ask again"))


def test_child_kill_has_no_exit_code() -> None:
    """Nothing exited, so there is no code to check; the pod's state is what it is."""
    base = facts(container(), child_kills=3, alerts=("ChildProcessOOMKilled",))

    assert _result(base, "exit_code")[0] == "not_applicable"
    assert _result(base, "describe_pod") == ("done", reason("check.container_state", state="running", restarts=0))


@pytest.mark.parametrize(
    ("limit", "request_", "pod", "sentence"),
    [
        (None, None, {"qos_class": "BestEffort"}, "no limit, no request, BestEffort"),
        (
            None,
            None,
            {"pod_limit_bytes": 96 * MIB, "pod_request_bytes": 96 * MIB, "qos_class": "Guaranteed"},
            "96 MiB / 96 MiB for the whole pod, Guaranteed",
        ),
        (96 * MIB, None, {"qos_class": ""}, "96 MiB / no request"),
    ],
)
@pytest.mark.wording
def test_limits_in_words(limit: int | None, request_: int | None, pod: dict[str, object], sentence: str) -> None:
    """Limit and request as they are in force, the pod's where the container has none."""
    state, result = _result(facts(container(limit=limit, request=request_, dead=death()), pod=pod), "memory_limits")

    assert (state, say(result)) == ("done", sentence)


def test_cannot_tell_yet_is_not_ticked_off() -> None:
    """An unknown cause leaves item 6 open."""
    assert _result(facts(container(dead=death())), "root_cause") == ("todo", reason("leaf.unknown.verdict"))
