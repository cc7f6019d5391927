"""A text to be searched, with what makes it quick to say that something is not in it: a log says the same words over and over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Haystack(NamedTuple):
    """`lowered`: the text in lower case, character by character. `words`: each of its words once, in lower case."""

    text: str
    lowered: str
    words: str

    @classmethod
    def of(cls, text: str) -> Haystack:
        """The haystack of a text."""
        lowered = text.lower()
        if len(lowered) != len(text):  # letters whose small form is longer
            lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        return cls(text, lowered, "\n".join(set(lowered.split())))

    def has_any(self, hints: tuple[str, ...]) -> bool:
        """Whether one of these pieces of a word (lower case, no blanks) occurs."""
        words = self.words
        for hint in hints:  # noqa: SIM110  # a generator costs a short text as much as the search
            if hint in words:
                return True
        return False

    def places_of(self, piece: str) -> Iterator[int]:
        """Where this piece (lower case) begins, one after the other."""
        at = self.lowered.find(piece)
        while at >= 0:
            yield at
            at = self.lowered.find(piece, at + len(piece))
