"""What a check of the installation found: one line for a person, one entry for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from receiver.domain.reason import Reason


class State(StrEnum):
    """How much a finding matters. The words are those of the JSON form."""

    OK = "ok"
    PROBLEM = "problem"  # something that was set up does not work, or what every installation needs is missing
    ADVICE = "advice"  # optional, or as somebody may want it
    UNKNOWN = "unknown"  # could not be asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line. `what` is so; `todo` says what to do about it, None for nothing. `part`: of a check about several things, which."""

    state: State
    what: Reason
    todo: Reason | None = None
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A finding with the check that it is of."""

    check: str
    finding: Finding

    @property
    def id(self) -> str:
        """`slack.channel/C0123456789`: stable from run to run."""
        return f"{self.check}/{self.finding.part}" if self.finding.part else self.check


def ok(what: Reason, *, part: str = "") -> Finding:
    """As it should be."""
    return Finding(state=State.OK, what=what, part=part)


def problem(what: Reason, todo: Reason | None = None, *, part: str = "") -> Finding:
    """It does not work."""
    return Finding(state=State.PROBLEM, what=what, todo=todo, part=part)


def advice(what: Reason, todo: Reason | None = None, *, part: str = "") -> Finding:
    """It could be better."""
    return Finding(state=State.ADVICE, what=what, todo=todo, part=part)


def unknown(what: Reason, todo: Reason | None = None, *, part: str = "") -> Finding:
    """It could not be asked."""
    return Finding(state=State.UNKNOWN, what=what, todo=todo, part=part)
