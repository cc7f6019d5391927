"""Say a reason: look its sentence up and fill it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from receiver.domain.reason import Words
from receiver.render.wording import advice, causes, death, incident, memory
from receiver.render.wording.forms import Sentence, SentenceFormatter

SENTENCES: Mapping[str, Sentence] = {
    **death.SENTENCES,
    **memory.SENTENCES,
    **causes.SENTENCES,
    **advice.SENTENCES,
    **incident.SENTENCES,
}


def say(words: Words | None) -> str:
    """The sentence of a reason, filled in; empty for none. KeyError for a code without a sentence (a test finds it first)."""
    if words is None:
        return ""
    if isinstance(words, str):
        return words
    sentence = SENTENCES[words.code]
    if callable(sentence):
        return sentence(words.by_name)
    return _FORMATTER.vformat(sentence, (), words.by_name)


def say_all(reasons: Iterable[Words]) -> tuple[str, ...]:
    """The sentences of these reasons."""
    return tuple(say(r) for r in reasons)


def phrase(words: Words | None) -> str:
    """A reason as a short phrase that any sentence can hold: no blanks around it, no full stop behind it."""
    text = say(words).strip()
    return text if text.endswith("...") else text.rstrip(".").rstrip()


_FORMATTER = SentenceFormatter(phrase)
