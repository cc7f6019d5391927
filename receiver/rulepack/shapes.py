"""Which labels an expression's result carries, and by which of them it is unique, as far as the expression itself tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from receiver.errors import ConfigError
from receiver.promql.tree import SET_OPERATORS, Aggregation, Binary, Call, Node, Number, Series, Subquery, Text, parse
from receiver.rulepack.files import Rule
from receiver.rulepack.metrics import exporter_of

_NUMBERS = frozenset({"time", "scalar", "pi"})
_OWN_LABELS = frozenset({"vector", "absent", "absent_over_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A result's labels.

    `labels`: at most these, None for any. `key`: no two results agree on all of these; None when only all labels together
    tell them apart. `is_raw`: series as an exporter gives them, with its `instance` and `job`; of `exporter`, where known.
    `is_scalar`: a number, no series. Any labels and not raw: a record of somebody else's, of which nothing is known.
    """

    labels: frozenset[str] | None = None
    key: frozenset[str] | None = None
    is_raw: bool = False
    exporter: str = ""
    is_scalar: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anything can be said of it."""
        return self.labels is not None or self.is_raw

    def is_unique_by(self, labels: frozenset[str]) -> bool:
        """Whether no two results agree on these labels."""
        return self.key is not None and self.key <= labels


SCALAR = Shape(labels=frozenset(), key=frozenset(), is_scalar=True)
UNKNOWN = Shape()


def exactly(labels: Iterable[str]) -> Shape:
    """At most these labels."""
    found = frozenset(labels)
    return Shape(labels=found, key=found)


def record_shapes(rules: Iterable[Rule]) -> dict[str, Shape]:
    """The shape of every record; of one that several rules make, all labels together."""
    recording = [rule for rule in rules if not rule.alert]
    records: dict[str, Shape] = {}
    for _ in range(2):  # twice: a record may be read in a file before its own
        found: dict[str, Shape] = {}
        for rule in recording:
            try:
                one = shape(parse(rule.expr), records | found)
            except ConfigError:
                one = UNKNOWN
            one = one if one.labels is None else exactly(one.labels | rule.labels.keys())
            found[rule.name] = _either(found[rule.name], one) if rule.name in found else one
        records = found
    return records


def shape(node: Node, records: Mapping[str, Shape]) -> Shape:
    """The shape of an expression that reads these records."""
    match node:
        case Number() | Text():
            return SCALAR
        case Series(selector=selector):
            return _of_selector(selector.names, records)
        case Subquery(inner=inner):
            return shape(inner, records)
        case Aggregation():
            return _aggregated(node, records)
        case Call():
            return _called(node, records)
        case Binary():
            return _joined(node, shape(node.left, records), shape(node.right, records))


def _of_selector(names: tuple[str, ...], records: Mapping[str, Shape]) -> Shape:
    if not names:
        return Shape(is_raw=True)
    if len(names) == 1 and names[0] in records:
        return records[names[0]]
    if any(":" in name or name in records for name in names):
        return UNKNOWN
    exporters = {exporter_of(name) for name in names}
    return Shape(is_raw=True, exporter=exporters.pop() if len(exporters) == 1 else "")


def _aggregated(node: Aggregation, records: Mapping[str, Shape]) -> Shape:
    inner = shape(node.inner, records)
    if node.name in ("topk", "bottomk", "limitk", "limit_ratio"):
        is_one = isinstance(node.arguments[0], Number) and node.arguments[0].text == "1" and not node.is_without
        return replace(inner, key=node.labels) if is_one and node.name in ("topk", "bottomk", "limitk") else inner
    if node.is_without:
        return exactly(inner.labels - node.labels) if inner.labels is not None else UNKNOWN
    more = [a.value for a in node.arguments[:1] if isinstance(a, Text) and node.name == "count_values"]
    return exactly({*node.labels, *more} if inner.labels is None else {*(node.labels & inner.labels), *more})


def _called(node: Call, records: Mapping[str, Shape]) -> Shape:
    name = node.name
    if name in _NUMBERS:
        return SCALAR
    if name in _OWN_LABELS:
        given = node.arguments[0] if node.arguments else None
        matchers = given.selector.matchers if isinstance(given, Series) else ()
        return exactly(matcher.label for matcher in matchers if matcher.operator == "=")
    found = [s for s in (shape(argument, records) for argument in node.arguments) if not s.is_scalar]
    if not found:
        return exactly(())
    if name in ("label_replace", "label_join"):
        new = node.arguments[1].value if len(node.arguments) > 1 and isinstance(node.arguments[1], Text) else ""
        inner = found[0]
        return inner if inner.labels is None else replace(inner, labels=inner.labels | {new})
    if name == "histogram_quantile" and found[0].labels is not None:
        return exactly(found[0].labels - {"le"})
    return found[0]


def _joined(node: Binary, left: Shape, right: Shape) -> Shape:
    if left.is_scalar or right.is_scalar:
        return right if left.is_scalar else left
    if node.operator == "or":
        return _either(left, right)
    if node.operator in SET_OPERATORS:
        return left
    if node.group:
        many = left if node.group == "left" else right
        return many if many.labels is None else replace(many, labels=many.labels | node.include)
    if node.labels is None:
        known = [side for side in (left, right) if side.labels is not None]
        return known[0] if known else left if left.is_raw else right
    if not node.is_ignoring:
        return exactly(node.labels)
    return exactly(left.labels - node.labels) if left.labels is not None else UNKNOWN


def _either(left: Shape, right: Shape) -> Shape:
    """Results of both, side by side."""
    if left.labels is None or right.labels is None:
        same = left.is_raw and right.is_raw
        return Shape(is_raw=same, exporter=left.exporter if same and left.exporter == right.exporter else "")
    return exactly(left.labels | right.labels)
