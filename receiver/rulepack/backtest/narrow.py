"""An expression asked of some pods only, where that cannot change what it says of them.

A week of a thousand containers is dear, and an alert with a `for` of five minutes cannot fire for a container that a look
every five minutes never finds. So it is looked for seldom first, and then evaluated at every step for those pods alone.
That is exact only where nothing in the expression lets one pod's series decide about another's: no sum over pods, no
`absent`. Selectors of whose metrics the pod is not surely a label, and those on the far side of a join without the pod,
stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from receiver.promql.edits import edited, matcher_edits
from receiver.promql.quoting import quoted
from receiver.promql.selectors import Matcher, Selector
from receiver.promql.tree import Aggregation, Binary, Call, Node, Series, Text, children, parse, walk

MAX_PODS = 200  # more names than this make no cheaper question
OF_PODS = ("container_", "kube_pod_")  # metrics whose series each belong to one pod
_WHOLE = frozenset({"absent", "absent_over_time", "scalar"})


class _NotLocal(Exception):
    """One pod's series may decide about another's."""


def narrowed(expr: str, pods: Iterable[str]) -> str | None:
    """`expr` with only these pods in the selectors that allow it; None where that could change its answer for them.

    What it then says of other pods is to be ignored. ConfigError when it is no PromQL.
    """
    names = sorted(pods)
    if not names or "" in names or len(names) > MAX_PODS:
        return None
    try:
        starts = {selector.start for selector in _of_pods(parse(expr))}
    except _NotLocal:
        return None
    only = (pods_matcher(names),)
    return edited(expr, matcher_edits(expr, lambda selector: only if selector.start in starts else ())) if starts else None


def pods_matcher(names: Iterable[str]) -> Matcher:
    """`pod=~"a|b"`. Names are labels, so they are escaped for the pattern and for the string."""
    return Matcher(label="pod", operator="=~", value=quoted("|".join(re.escape(name) for name in sorted(names))))


def _of_pods(node: Node) -> list[Selector]:
    """The selectors below that may be narrowed."""
    match node:
        case Series(selector=selector):
            is_of_pods = bool(selector.names) and all(name.startswith(OF_PODS) for name in selector.names)
            return [selector] if is_of_pods else []
        case Call(name=name) if name in _WHOLE or (name in ("label_replace", "label_join") and _writes_pod(node)):
            return _untouched(node)
        case Aggregation(labels=labels, is_without=is_without) if ("pod" in labels) is is_without:
            return _untouched(node)
        case Binary():
            return _joined(node)
        case _:
            return [selector for child in children(node) for selector in _of_pods(child)]


def _joined(node: Binary) -> list[Selector]:
    """Both sides where they meet on the pod; else only the side whose series come out, and the other as it is."""
    if node.labels is None or ("pod" in node.labels) is not node.is_ignoring:
        return [*_of_pods(node.left), *_of_pods(node.right)]
    if node.operator in ("and", "unless") or node.group == "left":
        return _of_pods(node.left)
    if node.group == "right":
        return _of_pods(node.right)
    return _untouched(node)


def _untouched(node: Node) -> list[Selector]:
    """Nothing to narrow, if no pod's series is in it."""
    if any(isinstance(below, Series) and any(name.startswith(OF_PODS) for name in below.selector.names) for below in walk(node)):
        raise _NotLocal
    return []


def _writes_pod(node: Call) -> bool:
    target = node.arguments[1] if len(node.arguments) > 1 else None
    return isinstance(target, Text) and target.value == "pod"
