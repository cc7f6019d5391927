"""Memories without a version, as they were kept before there was one: read, and never written again.

Their history and reasons are sentences; those stay sentences (`incident.log.legacy`). Everything else becomes data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.domain.conversation_memory import ConversationMemory, EventState, StormAct, StormMemory
from receiver.domain.incident_memory import (
    Acknowledgement,
    ContainerSettings,
    FixNote,
    GivenVerdict,
    IncidentMemory,
    LogEntry,
    LookSummary,
    Notification,
    Owner,
    Refusal,
    Silence,
    WrongVerdict,
)
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Tick
from receiver.domain.units import from_epoch, parse_bytes

Data = Mapping[str, Any]

# The words in which a verdict's detail showed; other details did not.
_DETAILS = {
    "the program's own memory limit": "runtime_limit",
    "file cache, not a leak": "page_cache",
    "likely full volume in memory": "memory_volume",
    "looks like a full volume in memory": "memory_volume",
    "could be a full volume in memory": "memory_volume",
}
_ACTIONS = {
    "acknowledge": "acknowledge",
    "say that it is fixed": "fixed",
    "take back a fix": "not_fixed",
    "mark the verdict as wrong": "wrong",
    "silence": "quiet",
    "undo a silence": "loud",
    "tick the checklist": "tick",
    "take back a tick": "untick",
}


def incident_memory(data: Data) -> IncidentMemory:
    """Of an incident. KeyError, ValueError, TypeError or AttributeError for what no release wrote."""
    verdict = _verdict(data)
    return IncidentMemory(
        state=str(data.get("state", "")),
        severity=str(data.get("severity", "")),
        first_notified_at=_time(data.get("told_at")),
        resolved_at=_time(data.get("resolved_at")),
        kills={str(pod): int(n) for pod, n in data.get("kills", {}).items()},
        first_kill_at=_time(data.get("first_kill_at")),
        last_kill_at=_time(data.get("last_kill_at")),
        pods=tuple(str(pod) for pod in data.get("pods", ())),
        look=_look(data, verdict) if verdict is not None else None,
        settings=_settings(data),
        settings_change=_legacy(data.get("settings_changed")),
        never_up_since=_time(data.get("never_up_since")),
        owner=Owner(**{what: dict(data["owner"][what]) for what in ("labels", "annotations")}) if "owner" in data else Owner(),
        late_tries=int(data.get("late_tries", 0)),
        notifications=tuple(Notification(slot=_slot(str(slot))) for slot in data.get("said", ())),
        log=tuple(_log_entry(*entry) for entry in data.get("log", ())),
        acknowledged=Acknowledgement(**_mark(data["acknowledged"])) if data.get("acknowledged") else None,
        fix=FixNote(**_mark({"at": data["fixed_at"], **(data.get("fixed") or {})}), settings=_settings(data.get("fixed") or {}))
        if data.get("fixed_at") is not None
        else None,
        wrong=_wrong(data["wrong"], data, verdict) if data.get("wrong") else None,
        silence=_silence(data["silence"]) if data.get("silence") else None,
        ticks={str(item): Tick(**_mark(tick)) for item, tick in data.get("ticks", {}).items()},
        refusals=_refusals(data),
        clicks=tuple(str(click) for click in data.get("clicks", ())),
    )


def conversation_memory(data: Data) -> ConversationMemory:
    """Of a conversation. KeyError, ValueError, TypeError or AttributeError for what no release wrote."""
    last = data.get("last_event")
    return ConversationMemory(
        is_critical=bool(data.get("is_critical")),
        states=tuple(str(state) for state in data.get("states", ())),
        event_count=int(data.get("events", 0)),
        last_event=EventState(
            state=str(last["state"]), kill_kind=last["kill"], cause=last["cause"], kill_count=int(last["kills"]), pod_count=int(last["pods"]),
            settings_change=_legacy(last["settings_changed"]),
        ) if last else None,
        storm=StormMemory(
            notified_size=data.get("heard"),
            notified_at=_time(data.get("heard_at")),
            edited_at=_time(data.get("edited_at")),
            acts=tuple(StormAct(what=a["what"], by=a["by"], at=from_epoch(a["at"]), duration_s=a["seconds"]) for a in data.get("acts", ())),
            refusals=_refusals(data),
            clicks=tuple(str(click) for click in data.get("clicks", ())),
        ),
    )  # fmt: skip


def _verdict(data: Data) -> GivenVerdict | None:
    if "cause" not in data:
        return None
    return GivenVerdict(
        cause=str(data["cause"]), confidence=float(data.get("confidence", 0.0)), detail=_DETAILS.get(str(data.get("verdict", "")), "")
    )


def _look(data: Data, verdict: GivenVerdict) -> LookSummary:
    return LookSummary(
        verdict=verdict, kill_kind=str(data.get("kind", "none")), node=str(data.get("node", "")), is_never_up=bool(data.get("never_up")),
        is_every_replica_killed=bool(data.get("all_replicas")),
    )  # fmt: skip


def _wrong(wrong: Data, data: Data, now: GivenVerdict | None) -> WrongVerdict:
    """Its verdict is known when it is still the one of the newest look."""
    is_current = wrong.get("verdict") == data.get("verdict")
    return WrongVerdict(**_mark(wrong), verdict=now if is_current else None)


def _silence(silence: Data) -> Silence:
    return Silence(
        by=str(silence.get("by", "")), asked_at=from_epoch(silence["asked_at"]), wanted_until=_time(silence.get("wanted_until") or None),
        is_settled=bool(silence.get("is_settled", True)), id=str(silence.get("id", "")), until=_time(silence.get("until") or None),
        why_not=_legacy(silence.get("why_not")),
    )  # fmt: skip


def _settings(data: Data) -> ContainerSettings:
    limit_bytes = data.get("limit_bytes")
    return ContainerSettings(limit_bytes=int(limit_bytes) if limit_bytes is not None else None, image=str(data.get("image") or ""))


def _log_entry(at: float, text: str, shown: str = "") -> LogEntry:
    return LogEntry(at=from_epoch(at), what=reason("incident.log.legacy", text=str(text)), shown=str(shown))


def _refusals(data: Data) -> tuple[Refusal, ...]:
    """Who may not do what, with the time that the history has for it."""
    times = {text: at for at, text, *_ in data.get("log", ())}
    found = []
    for words in data.get("refused", ()):
        by, _, doing = words.rpartition(" may not ")
        at = times.get(f"refused: {words} (slack_users in the settings)")
        found.append(Refusal(by="" if by == "somebody" else by, what=_ACTIONS.get(doing, doing), at=_time(at)))
    return tuple(found)


def _slot(slot: str) -> str:
    """The slots of seen fixes named their words."""
    if slot == "fix:image changed":
        return "fix:image-changed"
    for before, after in (("fix:limit raised to ", "fix:limit-raised:"), ("fix:limit lowered to ", "fix:limit-lowered:")):
        if slot.startswith(before):
            return f"{after}{parse_bytes(slot.removeprefix(before))}"
    return slot


def _mark(mark: Data) -> dict[str, Any]:
    return {"by": str(mark.get("by") or ""), "at": from_epoch(mark["at"])}


def _legacy(text: object) -> Reason | None:
    return reason("incident.log.legacy", text=str(text)) if text else None


def _time(seconds: float | None) -> datetime | None:
    return from_epoch(seconds) if seconds is not None else None
