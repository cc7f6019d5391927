"""When an expression may be asked of some pods only."""

from __future__ import annotations

import pytest

from receiver.rulepack.backtest.narrow import MAX_PODS, narrowed

X, Y = "container_x", "kube_pod_y"
ON = 'pod=~"a\\\\-1"'  # a pattern in a string: escaped twice


@pytest.mark.parametrize(
    ("expr", "narrowed_selectors"),
    [
        (f"{X} > 0.8", [X]),
        (f"max by (namespace, pod) ({X}) / max by (namespace, pod) ({Y}) > 1", [X, Y]),
        (f"max without (id) ({X}) > 1", [X]),
        (f"{X} and on (namespace, pod) {Y}", [X, Y]),
        (f"{X} unless on (namespace) {Y}", [X]),
        (f"{X} and on (cluster) (count by (cluster) ({Y}) > 3)", [X]),
        (f"{X} unless on (namespace) kube_namespace_labels", [X]),
        (f"{X} * on (namespace) group_left () sum by (namespace) ({Y})", [X]),
        (f"sum by (namespace) ({Y}) * on (namespace) group_right () {X}", [X]),
        (f"{X} or {Y}", [X, Y]),
        (f"min_over_time(({X} > 1)[1h:1m]) - last_over_time({X}[5m] offset 3h)", [X, X]),
        (f"{X} unless ignoring (id) {Y}", [X, Y]),
        (f'label_replace({X}, "n", "$1", "pod", "(.*)")', [X]),
    ],
)
def test_what_looks_at_each_pod_alone_is_narrowed(expr: str, narrowed_selectors: list[str]) -> None:
    """The selectors whose series come out; those that only decide from outside stay whole."""
    found = narrowed(expr, ["a-1"])

    assert found is not None
    assert found.replace(f"{{{ON}}}", "") == expr
    assert found.count(ON) == len(narrowed_selectors)
    assert all(found.count(f"{name}{{{ON}}}") == narrowed_selectors.count(name) for name in (X, Y))


@pytest.mark.parametrize(
    "expr",
    [
        f"count by (namespace) ({X}) > 3",
        f"sum({X})",
        f"sum without (pod) ({X})",
        f"absent({X})",
        f"{X} > scalar(max({X}))",
        f"{X} or on (namespace) {Y}",
        f"{X} > on (namespace) {Y}",
        f'label_replace({X}, "pod", "$1", "node", "(.*)")',
        "node_memory_MemAvailable_bytes < 1",
        "vector(1)",
    ],
)
def test_what_joins_pods_or_has_none_is_not(expr: str) -> None:
    """A sum over pods, an absence, a join without the pod: other pods decide there. Without pods there is nothing to narrow."""
    assert narrowed(expr, ["a-1"]) is None


def test_no_name_and_too_many_names_are_not() -> None:
    """A result without a pod cannot be asked for by its pod; a thousand names make no cheaper question."""
    assert narrowed(X, ["a-1", ""]) is None
    assert narrowed(X, [f"a-{i}" for i in range(MAX_PODS + 1)]) is None


def test_a_hostile_name_stays_a_name() -> None:
    """Quotes and pattern signs of a label cannot end the string or match other pods."""
    assert narrowed(X, ['.*"} or {x="']) == 'container_x{pod=~"\\\\.\\\\*\\"\\\\}\\\\ or\\\\ \\\\{x=\\""}'
