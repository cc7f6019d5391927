"""Hints for whoever configures the installation: gathered once, counted, bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from receiver.domain.case import Missing
from receiver.pipeline.configuration_gaps import MOST_HINTS, ConfigurationGaps

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


def _gap(source: str, hint: str, *, is_configuration: bool = True) -> Missing:
    return Missing(source=source, why="not configured", hint=hint, is_configuration=is_configuration)


def test_a_hint_is_told_once_with_its_sources_and_how_often() -> None:
    """Five sources that lack the same setting are one thing to do; the most frequent goes first."""
    gaps = ConfigurationGaps()
    gaps.note([_gap("history", "set PROMETHEUS_URL"), _gap("rules", "set PROMETHEUS_URL")], now=NOW)
    gaps.note([_gap("peaks", "set PROMETHEUS_URL"), _gap("log", "grant get pods/log")], now=NOW + timedelta(minutes=5))

    assert gaps.to_json() == [
        {"hint": "set PROMETHEUS_URL", "sources": ["history", "peaks", "rules"], "seen": 2, "last_seen": "2026-11-23T03:20:00Z"},
        {"hint": "grant get pods/log", "sources": ["log"], "seen": 1, "last_seen": "2026-11-23T03:20:00Z"},
    ]


def test_what_configuration_cannot_mend_is_not_told() -> None:
    """A pod that is gone is nobody's setting."""
    gaps = ConfigurationGaps()
    gaps.note([_gap("pod", "its controller replaced it", is_configuration=False), _gap("log", "")], now=NOW)

    assert gaps.to_json() == []


def test_hints_are_bounded_and_the_oldest_goes() -> None:
    """A hint that is different each time fills no memory."""
    gaps = ConfigurationGaps()
    for i in range(MOST_HINTS + 20):
        gaps.note([_gap("log", f"hint {i}")], now=NOW + timedelta(seconds=i))

    kept = {gap["hint"] for gap in gaps.to_json()}
    assert kept == {f"hint {i}" for i in range(20, MOST_HINTS + 20)}
