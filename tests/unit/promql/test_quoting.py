"""No value can end the string that it is put into, and what was quoted is read again as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.promql.quoting import as_replacement, quoted, unquoted
from receiver.promql.tokens import Kind, tokens

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(TEXTS)
def test_any_text_is_one_string_and_means_itself(text: str) -> None:
    """Quotes, backslashes, line breaks and control characters included."""
    (token,) = tokens(quoted(text))

    assert token.kind is Kind.STRING
    assert unquoted(token.text) == text


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ('"a"', "a"), ("'a'", "a"), ("`a`", "a"), (r"`\n`", r"\n"), (r"'\n'", "\n"), (r'"\x41\101\u0041\U00000041"', "AAAA"), (r'"\a\v"', "\a\v"),
        (r'"\q"', r"\q"), (r'"\UFFFFFFFF"', r"\UFFFFFFFF"), (r'"\\n"', r"\n"),
    ],
)  # fmt: skip
def test_a_string_as_go_reads_it(literal: str, text: str) -> None:
    """All three kinds of quotes; an escape that Go does not know stays as it is."""
    assert unquoted(literal) == text


def test_a_replacement_names_no_group() -> None:
    """label_replace would put the first group in the place of $1."""
    assert as_replacement(quoted("costs $1")) == '"costs $$1"'
