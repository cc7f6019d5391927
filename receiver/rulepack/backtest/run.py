"""The backtest itself: find the kills, ask for every alert's expression over the range, simulate, judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from receiver.errors import ConfigError
from receiver.promql.tokens import words
from receiver.rulepack.backtest.asking import Asker, Covered, Load
from receiver.rulepack.backtest.expand import CannotTell, Expanded, Expander
from receiver.rulepack.backtest.history import BASIC_METRICS, History, Range, held
from receiver.rulepack.backtest.judge import LATE_S, Firing, Outcome, incidents, judge
from receiver.rulepack.backtest.kills import NEEDED, NEVER_SEEN, Found, PastKill, find_kills
from receiver.rulepack.backtest.narrow import narrowed
from receiver.rulepack.backtest.plan import AlertRule, RuleSet
from receiver.rulepack.backtest.states import Labels, Presence, Run, firing_spans

OWN_METRICS = "oomtriage_"  # of a running receiver; before it runs, an alert on them would only tell of its absence
ALERT_SERIES = ("ALERTS", "ALERTS_FOR_STATE")
DEAR = 3.0  # times its equal share of the time that is left: so much may one alert take


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A metric that was not there in the whole range, what is lost without it (where that is known), and who reads it."""

    metric: str
    without: str
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """One version of the rules over the range.

    `missed`: kills no alert that reaches a person (critical, warning) spoke of. `incidents`: threads in Slack, all of
    those alerts together. `blind`: what this Prometheus cannot tell about kills. `missing`: what was not looked at.
    """

    range: Range
    kills: tuple[PastKill, ...]
    outcomes: tuple[Outcome, ...]
    incidents: int
    recorded: tuple[str, ...]
    absent: tuple[Absent, ...]
    blind: tuple[str, ...]
    missing: tuple[str, ...]
    load: Load

    @property
    def told(self) -> tuple[Outcome, ...]:
        """Alerts that reach a person."""
        return tuple(outcome for outcome in self.outcomes if outcome.rule.is_told)

    @property
    def caught(self) -> tuple[PastKill, ...]:
        """Kills that somebody would have been told of."""
        caught = {id(one.kill) for outcome in self.told for one in outcome.caught}
        return tuple(kill for kill in self.kills if id(kill) in caught)

    @property
    def too_late(self) -> tuple[PastKill, ...]:
        """Kills so near the end of the range that an alert may have spoken after it."""
        caught = {id(kill) for kill in self.caught}
        return tuple(kill for kill in self.kills if id(kill) not in caught and kill.at_s > self.range.end_s - LATE_S)

    @property
    def missed(self) -> tuple[PastKill, ...]:
        """Kills that nobody would have been told of."""
        known = {id(kill) for kill in (*self.caught, *self.too_late)}
        return tuple(kill for kill in self.kills if id(kill) not in known)

    @property
    def firings(self) -> int:
        """Of all alerts that reach a person."""
        return sum(len(outcome.firings) for outcome in self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One alert's turn: how progress calls it, and which share of the time that is left it may take."""

    what: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An expression's history. `look_s`: it lacks what was there for less than this; 0: it lacks nothing."""

    runs: dict[Labels, tuple[Run, ...]]
    covered: Covered
    look_s: int = 0


class Runner:
    """Backtests several versions of the rules over one range; what two of them share is asked once.

    `read_recorded`: read records that are there instead of writing them out. `look_first`: see narrow.py; off, every
    alert is evaluated for everything at every step, to the same result.
    """

    def __init__(self, asker: Asker, range_: Range, *, matchers: str = "", read_recorded: bool = True, look_first: bool = True) -> None:
        self._asker = asker
        self._range = range_
        self._matchers = matchers
        self._history = History(asker, range_, matchers=matchers)
        self._read_recorded = read_recorded
        self._look_first = look_first
        self._answers: dict[tuple[str, int], _Answer] = {}
        self._found: Found | None = None
        self._blind: tuple[str, ...] = ()
        self._gaps: tuple[str, ...] = ()

    def run(self, rules: RuleSet, *, only: Sequence[str] = ()) -> Backtest:
        """One version. SourceError when Prometheus cannot be asked at all; whatever else is missing is in the result."""
        found = self._kills()
        recorded = self._history.recorded(rules) if self._read_recorded else frozenset()
        expander = Expander(rules.records, matchers=self._matchers, recorded=recorded)
        wanted = (alert for alert in rules.alerts if not only or alert.name in only)
        chosen = sorted(wanted, key=lambda alert: alert.rank)  # what people are told of comes first, should the budget not last
        expanded = {alert.name: self._expanded(expander, alert) for alert in chosen}
        there = self._history.there({name for one in expanded.values() if isinstance(one, Expanded) for name in one.metrics})
        outcomes = []
        for index, alert in enumerate(chosen):
            turn = _Turn(what=f"[{index + 1}/{len(chosen)}] {alert.name}", share=min(1.0, DEAR / (len(chosen) - index)))
            outcomes.append(self._outcome(alert, expanded[alert.name], there, found.kills, turn))
        told = [firing for outcome in outcomes if outcome.rule.is_told for firing in outcome.firings]
        return Backtest(
            range=self._range, kills=found.kills, outcomes=tuple(outcomes), incidents=incidents(told), recorded=tuple(sorted(recorded)), absent=tuple(_absent(outcomes, rules)),
            blind=(*self._blind, *NEVER_SEEN), missing=(*self._gaps, *found.missing, *self._asker.warnings), load=self._asker.load,
        )  # fmt: skip

    def _kills(self) -> Found:
        if self._found is None:
            there_is = held(self._asker, self._range, matchers=self._matchers)
            if there_is.lacks:
                self._range = there_is.range
                self._history = History(self._asker, self._range, matchers=self._matchers)
            self._found = find_kills(self._asker, start_s=self._range.start_s, end_s=self._range.end_s, matchers=self._matchers)
            gaps = (there_is.lacks, *(self._history.gap(metric) for metric in BASIC_METRICS))
            self._gaps = tuple(gap for gap in gaps if gap)
            there = self._history.there(set(NEEDED))
            if there is not None:
                self._blind = tuple(f"{name} is not there: {without}" for name, without in NEEDED.items() if name not in there)
        return self._found

    def _outcome(
        self, alert: AlertRule, expanded: Expanded | str, there: frozenset[str] | None, kills: tuple[PastKill, ...], turn: _Turn
    ) -> Outcome:
        why = expanded if isinstance(expanded, str) else _why_not(alert, expanded, there)
        if why or isinstance(expanded, str):
            return judge(alert, (), kills, windows=(), end_s=self._range.end_s, within_s=self._range.within_s, missing=why)
        answer = self._asked(alert, expanded.expr, turn)
        covered = answer.covered
        try:
            firings = _firings(alert, answer.runs, covered.windows[-1][1]) if covered.windows else []
        except CannotTell as exc:
            return judge(alert, (), kills, windows=(), end_s=self._range.end_s, within_s=self._range.within_s, missing=str(exc))
        absent = tuple(sorted(expanded.metrics - there)) if there is not None else ()
        return judge(
            alert, firings, kills, windows=covered.windows, end_s=self._range.end_s, within_s=self._range.within_s, missing=covered.why,
            absent=absent,
        )  # fmt: skip

    def _asked(self, alert: AlertRule, expr: str, turn: _Turn) -> _Answer:
        """All that matters of an expression's history: at which evaluations it returned which label set."""
        step_s = alert.interval_s
        look_s = int(alert.for_s) // step_s * step_s if self._look_first and alert.for_s >= 2 * step_s else 0
        known = self._answers.get((expr, step_s))
        if known is None or known.look_s > look_s:
            known = self._answers[(expr, step_s)] = self._looked(expr, step_s, look_s, turn) if look_s else self._full(expr, step_s, turn)
        return known

    def _looked(self, expr: str, step_s: int, look_s: int, turn: _Turn) -> _Answer:
        """Look every `look_s`, the alert's `for`: whatever fires was there at one of these. Then evaluate those pods at every step.

        Where the looks end too soon, so does the answer: what is dear to look at is dearer to evaluate.
        """
        start_s, end_s = self._range.evaluations(step_s)
        seldom = self._full(expr, look_s, turn)
        if not seldom.covered.windows:
            return seldom
        why = seldom.covered.why
        if why and seldom.covered.windows[0][0] > self._range.evaluations(look_s)[0]:
            return self._full(expr, step_s, turn)
        if why:
            end_s = seldom.covered.windows[0][1]
        if not seldom.runs:
            return _Answer(runs={}, covered=Covered(windows=((start_s, end_s),), why=why), look_s=look_s)
        pods = {dict(labels).get("pod", "") for labels in seldom.runs}
        fewer = narrowed(expr, pods)
        if fewer is None:
            return self._full(expr, step_s, turn)
        answer = self._full(fewer, step_s, turn, end_s=end_s)
        runs = {labels: runs for labels, runs in answer.runs.items() if dict(labels).get("pod") in pods}
        return _Answer(runs=runs, covered=replace(answer.covered, why=answer.covered.why or why), look_s=look_s)

    def _full(self, expr: str, step_s: int, turn: _Turn, *, end_s: int | None = None) -> _Answer:
        presence = Presence(step_s)
        start_s, last_s = self._range.evaluations(step_s)
        covered = self._asker.range(
            expr, start_s=start_s, end_s=last_s if end_s is None else end_s, step_s=step_s, what=turn.what, share=turn.share,
            on_series=lambda labels, points: presence.add(labels, (at for at, _ in points)),
        )  # fmt: skip
        return _Answer(runs=presence.runs(), covered=covered)

    def _expanded(self, expander: Expander, alert: AlertRule) -> Expanded | str:
        try:
            return expander.expanded(alert.expr, alert.interval_s)
        except (CannotTell, ConfigError) as exc:
            return str(exc)


def _absent(outcomes: Sequence[Outcome], rules: RuleSet) -> Iterator[Absent]:
    """Metrics that should have been there. Those that exist only after an event say nothing by their absence."""
    for metric in sorted({name for outcome in outcomes for name in outcome.absent if ":" not in name} - rules.events):
        readers = tuple(outcome.rule.name for outcome in outcomes if metric in outcome.absent)
        yield Absent(metric=metric, without=rules.without.get(metric, ""), alerts=readers)


def _why_not(alert: AlertRule, expanded: Expanded, there: frozenset[str] | None) -> str:
    """Why asking would tell nothing; empty when it would."""
    if reads := expanded.metrics.intersection(ALERT_SERIES):
        return f"it reads {sorted(reads)[0]}, which is only there once the rules are on"
    if there is None or not expanded.metrics:
        return ""
    own = sorted(name for name in expanded.metrics - there if name.startswith(OWN_METRICS))
    if own:
        return f"it watches the receiver itself, which was not running ({own[0]} is not there)"
    if not expanded.metrics & there and "absent" not in {token.text for token in words(alert.expr)}:
        return f"none of the metrics it reads is there: {', '.join(sorted(expanded.metrics))}"
    return ""


def _firings(alert: AlertRule, runs: dict[Labels, tuple[Run, ...]], last_s: int) -> list[Firing]:
    """The firings of every label set, under the labels the alert would have had."""
    named: dict[Labels, list[Run]] = {}
    for labels, of_one in runs.items():
        own = {k: v for k, v in alert.labels.items() if "{{" not in v}
        named.setdefault(tuple(sorted({**dict(labels), **own, "alertname": alert.name}.items())), []).extend(of_one)
    firings = []
    for labels, unordered in named.items():
        ordered = sorted(unordered)
        if any(later[0] <= earlier[1] for earlier, later in pairwise(ordered)):
            raise CannotTell("two of its series have the same labels at once, so Prometheus would refuse to evaluate it")
        spans = firing_spans(
            _joined(ordered, alert.interval_s), step_s=alert.interval_s, for_s=alert.for_s, keep_s=alert.keep_s, last_s=last_s
        )
        firings += [Firing(labels=labels, span=span) for span in spans]
    return firings


def _joined(runs: list[Run], step_s: int) -> list[Run]:
    """Runs that follow each other without a missed evaluation are one."""
    joined: list[Run] = []
    for first, last in runs:
        if joined and joined[-1][1] + step_s == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
