"""Every leaf is whole: whatever the program asks of a cause, each has an answer. A failure names the piece that is missing."""

from __future__ import annotations

import pytest

from receiver.diagnosis.causes.leaf import Leaf, Whose
from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.diagnosis.log.runtimes.profiling import HABITS
from receiver.domain.report import CauseName
from receiver.render.kinds import KINDS
from receiver.render.wording import say
from tests.places import REPO

NAMES = [leaf.name.value for leaf in LEAVES]
each_leaf = pytest.mark.parametrize("leaf", LEAVES, ids=NAMES)


@each_leaf
def test_its_record_bears_its_name(leaf: Leaf) -> None:
    """The file and the record are of the same leaf."""
    assert leaf_of(leaf.name) is leaf, f"receiver/diagnosis/causes/{leaf.name}.py has the record of another leaf"


@each_leaf
def test_it_has_a_message(leaf: Leaf) -> None:
    """Its own, or another leaf's."""
    template = f"templates/slack/root/{leaf.root}.j2"

    assert leaf.root in KINDS
    assert (REPO / template).is_file(), f"leaf {leaf.name} has no root template {template}"


@each_leaf
@pytest.mark.parametrize("confidence", [0.95, 0.7, 0.4])
def test_its_verdict_can_be_said(leaf: Leaf, confidence: float) -> None:
    """However sure, and with every detail that has a wording of its own."""
    for detail in ("", *leaf.verdicts):
        assert say(leaf.said(confidence, detail))


@each_leaf
def test_it_has_words_wherever_it_is_named(leaf: Leaf) -> None:
    """In the tree, in a digest, in the header of a resolved incident, in a message that cannot tell yet."""
    wanted = [leaf.in_digest]
    if leaf.question is not None:
        wanted.append(leaf.question.text)
        if leaf.whose is Whose.CONTAINER:
            assert leaf.known_as is not None, f"leaf {leaf.name} has no `known_as`: the header of its resolved incident needs it"
            assert leaf.unclear is not None, f"leaf {leaf.name} has no `unclear`: it may be found and not be plausible"
            wanted += [leaf.known_as, leaf.unclear]

    assert all(say(words) for words in wanted)


def test_a_place_in_the_digest_is_taken_once() -> None:
    """Digests list causes in one order."""
    ranks = [leaf.digest_rank for leaf in LEAVES]

    assert len(ranks) == len(set(ranks))


def test_suspects_are_the_articles() -> None:
    """The four habits that fill memory, by id."""
    assert {suspect for leaf in LEAVES for suspect in leaf.suspects} <= HABITS.keys()


@pytest.mark.parametrize("name", ["", "leak ", "something_newer", "LEAK"])
def test_a_name_that_is_no_leaf_is_unknown(name: str) -> None:
    """What another version wrote into the store breaks nothing."""
    assert leaf_of(name).name is CauseName.UNKNOWN
