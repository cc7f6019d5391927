"""An alert's expression with the records it reads written out, so that it can be asked over a time when nobody recorded them.

The result means what the recorded series would have been, read at the evaluation's moment:

    record              (expr), or its last value where the record's group runs less often
    record{a="b"}       PromQL has no filter by label, so a join with a constant series of that label
    record[30m]         (expr)[30m:1m], at the record's own interval
    record offset 15m   last_over_time((expr)[59999ms:1m] offset 15m): exactly the one value of that moment, also in
                        Prometheus 2, whose ranges include their left end

Not simulated: that a record of another group may be read one interval late. What cannot be written is a CannotTell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from receiver.domain.units import parse_duration_s
from receiver.errors import ReceiverError
from receiver.promql.edits import edited, matcher_edits
from receiver.promql.quoting import as_replacement, quoted
from receiver.promql.selectors import Matcher, Selector, parse_matchers, selectors
from receiver.promql.tokens import Kind, Token, tokens, words

LOOKBACK_S = 300  # Prometheus' --query.lookback-delta: how long a recorded value is readable
MAX_CHARACTERS = 200_000  # a POST form carries far more; an expression of this size is not one that anybody meant
KEPT = "__oomtriage_kept"


class CannotTell(ReceiverError):
    """Why an alert cannot be backtested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A recording rule. `labels` are those it sets."""

    name: str
    expr: str
    interval_s: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """An expression ready to be asked. `metrics`: the names it reads, recorded series included."""

    expr: str
    metrics: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an expression stands: evaluated every `step_s`, inside the records `above`."""

    step_s: int
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What is written for one selector, and where in the old text it ends."""

    text: str
    end: int
    metrics: frozenset[str]


class Expander:
    """Writes records out. `recorded` names those that are read as they are; `matchers` are added to every selector."""

    def __init__(self, records: Sequence[Record], *, matchers: str = "", recorded: frozenset[str] = frozenset()) -> None:
        self._records: dict[str, list[Record]] = {}
        for record in records:
            if record.name not in recorded:
                self._records.setdefault(record.name, []).append(record)
        self._matchers = parse_matchers(matchers)
        self._known: dict[tuple[str, int], Expanded] = {}

    def expanded(self, expr: str, step_s: int) -> Expanded:
        """`expr` as it is evaluated every `step_s`. CannotTell; ConfigError when it is no PromQL."""
        return self._written(expr, _Place(step_s=step_s))

    def _written(self, expr: str, place: _Place) -> Expanded:
        text = without_comments(expr)
        found = words(text)
        parts: list[str] = []
        metrics: set[str] = set()
        at = 0
        for selector in selectors(text):
            read = self._read(text, selector, [token for token in found if token.start >= selector.end], place)
            parts += [text[at : selector.start], read.text]
            metrics |= read.metrics
            at = read.end
        result = "".join([*parts, text[at:]])
        if len(result) > MAX_CHARACTERS:
            raise CannotTell(f"with its records written out the expression has {len(result):,} characters")
        return Expanded(expr=result, metrics=frozenset(metrics))

    def _read(self, text: str, selector: Selector, after: list[Token], place: _Place) -> _Read:
        """What replaces one selector."""
        names = [name for name in selector.names if name in self._records]
        if not names:
            written = text[selector.start : selector.end]
            return _Read(
                text=edited(written, matcher_edits(written, lambda _: self._matchers)), end=selector.end, metrics=frozenset(selector.names)
            )
        if len(selector.names) > 1:
            raise CannotTell(f"it reads the record {names[0]} by a pattern of names")
        return self._record(names[0], selector, after, place)

    def _record(self, name: str, selector: Selector, after: list[Token], place: _Place) -> _Read:
        interval_s = self._records[name][0].interval_s
        window, offset_s, end = _modifiers(name, after, selector.end)
        is_on_grid = not window and place.step_s % interval_s == 0 and offset_s % place.step_s == 0
        grid_s = place.step_s if is_on_grid else interval_s
        inner = self._body(name, _Place(step_s=grid_s, above=(*place.above, name)))
        body = _filtered(inner.expr, selector.matchers)
        if window == "range":
            return _Read(text=f"{body}[{selector.window}:{grid_s}s]", end=after[2].end, metrics=inner.metrics)
        if window or (is_on_grid and not offset_s):
            return _Read(text=body, end=selector.end, metrics=inner.metrics)
        lookback_ms = min(grid_s, LOOKBACK_S) * 1000 - 1
        then = f" offset {offset_s}s" if offset_s else ""
        return _Read(text=f"last_over_time({body}[{lookback_ms}ms:{grid_s}s]{then})", end=end, metrics=inner.metrics)

    def _body(self, name: str, place: _Place) -> Expanded:
        """A record's expression in brackets; several rules of one name are its branches."""
        if name in place.above[:-1]:
            raise CannotTell(f"the record {name} reads itself, so its value hangs on its own past")
        known = self._known.get((name, place.step_s))
        if known is None:
            branches = [(record, self._written(record.expr, place)) for record in self._records[name]]
            text = " or ".join(_with_labels(f"({one.expr})", record.labels) for record, one in branches)
            metrics = frozenset[str]().union(*(one.metrics for _, one in branches))
            known = self._known[(name, place.step_s)] = Expanded(expr=text if len(branches) == 1 else f"({text})", metrics=metrics)
        return known


def without_comments(expr: str) -> str:
    """The expression on one line: a comment would swallow what is written after it."""
    kept = (" " if token.kind is Kind.SPACE else "" if token.kind is Kind.COMMENT else token.text for token in tokens(expr))
    return "".join(kept).strip()


def _modifiers(name: str, after: list[Token], end: int) -> tuple[str, int, int]:
    """What follows a read: "", "range" or "subquery"; the offset in whole seconds (0 for a window, which keeps its own); its end."""
    texts = [token.text.lower() for token in after]
    window = ""
    index = 0
    if texts[:1] == ["["]:
        closing = texts.index("]") if "]" in texts else len(texts)
        window = "subquery" if ":" in texts[:closing] else "range"
        index = closing + 1
    if "@" in texts[index : index + 1]:
        raise CannotTell(f"it reads the record {name} at a fixed time (@)")
    if window or texts[index : index + 1] != ["offset"]:
        return window, 0, end
    sign = -1 if texts[index + 1 : index + 2] == ["-"] else 1
    last = index + (1 if sign == 1 else 2)
    offset_s = sign * parse_duration_s(texts[last])
    if texts[last + 1 : last + 2] == ["@"] or offset_s != int(offset_s):
        raise CannotTell(f"it reads the record {name} at a time that is no whole second away")
    return "", int(offset_s), after[last].end


def _with_labels(body: str, labels: Mapping[str, str]) -> str:
    for label, value in labels.items():
        body = f'label_replace({body}, "{label}", {as_replacement(quoted(value))}, "", "")'
    return body


def _filtered(body: str, matchers: tuple[Matcher, ...]) -> str:
    for matcher in matchers:
        keep = "and" if matcher.operator in ("=", "=~") else "unless"
        if matcher.operator in ("=", "!="):
            body = (
                f'({body} {keep} on ({matcher.label}) label_replace(vector(1), "{matcher.label}", {as_replacement(matcher.value)}, "", ""))'
            )
        else:
            marked = f'label_replace({body}, "{KEPT}", "1", "{matcher.label}", {matcher.value})'
            chosen = f'({marked} {keep} on ({KEPT}) label_replace(vector(1), "{KEPT}", "1", "", ""))'
            body = f'label_replace({chosen}, "{KEPT}", "", "", "")'
    return body
