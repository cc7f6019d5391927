"""Where an alert's `namespace` comes from: the selectors that a matcher on namespaces must go into to keep some alerts away.

Not every selector: recording rules go on (an OOM kill in an excluded namespace still explains its node's counter), and so
does what an alert only compares with. Only what gives the alert its own `namespace` label is narrowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from receiver.promql.selectors import Selector
from receiver.promql.tree import Aggregation, Binary, Call, Node, Series, Subquery
from receiver.rulepack.metrics import ABOUT_NODES
from receiver.rulepack.shapes import Shape, shape

NAMESPACE = "namespace"


def sources(node: Node, records: Mapping[str, Shape]) -> Iterator[Selector]:
    """Selectors of which the expression's `namespace` label is; none when it has no such label."""
    if not _may_have(node, records):
        return
    match node:
        case Series(selector=selector):
            yield selector
        case Subquery(inner=inner):
            yield from sources(inner, records)
        case Aggregation(inner=inner):
            yield from sources(inner, records)
        case Call(name="absent" | "absent_over_time" | "vector"):
            return
        case Call(arguments=arguments):
            for argument in arguments:
                yield from sources(argument, records)
        case Binary(operator="and" | "unless", left=left):
            yield from sources(left, records)
        case Binary(group="right", right=right):
            yield from sources(right, records)
        case Binary(group="left", left=left):
            yield from sources(left, records)
        case Binary(left=left, right=right):
            yield from sources(left, records)
            yield from sources(right, records)


def _may_have(node: Node, records: Mapping[str, Shape]) -> bool:
    if isinstance(node, Series) and node.selector.names and all(ABOUT_NODES.fullmatch(name) for name in node.selector.names):
        return False
    labels = shape(node, records).labels
    return labels is None or NAMESPACE in labels
