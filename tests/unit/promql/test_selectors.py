"""Selectors of PromQL: what only looks like a metric is none, and matchers match as Prometheus' do."""

from __future__ import annotations

import pytest

from receiver.errors import ConfigError
from receiver.promql.quoting import quoted
from receiver.promql.selectors import Matcher, clause_labels, parse_matchers, selectors


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("up", [("up",)]),
        ("sum by (job) (rate(a_total[5m])) / on (job) group_left (x) b", [("a_total",), ("b",)]),
        ('{__name__=~"a|b", x="y"} or {__name__="c"} unless d{z!=""}', [("a", "b"), ("c",), ("d",)]),
        ("sum(x) by (namespace, or)", [("x",)]),
        ("time() - start_time > bool 5 and vector(1) == inf", [("start_time",)]),
        ("x offset 5m @ start() # a comment with up in it", [("x",)]),
        ('"a string {up}" == "other"', []),
        ("quantile_over_time(0.9, a:b:c[1h:5m] offset 1d)", [("a:b:c",)]),
        ("{}", [()]),
    ],
)
def test_selectors_are_found_and_nothing_else(expr: str, expected: list[tuple[str, ...]]) -> None:
    """Functions, operators, labels of clauses, strings and comments are no metrics."""
    assert [s.names for s in selectors(expr)] == expected


def test_a_selector_knows_its_matchers_its_window_and_its_place() -> None:
    """What is cut out of the expression is the selector, its range left out."""
    expr = 'rate(a{x="1", y=~"p|q", __name__="a"}[5m])'

    (found,) = selectors(expr)

    assert [matcher.text for matcher in found.matchers] == ['x="1"', 'y=~"p|q"']
    assert (found.window, expr[found.start : found.end]) == ("5m", 'a{x="1", y=~"p|q", __name__="a"}')
    assert (found.matched("y"), found.matched("z")) == (True, False)


def test_labels_of_every_clause() -> None:
    """by, without, on, ignoring and what group_left copies."""
    expr = "sum by (a, b) (x) * on (c) group_left (d) max without (e) (y) unless ignoring (f) z"

    assert [token.text for token in clause_labels(expr)] == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("matcher", "through", "held"),
    [
        ('a="x"', ["x"], ["", "xx", "X"]),
        ('a!="x"', ["", "xx"], ["x"]),
        ('a=~"x|y.*"', ["x", "y", "yes"], ["", "xx", "ay"]),
        ('a!~"x|y.*"', ["", "ay"], ["x", "yes"]),
        ("a='x\\\\.y'", ["x\\.y"], ["x.y"]),
        ('a=~"x\\\\.y"', ["x.y"], ["x\\.y", "xzy"]),
        (r"a=~`x\.y`", ["x.y"], ["xzy"]),
        ('a="\\u00fc\\x21"', ["ü!"], ["u00fc"]),
    ],
)
def test_a_matcher_lets_through_what_prometheus_would(matcher: str, through: list[str], held: list[str]) -> None:
    """Patterns match the whole value; an escape in the string is undone once, before the pattern reads its own."""
    (found,) = parse_matchers(matcher)

    assert [value for value in (*through, *held) if found.lets_through(value)] == through


@pytest.mark.parametrize("pattern", ["(a+)+$", "[", "x" * 5000])
@pytest.mark.parametrize("operator", ["=~", "!~"])
def test_a_pattern_that_cannot_be_judged_lets_everything_through(pattern: str, operator: str) -> None:
    """RE2's syntax differs, and a pattern that would take Python for ever is not tried."""
    matcher = Matcher(label="namespace", operator=operator, value=quoted(pattern))

    assert matcher.lets_through("a" * 40 + "!")


@pytest.mark.parametrize("text", ["a", "a=", "a=b", '"a"="b"', 'a="b" c="d"', 'a:b="c"', '__name__="up"', 'a="b",,', 'a="b\nc"'])
def test_only_matchers_are_taken_for_matchers(text: str) -> None:
    """They go into every selector of every query."""
    with pytest.raises(ConfigError):
        parse_matchers(text)
