"""A backtest as a picture: for each alert a row of the time it would have fired in, under the row of kills. Pure.

It is reduced to as many columns as a screen shows, so what is kept of it is small however much fired.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from receiver.domain.units import from_epoch, human_duration
from receiver.render.text import clean_line

if TYPE_CHECKING:
    from receiver.rulepack.backtest.judge import Outcome
    from receiver.rulepack.backtest.run import Backtest

COLUMNS = 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Columns from `first` on, `width` of them."""

    first: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """One alert. `caught` None: it is about no single pod, or was not asked for. `missing`: why not all, or nothing, is known of it."""

    name: str
    severity: str
    fired: int | None
    total: str
    kills: int | None
    caught: int | None
    missing: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The picture and its numbers."""

    start: datetime
    end: datetime
    kills: int
    caught: int
    undecided: int
    kill_columns: tuple[int, ...]
    alerts: tuple[AlertLine, ...]
    missing: tuple[str, ...]
    queries: int
    took: str


def timeline(found: Backtest) -> Timeline:
    """Alerts that fired first, the most time first; heartbeats last."""
    start_s, length_s = found.range.start_s, max(found.range.length_s, 1)

    def column(at_s: float) -> int:
        return min(max(int((at_s - start_s) / length_s * COLUMNS), 0), COLUMNS - 1)

    lines = sorted(
        found.outcomes, key=lambda outcome: (outcome.rule.severity == "none", -outcome.total_s, not outcome.was_asked, outcome.rule.name)
    )
    return Timeline(
        start=from_epoch(start_s), end=from_epoch(found.range.end_s), kills=len(found.kills), caught=len(found.caught),
        undecided=len(found.too_late), kill_columns=tuple(sorted({column(kill.at_s) for kill in found.kills})),
        alerts=tuple(
            _line(outcome, ((column(f.span.from_s), column(f.span.until_s)) for f in outcome.firings)) for outcome in lines
        ),
        missing=tuple(clean_line(why, 300) for why in (*found.missing, *found.blind))[:20], queries=found.load.queries,
        took=human_duration(found.load.seconds),
    )  # fmt: skip


def _line(outcome: Outcome, spans: Iterable[tuple[int, int]]) -> AlertLine:
    lit = sorted({column for first, last in spans for column in range(first, last + 1)})
    return AlertLine(
        name=outcome.rule.name, severity=outcome.rule.severity, fired=len(outcome.firings) if outcome.was_asked else None,
        total=human_duration(outcome.total_s) if outcome.total_s else "", kills=None if outcome.kills is None else len(outcome.kills),
        caught=None if outcome.kills is None else len(outcome.caught), missing=clean_line(outcome.missing, 300), stretches=tuple(_joined(lit)),
    )  # fmt: skip


def _joined(columns: Iterable[int]) -> Iterable[Stretch]:
    first = last = -2
    for column in columns:
        if column != last + 1:
            if last >= 0:
                yield Stretch(first=first, width=last - first + 1)
            first = column
        last = column
    if last >= 0:
        yield Stretch(first=first, width=last - first + 1)
