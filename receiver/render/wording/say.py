"""Say a reason: look its sentence up and fill it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from receiver.domain.reason import Reason
from receiver.render.wording import (
    advice,
    causes,
    ceilings,
    change_requests,
    checklist,
    death,
    doctor,
    fixes,
    incident,
    memory,
    numbers,
    page,
    real_fixes,
    weekly,
    witnesses,
)
from receiver.render.wording.forms import Sentence, SentenceFormatter

PARTS = (
    death,
    memory,
    causes,
    ceilings,
    advice,
    checklist,
    real_fixes,
    numbers,
    incident,
    fixes,
    witnesses,
    doctor,
    page,
    weekly,
    change_requests,
)

SENTENCES: Mapping[str, Sentence] = {code: sentence for part in PARTS for code, sentence in part.SENTENCES.items()}


def say(said: Reason | None) -> str:
    """The sentence of a reason, filled in; empty for none. KeyError for a code without a sentence (a test finds it first)."""
    if said is None:
        return ""
    sentence = SENTENCES[said.code]
    if callable(sentence):
        return sentence(said.by_name)
    return _FORMATTER.vformat(sentence, (), said.by_name)


def say_all(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """The sentences of these reasons."""
    return tuple(say(r) for r in reasons)


def phrase(said: Reason | None) -> str:
    """A reason as a short phrase that any sentence can hold: no blanks around it, no full stop behind it."""
    text = say(said).strip()
    return text if text.endswith("...") else text.rstrip(".").rstrip()


def remark(said: Reason | None) -> str:
    """`phrase`, without the "Cannot tell yet" of a verdict: for messages that say this themselves."""
    if said is not None and said.code == memory.CANNOT_TELL_YET:
        return _FORMATTER.vformat("{because:reason}", (), said.by_name)
    return phrase(said)


def speaks_for(said: Reason) -> bool:
    """Whether what stands under "against" speaks for the verdict: another cause was refused."""
    return said.code in memory.REFUSALS


def tells_of_replicas(said: Reason) -> bool:
    """Whether it says how the other replicas fare."""
    return said.code == causes.OTHER_REPLICAS or said.code in witnesses.REPLICAS


def settling(said: Reason | None) -> str:
    """What would settle it, as a sentence that says so."""
    return f"to settle it: {say(said)}" if said is not None and said.code in memory.SETTLING else say(said)


_FORMATTER = SentenceFormatter(phrase)
