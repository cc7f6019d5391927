"""Say a reason: look its sentence up and fill it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from receiver.domain.reason import Reason, Words
from receiver.render.wording import advice, causes, checklist, death, incident, memory, numbers, real_fixes
from receiver.render.wording.forms import Sentence, SentenceFormatter

PARTS = (death, memory, causes, advice, checklist, real_fixes, numbers, incident)

SENTENCES: Mapping[str, Sentence] = {code: sentence for part in PARTS for code, sentence in part.SENTENCES.items()}


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


def remark(words: Words | None) -> str:
    """`phrase`, without the "Cannot tell yet" of a verdict: for messages that say this themselves."""
    if isinstance(words, Reason) and words.code == memory.CANNOT_TELL_YET:
        return _FORMATTER.vformat("{because:reason}", (), words.by_name)
    return phrase(words)


def speaks_for(words: Words) -> bool:
    """Whether what stands under "against" speaks for the verdict: another cause was refused."""
    return isinstance(words, Reason) and words.code in memory.REFUSALS


def tells_of_replicas(words: Words) -> bool:
    """Whether it says how the other replicas fare."""
    return isinstance(words, Reason) and words.code == causes.OTHER_REPLICAS


def settling(words: Words | None) -> str:
    """What would settle it, as a sentence that says so."""
    return f"to settle it: {say(words)}" if isinstance(words, Reason) and words.code in memory.SETTLING else say(words)


_FORMATTER = SentenceFormatter(phrase)
