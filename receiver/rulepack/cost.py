"""What the rules cost in a Prometheus: each expression evaluated once there, inside count(), with the server's own statistics.

The seconds are wall time of the query in the server, whatever else it was doing: an upper bound of CPU time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from receiver.errors import ConfigError, Rejected, SourceError, Unreadable
from receiver.promql.edits import Edit, edited
from receiver.promql.selectors import selectors
from receiver.promql.tree import Series, parse, walk
from receiver.rulepack.ask import Ask, Source
from receiver.rulepack.files import Rule
from receiver.rulepack.live import away
from receiver.rulepack.marks import duration_ms
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem

USUAL_INTERVAL_S = 60.0
TIMEOUT = "30s"
MAX_DEPTH = 8  # records that read each other in a circle would never end
_NEWEST = re.compile(r"\blast_over_time\s*\(\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One rule, evaluated once: wall time in the server, samples read, results; every `interval_s` again."""

    where: str
    name: str
    eval_s: float
    samples: int
    results: int
    interval_s: float
    is_inlined: bool = False

    @property
    def share(self) -> float:
        """Share of one core, if the wall time were CPU time."""
        return self.eval_s / self.interval_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """All rules, the dearest first; what could not be measured is among the problems. `is_installed`: their records are there."""

    rules: tuple[Cost, ...]
    problems: tuple[Problem, ...]
    is_installed: bool

    @property
    def share(self) -> float:
        """Share of one core of all rules together."""
        return sum(cost.share for cost in self.rules)


def measure(pack: Pack, ask: Ask, *, matchers: str = "", progress: Callable[[str], None] = lambda text: None) -> Costs:
    """Evaluates every rule once, one after the other: together they would measure each other. `progress`: told which one.

    A Prometheus that does not answer ends it with one problem.
    """
    found: list[Cost] = []
    problems: list[Problem] = []
    unmeasured: list[str] = []
    is_installed = True
    try:
        source = Source(ask, matchers)
        is_installed = _is_installed(pack, source)
        for n, (rule, interval_s) in enumerate(_rules(pack), 1):
            progress(f"measuring what a rule costs: {n} of {len(pack.rules)}, {rule.name}")
            try:
                expr = rule.expr if is_installed else _inlined(rule.expr, pack)
            except ConfigError:
                unmeasured.append(rule.name)
                continue
            outcome = _measured(rule, expr, interval_s, source)
            if isinstance(outcome, Problem):
                problems.append(outcome)
            elif outcome is not None:
                found.append(outcome)
    except SourceError as exc:
        problems.append(away(exc))
    if unmeasured:
        text = f"not measured, as they read the history of records that are not there yet: {', '.join(unmeasured)}"
        problems.append(Problem(where="cost", text=text, hint="load the rules, and ask again a day later", level=Level.WARNING))
    return Costs(rules=tuple(sorted(found, key=lambda cost: cost.share, reverse=True)), problems=tuple(problems), is_installed=is_installed)


def _is_installed(pack: Pack, source: Source) -> bool:
    """Whether any record is there. One alone may be empty because nothing has happened."""
    names = "|".join(sorted({rule.name for rule in pack.rules if not rule.alert}))
    return not names or bool(source.query(f'count({{__name__=~"{names}"}})')[0])


def _rules(pack: Pack) -> Iterator[tuple[Rule, float]]:
    for file in pack.files:
        for group in file.groups:
            try:
                interval_s = duration_ms(str(group["interval"])) / 1000 if group.get("interval") else USUAL_INTERVAL_S
            except ConfigError:
                interval_s = USUAL_INTERVAL_S
            for body in group["rules"]:
                yield Rule(file=file.name, group=str(group["name"]), body=body), interval_s


def _measured(rule: Rule, expr: str, interval_s: float, source: Source) -> Cost | Problem | None:
    if not any(isinstance(node, Series) for node in walk(parse(expr))):
        return None  # vector(1) costs nothing
    try:
        result, data = source.query(f"count({expr}\n)", stats="all", timeout=TIMEOUT)
    except Rejected as exc:
        hint = "there this rule fails at every evaluation, and only prometheus_rule_evaluation_failures_total tells"
        return Problem(where=rule.where, text=f"Prometheus cannot evaluate it: {exc}", hint=hint)
    eval_s, samples = _stats(data)
    return Cost(
        where=rule.where, name=rule.name, eval_s=eval_s, samples=samples, results=int(result[0][1]) if result else 0,
        interval_s=interval_s, is_inlined=expr != rule.expr,
    )  # fmt: skip


def _stats(data: Mapping[str, Any]) -> tuple[float, int]:
    try:
        stats = data["stats"]
        return float(stats["timings"]["evalTotalTime"]), int(stats.get("samples", {}).get("totalQueryableSamples", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise Unreadable("this Prometheus tells no statistics of queries (stats=all), so costs cannot be measured") from exc


def _inlined(expr: str, pack: Pack, depth: int = 0) -> str:
    """The expression with records of the pack written out. ConfigError when it reads their history, which is not there."""
    records = {rule.name: rule for rule in pack.rules if not rule.alert}
    shifted = {node.selector.start for node in walk(parse(expr)) if isinstance(node, Series) and node.is_shifted}
    edits = []
    for selector in selectors(expr):
        name = selector.names[0] if len(selector.names) == 1 else ""
        if name not in records:
            continue
        is_newest_of_range = bool(selector.window) and _NEWEST.search(expr[: selector.start]) is not None
        if (selector.window and not is_newest_of_range) or selector.matchers or selector.start in shifted or depth > MAX_DEPTH:
            raise ConfigError(f"it reads the history of {name}, or a part of it, which is not recorded there yet")
        # A line of its own: the expression may end in a comment.
        text = f"({_inlined(records[name].expr, pack, depth + 1).rstrip()}\n)"
        if is_newest_of_range:  # a record of a slower group; one step of a subquery is the same moment
            edits.append(Edit(start=selector.start, end=expr.index("]", selector.end) + 1, text=f"{text}[1m:1m]"))
        else:
            edits.append(Edit(start=selector.start, end=selector.end, text=text))
    return edited(expr, edits)
