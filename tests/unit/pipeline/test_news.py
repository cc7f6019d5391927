"""What is said beside an edit: once each, the most important first, and no more than four times."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.pipeline import news
from receiver.pipeline.news import BECAME_KILL, MOST, News

NOW = 1_731_229_200.0


def data(cause: str = "unknown", confidence: float = 0.3, **more: Any) -> dict[str, Any]:
    return {"cause": cause, "confidence": confidence, "verdict": f"{cause} {confidence}", **more}


def test_back_after_a_moment_is_no_news() -> None:
    """A crash loop resolves and fires again every few minutes."""
    assert news.refired(NOW - 900, NOW) is None
    again = news.refired(NOW - 7_860, NOW)
    assert again is not None
    assert again.words == "Firing again, 2 h 11 after the alert resolved."


def test_a_night_of_refires_sounds_twice() -> None:
    """Who heard twice that it is back knows that it comes back."""
    said: list[str] = []
    for hour in range(6):
        found = news.refired(NOW + hour * 10_000, NOW + hour * 10_000 + 5_000)
        assert found is not None
        chosen = news.first_fit([found], said)
        said += [chosen.slot] if chosen else []

    assert len(said) == 2


def test_refires_leave_room_for_what_is_worse() -> None:
    """The kill behind a warning is heard, however often the warning came back."""
    back = [News(slot=f"broadcast:refired:{i}", words="x") for i in range(9)]
    said: list[str] = []
    for one in [*back, news.became_kill()]:
        chosen = news.first_fit([one], said)
        said += [chosen.slot] if chosen else []

    assert said[-1] == BECAME_KILL


def test_nothing_is_said_twice_and_nothing_beyond_the_budget() -> None:
    """The same slot once; after four messages none."""
    one = News(slot="escalation:still-dying", words="x")

    assert news.first_fit([one], []) == one
    assert news.first_fit([one], [one.slot]) is None
    assert news.first_fit([one], [str(i) for i in range(MOST)]) is None


def test_what_is_aloud_goes_first_and_what_only_calls_is_the_last_of_it() -> None:
    """A broadcast about the tenth kill calls whom an incident that became critical calls for; a quiet reply would not."""
    quiet, aloud = News(slot="fix:x", words="x", is_broadcast=False), News(slot="escalation:still-dying", words="x")

    assert news.first_fit([quiet, news.became_critical(), aloud], []) == aloud
    assert news.first_fit([quiet, news.became_critical()], []) == news.became_critical()


@pytest.mark.parametrize(
    ("before", "after", "slot", "is_broadcast"),
    [
        (data(), data("leak", 0.7), "verdict:leak", True),
        (data("leak", 0.7), data("limit_too_low", 0.9), "verdict:limit_too_low", True),
        (data("leak", 0.7), data("leak", 0.9), "verdict:leak:sure", False),
        (data("startup", 0.7), data("unknown", 0.3), "verdict:unknown", False),
    ],
)
def test_a_changed_verdict_is_told(before: dict[str, Any], after: dict[str, Any], slot: str, is_broadcast: bool) -> None:
    """Aloud when there is another thing to do; in the thread when it became sure or was withdrawn. It says what it was."""
    told = news.verdict(after, before)

    assert told is not None
    assert (told.slot, told.is_broadcast) == (slot, is_broadcast)
    assert before["verdict"] in told.words


@pytest.mark.parametrize(
    ("before", "after"), [(data(), data("leak", 0.5)), (data("leak", 0.9), data("leak", 0.7)), (data("leak", 0.5), data("spike", 0.5))]
)
def test_a_guess_that_no_header_names_is_no_news(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Below 0.6 the header says that it cannot tell, so nothing that a reader saw has changed."""
    assert news.verdict(after, before) is None


def test_what_gets_worse_within_a_minute_belongs_to_the_first_message() -> None:
    """Fifty replicas do not die in the same second: the count is edited, and nothing sounds again."""
    before, after = {"told_at": NOW}, {"told_at": NOW, "all_replicas": True}

    assert news.escalations(after, before, kills=50, kills_before=34, now=NOW + 10) == []
    assert [n.slot for n in news.escalations(after, before, kills=50, kills_before=34, now=NOW + 100)] == ["escalation:all-replicas"]


def test_never_up_for_a_quarter_of_an_hour_is_told() -> None:
    """Not at once: most start-up failures are over with the next try."""
    after = {"never_up_since": NOW}

    assert news.escalations(after, {}, kills=4, kills_before=3, now=NOW + 600) == []
    (told,) = news.escalations(after, {}, kills=9, kills_before=8, now=NOW + 960)
    assert told.words == "It has not come up for 16 min."
