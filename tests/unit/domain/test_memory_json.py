"""What incidents and conversations remember, written and read back; and rows of the releases before there was a version."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.away import Gap
from receiver.domain.change import Baseline, Change, Setup
from receiver.domain.change_request import ChangeRequest
from receiver.domain.conversation_memory import ConversationMemory, EventState, StormAct
from receiver.domain.incident_memory import (
    STANDING,
    Acknowledgement,
    ContainerSettings,
    FixNote,
    FollowUp,
    GivenVerdict,
    IncidentMemory,
    LogEntry,
    LookSummary,
    Notification,
    Owner,
    Refusal,
    Silence,
    WatchedFix,
    WrongVerdict,
)
from receiver.domain.memory_json import conversation_memory, incident_memory, memory_to_json
from receiver.domain.pulse import ContainerPulse, OwnerPulse, WatchMemory
from receiver.domain.reason import reason
from receiver.domain.report import Tick
from receiver.errors import UnreadableMemory

ROWS = json.loads((Path(__file__).parents[2] / "fixtures" / "upgrade" / "rows.json").read_text())  # written by commit 30e880f
OLD_INCIDENTS: list[dict[str, Any]] = list(ROWS["incident"].values())
OLD_CONVERSATIONS: list[dict[str, Any]] = ROWS["conversation"]

NOON = datetime(2024, 11, 10, 12, tzinfo=UTC)
FULL = IncidentMemory(
    state="resolved",
    severity="critical",
    first_notified_at=datetime(2024, 11, 10, 3, 14, tzinfo=UTC),
    resolved_at=datetime(2024, 11, 10, 4, 2, 0, 125_000, tzinfo=UTC),
    kills={"orders-api-1": 4},
    first_kill_at=datetime(2024, 11, 10, 1, 0, tzinfo=UTC),
    last_kill_at=datetime(2024, 11, 10, 3, 14, tzinfo=UTC),
    pods=("orders-api-1",),
    look=LookSummary(verdict=GivenVerdict(cause="leak", confidence=0.9, detail="after_change"), kill_kind="container_oom", node="node-1"),
    settings=ContainerSettings(limit_bytes=80 * 1024**2, image="shop:1"),
    settings_change=reason("incident.log.limit_raised", limit_bytes=80 * 1024**2),
    baseline=Baseline(
        setup=Setup(limit_bytes=80 * 1024**2, template_bytes=80 * 1024**2, has_template=True, image="shop:1", flags=("app",), replicas=2),
        at=datetime(2024, 11, 10, 3, 14, tzinfo=UTC),
    ),
    watched=WatchedFix(number=2, since=NOON, changes=(Change(what="resize", at=NOON, after_bytes=1, is_in_template=False),), tries=1),
    past_fixes=(
        WatchedFix(
            number=1,
            since=NOON,
            growth_before_bytes_per_h=1.5,
            forecast=reason("x"),
            is_enough=False,
            next_at=NOON,
            done=(FollowUp(after_s=86_400.0, at=NOON, outcome="held", because=reason("y")),),
            ended=FollowUp(after_s=90_000.0, at=NOON, outcome="undone", because=reason("z")),
        ),
    ),
    away=Gap(since=NOON, until=NOON),
    never_up_since=datetime(2024, 11, 10, 3, 14, tzinfo=UTC),
    owner=Owner(labels={"team": "shop"}, annotations={"channel": "C2"}),
    late_tries=2,
    degraded=reason("incident.note.failed", error="OSError"),
    notifications=(Notification(slot="verdict:leak", at=datetime(2024, 11, 10, 3, 44, tzinfo=UTC)),),
    log=(
        LogEntry(
            at=datetime(2024, 11, 10, 3, 20, tzinfo=UTC),
            what=reason("incident.log.silenced", until=datetime(2024, 11, 10, 4, 20, tzinfo=UTC), by="Ines"),
            shown=STANDING,
        ),
        LogEntry(at=datetime(2024, 11, 10, 3, 21, tzinfo=UTC), what=reason("x", why=reason("y", known=("a", None, 1.5, True)))),
    ),
    acknowledged=Acknowledgement(by="Ines", at=datetime(2024, 11, 10, 3, 16, tzinfo=UTC)),
    fix=FixNote(by="", at=datetime(2024, 11, 10, 3, 17, tzinfo=UTC), settings=ContainerSettings(limit_bytes=1)),
    wrong=WrongVerdict(by="Otto", at=datetime(2024, 11, 10, 3, 18, tzinfo=UTC), verdict=GivenVerdict(cause="spike", confidence=0.6)),
    silence=Silence(by="Ines", asked_at=datetime(2024, 11, 10, 3, 20, tzinfo=UTC), why_not=reason("silence.too_late")),
    ticks={"root_cause": Tick(by="Ines", at=datetime(2024, 11, 10, 3, 19, tzinfo=UTC))},
    refusals=(Refusal(by="mallory", what="quiet"),),
    clicks=("1.5:U1:ack",),
    requests=(ChangeRequest(purpose="fix", by="Ines", asked_at=NOON, branch="oomtriage/inc_1", number=7, why=reason("x"), said=("a",)),),
    processes={"orders-api-1@1731207600": 13},
    watch=WatchMemory(
        pods={
            "orders-api-1": ContainerPulse(restarts=4, died_at=datetime(2024, 11, 10, 3, 14, tzinfo=UTC), reason="OOMKilled", is_ready=True)
        },
        owner=OwnerPulse(read_at=datetime(2024, 11, 10, 3, 15, tzinfo=UTC), mark="a1"),
        kills={"orders-api-1": 4},
        last_kill_at=datetime(2024, 11, 10, 3, 14, tzinfo=UTC),
    ),
)


def stored(memory: IncidentMemory | ConversationMemory) -> dict[str, Any]:
    """As it comes back from the store."""
    found: dict[str, Any] = json.loads(json.dumps(memory_to_json(memory)))
    return found


def test_every_field_comes_back() -> None:
    """With nested reasons, times to the microsecond, and what is at its default left out."""
    assert all(getattr(FULL, f.name) != getattr(IncidentMemory(), f.name) for f in fields(FULL)), "FULL lacks a field"
    assert incident_memory(stored(FULL)) == FULL
    assert stored(IncidentMemory()) == {"version": 1}
    assert incident_memory({}) == IncidentMemory()


@pytest.mark.parametrize("row", OLD_INCIDENTS)
def test_old_incidents_become_new_ones(row: dict[str, Any]) -> None:
    """Nothing of the history is lost, and what is written then is read as it is."""
    memory = incident_memory(row)

    assert [(e.at.timestamp(), e.what["text"], *([e.shown] if e.shown else [])) for e in memory.log] == [
        tuple(e) for e in row.get("log", ())
    ]
    assert incident_memory(stored(memory)) == memory


def test_an_old_incident_with_all_that_can_happen_to_it() -> None:
    """orders-api of the fixture: owned, ticked, silenced, refused, called wrong, fixed, its limit raised."""
    memory = incident_memory(OLD_INCIDENTS[0])
    look = memory.look

    assert (memory.state, memory.severity, memory.kill_count) == ("firing", "critical", 2)
    assert look is not None
    assert (look.verdict, look.kill_kind, look.node) == (GivenVerdict(cause="leak", confidence=0.95), "container_oom", "lab-node-1")
    assert memory.acknowledged is not None
    assert (memory.acknowledged.by, memory.acknowledged.at) == ("ines", datetime(2024, 11, 9, 21, 29, 53, tzinfo=UTC))
    assert memory.standing_fix == FixNote(
        by="Ines", at=datetime(2024, 11, 9, 22, 0, 28, tzinfo=UTC), settings=ContainerSettings(limit_bytes=160 * 1024**2, image=memory.settings.image)
    )  # fmt: skip
    assert list(memory.ticks) == ["monitor_48h"]
    assert memory.silence is not None
    assert (memory.silence.is_settled, memory.silence.wanted_until, memory.silence.until) == (True, None, None)
    assert memory.refusals == (Refusal(by="mallory", what="quiet", at=datetime(2024, 11, 9, 18, 51, 39, tzinfo=UTC)),)
    assert memory.wrong is not None
    assert memory.wrong.by == "Ines"
    assert [n.slot for n in memory.notifications][-2:] == ["broadcast:refired:1731181239", f"fix:limit-raised:{160 * 1024**2}"]
    assert memory.settings_change == reason("incident.log.legacy", text="limit raised to 160Mi")
    assert memory.owner == Owner(labels={"app.kubernetes.io/name": "orders-api"})
    assert len(memory.clicks) == 5


@pytest.mark.parametrize("row", OLD_CONVERSATIONS)
def test_old_conversations_become_new_ones(row: dict[str, Any]) -> None:
    """Whatever the sink."""
    memory = conversation_memory(row["data"])

    assert conversation_memory(stored(memory)) == memory
    assert memory.event_count == row["data"].get("events", 0)
    assert list(memory.states) == row["data"].get("states", [])


def test_an_old_storm_keeps_what_was_asked_of_it() -> None:
    """An act that nobody has done yet, and who may not."""
    (storm,) = (conversation_memory(r["data"]).storm for r in OLD_CONVERSATIONS if r["kind"] == "digest")

    assert storm.acts == (StormAct(what="quiet", by="ines", at=datetime(2024, 11, 10, 3, 5, 35, 20_000, tzinfo=UTC), duration_s=3600.0),)
    assert storm.notified_size == 10
    assert storm.edited_at == datetime(2024, 11, 10, 3, 4, 33, tzinfo=UTC)
    assert storm.refusals == (Refusal(by="mallory", what="quiet", at=datetime(2024, 11, 10, 3, 4, 30, tzinfo=UTC)),)


def test_an_old_event_is_not_sent_again() -> None:
    """What a program was told last compares equal with what the incident's memory says now."""
    told = next(r["data"] for r in OLD_CONVERSATIONS if r["data"].get("last_event", {}).get("settings_changed"))
    change = incident_memory(OLD_INCIDENTS[0]).settings_change
    now = EventState(state="firing", kill_kind="container_oom", cause="leak", kill_count=2, pod_count=1, settings_change=change)

    assert conversation_memory(told).last_event == now


