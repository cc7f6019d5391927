"""The walk through the decision tree: the questions of `LEAVES` in order, until an answer names a leaf.

Three questions in their usual order (growing steadily? only during spikes? consistently near the limit?), after
the ones it takes for granted: was it killed for memory at all, was it the node, does a setting of the program decide,
does it die while starting. Each question answers yes, no or cannot_tell, with the fact that decided. The first answer that names a leaf ends the walk;
without one the cause is unknown, which is an answer. What a leaf is and how one is added: `leaf`.
"""

from __future__ import annotations

from collections.abc import Iterator

from receiver.diagnosis.causes.common import LOG_RISES
from receiver.diagnosis.causes.leaf import CANNOT_TELL, Answer, Leaf, Question, Whose
from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.diagnosis.causes.startup import REFUSES
from receiver.diagnosis.causes.unknown import unknown_cause
from receiver.diagnosis.clues import Clues
from receiver.domain.reason import reason
from receiver.domain.report import Cause, Kill, KillKind, TreeStep

SUSPECTED = 0.8  # "looks like" at most: whether memory was it is not certain
CHILD = 0.6  # the container's curve mixes all processes, and falls with each that dies


def _questions() -> Iterator[tuple[Leaf, Question]]:
    """Whose memory it was; then what the program's own settings decide; then how memory got there."""
    own = [leaf for leaf in LEAVES if leaf.whose is Whose.CONTAINER]
    yield from ((leaf, leaf.question) for leaf in LEAVES if leaf.question is not None and leaf not in own)
    yield from ((leaf, leaf.by_settings) for leaf in own if leaf.by_settings is not None)
    yield from ((leaf, leaf.question) for leaf in own if leaf.question is not None)


QUESTIONS: tuple[tuple[Leaf, Question], ...] = tuple(_questions())


def walk(clues: Clues, kill: Kill) -> tuple[tuple[TreeStep, ...], Cause]:
    """The questions that were asked, in order, and the cause they lead to."""
    steps: list[TreeStep] = []
    for own_leaf, question in QUESTIONS:
        answer = question.ask(clues, kill)
        if answer is None:
            continue
        leaf = leaf_of(answer.leads_to) if answer.leads_to is not None else own_leaf
        is_said = answer.answer == CANNOT_TELL and answer.because in [s.because for s in steps]
        steps.append(
            TreeStep(
                id=question.id,
                question=question.text,
                answer=answer.answer,
                because=reason("tree.same_reason") if is_said else answer.because,
                leads_to=leaf.name.value if answer.decides else "",
            )
        )
        if answer.decides:
            return tuple(steps), _cause(leaf, answer, kill)
    return tuple(steps), unknown_cause(clues, kill)


def _cause(leaf: Leaf, answer: Answer, kill: Kill) -> Cause:
    return Cause(
        name=leaf.name,
        confidence=_corrected(answer.confidence, kill) if leaf.whose is Whose.CONTAINER and answer.detail != REFUSES else answer.confidence,
        because=answer.reasons or (answer.because,),
        against=answer.against,
        settle_by=answer.settle_by,
        detail=answer.detail,
        headline=answer.headline,
        remedy=answer.remedy,
    )


def _corrected(confidence: float, kill: Kill) -> float:
    """Confidence, taken down where what it rests on is itself not sure."""
    if kill.is_of_child:
        return min(confidence, CHILD)
    if kill.kind is KillKind.SUSPECTED_OOM:
        return min(confidence, SUSPECTED)
    if kill.kind is KillKind.NONE and kill.exit_code not in (None, 0):
        return min(confidence, LOG_RISES)  # the container's limit was not what ended it
    return confidence
