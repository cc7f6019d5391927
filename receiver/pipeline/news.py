"""What must be said beside the edit of a root, because an edit is silent: at most one message a look, four over an incident's life.

Pure. docs/messages.md shows the table to users. An incident closes after a quiet day, so the
budget is that of one bad night, not of a workload for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.report import CauseName
from receiver.domain.units import human_duration

MOST = 4  # messages beside the root and its three replies
MOST_REFIRES = 2  # of them: who heard twice that it is back knows that it comes back; the rest is for what is worse
REFIRED_IS_NEWS_S = 900.0
STILL_DYING_KILLS = 10
NEVER_UP_S = 900.0
ONE_BREATH_S = 60.0  # what gets worse within it belongs to the first message: fifty replicas do not die in the same second

REFIRED = "broadcast:refired"
VERDICT = "verdict:"
BECAME_KILL = "broadcast:became-kill"
BECAME_CRITICAL = "broadcast:critical"

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One such message. `slot` is said once; `words`: why it is said now, a sentence.

    `calls`: it is said to call somebody, so only where there is somebody to call whom the root did not.
    """

    slot: str
    words: str
    is_broadcast: bool = True
    calls: bool = False

    @property
    def is_verdict(self) -> bool:
        """Whether the news is the verdict."""
        return self.slot.startswith(VERDICT)


def first_fit(found: Sequence[News], said: Sequence[str]) -> News | None:
    """The one that is said now: the most important that was not said before, if there is room. `found`: most important first.

    What is said aloud goes before what is not, and calls as well: so what only calls is the last of them.
    """
    if len(said) >= MOST:
        return None
    has_room_to_refire = sum(slot.startswith(REFIRED) for slot in said) < MOST_REFIRES
    new = [n for n in found if n.slot not in said and (has_room_to_refire or not n.slot.startswith(REFIRED))]
    return min(new, key=lambda n: (not n.is_broadcast, n.calls), default=None)


def became_kill() -> News:
    """A warning was right."""
    return News(slot=BECAME_KILL, words="It was a warning until now. This is its first kill.")


def became_critical() -> News:
    """The root called nobody, because it was not critical then."""
    return News(slot=BECAME_CRITICAL, words="It was a warning when it was first told. It is critical now.", calls=True)


def refired(resolved_at: float, now: float) -> News | None:
    """It is back; after a moment that is no news."""
    if now - resolved_at <= REFIRED_IS_NEWS_S:
        return None
    return News(slot=f"{REFIRED}:{int(resolved_at)}", words=f"Firing again, {human_duration(now - resolved_at)} after the alert resolved.")


def escalations(after: Data, before: Data, *, kills: int, kills_before: int, now: float) -> list[News]:
    """What makes an incident worse than its first message said."""
    if now - after.get("told_at", 0.0) < ONE_BREATH_S:
        return []
    found = []
    if after.get("all_replicas") and not before.get("all_replicas"):
        found.append(News(slot="escalation:all-replicas", words="Every replica has been killed by now."))
    down_since = after.get("never_up_since")
    if down_since is not None and now - down_since >= NEVER_UP_S:
        found.append(News(slot="escalation:never-up", words=f"It has not come up for {human_duration(now - down_since)}."))
    if kills_before < STILL_DYING_KILLS <= kills:
        found.append(News(slot="escalation:still-dying", words=f"Killed {kills} times by now, and still dying."))
    return found


def verdict(after: Data, before: Data) -> News | None:
    """The verdict that the header names is another one, or is sure now.

    Aloud when it names another cause, because then there is another thing to do. One that is withdrawn, or becomes sure, is
    told to those who follow the thread.
    """
    was, is_now = _named(before), _named(after)
    words = f"The verdict was '{before.get('verdict', was)}'."
    if was != is_now:
        return News(slot=f"{VERDICT}{is_now}", words=words, is_broadcast=is_now != CauseName.UNKNOWN.value)
    if is_now != CauseName.UNKNOWN.value and before.get("confidence", 0.0) < LIKELY <= after["confidence"]:
        return News(slot=f"{VERDICT}{is_now}:sure", words=words, is_broadcast=False)
    return None


def fix_seen(what: str) -> News:
    """The limit or the image is another one: somebody works on it."""
    return News(slot=f"fix:{what}", words=f"{what[:1].upper()}{what[1:]}: whether that helps shows only after a day.", is_broadcast=False)


def _named(data: Data) -> str:
    """The cause as the header names it: below `PLAUSIBLE` it does not."""
    is_named = data.get("confidence", 0.0) >= PLAUSIBLE
    return str(data.get("cause", CauseName.UNKNOWN.value)) if is_named else CauseName.UNKNOWN.value
