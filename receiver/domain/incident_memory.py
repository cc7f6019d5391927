"""What an incident remembers from one look to the next, beside its row's columns. How it is stored: `memory_json.py`.

Times are aware, in UTC. Names of people are as they gave them: one short line, empty when nobody gave a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from receiver.domain.away import Gap
from receiver.domain.change import Baseline, Change
from receiver.domain.change_request import ChangeRequest
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.pulse import WatchMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, Tick

MAX_LOG = 20

# Where messages show an entry of the history beside it.
STANDING = "standing"  # as long as it holds, so that it is no news beside that
IN_CHECKLIST = "checklist"  # its item shows it, so that ticks do not push the rest out of the grey line


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that happened to the incident. `shown`: STANDING, IN_CHECKLIST or empty."""

    at: datetime
    what: Reason
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenVerdict:
    """An answer of the diagnosis. `cause`: the value of a CauseName; one of another release may be unknown here."""

    cause: str
    confidence: float
    detail: str = ""

    @property
    def named_cause(self) -> str:
        """The cause as the header names it: below PLAUSIBLE it does not."""
        return self.cause if self.confidence >= PLAUSIBLE else CauseName.UNKNOWN.value

    @property
    def named(self) -> GivenVerdict:
        """The verdict as a header names it: below PLAUSIBLE it does not say more than that it cannot tell."""
        return self if self.named_cause == self.cause else GivenVerdict(cause=self.named_cause, confidence=self.confidence)

    def says_the_same(self, other: GivenVerdict) -> bool:
        """Whether a reader reads the same: the same cause, as sure."""
        return self._said == other._said

    def as_reason(self) -> Reason:
        """As history and messages quote it."""
        return reason("incident.verdict", cause=self.cause, confidence=self.confidence, detail=self.detail)

    @property
    def _said(self) -> tuple[str, bool, bool]:
        is_unknown = self.cause == CauseName.UNKNOWN.value
        return self.cause, not is_unknown and self.confidence >= PLAUSIBLE, not is_unknown and self.confidence >= LIKELY


