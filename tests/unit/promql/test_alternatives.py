"""An expression taken apart at `or`."""

from __future__ import annotations

import pytest

from receiver.errors import ConfigError
from receiver.promql.alternatives import alternatives, operands


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ('max(a or b) or c{x="1 or 2"} unless d or e:or:f', ("max(a or b)", 'c{x="1 or 2"}', "e:or:f")),
        ("(a unless b or (c or d) > 1) unless on (x) e", ("a", "(c or d) > 1")),
        ("(a) or ((b OR c))", ("a", "b", "c")),
        ("a # or b\n or c", ("a", "c")),
        ("a unless b unless c", ("a",)),
        ("", ("",)),
    ],
)
def test_alternatives_are_split_outside_of_brackets_and_strings(expr: str, expected: tuple[str, ...]) -> None:
    """An `or` inside of a selector or an aggregation is no alternative of the whole; `unless` takes out others."""
    assert alternatives(expr) == expected


def test_an_expression_that_is_too_deep_or_cannot_be_read_is_one_alternative() -> None:
    """Other people's rules are input like any other."""
    assert len(alternatives("(" * 5000 + "a or b" + ")" * 5000)) == 1
    assert alternatives("(a or b") == ("(a or b",)
    assert alternatives("a ? b or c") == ("a ? b or c",)


def test_operands_keep_what_is_left_out() -> None:
    """Only `or` splits, and only outside of brackets."""
    assert operands('label_replace(a unless b or c, "q", "x or y", "", "") or d') == (
        'label_replace(a unless b or c, "q", "x or y", "", "")',
        "d",
    )
    with pytest.raises(ConfigError):
        operands("a ? b")
