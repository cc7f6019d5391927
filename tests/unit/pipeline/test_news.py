"""What is said beside an edit: once each, the most important first, and no more than four times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from receiver.domain.incident_memory import GivenVerdict, IncidentMemory, LookSummary
from receiver.domain.reason import reason
from receiver.pipeline import news
from receiver.pipeline.news import BECAME_KILL, MOST, News

NOW = datetime(2024, 11, 10, 9, 0, tzinfo=UTC)
WHY = reason("incident.news.became_kill")


def look(cause: str = "unknown", confidence: float = 0.3, *, is_every_replica_killed: bool = False) -> LookSummary:
    verdict = GivenVerdict(cause=cause, confidence=confidence)
    return LookSummary(verdict=verdict, kill_kind="container_oom", is_every_replica_killed=is_every_replica_killed)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_back_after_a_moment_is_no_news() -> None:
    """A crash loop resolves and fires again every few minutes."""
    assert news.refired(after(-900), NOW) is None
    again = news.refired(after(-7_860), NOW)
    assert again is not None
    assert again.why == reason("incident.news.refired", quiet_s=7_860.0)


def test_a_night_of_refires_sounds_twice() -> None:
    """Who was notified twice that it is back knows that it comes back."""
    sent: list[str] = []
    for hour in range(6):
        found = news.refired(after(hour * 10_000), after(hour * 10_000 + 5_000))
        assert found is not None
        chosen = news.first_fit([found], sent)
        sent += [chosen.slot] if chosen else []

    assert len(sent) == 2


def test_refires_leave_room_for_what_is_worse() -> None:
    """The kill behind a warning is notified, however often the warning came back."""
    back = [News(slot=f"broadcast:refired:{i}", why=WHY) for i in range(9)]
    sent: list[str] = []
    for one in [*back, news.became_kill()]:
        chosen = news.first_fit([one], sent)
        sent += [chosen.slot] if chosen else []

    assert sent[-1] == BECAME_KILL


def test_nothing_is_said_twice_and_nothing_beyond_the_budget() -> None:
    """The same slot once; after four messages none."""
    one = News(slot="escalation:still-dying", why=WHY)

    assert news.first_fit([one], []) == one
    assert news.first_fit([one], [one.slot]) is None
    assert news.first_fit([one], [str(i) for i in range(MOST)]) is None


def test_what_is_aloud_goes_first_and_what_only_calls_is_the_last_of_it() -> None:
    """A broadcast about the tenth kill calls whom an incident that became critical calls for; a quiet reply would not."""
    quiet, aloud = News(slot="fix:x", why=WHY, is_broadcast=False), News(slot="escalation:still-dying", why=WHY)

    assert news.first_fit([quiet, news.became_critical(), aloud], []) == aloud
    assert news.first_fit([quiet, news.became_critical()], []) == news.became_critical()


@pytest.mark.parametrize(
    ("before", "now", "slot", "is_broadcast"),
    [
        (look(), look("leak", 0.7), "verdict:leak", True),
        (look("leak", 0.7), look("limit_too_low", 0.9), "verdict:limit_too_low", True),
        (look("leak", 0.7), look("leak", 0.9), "verdict:leak:sure", False),
        (look("startup", 0.7), look("unknown", 0.3), "verdict:unknown", False),
    ],
)
def test_a_changed_verdict_is_told(before: LookSummary, now: LookSummary, slot: str, is_broadcast: bool) -> None:
    """Aloud when there is another thing to do; in the thread when it became sure or was withdrawn. It says what it was."""
    told = news.verdict(now, before)

    assert told is not None
    assert (told.slot, told.is_broadcast) == (slot, is_broadcast)
    assert told.why["verdict"] == before.verdict.as_reason()


@pytest.mark.parametrize(
    ("before", "now"),
    [(look(), look("leak", 0.5)), (look("leak", 0.9), look("leak", 0.7)), (look("leak", 0.5), look("spike", 0.5))],
)
def test_a_guess_that_no_header_names_is_no_news(before: LookSummary, now: LookSummary) -> None:
    """Below 0.6 the header says that it cannot tell, so nothing that a reader saw has changed."""
    assert news.verdict(now, before) is None


def test_what_gets_worse_within_a_minute_belongs_to_the_first_message() -> None:
    """Fifty replicas do not die in the same second: the count is edited, and nothing sounds again."""
    before = IncidentMemory(first_notified_at=NOW, look=look(), kills={"a": 34})
    now = replace(before, look=look(is_every_replica_killed=True), kills={"a": 50})

    assert news.escalations(now, before, now=after(10)) == []
    assert [n.slot for n in news.escalations(now, before, now=after(100))] == ["escalation:all-replicas"]


def test_never_up_for_a_quarter_of_an_hour_is_told() -> None:
    """Not at once: most start-up failures are over with the next try."""
    memory = IncidentMemory(look=look(), never_up_since=NOW)

    assert news.escalations(memory, memory, now=after(600)) == []
    (told,) = news.escalations(memory, memory, now=after(960))
    assert told.why == reason("incident.news.never_up", down_s=960.0)
