"""Where secrets are in a text, and the text with marks in their places.

A mark in a text that comes in (it was redacted before) is blanked first: a secret is neither found in it nor beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

BLANK = "\ue000"  # stands for each character of a mark; a private-use character, in no alphabet


class Span(NamedTuple):
    """A secret: from `start` up to `end`."""

    start: int
    end: int
    kind: str


def blanked(text: str, marks: re.Pattern[str]) -> str:
    """The text with the marks that are there already made unreadable, each of its length."""
    return marks.sub(lambda m: BLANK * len(m[0]), text) if "[redacted " in text else text


def merged(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order. Where some did, one takes all they covered; its kind is the longest one's, of equals the first found.

    Ends before a mark, and drops what is only punctuation.
    """
    found: list[Span] = []
    for span in sorted(_outside_marks(text, spans), key=_start):  # stable: of one start, the first found comes first
        if not found or span.start >= found[-1].end:
            found.append(span)
        elif span.end > found[-1].end and any(c.isalnum() for c in text[found[-1].end : span.end]):
            last = found[-1]
            found[-1] = Span(last.start, span.end, last.kind if last.end - last.start >= span.end - span.start else span.kind)
    return found


def _start(span: Span) -> int:
    return span.start


def _outside_marks(text: str, spans: Iterable[Span]) -> Iterable[Span]:
    for start, end, kind in spans:
        blank = text.find(BLANK, start, end)
        stop = blank if blank >= 0 else end
        if any(c.isalnum() for c in text[start : min(stop, start + 256)]) or stop - start > 256:
            yield Span(start, stop, kind)


def replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with a mark for each span. Of one of several lines the other lines stay, empty: line numbers and stamps go on fitting."""
    out: list[str] = []
    done = 0
    for start, end, kind in spans:
        out += (text[done:start], f"[redacted {kind}]", "\n" * text.count("\n", start, end))
        done = end
    out.append(text[done:])
    return "".join(out)
