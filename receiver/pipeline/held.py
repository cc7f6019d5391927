"""Evidence that an earlier look got and a later one did not: it stays, with the time it was read. Pure.

The usual case is a resolve because the pod was replaced: the API has nothing of it any more, and the message that named
what died must not turn into one that knows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from receiver.case.access import get, objects, text, whole
from receiver.domain.case import HELD, Case, Missing
from receiver.domain.units import format_time, parse_time

# What Prometheus told of a pod belongs together. Its samples leave the window of a later look hour by hour.
_OF_MEMORY = ("history", "recent", "traffic", "peaks")
_OF_THE_POD = ("pod", "log", "metrics")


def with_held_evidence(new: Case, known: Case | None) -> Case:
    """The new case, completed from the known one of the same pod. A gap that is filled stays named, as normal, with its age."""
    if known is None or (known.subject.namespace, known.subject.pod) != (new.subject.namespace, new.subject.pod):
        return new
    if _is_replaced(new, known):
        new = _with_successor(new)
    lacking = {m.source for m in new.missing}
    kept = {source: answer for source, answer in known.answers.items() if source not in new.answers and source in lacking}
    if "pod" in kept and _samples(known) > _samples(new):
        kept |= {source: known.answers[source] for source in _OF_MEMORY if source in known.answers}
    if not kept:
        return new
    already = known.notes.get(HELD) or {}
    read_at = {source: str(already.get(source) or format_time(known.gathered_at)) for source in kept}
    missing = tuple(_filled(m, read_at[m.source], new.gathered_at) if m.source in kept else m for m in new.missing)
    # The death was read with the pod: what the API says of the node or the events later does not undo it.
    return replace(new, answers={**new.answers, **kept}, missing=missing, notes={**new.notes, HELD: read_at})


def _is_replaced(new: Case, known: Case) -> bool:
    """Whether a StatefulSet made its pod anew, and nothing has died in the new one: what was read of the old one is the story."""
    before, now = known.answers.get("pod"), new.answers.get("pod")
    uids = text(before, "metadata", "uid"), text(now, "metadata", "uid")
    has_died = any(
        whole(s, "restartCount") or get(s, "state", "terminated") is not None for s in objects(now, "status", "containerStatuses")
    )
    return all(uids) and uids[0] != uids[1] and not has_died


def _with_successor(new: Case) -> Case:
    """The same with the new pod among the others, and its own as not there any more."""
    successor = new.answers["pod"]
    others = [*objects(new.answers.get("siblings"), "items"), successor]
    why = f"pod {new.subject.pod} was made anew"
    gone = tuple(Missing(source=source, why=why) for source in _OF_THE_POD if source in new.answers)
    left = {source: answer for source, answer in new.answers.items() if source not in _OF_THE_POD}
    return replace(new, answers={**left, "siblings": {"items": others}}, missing=(*new.missing, *gone))


def _samples(case: Case) -> int:
    """How many samples of its memory the last day holds."""
    return sum(len(entry.get("values") or ()) for entry in objects(case.answers.get("history"), "series", "working_set"))


def _filled(missing: Missing, read_at: str, now: datetime) -> Missing:
    at = parse_time(read_at)
    shown = f"{at:%H:%M} UTC" if at is not None and at.date() == now.date() else read_at
    return replace(missing, why=f"{missing.why}; shown as read at {shown}", is_normal=True)
