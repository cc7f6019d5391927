"""Words and selectors of PromQL: nothing is lost, and what only looks like a metric is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import ConfigError
from receiver.promql.tokens import clause_labels, selectors, tokens
from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files

PIECES = st.sampled_from(
    ["up", 'a_b:c{x="y}"}', "{", "}", "(", ")", "[5m]", "[1h:1m]", " ", "\n", "# note\n", "1.5e3", "0x1F", "10m", '"a\\"b"', "`raw`",
     "'q'", ">=", "=~", "!~", "and", "or", "unless", "on", "by", "offset", "@", "start()", "-", "^", ",", "group_left"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20))
def test_the_words_joined_are_the_expression(pieces: list[str]) -> None:
    """Every character of an expression is in exactly one word, in order."""
    expr = " ".join(pieces)

    found = tokens(expr)

    assert "".join(token.text for token in found) == expr
    assert [token.start for token in found] == [sum(len(t.text) for t in found[:i]) for i in range(len(found))]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    """A person's file can hold anything; the answer is words, or one error of ours."""
    for read in (tokens, selectors, lambda t: tuple(clause_labels(t))):
        assert said(read, text) == "" or said(read, text).startswith("not PromQL")


def said(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except ConfigError as exc:
        return str(exc)
    return ""


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


def test_the_shipped_rules_are_read_whole() -> None:
    """Every rule's words are its expression again, and it reads at least one series (but the one that always fires)."""
    rules = [rule for file in read_rule_files(rules_dir()) for rule in file.rules()]

    assert all("".join(token.text for token in tokens(rule.expr)) == rule.expr for rule in rules)
    assert {rule.name for rule in rules if not selectors(rule.expr)} == {"OomtriageWatchdog"}
