"""What a Prometheus holds of a time: which metrics, since when, and whether records may be read as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from receiver.domain.units import format_time, from_epoch, human_duration, parse_duration_s
from receiver.errors import SourceError
from receiver.promql.tokens import Kind, words
from receiver.rulepack.backtest.asking import Asker
from receiver.rulepack.backtest.expand import Expander, Record, without_comments
from receiver.rulepack.backtest.plan import RuleSet
from receiver.rulepack.backtest.states import Presence

LOOKS = 48
MINUTE_S = 60
BASIC_METRICS = ("container_memory_working_set_bytes", "kube_pod_container_status_restarts_total")  # without them nothing can be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The time that is looked at. `within_s`: a kill so long after a firing still goes with it."""

    start_s: int
    end_s: int
    within_s: float = 3600.0

    @property
    def length_s(self) -> int:
        """From start to end."""
        return self.end_s - self.start_s

    def evaluations(self, step_s: int) -> tuple[int, int]:
        """The first and the last evaluation in it, at multiples of the step."""
        return -(-self.start_s // step_s) * step_s, self.end_s // step_s * step_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The part of the range that this Prometheus can tell of. `lacks`: what is said of the rest; empty when it is all of it."""

    range: Range
    lacks: str = ""


def held(asker: Asker, range_: Range, *, matchers: str) -> Held:
    """The range from the first sample on: before there was a Prometheus, nothing fired, and nothing was missing either.

    `up` is written by every Prometheus that scrapes; a store that is only written to may not have it.
    """
    expander = Expander((), matchers=matchers)
    query = " or ".join(expander.expanded(f"count({metric})", MINUTE_S).expr for metric in ("up", *BASIC_METRICS))

    def first_of(part: Range, step_s: int) -> int | None:
        seen: list[int] = []
        start_s, end_s = part.evaluations(step_s)
        asker.range(
            query, start_s=start_s, end_s=end_s, step_s=step_s, what="since when is there anything",
            on_series=lambda _, points: seen.extend(at for at, _ in points),
        )  # fmt: skip
        return min(seen, default=None)

    step_s = _look_s(range_)
    first_s = first_of(range_, step_s)
    if first_s is None or first_s <= range_.evaluations(step_s)[0]:
        return Held(range=range_)
    first_s = first_of(replace(range_, start_s=first_s - step_s, end_s=first_s), MINUTE_S) or first_s
    return Held(
        range=replace(range_, start_s=first_s),
        lacks=f"Prometheus holds nothing from before {format_time(from_epoch(first_s))}: "
        f"the {human_duration(first_s - range_.start_s)} before it are not judged",
    )


class History:
    """Questions about the range as a whole; each costs a query or two."""

    def __init__(self, asker: Asker, range_: Range, *, matchers: str) -> None:
        self._asker = asker
        self._range = range_
        self._matchers = matchers

    def there(self, names: set[str]) -> frozenset[str] | None:
        """Which of the metrics have samples in the range; None when that could not be asked."""
        listed = "|".join(sorted(name for name in names if name))
        if not listed:
            return frozenset()
        selector = f'{{__name__=~"{listed}"{", " if self._matchers else ""}{self._matchers}}}'
        form = {"match[]": selector, "start": str(self._range.start_s), "end": str(self._range.end_s)}
        try:
            data = self._asker.get("api/v1/label/__name__/values", form)
        except SourceError:
            return None
        return frozenset(str(name) for name in data) if isinstance(data, list) else None

    def recorded(self, rules: RuleSet) -> frozenset[str]:
        """Records that may be read as they are: evaluated here from the same expression, and there in the whole range."""
        records = rules.records
        reach_s = _longest_s([*(alert.expr for alert in rules.alerts), *(record.expr for record in records)])
        names = {record.name for record in records}
        try:
            groups = self._asker.get("api/v1/rules", {"type": "record"})["groups"]
            evaluated = {rule["name"]: str(rule["query"]) for group in groups for rule in group["rules"] if rule.get("name") in names}
            same = [record for record in records if record.name in evaluated and self._is_same(record.expr, evaluated[record.name])]
        except (SourceError, KeyError, TypeError, AttributeError):
            return frozenset()  # nothing is lost: they are written out
        alone = [record for record in same if sum(other.name == record.name for other in records) == 1]
        return frozenset(record.name for record in alone if self._is_complete(record, reach_s))

    def _is_same(self, ours: str, theirs: str) -> bool:
        """Whether Prometheus itself would write both alike."""
        written = [self._asker.get("api/v1/format_query", {"query": without_comments(expr)}) for expr in (ours, theirs)]
        return [token.text for token in words(str(written[0]))] == [token.text for token in words(str(written[1]))]

    def _is_complete(self, record: Record, reach_s: int) -> bool:
        """Whether it has a value all the way, `reach_s` before the start included: offsets and windows look there."""
        step_s = max(record.interval_s, self._range.length_s // LOOKS // record.interval_s * record.interval_s)
        start_s, end_s = (self._range.start_s - reach_s) // step_s * step_s, self._range.evaluations(step_s)[1]
        presence = Presence(step_s)
        self._asker.range(
            f"count({record.name})", start_s=start_s, end_s=end_s, step_s=step_s,
            on_series=lambda labels, points: presence.add(labels, (at for at, _ in points)), what=f"is {record.name} recorded",
        )  # fmt: skip
        return list(presence.runs().values()) == [((start_s, end_s),)]

    def gap(self, metric: str) -> str:
        """Where the history lacks the metric though it holds it at other times; empty when it lacks nothing, or all of it."""
        step_s = _look_s(self._range)
        start_s, end_s = self._range.evaluations(step_s)
        seen: list[int] = []
        query = Expander((), matchers=self._matchers).expanded(f"count({metric})", step_s).expr
        self._asker.range(
            query, start_s=start_s, end_s=end_s, step_s=step_s, what=f"since when is {metric} there",
            on_series=lambda _, points: seen.extend(at for at, _ in points),
        )  # fmt: skip
        looks = (end_s - start_s) // step_s + 1
        if not seen or len(seen) == looks:
            return ""
        since = f", first at {format_time(from_epoch(min(seen)))}" if min(seen) > start_s else ""
        return f"{metric} was there at {len(seen)} of {looks} looks{since}: what happened between was not seen"


def _look_s(range_: Range) -> int:
    """How far apart a few looks at the whole of it are."""
    return max(MINUTE_S, range_.length_s // LOOKS // MINUTE_S * MINUTE_S)


def _longest_s(expressions: Sequence[str]) -> int:
    """The longest duration any of them names."""
    return max((int(parse_duration_s(word.text)) for expr in expressions for word in words(expr) if word.kind is Kind.DURATION), default=0)
