"""Joins that fail, or find nothing, or find another pod, when the data are not what the author had in mind.

Prometheus stops a rule for good with "found duplicate series for the match group" when a side that must be unique is not:
two replicas of kube-state-metrics during an update are enough. `max by (...)` of exactly the joined labels cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from receiver.errors import ConfigError
from receiver.promql.tree import SET_OPERATORS, Binary, parse, walk
from receiver.rulepack.pack import Pack, read_pack
from receiver.rulepack.places import rules_dir
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.shapes import Shape, record_shapes, shape

# A name means something only together with these: pods of one name are in several namespaces.
NEEDED_BESIDE = {"pod": ("namespace", "uid"), "container": ("pod", "uid")}
INSTANCE = "instance"  # every series that was scraped has it


def check_joins(pack: Pack) -> Iterator[Problem]:
    """Joins of every rule, each problem once a rule."""
    records = record_shapes((*read_pack(rules_dir()).rules, *pack.rules))  # people's own rules read the shipped records
    for rule in pack.rules:
        try:
            tree = parse(rule.expr) if rule.expr.strip() else None
        except ConfigError as exc:
            yield Problem(where=rule.where, text=str(exc), hint="the rest of the rule was not looked at", level=Level.WARNING)
            continue
        nodes = [node for node in walk(tree) if isinstance(node, Binary)] if tree is not None else []
        found = [problem for node in nodes for problem in _join(node, records, rule.where)]
        yield from dict.fromkeys(found)


def _join(node: Binary, records: Mapping[str, Shape], where: str) -> Iterator[Problem]:
    left, right = shape(node.left, records), shape(node.right, records)
    if left.is_scalar or right.is_scalar:
        return
    is_set = node.operator in SET_OPERATORS
    if node.labels is None:
        if node.operator != "or":
            yield from _never_matching(node.operator, left, right, where)
        return
    if not node.is_ignoring:
        yield from _too_few(node, where)
    if not is_set:
        for name, side in (("left", left), ("right", right)):
            if node.group != name:  # the side that may hold several
                yield from _not_unique(node, name, side, where)


def _never_matching(operator: str, left: Shape, right: Shape, where: str) -> Iterator[Problem]:
    """Without on(...) or ignoring(...) all labels of both sides must be the same."""
    if not left.is_known or not right.is_known:
        return
    differing = ""
    if left.is_raw and right.is_raw:
        if left.exporter and right.exporter and left.exporter != right.exporter:
            differing = f"series of {left.exporter} and of {right.exporter}, which have another instance and job"
    elif left.is_raw or right.is_raw:
        labels = right.labels if left.is_raw else left.labels
        if labels is not None and INSTANCE not in labels:
            differing = f"series with all their labels, and with {_names(labels)} only"
    elif left.labels != right.labels and left.labels is not None and right.labels is not None:
        differing = f"{_names(left.labels)} on the left and {_names(right.labels)} on the right"
    if differing:
        text = f"`{operator}` without on (...) can match nothing: {differing}"
        yield Problem(where=where, text=text, hint="aggregate both sides by the same labels")


def _too_few(node: Binary, where: str) -> Iterator[Problem]:
    labels = node.labels or frozenset()
    for label, beside in NEEDED_BESIDE.items():
        if label in labels and not labels & set(beside):
            text = f"`{node.operator} on ({', '.join(sorted(labels))})` takes a {label} of the same name elsewhere for this one"
            yield Problem(where=where, text=text, hint=f"join on {beside[0]} too")


def _not_unique(node: Binary, name: str, side: Shape, where: str) -> Iterator[Problem]:
    labels = node.labels or frozenset()
    clause = f"{node.operator} {'ignoring' if node.is_ignoring else 'on'} ({', '.join(sorted(labels))})"
    if not side.is_known or _is_one_a_target(side, labels):
        return
    if node.is_ignoring:
        if side.labels is not None and not side.labels & labels:
            return
        if side.labels is None:
            text = f"the {name} side of `{clause}` can hold several series that differ only in what is ignored"
            yield Problem(where=where, text=text, hint="aggregate it", level=Level.WARNING)
            return
    elif side.is_unique_by(labels):
        return
    has = f"it keeps {_names(side.labels)}" if side.labels is not None else "it is not aggregated at all"
    text = f"the {name} side of `{clause}` can hold several series for one match: {has}"
    hint = "then the rule fails at every evaluation; write max by (...) with exactly the joined labels around it"
    yield Problem(where=where, text=text, hint=hint)


def _is_one_a_target(side: Shape, labels: frozenset[str]) -> bool:
    """`* on (instance) group_left (nodename) node_uname_info`: what an exporter says of itself is one series a target."""
    return side.is_raw and INSTANCE in labels and side.exporter not in ("cadvisor", "kube_state_metrics")


def _names(labels: frozenset[str] | None) -> str:
    return ", ".join(sorted(labels)) if labels else "no labels"
