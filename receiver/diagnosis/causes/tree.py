"""The decision tree: one ordered table of questions, and the walk through it.

The article's three questions in its order (growing steadily? only during spikes? consistently near the limit?), after
the ones it takes for granted: was it killed for memory at all, was it the node, does it die while starting. Each
question answers yes, no or cannot_tell, with the fact that decided. The first answer that names a leaf ends the walk;
without one the cause is unknown, which is an answer.

To add a leaf: one `Question` in `QUESTIONS`, one `ask` function, one test, one page in docs/causes/.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from receiver.diagnosis.causes import answers
from receiver.diagnosis.causes.answers import Answer
from receiver.diagnosis.clues import Clues
from receiver.domain.report import Cause, CauseName, Kill, TreeStep

SAME_REASON = "for the same reason"  # three questions that lack the same history need not say so three times


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of the tree. `ask` looks at the clues and the kill; `leaf` is where its deciding answer leads."""

    id: str
    text: str
    ask: Callable[[Clues, Kill], Answer]
    leaf: CauseName


QUESTIONS: tuple[Question, ...] = (
    Question(id="killed_for_memory", text="Killed for memory?", ask=answers.killed_for_memory, leaf=CauseName.NOT_MEMORY),
    Question(id="node", text="Did the node run out, not the container?", ask=answers.node_ran_out, leaf=CauseName.NODE_PRESSURE),
    Question(id="startup", text="Always while starting?", ask=answers.while_starting, leaf=CauseName.STARTUP),
    Question(id="growing", text="Growing steadily?", ask=answers.growing_steadily, leaf=CauseName.LEAK),
    Question(id="spikes", text="Only during spikes?", ask=answers.only_during_spikes, leaf=CauseName.SPIKE),
    Question(id="near_limit", text="Consistently near its limit?", ask=answers.near_the_limit, leaf=CauseName.LIMIT_TOO_LOW),
)


def walk(clues: Clues, kill: Kill) -> tuple[tuple[TreeStep, ...], Cause]:
    """The questions that were asked, in order, and the cause they lead to."""
    steps: list[TreeStep] = []
    for question in QUESTIONS:
        answer = question.ask(clues, kill)
        leads_to = question.leaf.value if answer.decides else ""
        because = answer.because
        is_said = answer.answer == answers.CANNOT_TELL and because in (s.because for s in steps)
        steps.append(
            TreeStep(
                id=question.id,
                question=question.text,
                answer=answer.answer,
                because=SAME_REASON if is_said else because,
                leads_to=leads_to,
            )
        )
        if answer.decides:
            return tuple(steps), _cause(question.leaf, answer, clues, kill)
    return tuple(steps), answers.unknown_cause(clues, kill)


def _cause(leaf: CauseName, answer: Answer, clues: Clues, kill: Kill) -> Cause:
    return Cause(
        name=leaf,
        confidence=answers.corrected(answer.confidence, leaf, clues, kill),
        because=answer.reasons or (answer.because,),
        against=answer.against,
        settle_by=answer.settle_by,
        detail=answer.detail,
    )
