"""When an alert would have fired: Prometheus' state machine over the evaluations at which its expression gave a series.

Pure. A label set's history is a list of runs: the first and last of consecutive evaluations that returned it. The
machine is that of rules/alerting.go of Prometheus 2.42: pending from the first evaluation, firing at the first one that
is `for` later, pending forgotten by one evaluation without the series; a firing alert is kept until the first
evaluation that is `keep_firing_for` after the first one without the series, and stays when the series is back by then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]  # sorted (name, value)
Run = tuple[int, int]  # first and last evaluation, seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One firing: from the evaluation that fired to the one that resolved it. `is_open`: it fired at the last evaluation."""

    from_s: int
    until_s: int
    is_open: bool = False

    @property
    def length_s(self) -> int:
        """How long it fired, as far as the range tells."""
        return self.until_s - self.from_s


def firing_spans(runs: Sequence[Run], *, step_s: int, for_s: float, keep_s: float, last_s: int) -> tuple[Span, ...]:
    """The firings of one label set. `runs` in order, each at least one evaluation apart; `last_s` is the last evaluation."""
    spans: list[Span] = []
    since: int | None = None
    for index, (first_s, run_end_s) in enumerate(runs):
        if since is None:
            fires_s = first_s + _evaluations(for_s, step_s) * step_s
            if fires_s > run_end_s:
                continue
            since = fires_s
        ends_s = run_end_s + step_s + _evaluations(keep_s, step_s) * step_s
        if index + 1 < len(runs) and runs[index + 1][0] <= ends_s:
            continue
        if ends_s > last_s:
            spans.append(Span(from_s=since, until_s=last_s, is_open=True))
        else:
            spans.append(Span(from_s=since, until_s=ends_s))
        since = None
    return tuple(spans)


def _evaluations(duration_s: float, step_s: int) -> int:
    """How many evaluations pass until `duration_s` has."""
    return math.ceil(duration_s / step_s)


class Presence:
    """At which evaluations an expression returned which label set, gathered answer by answer in the order of time.

    Only runs are kept: a week of one series is one pair of numbers while it is there, not 10,080.
    """

    def __init__(self, step_s: int) -> None:
        self.step_s = step_s
        self._runs: dict[Labels, list[list[int]]] = {}

    def add(self, labels: Mapping[str, str], times_s: Iterable[int]) -> None:
        """Evaluations of one label set, later than all added before."""
        runs = self._runs.setdefault(tuple(sorted(labels.items())), [])
        for at_s in times_s:
            if runs and runs[-1][1] == at_s - self.step_s:
                runs[-1][1] = at_s
            else:
                runs.append([at_s, at_s])

    def runs(self) -> dict[Labels, tuple[Run, ...]]:
        """All of it."""
        return {labels: tuple((first, last) for first, last in runs) for labels, runs in self._runs.items()}
