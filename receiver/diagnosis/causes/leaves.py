"""All leaves, in the order in which their questions are asked."""

from __future__ import annotations

from importlib import import_module

from receiver.diagnosis.causes.leaf import Leaf
from receiver.domain.report import CauseName


def _leaf(name: CauseName) -> Leaf:
    """The record of the file that bears the leaf's name: the one place where a module is found by convention."""
    leaf: Leaf = import_module(f"receiver.diagnosis.causes.{name.value}").LEAF
    return leaf


LEAVES: tuple[Leaf, ...] = tuple(_leaf(name) for name in CauseName)
_BY_NAME = {leaf.name: leaf for leaf in LEAVES}


def leaf_of(name: str) -> Leaf:
    """The leaf of that name; of a name that is not (or no longer) one, `unknown`."""
    return _BY_NAME[CauseName(name) if name in _BY_NAME else CauseName.UNKNOWN]
