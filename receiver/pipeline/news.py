"""What must be notified beside the edit of a root, because an edit is silent: at most one message a look, four over an incident's life.

Pure. docs/messages.md shows the table to users. An incident closes after a quiet day, so the
budget is that of one bad night, not of a workload for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.change import Change
from receiver.domain.confidence import LIKELY
from receiver.domain.incident_memory import IncidentMemory, LookSummary
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, Fix

MOST = 4  # messages beside the root and its three replies
MOST_REFIRES = 2  # of them: who was notified twice that it is back knows that it comes back; the rest is for what is worse
REFIRED_IS_NEWS_S = 900.0
STILL_DYING_KILLS = 10
NEVER_UP_IS_NEWS_S = 900.0
ONE_INCIDENT_S = 60.0  # what gets worse within it belongs to the first message: fifty replicas do not die in the same second

REFIRED = "broadcast:refired"
VERDICT = "verdict:"
BECAME_KILL = "broadcast:became-kill"
BECAME_CRITICAL = "broadcast:critical"
FIX, FOLLOW_UP = "fix", "followup"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One such message. `slot` is sent once; `why`: why it is sent now.

    `calls`: it is sent to call somebody, so only where there is somebody to call whom the root did not. `is_due`: somebody must act
    on a fix that failed, so it is sent beside the four, and aloud after a resolve as well. `is_result`: of a fix that is watched.
    """

    slot: str
    why: Reason
    is_broadcast: bool = True
    calls: bool = False
    is_due: bool = False
    is_result: bool = False

    @property
    def is_verdict(self) -> bool:
        """Whether the news is the verdict."""
        return self.slot.startswith(VERDICT)


def first_fit(found: Sequence[News], sent: Sequence[str]) -> News | None:
    """The one that is sent now: the most important that was not sent before, if there is room. `found`: most important first.

    What makes a sound goes before what does not, and calls as well: so what only calls is the last of them. A fix that failed goes
    before all, whether there is room or not: each is an answer to something that somebody did.
    """
    due = next((n for n in found if n.is_due and n.slot not in sent), None)
    if due is not None or sum(not _is_due(slot) for slot in sent) >= MOST:
        return due
    has_room_to_refire = sum(slot.startswith(REFIRED) for slot in sent) < MOST_REFIRES
    new = [n for n in found if n.slot not in sent and (has_room_to_refire or not n.slot.startswith(REFIRED))]
    return min(new, key=lambda n: (not n.is_broadcast, n.calls), default=None)


def became_kill() -> News:
    """A warning was right."""
    return News(slot=BECAME_KILL, why=reason("incident.news.became_kill"))


def became_critical() -> News:
    """The root called nobody, because it was not critical then."""
    return News(slot=BECAME_CRITICAL, why=reason("incident.news.became_critical"), calls=True)


def refired(resolved_at: datetime, now: datetime) -> News | None:
    """It is back; after a moment that is no news."""
    quiet_s = (now - resolved_at).total_seconds()
    if quiet_s <= REFIRED_IS_NEWS_S:
        return None
    return News(slot=f"{REFIRED}:{int(resolved_at.timestamp())}", why=reason("incident.news.refired", quiet_s=quiet_s))


def escalations(after: IncidentMemory, before: IncidentMemory, *, now: datetime) -> list[News]:
    """What makes an incident worse than its first message said. Both memories are of looks with evidence."""
    if after.look is None or before.look is None or _seconds(after.first_notified_at, now) < ONE_INCIDENT_S:
        return []
    found = []
    if after.look.is_every_replica_killed and not before.look.is_every_replica_killed:
        found.append(News(slot="escalation:all-replicas", why=reason("incident.news.every_replica")))
    if after.never_up_since is not None and (down_s := _seconds(after.never_up_since, now)) >= NEVER_UP_IS_NEWS_S:
        found.append(News(slot="escalation:never-up", why=reason("incident.news.never_up", down_s=down_s)))
    if before.kill_count < STILL_DYING_KILLS <= after.kill_count:
        found.append(News(slot="escalation:still-dying", why=reason("incident.news.still_dying", kills=after.kill_count)))
    return found


def verdict(after: LookSummary, before: LookSummary) -> News | None:
    """The verdict that the header names is another one, or is sure now.

    Aloud when it names another cause, because then there is another thing to do. One that is withdrawn, or becomes sure, is
    notified to those who follow the thread.
    """
    was, now = before.verdict, after.verdict
    why = reason("incident.news.verdict_was", verdict=was.as_reason())
    is_unknown = now.named_cause == CauseName.UNKNOWN.value
    if was.named_cause != now.named_cause:
        return News(slot=f"{VERDICT}{now.named_cause}", why=why, is_broadcast=not is_unknown)
    if not is_unknown and was.confidence < LIKELY <= now.confidence:
        return News(slot=f"{VERDICT}{now.named_cause}:sure", why=why, is_broadcast=False)
    return None


def fix_seen(change: Change, fix: Fix) -> News:
    """Somebody works on it. What the verdict expects of it is said at once."""
    why = reason(
        "incident.news.fix_seen", what=change.as_reason(), before_bytes=change.before_bytes, by=change.by, cause=change.cause, at=change.at,
        is_time_known=change.is_time_known, is_in_template=change.is_in_template, is_enough=fix.is_enough, forecast=fix.forecast,
    )  # fmt: skip
    return News(slot=f"{FIX}:{change.key}", why=why, is_broadcast=False)


def fix_failed(number: int, why: Reason) -> News:
    """Killed with the fix in force: whoever thinks that it is fixed must hear, whatever was said before, and also after a resolve."""
    return News(slot=f"{FOLLOW_UP}:{number}:failed", why=why, is_due=True)


def fix_undone(number: int, why: Reason) -> News:
    """What was applied is not there any more."""
    return News(slot=f"{FOLLOW_UP}:{number}:undone", why=why, is_due=True)


def follow_up(number: int, label: str, why: Reason, *, is_bad: bool) -> News:
    """What a later look says of a fix: aloud where a person must act."""
    return News(slot=f"{FOLLOW_UP}:{number}:{label}", why=why, is_broadcast=is_bad, is_due=is_bad, is_result=True)


def killed_unseen(memory: IncidentMemory) -> News | None:
    """Killed after it had resolved, while nobody listened: an edit alone would hide it. Not aloud: it is over."""
    away, resolved_at, killed_at = memory.away, memory.resolved_at, memory.last_kill_at
    if away is None or resolved_at is None or killed_at is None or not resolved_at <= away.since < killed_at <= away.until:
        return None
    why = reason("incident.news.killed_unseen", at=killed_at, since=away.since, until=away.until, whose=away.whose)
    return News(slot=f"late:{int(away.until.timestamp())}", why=why, is_broadcast=False)


def _is_due(slot: str) -> bool:
    return slot.startswith(f"{FOLLOW_UP}:") and slot.endswith((":failed", ":undone"))


def _seconds(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since is not None else float("inf")
