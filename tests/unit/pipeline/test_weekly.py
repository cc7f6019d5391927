"""The weekly summary: when it is told, to which channels, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.incident import Destination
from receiver.domain.weekly import WEEK_S, WeeklyTime
from receiver.pipeline import kinds
from receiver.pipeline.routing import Route
from receiver.pipeline.weekly import Weekly
from receiver.render.weekly import weekly_message
from receiver.store import jobs
from receiver.store.store import Store
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers

MONDAY = WeeklyTime(day=0, minute=9 * 60)
DAY_S = 86_400.0


def _at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2024, 11, day, hour, minute, tzinfo=UTC).timestamp()


def _weekly(desk: Desk, moment: WeeklyTime | None = MONDAY) -> Weekly:
    weekly = Weekly(
        store=desk.store, moment=moment, render=weekly_message, public_url="https://oomtriage.example", silent_sinks=frozenset({"json"})
    )
    desk.runs[kinds.WEEKLY] = weekly.run
    weekly.begin()
    return weekly


def _summaries(desk: Desk) -> list[str]:
    """`channel: header` of every summary that is to be told."""
    with desk.store.read() as tx:
        rows = tx.run(
            """SELECT c.sink, c.channel, m.desired_body FROM message m JOIN conversation c ON c.id = m.conversation_id
               WHERE c.kind = 'notice' ORDER BY m.created_at, c.channel"""
        )
    return [f"{row['channel']}: {json.loads(row['desired_body'])['blocks'][0]['text']['text']}" for row in rows]


def _move_to(desk: Desk, at: float) -> None:
    desk.clock.advance(at - desk.clock.now())


@pytest.mark.parametrize(
    ("now", "last", "after"),
    [
        (_at(11, 8, 59), _at(4, 9), _at(11, 9)), (_at(11, 9), _at(11, 9), _at(18, 9)), (_at(10, 23), _at(4, 9), _at(11, 9)),
        (_at(14, 0), _at(11, 9), _at(18, 9)),
    ],
)  # fmt: skip
def test_a_moment_comes_once_a_week(now: float, last: float, after: float) -> None:
    """2024-11-11 is a Monday."""
    assert (MONDAY.last(now), MONDAY.next(now)) == (last, after)
    assert str(MONDAY) == "Mon 09:00"


def test_every_channel_is_told_of_its_own_once(tmp_path: Path) -> None:
    """Where the routes led; programs and channels without a kill are told nothing, and a minute later nothing more."""
    desk = Desk(
        tmp_path / "s.db", routes=(Route(channel="C2", namespaces=("batch",)), Route(channel="C3", namespaces=("calm",))),
        beside=(Destination(sink="json", channel="hook"),),
    )  # fmt: skip
    _weekly(desk)
    desk.take(alert(started=desk.clock.now()), alert(namespace="batch", pod="nightly-655779759d-jst99", started=desk.clock.now()))
    _move_to(desk, _at(11, 8, 59))
    desk.work()
    before = _summaries(desk)
    _move_to(desk, _at(11, 9))
    desk.work()
    told = _summaries(desk)
    desk.clock.advance(60)
    desk.work()

    assert before == []
    assert told == ["C1: 📋 Memory, last 7 days: 1 kill in 1 workload", "C2: 📋 Memory, last 7 days: 1 kill in 1 workload"]
    assert _summaries(desk) == told


def test_a_week_without_anything_is_not_told(tmp_path: Path) -> None:
    """And the one after it is planned all the same."""
    desk = Desk(tmp_path / "s.db")
    _weekly(desk)
    for monday in (11, 18):
        _move_to(desk, _at(monday, 9))
        desk.work()

    assert _summaries(desk) == []
    assert desk.next_job_at() == _at(25, 9)


def _restarted(desk: Desk, path: Path) -> None:
    desk.store.close()
    desk.store = Store.open_sqlite(path, clock=desk.clock.now)
    desk.reopened()


def test_restarts_tell_nothing_twice_and_a_missed_hour_is_made_up_for(tmp_path: Path) -> None:
    """Away on Monday from eight to noon; restarted again and again afterwards."""
    path = tmp_path / "s.db"
    desk = Desk(path)
    _weekly(desk)
    desk.take(alert(started=desk.clock.now()))
    _move_to(desk, _at(11, 12))
    for _ in range(3):
        _restarted(desk, path)
        _weekly(desk)
        desk.work()
        desk.clock.advance(3600)

    assert len(_summaries(desk)) == 1
    assert desk.next_job_at() is not None
    with desk.store.read() as tx:
        (due,) = tx.run("SELECT due_at FROM job WHERE kind = 'weekly'")
    assert due["due_at"] == _at(18, 9)


def test_after_weeks_away_the_newest_days_are_told_once(tmp_path: Path) -> None:
    """Not a message for each week."""
    path = tmp_path / "s.db"
    desk = Desk(path)
    _weekly(desk)
    desk.take(alert(started=_at(10, 9)))
    _move_to(desk, _at(10, 9) + 3 * WEEK_S)
    desk.evidence = lambda subject: answers(subject, finished="2024-11-30T08:59:30Z")
    desk.take(alert(pod="late-655779759d-jst99", started=desk.clock.now()))
    desk.clock.advance(2 * DAY_S)
    _restarted(desk, path)
    _weekly(desk)
    desk.work()

    assert len(_summaries(desk)) == 1
    with desk.store.read() as tx:
        (due,) = tx.run("SELECT due_at FROM job WHERE kind = 'weekly'")
    assert due["due_at"] > desk.clock.now()


def test_another_day_in_the_settings_waits_for_its_turn(tmp_path: Path) -> None:
    """Told on Monday, set to Tuesday: the next is on the Tuesday of the week after, and no day is left out."""
    desk = Desk(tmp_path / "s.db")
    _weekly(desk)
    desk.take(alert(started=desk.clock.now()))
    _move_to(desk, _at(11, 9))
    desk.work()
    _weekly(desk, WeeklyTime(day=1, minute=600))
    desk.clock.advance(DAY_S)
    desk.evidence = lambda subject: answers(subject, finished="2024-11-12T08:59:30Z")
    desk.take(alert(pod="other-655779759d-jst99", started=desk.clock.now()))
    _move_to(desk, _at(12, 10))
    desk.work()
    too_early = len(_summaries(desk))
    _move_to(desk, _at(19, 10))
    desk.work()

    assert too_early == 1
    assert "last 8 days" in _summaries(desk)[-1]


def test_switched_off_nothing_is_planned(tmp_path: Path) -> None:
    """What was planned before goes."""
    desk = Desk(tmp_path / "s.db")
    _weekly(desk)
    planned = desk.kinds_due()
    _weekly(desk, None)

    assert (planned, desk.kinds_due()) == (["weekly"], [])


def test_a_storms_members_are_told_where_the_storm_stands(tmp_path: Path) -> None:
    """They have no conversation of their own."""
    desk = Desk(tmp_path / "s.db")
    _weekly(desk)
    desk.clock.advance(1000)
    started = desk.clock.now()
    desk.take(*(alert(pod=f"svc{i}-655779759d-jst99", container=f"svc{i}", started=started) for i in range(30)))
    _move_to(desk, _at(11, 9))
    desk.work()

    assert _summaries(desk) == ["C1: 📋 Memory, last 7 days: 30 kills in 30 workloads"]


def test_a_crash_in_the_middle_leaves_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: what is not committed is told by the next receiver, once."""
    path = tmp_path / "s.db"
    desk = Desk(path)
    _weekly(desk)
    desk.take(alert(started=desk.clock.now()))
    _move_to(desk, _at(11, 9))

    def die(*_: Any, **__: Any) -> Callable[..., None]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("receiver.pipeline.weekly.set_meta", die)
        with pytest.raises(KeyboardInterrupt):
            desk.work()
    unfinished = _summaries(desk)
    _restarted(desk, path)

    with desk.store.write() as tx:
        jobs.recover(tx, epoch=desk.store.epoch)
    _weekly(desk)
    desk.work()

    assert unfinished == []
    assert len(_summaries(desk)) == 1
