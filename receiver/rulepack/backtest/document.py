"""A backtest as one JSON document, `oomtriage.backtest/v1`. Times are RFC 3339 UTC, durations seconds, ratios 0-1."""

from __future__ import annotations

from typing import Any

from receiver.domain.units import format_time, from_epoch
from receiver.rulepack.backtest import words
from receiver.rulepack.backtest.compare import Change, Comparison
from receiver.rulepack.backtest.judge import Firing, How, Outcome, whom
from receiver.rulepack.backtest.kills import PastKill
from receiver.rulepack.backtest.run import Backtest

SCHEMA = "oomtriage.backtest/v1"


def backtest_document(backtest: Backtest, comparison: Comparison | None = None) -> dict[str, Any]:
    """The document; `comparison` is null without one."""
    number = {id(kill): index for index, kill in enumerate(backtest.kills)}
    missed = {id(kill) for kill in backtest.missed}
    too_late = {id(kill) for kill in backtest.too_late}
    spoken: dict[int, list[dict[str, Any]]] = {}
    for outcome in backtest.outcomes:
        for one in outcome.caught:
            spoken.setdefault(id(one.kill), []).append({"alert": outcome.rule.name, "how": one.how.value, "seconds": one.seconds})
    return {
        "schema": SCHEMA,
        "range": {
            "start": _time(backtest.range.start_s), "end": _time(backtest.range.end_s), "within_s": backtest.range.within_s,
        },
        "kills": [
            {
                "id": number[id(kill)], **_kill(kill),
                "caught": None if id(kill) in too_late else id(kill) not in missed,
                "alerts": spoken.get(id(kill), []),
            }
            for kill in backtest.kills
        ],
        "alerts": [_outcome(outcome, backtest, number) for outcome in backtest.outcomes],
        "workloads": [
            {"workload": told.name, "firings": told.firings, "total_s": told.total_s, "kills": told.kills, "alerts": dict(told.alerts)}
            for told in words.top_workloads(backtest)
        ],
        "sum": {
            "firings": backtest.firings, "threads": backtest.incidents, "kills": len(backtest.kills), "kills_caught": len(backtest.caught),
            "kills_missed": len(backtest.missed), "kills_undecided": len(backtest.too_late),
        },
        "recorded": list(backtest.recorded),
        "absent": [{"metric": one.metric, "without": one.without or None, "alerts": list(one.alerts)} for one in backtest.absent],
        "not_seen": list(backtest.blind),
        "missing": list(backtest.missing),
        "load": {
            "queries": backtest.load.queries, "seconds": round(backtest.load.seconds, 3), "samples": backtest.load.samples,
            "bytes": backtest.load.bytes,
        },
        "comparison": _comparison(comparison, number) if comparison else None,
    }  # fmt: skip


def _outcome(outcome: Outcome, backtest: Backtest, number: dict[int, int]) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "alert": rule.name, "severity": rule.severity, "interval_s": rule.interval_s, "for_s": rule.for_s, "keep_firing_for_s": rule.keep_s,
        "evaluated_ratio": round(words.coverage(outcome, backtest.range), 4), "missing": outcome.missing or None, "absent": list(outcome.absent),
        "fired": len(outcome.firings) if outcome.was_asked else None, "total_s": outcome.total_s, "median_s": outcome.median_s,
        "workloads": sorted(outcome.workloads), "threads": outcome.incidents,
        "kills": None if outcome.kills is None else len(outcome.kills),
        "kills_caught": None if outcome.kills is None else [number[id(one.kill)] for one in outcome.caught],
        "kills_missed": None if outcome.kills is None else [number[id(kill)] for kill in outcome.missed],
        "median_ahead_s": outcome.median_of(How.BEFORE), "median_after_s": outcome.median_of(How.AFTER),
        "firings_with_kill": outcome.followed, "firings_without_kill": outcome.without_kill, "firings_undecided": outcome.undecided,
        "firings": [_firing(firing) for firing in outcome.firings],
    }  # fmt: skip


def _firing(firing: Firing) -> dict[str, Any]:
    return {
        "labels": dict(firing.labels), "workload": whom(firing), "from": _time(firing.span.from_s), "until": _time(firing.span.until_s),
        "is_open": firing.span.is_open,
    }  # fmt: skip


def _kill(kill: PastKill) -> dict[str, Any]:
    workload = kill.subject.workload
    return {
        "at": _time(kill.at_s), "is_exact": kill.is_exact, "is_process": kill.is_process, "cluster": kill.cluster,
        "namespace": kill.namespace, "pod": kill.pod, "container": kill.container, "seen_by": list(kill.traces),
        "workload": {"kind": workload.kind, "name": workload.name} if workload else None,
    }  # fmt: skip


def _comparison(comparison: Comparison, number: dict[int, int]) -> dict[str, Any]:
    before, after = comparison.before, comparison.after
    return {
        "headline": words.headline(comparison),
        "firings": {"before": before.firings, "after": after.firings},
        "threads": {"before": before.incidents, "after": after.incidents},
        "kills_newly_missed": [number[id(kill)] for kill in comparison.newly_missed],
        "kills_newly_caught": [number[id(kill)] for kill in comparison.newly_caught],
        "incomparable": list(comparison.incomparable),
        "alerts": [_change(change) for change in comparison.changes if change.is_any],
    }


def _change(change: Change) -> dict[str, Any]:
    def pairs(found: tuple[tuple[Firing, Firing], ...]) -> list[dict[str, Any]]:
        return [{"before": _firing(old), "after": _firing(new)} for old, new in found]

    before, after = change.before, change.after
    return {
        "alert": change.name,
        "fired": {
            "before": len(before.firings) if before and before.was_asked else None,
            "after": len(after.firings) if after and after.was_asked else None,
        },
        "gone": [_firing(one) for one in change.gone], "new": [_firing(one) for one in change.new],
        "longer": pairs(change.longer), "shorter": pairs(change.shorter),
    }  # fmt: skip


def _time(at_s: float) -> str:
    return format_time(from_epoch(at_s))
