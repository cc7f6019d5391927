"""What a leaf of the decision tree is: one record, one a file here, named in `CauseName`.

A leaf carries everything that tells it from the others: its question and how it is answered, the message it is told by,
what the proposal may do about it, and the words for it. Nothing else in the program lists the leaves.

To add one (tests name each piece that is missing):
    receiver/domain/report.py            its name in `CauseName`, at the place where its question is asked
    receiver/diagnosis/causes/           NAME.py: its record, `LEAF`
    receiver/render/wording/causes.py    the sentences of the reasons that the record and its answers give
    templates/slack/root/                NAME.j2: its message, unless another leaf's says it
    docs/causes/                         NAME.md: its page
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from receiver.diagnosis.clues import Clues
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.reason import Reason
from receiver.domain.report import Cause, CauseName, Kill, LongTerm

YES = "yes"
NO = "no"
CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer. `decides`: it names the question's leaf, or `leads_to`; the rest then says how sure, why, and what speaks against it.

    `headline` and `remedy`: what is said first and what is to be done, where that is not the same in every message of the leaf.
    """

    answer: str
    because: Reason
    decides: bool = False
    confidence: float = 0.0
    reasons: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()
    settle_by: Reason | None = None
    detail: str = ""
    leads_to: CauseName | None = None
    headline: Reason | None = None
    remedy: Reason | None = None


def no(because: Reason) -> Answer:
    """A no that leads nowhere."""
    return Answer(answer=NO, because=because)


def cannot_tell(because: Reason) -> Answer:
    """What is missing, or what the evidence cannot part."""
    return Answer(answer=CANNOT_TELL, because=because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the tree. `ask` looks at the clues and the kill; an answer that decides leads to the question's leaf.

    No answer: the question does not arise here, and is not told. So a leaf for a rare case makes no message longer.
    """

    id: str
    text: Reason
    ask: Callable[[Clues, Kill], Answer | None]


class Whose(StrEnum):
    """Whose memory ran out."""

    CONTAINER = "container"  # its own, up to its limit
    NODE = "node"  # the node's: the container's limit plays no part
    NOBODY = "nobody"  # it was not memory


class Raise(StrEnum):
    """What a higher limit does about a cause: the policy of the proposal."""

    CURES = "cures"  # it needs more than it may have: a fix
    DELAYS = "delays"  # it grows into any limit: a stop-gap, with the time it buys
    UNKNOWN = "unknown"  # nobody can say yet: a stop-gap that says so
    USELESS = "useless"  # the limit plays no part: no proposal


class Before(StrEnum):
    """Whether a raise is proposed before anything was killed."""

    NEVER = "never"
    PEAKS = "peaks"  # only when the highest peak, with its margin, does not fit
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The cause in a few words, as sure as it is: `likely leak`, `looks like a leak`, `could be a leak`."""

    likely: Reason
    looks_like: Reason
    could_be: Reason

    def at(self, confidence: float) -> Reason:
        """The words for a confidence."""
        if confidence >= LIKELY:
            return self.likely
        return self.looks_like if confidence >= PLAUSIBLE else self.could_be


def always(words: Reason) -> Verdict:
    """One wording for every confidence."""
    return Verdict(likely=words, looks_like=words, could_be=words)


def nothing_special(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """No real fix but those that every cause has."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One leaf. Fields without a default have no answer that fits all leaves."""

    name: CauseName
    question: Question | None  # None: it is where the walk ends when no question led anywhere
    by_settings: Question | None = None  # asked before how memory got there: a setting of the program may decide it
    root: str  # templates/slack/root/ROOT.j2: the message of a kill with this cause
    whose: Whose = Whose.CONTAINER
    a_raise: Raise
    raise_before_kill: Before = Before.NEVER
    suspects: tuple[str, ...] = ()  # of the four habits, those to look for, in this order
    fixes: Callable[[Clues, Kill, Cause], tuple[LongTerm, ...]] = nothing_special  # real fixes of this cause alone
    scales_out: bool = False  # more replicas each hold less of it
    is_growth: bool = False  # a rise of memory is its story, or may become it

    verdict: Verdict
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by `detail`, where that has a wording of its own
    in_digest: Reason  # `suspected leak`, behind a number and in a title
    digest_rank: int  # its place in a digest, the lowest first
    known_as: Reason | None = None  # `a leak`, behind "Likely" and "Looks like"
    unclear: Reason | None = None  # what it could be while it is not plausible: `a leak or an unfinished warm-up`
    unclear_in_job: Reason | None = None  # the same of a Job, where that differs

    def said(self, confidence: float, detail: str = "") -> Reason:
        """The verdict in a few words."""
        return self.verdicts.get(detail, self.verdict).at(confidence)
