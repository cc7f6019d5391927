"""Which labels the series of a selector must carry, so that the rules which read them can group, join and describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.errors import ConfigError
from receiver.promql.selectors import Selector
from receiver.promql.tree import Aggregation, Binary, Call, Node, Series, Subquery, Text, parse
from receiver.rulepack.annotations import labels_asked_first, labels_in
from receiver.rulepack.files import Rule
from receiver.rulepack.shapes import Shape, record_shapes, shape

Labels = frozenset[str]

# Grouping by a label that is nowhere costs nothing. Without `id`, two instances of a container are one series, whose newest sample counts.
OPTIONAL: Labels = frozenset({"cluster", "id"})
NONE: Labels = frozenset()
_KEEP_ALL = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One distinct selector (`text`, as PromQL): the metrics it names, the labels its series must have, the rules that read it."""

    text: str
    selector: Selector
    labels: Labels
    rules: tuple[str, ...]


def needs(rules: tuple[Rule, ...]) -> tuple[Need, ...]:
    """Every distinct selector of exporters' metrics, in order of appearance. Rules that cannot be read are left out."""
    trees = {}
    for index, rule in enumerate(rules):
        try:
            trees[index] = parse(rule.expr)
        except ConfigError:
            continue
    shapes = record_shapes(rules)
    wanted = _wanted_of_records(rules, trees, shapes)
    found: dict[str, Need] = {}
    for index, tree in trees.items():
        rule = rules[index]
        for selector, labels in _needs(tree, _wanted(rule, wanted), shapes):
            if any(":" in name or name in shapes for name in selector.names):
                continue
            text = rule.expr[selector.start : selector.end]
            before = found.get(text)
            readers = (*(before.rules if before else ()), rule.name)
            all_labels = (labels - OPTIONAL) | (before.labels if before else NONE)
            found[text] = Need(text=text, selector=selector, labels=all_labels, rules=tuple(dict.fromkeys(readers)))
    return tuple(found.values())


def _wanted_of_records(rules: tuple[Rule, ...], trees: Mapping[int, Node], shapes: Mapping[str, Shape]) -> dict[str, Labels]:
    """What the readers of each record want of it; read from the last rule to the first, as records come before their readers."""
    wanted: dict[str, Labels] = {}
    for _ in range(2):  # twice: a reader may stand in an earlier file
        for index in sorted(trees, reverse=True):
            for selector, labels in _needs(trees[index], _wanted(rules[index], wanted), shapes):
                for name in selector.names:
                    if name in shapes:
                        wanted[name] = wanted.get(name, NONE) | labels
    return wanted


def _wanted(rule: Rule, of_records: Mapping[str, Labels]) -> Labels:
    """Labels that must be on the rule's result: those its texts name without asking first whether they are there."""
    if not rule.alert:
        return of_records.get(rule.name, NONE)
    return labels_in(rule.texts) - labels_asked_first(rule.texts)


def _needs(node: Node, wanted: Labels, shapes: Mapping[str, Shape]) -> Iterator[tuple[Selector, Labels]]:
    match node:
        case Series(selector=selector):
            yield selector, wanted
        case Subquery(inner=inner):
            yield from _needs(inner, wanted, shapes)
        case Aggregation():
            yield from _needs(node.inner, _below(node, wanted), shapes)
        case Call():
            for argument in node.arguments:
                yield from _needs(argument, _argument(node, wanted), shapes)
        case Binary():
            left, right = _sides(node, wanted)
            yield from _needs(node.left, NONE if shape(node.left, shapes).is_scalar else left, shapes)
            yield from _needs(node.right, NONE if shape(node.right, shapes).is_scalar else right, shapes)


def _below(node: Aggregation, wanted: Labels) -> Labels:
    if node.name in _KEEP_ALL:
        return wanted | node.labels
    return wanted - node.labels if node.is_without else wanted & node.labels


def _argument(node: Call, wanted: Labels) -> Labels:
    texts = [argument.value for argument in node.arguments if isinstance(argument, Text)]
    if node.name == "label_replace" and len(texts) == 4:
        new, _, source, _ = texts
        return (wanted - {new}) | ({source} if source and new in wanted else NONE)
    if node.name == "label_join" and len(texts) >= 2:
        return (wanted - {texts[0]}) | (frozenset(texts[2:]) if texts[0] in wanted else NONE)
    return NONE if node.name in ("absent", "absent_over_time", "scalar") else wanted


def _sides(node: Binary, wanted: Labels) -> tuple[Labels, Labels]:
    joined = node.labels if node.labels is not None and not node.is_ignoring else NONE
    if node.operator == "or":
        return wanted | joined, wanted | joined
    if node.group == "left":
        return (wanted - node.include) | joined, joined | node.include
    if node.group == "right":
        return joined | node.include, (wanted - node.include) | joined
    if node.labels is None:
        return wanted, wanted
    return wanted | joined, joined
