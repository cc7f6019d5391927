"""Words of PromQL: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import ConfigError
from receiver.promql.alternatives import alternatives
from receiver.promql.selectors import clause_labels, selectors
from receiver.promql.tokens import tokens
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
    for read in (tokens, selectors, alternatives, lambda t: tuple(clause_labels(t))):
        assert said(read, text) == "" or said(read, text).startswith("not PromQL")


def said(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except ConfigError as exc:
        return str(exc)
    return ""


def test_the_shipped_rules_are_read_whole() -> None:
    """Every rule's words are its expression again, and it reads at least one series (but the one that always fires)."""
    rules = [rule for file in read_rule_files(rules_dir()) for rule in file.rules()]

    assert all("".join(token.text for token in tokens(rule.expr)) == rule.expr for rule in rules)
    assert {rule.name for rule in rules if not selectors(rule.expr)} == {"OomtriageWatchdog"}
