"""Secrets beside a name in Cyrillic, Chinese, Japanese, Korean, Arabic, Hebrew, Greek, Thai and Indic scripts, where words are not always set apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.extents import value_at
from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.languages import OTHER_SCRIPTS
from receiver.evidence.redaction.spans import Span
from receiver.evidence.redaction.values import is_no_secret, is_password_like

_KIND = {word: (kind, is_mixed_only) for word, kind, is_mixed_only in OTHER_SCRIPTS}
_WORD = re.compile("|".join(sorted(map(re.escape, _KIND), key=len, reverse=True)))
# The rest of the word and some more of the sentence, then a separator or a particle.
_TO_VALUE = re.compile(
    r"[\"'\])]{0,2}[^\x00-\x40\x5b-\x60\x7b-\xbf\n]{0,16}(?:[ _][^\x00-\x40\x5b-\x60\x7b-\xbf\n]{1,20}){0,3}[\"'\])]{0,2}"
    r"(?:[ \t]{0,4}(?:=>|:=|->|[:=]|--?(?= ))[ \t]{0,4}|[ \t]{1,4}|(?<=[是为為はがを는은이])[ \t]{0,4})"
)


def find_other_scripts(hay: Haystack) -> Iterator[Span]:
    """The values of names in other scripts."""
    text = hay.text
    if text.isascii():
        return
    for word in _WORD.finditer(hay.lowered):
        kind, is_mixed_only = _KIND[word[0]]
        sign = _TO_VALUE.match(text, word.end())
        if sign is None:
            continue
        extent = value_at(text, sign.end(), is_yaml=False, named="")
        value = text[extent.start : extent.end].rstrip("、。，．")
        is_weak = is_mixed_only or sign[0].rstrip()[-1:] not in {":", "=", ">"}
        if value and not is_no_secret("", value) and (not is_weak or is_password_like(value)):
            yield Span(extent.start, extent.start + len(value), kind)