@pytest.mark.parametrize("words", ["likely leak", "the program's own memory limit"])
def test_what_an_old_verdict_was_called_wrong_for(words: str) -> None:
    """It is still the verdict of the newest look, or it is not known any more."""
    old = {"cause": "leak", "confidence": 0.9, "verdict": "likely leak", "wrong": {"by": "Ines", "at": 1.0, "verdict": words}}
    memory = incident_memory(old)

    assert memory.wrong is not None
    assert memory.wrong.verdict == (GivenVerdict(cause="leak", confidence=0.9) if words == "likely leak" else None)


@pytest.mark.parametrize(
    "document",
    [
        {"version": 2}, {"version": "1"}, {"version": 1, "kills": []}, {"version": 1, "kills": {"pod": "two"}}, {"version": 1, "log": [["a"]]},
        {"version": 1, "log": [{"at": "soon", "what": {"code": "x", "facts": {}}}]}, {"version": 1, "first_kill_at": 1e300},
        {"version": 1, "acknowledged": {"by": "Ines"}}, {"version": 1, "late_tries": True}, {"version": 1, "pods": "abc"},
        {"version": 1, "settings_change": {"code": "x"}}, {"kills": []}, {"log": ["x"]}, {"told_at": "x"}, {"silence": {"until": 1.0}}, {"ticks": {"x": {}}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_what_no_release_wrote_is_refused(document: dict[str, Any]) -> None:
    """With an error of its own, which says what is wrong: the store puts such a row aside."""
    with pytest.raises(UnreadableMemory, match=r"\w"):
        incident_memory(document)


def test_a_key_that_is_not_known_is_passed_over() -> None:
    """Fields may be added without a new version."""
    assert incident_memory({**stored(FULL), "mood": "good"}) == FULL


def test_a_verdict_says_the_same_until_it_reads_otherwise() -> None:
    """Its confidence moves with every look; a reader is told three degrees of it."""
    leak = GivenVerdict(cause="leak", confidence=0.7)

    assert leak.says_the_same(replace(leak, confidence=0.8))
    assert not leak.says_the_same(replace(leak, confidence=0.9))
    assert not leak.says_the_same(replace(leak, cause="spike"))