@dataclass(frozen=True, slots=True, kw_only=True)
class LookSummary:
    """What the newest look with evidence found, as far as later looks, a storm's digest and the page need it.

    `kill_kind`: of a KillKind. `processes_killed`: inside a container that was not killed itself; None where that is not the kind.
    """

    verdict: GivenVerdict
    kill_kind: str
    node: str = ""
    is_never_up: bool = False
    is_every_replica_killed: bool = False
    processes_killed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """Of the container, as last seen. None and empty: not set, or not known."""

    limit_bytes: int | None = None
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody owns it."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FixNote:
    """Somebody says that it is fixed. `settings`: those of that moment, to compare a later kill with."""

    by: str
    at: datetime
    settings: ContainerSettings = field(default_factory=ContainerSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What one later look found of a fix. `after_s`: how long after the fix it was due; `outcome`: the value of an Outcome's kind."""

    after_s: float
    at: datetime
    outcome: str
    because: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFix:
    """A fix that was seen or said, and what came of it so far.

    `number`: the how manieth of the incident. `since`: of the newest change, or when somebody said it; follow-ups count from it.
    `changes` empty: said, and nothing was seen. `done`: the follow-ups so far, oldest first. `ended`: failed or undone, and when;
    nothing is looked for any more then. `tries`: looks for the next follow-up that got no evidence.
    """

    number: int
    since: datetime
    changes: tuple[Change, ...] = ()
    growth_before_bytes_per_h: float | None = None
    life_before_s: float | None = None
    forecast: Reason | None = None
    is_enough: bool = True
    pods: Reason | None = None
    done: tuple[FollowUp, ...] = ()
    tries: int = 0
    next_at: datetime | None = None
    ended: FollowUp | None = None

    @property
    def newest(self) -> FollowUp | None:
        """What was found last."""
        return self.ended or (self.done[-1] if self.done else None)

    @property
    def is_watched(self) -> bool:
        """Whether it stands, as far as anybody knows."""
        return self.ended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongVerdict:
    """Somebody says that the verdict of that moment is wrong. None: it is not known any more which one that was."""

    by: str
    at: datetime
    verdict: GivenVerdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What somebody wants of Alertmanager, and what it did. `wanted_until` None: no silence is wanted.

    `is_settled`: the wish is done or given up. `id`, `until`: of the silence that there is. `why_not`: why the newest wish
    was given up.
    """

    by: str
    asked_at: datetime
    wanted_until: datetime | None = None
    is_settled: bool = False
    id: str = ""
    until: datetime | None = None
    why_not: Reason | None = None

    def is_same_wish(self, other: Silence | None) -> bool:
        """Whether nobody has asked for something else since."""
        return other is not None and (self.asked_at, self.wanted_until) == (other.asked_at, other.wanted_until)

    def lasts_at(self, now: datetime) -> bool:
        """Whether Alertmanager is silent then."""
        return self.until is not None and self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Somebody asked for what they may not do. `what`: the action's name."""

    by: str
    what: str
    at: datetime | None = None  # None: not known

    def as_reason(self) -> Reason:
        """As the history has it."""
        return reason("incident.log.refused", by=self.by, what=self.what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message beside the root that must not be sent a second time. `at` None: not known."""

    slot: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Labels and annotations of the workload that owns the pod (of the pod, when nothing owns it) that routes ask for."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMemory:
    """The whole of it. An incident that was never looked at has the defaults.

    `state`, `severity`: as of the newest look or notification, to see what changed since. `kills`: by pod. `look` None: no
    look has got evidence yet. `baseline`: what was in force when it was killed last; `watched`: the newest fix, `past_fixes` those
    before it, oldest first. `settings_change`: the fix that stands, in a few words. `degraded`: why messages
    say less than they should; None when they do not. `notifications`: what was notified beside the root. `ticks`: by item of
    the checklist, except `apply_fix`: that is `fix`, wherever somebody says it. `processes`: killed in containers that lived on, by life.
    """

    state: str = ""
    severity: str = ""
    first_notified_at: datetime | None = None
    resolved_at: datetime | None = None
    kills: Mapping[str, int] = field(default_factory=dict)
    first_kill_at: datetime | None = None
    last_kill_at: datetime | None = None
    pods: tuple[str, ...] = ()
    look: LookSummary | None = None
    settings: ContainerSettings = field(default_factory=ContainerSettings)
    settings_change: Reason | None = None
    baseline: Baseline | None = None
    watched: WatchedFix | None = None
    past_fixes: tuple[WatchedFix, ...] = ()
    never_up_since: datetime | None = None
    owner: Owner = field(default_factory=Owner)
    late_tries: int = 0
    degraded: Reason | None = None
    notifications: tuple[Notification, ...] = ()
    away: Gap | None = None  # the newest time in which nobody listened and it went on
    log: tuple[LogEntry, ...] = ()
    acknowledged: Acknowledgement | None = None
    fix: FixNote | None = None
    wrong: WrongVerdict | None = None
    silence: Silence | None = None
    ticks: Mapping[str, Tick] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    clicks: tuple[str, ...] = ()
    processes: Mapping[str, int] = field(default_factory=dict)
    watch: WatchMemory = field(default_factory=WatchMemory)
    requests: tuple[ChangeRequest, ...] = ()  # changes proposed in Git, oldest first

    @property
    def request(self) -> ChangeRequest | None:
        """The newest change that was proposed in Git."""
        return self.requests[-1] if self.requests else None

    @property
    def kill_count(self) -> int:
        """Distinct kills known over the incident's life, all replicas."""
        return sum(self.kills.values())

    @property
    def shown_kill_count(self) -> int:
        """The kills that messages speak of: of the container, or of processes in it where only those were killed."""
        return max(self.kill_count, self.look.processes_killed or 0 if self.look is not None else 0)

    @property
    def standing_fix(self) -> FixNote | None:
        """Who says that it is fixed, as long as nothing was killed since."""
        if self.fix is None or (self.last_kill_at is not None and self.fix.at < self.last_kill_at):
            return None
        return self.fix

    @property
    def standing_watch(self) -> WatchedFix | None:
        """The fix that is watched, as long as it neither failed nor was undone."""
        return self.watched if self.watched is not None and self.watched.is_watched else None

    def noted(self, at: datetime, what: Reason, *, shown: str = "") -> IncidentMemory:
        """With one more entry in its history; the oldest go first when there are too many."""
        return replace(self, log=(*self.log, LogEntry(at=at, what=what, shown=shown))[-MAX_LOG:])
