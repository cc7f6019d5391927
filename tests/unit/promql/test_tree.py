"""PromQL as a tree: what binds how, and where names are selectors and where they are not."""

from __future__ import annotations

import pytest

from receiver.errors import ConfigError
from receiver.promql.selectors import selectors
from receiver.promql.tree import Aggregation, Binary, Call, Number, Series, Subquery, Text, parse, walk
from receiver.rulepack import read_pack, rules_dir


def shown(expr: str) -> str:
    """The tree as text with every bracket written."""

    def text(node: object) -> str:
        match node:
            case Number():
                return node.text
            case Text():
                return node.token.text
            case Series():
                return expr[node.selector.start : node.selector.end]
            case Subquery():
                return f"{text(node.inner)}[:]"
            case Call() | Aggregation():
                return f"{node.name}({', '.join(map(text, node.arguments))})"
            case Binary():
                return f"({text(node.left)} {node.operator} {text(node.right)})"
            case _:
                raise AssertionError(node)

    return text(parse(expr))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a + b * c > 1 and d", "(((a + (b * c)) > 1) and d)"),
        ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
        ("a - b - c", "((a - b) - c)"),
        ("-a * b", "(a * b)"),
        ("a or {x='1'} unless on (y) {x='2'}", "(a or ({x='1'} unless {x='2'}))"),
        ("sum(a) by (b) / on (b) group_left (c) max by (b, c) (d)", "(sum(a) / max(d))"),
        ("max_over_time(rate(a[5m] offset 1h)[1h:1m] @ end())", "max_over_time(rate(a)[:])"),
        ("a offset -5m > bool 3", "(a > 3)"),
        ('label_replace(a, "x", "$1", "", "") > Inf', '(label_replace(a, "x", "$1", "", "") > Inf)'),
        ("topk(1, a) # the first\n+ b", "(topk(1, a) + b)"),
    ],
)
def test_what_binds_how(expr: str, expected: str) -> None:
    """As Prometheus' own parser has it."""
    assert shown(expr) == expected


def test_an_operator_before_braces_is_no_metric() -> None:
    """`or {...}` is an operator and a selector without a name."""
    expr = 'a or {__name__=~"b|c"} unless {__name__="d"} AND e{f="g"}'

    assert [selector.names for selector in selectors(expr)] == [("a",), ("b", "c"), ("d",), ("e",)]


@pytest.mark.parametrize("expr", ["", "a +", "(a", "a)", "sum by (a (b)", "f(a,", "a[5m", "{a=", "a b", "max by (x) ()", "1 on (a) b"])
def test_what_cannot_be_read_is_said(expr: str) -> None:
    """Half a tree would be judged as if it were the rule."""
    with pytest.raises(ConfigError, match="not PromQL"):
        parse(expr)


def test_a_deep_nest_is_no_crash() -> None:
    """Rule files of other people are input like any other."""
    with pytest.raises(ConfigError, match="nested too deeply"):
        parse("(" * 5000 + "a" + ")" * 5000)


def test_every_shipped_expression_is_read_with_all_its_selectors() -> None:
    """The tree and the list of selectors are two readings of one text, and agree."""
    for rule in read_pack(rules_dir()).rules:
        in_tree = sorted(node.selector.start for node in walk(parse(rule.expr)) if isinstance(node, Series))

        assert in_tree == sorted(selector.start for selector in selectors(rule.expr)), rule.name
