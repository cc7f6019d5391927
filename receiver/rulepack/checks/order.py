"""When a rule reads a record: in the same evaluation, one later, or from a group so slow that it is not there half the time."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.errors import ConfigError
from receiver.promql.selectors import Selector, selectors
from receiver.rulepack.files import Rule
from receiver.rulepack.marks import duration_ms
from receiver.rulepack.overrides import THRESHOLD
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem

LOOKBACK_MS = 300_000  # how far back an instant selector looks, unless Prometheus is told otherwise
USUAL_INTERVAL_MS = 60_000
MEANT_TO_BE_MISSING = frozenset({THRESHOLD})  # there only when somebody overrides a threshold


def check_order(pack: Pack, *, is_own: bool) -> Iterator[Problem]:
    """Each record that a rule reads, looked up among the rules of the pack. `is_own`: every record must be found there."""
    places = {rule.name: (rule.file, rule.group, index) for index, rule in enumerate(pack.rules) if not rule.alert}
    intervals = {(file.name, str(g["name"])): _interval_ms(str(g.get("interval") or "")) for file in pack.files for g in file.groups}
    for index, rule in enumerate(pack.rules):
        for name, selector in _records(rule):
            if name not in places:
                if is_own and name not in MEANT_TO_BE_MISSING:
                    text = f"reads {name}, which no rule here records"
                    yield Problem(where=rule.where, text=text, hint="without such a record it is always empty")
                continue
            file, group, at = places[name]
            if (file, group) == (rule.file, rule.group):
                if at > index and not selector.window:
                    text = f"reads {name}, which stands after it: the value of one evaluation ago"
                    yield Problem(where=rule.where, text=text, hint="the rules of a group run in their order")
            elif not selector.window:
                yield from _from_other_group(rule, name, group, intervals[file, group])


def _from_other_group(rule: Rule, name: str, group: str, interval_ms: int) -> Iterator[Problem]:
    if interval_ms > LOOKBACK_MS:
        text = f"reads {name} of {group}, which is evaluated every {interval_ms // 60_000} minutes and can be read for 5 only"
        yield Problem(where=rule.where, text=text, hint="in between it is not there; read last_over_time(...)")
    elif rule.alert and _interval_ms(str(rule.body.get("for") or "0"), 0) < (interval_ms or USUAL_INTERVAL_MS):
        text = f"reads {name} of another group ({group}) and has no `for` as long as its interval: it may see a value of before"
        yield Problem(where=rule.where, text=text, hint="move both into one group, or give it a `for`", level=Level.WARNING)


def _records(rule: Rule) -> Iterator[tuple[str, Selector]]:
    try:
        found = selectors(rule.expr)
    except ConfigError:
        return  # said elsewhere
    seen = set()
    for selector in found:
        for name in selector.names:
            if ":" in name and (name, bool(selector.window)) not in seen:
                seen.add((name, bool(selector.window)))
                yield name, selector


def _interval_ms(text: str, otherwise: int = USUAL_INTERVAL_MS) -> int:
    try:
        return duration_ms(text) if text else otherwise
    except ConfigError:
        return otherwise
