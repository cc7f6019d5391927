"""Each code has exactly one sentence, each sentence a code, and each sentence finds the facts that it uses."""

from __future__ import annotations

import string
from collections import Counter

import pytest

from receiver.render.wording import SENTENCES
from receiver.render.wording.say import PARTS
from tests.checks.reasons import Call, calls

CALLS = list(calls())


def test_codes_are_written_out():
    """Only then can they be held against their sentences."""
    assert [c.where for c in CALLS if c.code is None] == []


def test_every_code_has_a_sentence():
    """The name of the missing one is in the message."""
    assert {c.code: c.where for c in CALLS if c.code not in SENTENCES} == {}, "add a line to receiver/render/wording/"


def test_every_sentence_has_a_code():
    """What nobody says any more is taken out."""
    assert sorted(SENTENCES.keys() - {c.code for c in CALLS}) == []


def test_one_part_a_code():
    """No table overwrites another's sentence."""
    assert [code for code, n in Counter(code for part in PARTS for code in part.SENTENCES).items() if n > 1] == []


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c.code}@{c.where}")
def test_its_facts_are_there(call: Call):
    """Whatever a sentence fills in is given at every place that gives the reason."""
    sentence = SENTENCES[call.code or ""]
    if not isinstance(sentence, str) or "**" in call.facts:
        return
    used = {name for _, names, _, _ in string.Formatter().parse(sentence) if names for name in names.split("/")}
    assert used <= call.facts, f"{call.where}: {call.code} uses {sorted(used - call.facts)}"
