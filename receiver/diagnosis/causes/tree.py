"""The walk through the decision tree: the questions of `LEAVES` in order, until an answer names a leaf.

Three questions in their usual order (growing steadily? only during spikes? consistently near the limit?), after
the ones it takes for granted: was it killed for memory at all, was it the node, does it die while starting. Each
question answers yes, no or cannot_tell, with the fact that decided. The first answer that names a leaf ends the walk;
without one the cause is unknown, which is an answer. What a leaf is and how one is added: `leaf`.
"""

from __future__ import annotations

from receiver.diagnosis.causes.common import LOG_RISES
from receiver.diagnosis.causes.leaf import CANNOT_TELL, Answer, Leaf, Whose
from receiver.diagnosis.causes.leaves import LEAVES
from receiver.diagnosis.causes.startup import REFUSES
from receiver.diagnosis.causes.unknown import unknown_cause
from receiver.diagnosis.clues import Clues
from receiver.domain.reason import reason
from receiver.domain.report import Cause, Kill, KillKind, TreeStep

SUSPECTED = 0.8  # "looks like" at most: whether memory was it is not certain
CHILD = 0.6  # the container's curve mixes all processes, and falls with each that dies


def walk(clues: Clues, kill: Kill) -> tuple[tuple[TreeStep, ...], Cause]:
    """The questions that were asked, in order, and the cause they lead to."""
    steps: list[TreeStep] = []
    for leaf in LEAVES:
        answer = leaf.question.ask(clues, kill) if leaf.question is not None else None
        if leaf.question is None or answer is None:
            continue
        is_said = answer.answer == CANNOT_TELL and answer.because in [s.because for s in steps]
        steps.append(
            TreeStep(
                id=leaf.question.id,
                question=leaf.question.text,
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
