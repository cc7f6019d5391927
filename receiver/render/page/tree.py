"""The decision tree as it was walked, with every branch that was refused and those that were not reached."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from receiver.diagnosis.causes.leaf import CANNOT_TELL, NO, YES, Leaf
from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.diagnosis.causes.tree import QUESTIONS
from receiver.domain.report import Report
from receiver.render.page.model import Tree, TreeNode
from receiver.render.page.stored import Stored
from receiver.render.text import sentence
from receiver.render.wording import phrase, say

NOT_ASKED = "not_asked"
_LEAF_OF = {question.id: leaf for leaf, question in QUESTIONS}
_ANSWERS = frozenset({YES, NO, CANNOT_TELL})


def tree_of(stored: Stored, report: Report | None) -> Tree | None:
    """The tree of a stored report; None when it walked none. `report`: the same, judged again, which knows more of what was refused."""
    steps = list(stored.all("tree"))
    if not steps:
        return None
    cause = stored.at("cause")
    verdict = say(leaf_of(cause.text("name")).said(cause.number("confidence") or 0.0, report.cause.detail if report is not None else ""))
    walked = [_walked(step) for step in steps]
    is_led = any(node.is_end for node in walked)
    end = () if is_led else (TreeNode(question="", answer="", leaf=verdict, is_end=True),)
    asked = {leaf.name for step in steps if (leaf := _LEAF_OF.get(step.text("id"))) is not None}
    return Tree(
        nodes=(*walked, *end, *(_not_reached(leaf, report) for leaf in _later(asked, is_led=is_led))),
        verdict=verdict,
        for_it=tuple(sentence(t) for t in cause.texts("because")),
        against=tuple(sentence(t) for t in cause.texts("against")),
        settle_by=sentence(cause.text("settle_by")),
    )


def leaf_words(leaf: Leaf) -> str:
    """What a yes would mean, in a few words."""
    return say(leaf.known_as or leaf.verdict.likely)


def _walked(step: Stored) -> TreeNode:
    answer, leads_to = step.text("answer"), step.text("leads_to")
    leaf = leaf_of(leads_to) if leads_to else _LEAF_OF.get(step.text("id"))
    return TreeNode(
        question=step.text("question"),
        answer=answer if answer in _ANSWERS else CANNOT_TELL,
        because=sentence(step.text("because")),
        leaf=leaf_words(leaf) if leaf is not None else "",
        is_end=bool(leads_to),
    )


def _later(asked: Collection[str], *, is_led: bool) -> Iterator[Leaf]:
    """The leaves behind the end of the walk."""
    if is_led:
        yield from (leaf for leaf in LEAVES if leaf.question is not None and leaf.name not in asked)


def _not_reached(leaf: Leaf, report: Report | None) -> TreeNode:
    """A question that was not asked any more; the shape of memory may say all the same why it is not that."""
    refused = report.shape.refused.get(leaf.name) if report is not None and report.shape is not None else None
    return TreeNode(
        question=say(leaf.question.text if leaf.question is not None else None),
        answer=NOT_ASKED,
        because=sentence(phrase(refused)),
        leaf=leaf_words(leaf),
    )
