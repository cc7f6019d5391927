"""Two versions of the rules over the same time and the same kills: what the change does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from receiver.rulepack.backtest.judge import Firing, Outcome, whom
from receiver.rulepack.backtest.kills import PastKill
from receiver.rulepack.backtest.run import Backtest


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One alert before and after. None: that version does not have it.

    `gone` and `new`: firings with no counterpart at the same time. `longer` and `shorter`: those that have one of
    another length, as (before, after).
    """

    name: str
    before: Outcome | None
    after: Outcome | None
    gone: tuple[Firing, ...] = ()
    new: tuple[Firing, ...] = ()
    longer: tuple[tuple[Firing, Firing], ...] = ()
    shorter: tuple[tuple[Firing, Firing], ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether anything differs that a person would notice."""
        either = self.after or self.before
        return bool(
            self.gone or self.new or self.longer or self.shorter or self.before is None or self.after is None
            or self.before.was_asked != self.after.was_asked or (either and self.before.rule.severity != self.after.rule.severity)
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`newly_missed`: kills that somebody was told of before and nobody after; `newly_caught` the other way round."""

    before: Backtest
    after: Backtest
    changes: tuple[Change, ...]

    @property
    def newly_missed(self) -> tuple[PastKill, ...]:
        """Kills that the change loses."""
        missed = {id(kill) for kill in self.before.caught} - {id(kill) for kill in self.after.caught}
        return tuple(kill for kill in self.after.kills if id(kill) in missed)

    @property
    def newly_caught(self) -> tuple[PastKill, ...]:
        """Kills that the change wins."""
        caught = {id(kill) for kill in self.after.caught} - {id(kill) for kill in self.before.caught}
        return tuple(kill for kill in self.after.kills if id(kill) in caught)

    @property
    def incomparable(self) -> tuple[str, ...]:
        """Alerts of which one side could not be evaluated, or not to the same moment."""
        both = [change for change in self.changes if change.before is not None and change.after is not None]
        return tuple(change.name for change in both if change.before.windows != change.after.windows)  # type: ignore[union-attr]


def compare(before: Backtest, after: Backtest) -> Comparison:
    """The versions must have been run by one Runner: they share its kills."""
    old = {outcome.rule.name: outcome for outcome in before.outcomes}
    new = {outcome.rule.name: outcome for outcome in after.outcomes}
    names = [*new, *(name for name in old if name not in new)]
    return Comparison(before=before, after=after, changes=tuple(_change(name, old.get(name), new.get(name)) for name in names))


def _change(name: str, before: Outcome | None, after: Outcome | None) -> Change:
    old = list(before.firings) if before else []
    new = list(after.firings) if after else []
    pairs = list(_pairs(old, new))
    paired = {id(firing) for pair in pairs for firing in pair}
    return Change(
        name=name, before=before, after=after,
        gone=tuple(firing for firing in old if id(firing) not in paired), new=tuple(firing for firing in new if id(firing) not in paired),
        longer=tuple((a, b) for a, b in pairs if b.span.length_s > a.span.length_s),
        shorter=tuple((a, b) for a, b in pairs if b.span.length_s < a.span.length_s),
    )  # fmt: skip


def _pairs(old: list[Firing], new: list[Firing]) -> Iterator[tuple[Firing, Firing]]:
    """Firings for the same thing at the same time, each in one pair at most."""
    waiting: dict[tuple[str, ...], list[Firing]] = {}
    for firing in new:
        waiting.setdefault((*firing.place, whom(firing)), []).append(firing)
    for firing in old:
        candidates = waiting.get((*firing.place, whom(firing)), [])
        for index, other in enumerate(candidates):
            if other.span.from_s <= firing.span.until_s and firing.span.from_s <= other.span.until_s:
                yield firing, candidates.pop(index)
                break
