"""A reason as data: a code and the facts it was decided by. The sentence that says it is render's (`render/wording`).

Nothing compares or searches sentences: what follows from a reason follows from its code and its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Fact: TypeAlias = "str | int | float | datetime | Reason | tuple[Fact, ...] | None"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `code` names its sentence (`death.oom_killed`); `facts` fill it in: bytes, seconds, ratios, names, other reasons."""

    code: str
    facts: tuple[tuple[str, Fact], ...] = ()

    def __getitem__(self, name: str) -> Fact:
        """The fact of that name. KeyError when the reason has none."""
        return self.by_name[name]

    @property
    def by_name(self) -> Mapping[str, Fact]:
        """All facts by name."""
        return dict(self.facts)


def reason(code: str, /, **facts: Fact) -> Reason:
    """A reason. `code` is written out at every call, so that a test can hold all of them against their sentences."""
    return Reason(code, tuple(facts.items()))


def codes_of(*reasons: Reason | None) -> tuple[str, ...]:
    """The codes of these reasons in order, with those of the reasons inside them behind each; no code twice."""
    found: dict[str, None] = {}
    for one in reasons:
        if one is None:
            continue
        found.setdefault(one.code)
        for _, fact in one.facts:
            inner = fact if isinstance(fact, tuple) else (fact,)
            found.update(dict.fromkeys(codes_of(*(r for r in inner if isinstance(r, Reason)))))
    return tuple(found)
