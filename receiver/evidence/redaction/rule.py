"""One shape of a secret as a regular expression, and how such rules are searched for.

Every expression is linear on any text: each repeat is possessive (`*+`) or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.spans import Span

Accepts = Callable[[re.Match[str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Group `secret` (else the whole match) is replaced. `hints`: lower case, no blanks; without one of them the text is not searched."""

    kind: str
    hints: tuple[str, ...]
    regex: re.Pattern[str]
    accepts: Accepts | None = None

    def find(self, text: str) -> Iterator[Span]:
        """Where it matches."""
        group: str | int = "secret" if "secret" in self.regex.groupindex else 0
        for match in self.regex.finditer(text):
            start, end = match.span(group)
            if start < end and (self.accepts is None or self.accepts(match)):
                yield Span(start, end, self.kind)


def rule(kind: str, hints: str, regex: str, accepts: Accepts | None = None) -> Rule:
    """A rule; `hints` are separated by `|`."""
    return Rule(kind=kind, hints=tuple(hint.strip(" ") for hint in hints.split("|")), regex=re.compile(regex), accepts=accepts)


def find_rules(rules: Iterable[Rule], hay: Haystack) -> Iterator[Span]:
    """What these rules find, in their order."""
    words = hay.words
    for each in rules:
        for hint in each.hints:  # written out, as this is most of what a short text costs
            if hint in words:
                break
        else:
            if each.hints:
                continue
        yield from each.find(hay.text)
