"""Our clock may be wrong by any amount, and jump: what was posted is found by its delivery id, and posted once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.domain.incident import Message
from receiver.render import plain_body
from receiver.sinks.slack import SlackBotSink, SlackConfig
from receiver.store import conversations, outbox
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker.sender import Sender, SenderConfig
from tests.fakes.slack import FakeSlack, Fault
from tests.support import Clock

HOUR = 3600.0
SKEWS = [300.0, -300.0, 6 * HOUR, -6 * HOUR, 30 * 24 * HOUR, -30 * 24 * HOUR]


class World:
    """A sender on a clock of ours, and a Slack with one of its own."""

    def __init__(self, folder: Path, slack: FakeSlack, *, ahead_s: float) -> None:
        self.clock, self.slack, self._path = Clock(), slack, folder / "state.db"
        slack.clock = lambda: self.clock.ticks + 1_700_000_000.0  # true time: it knows no jumps
        self.clock.wall = slack.clock() + ahead_s
        self.n = 0
        self.open()

    def open(self) -> None:
        self.store = Store.open_sqlite(self._path, clock=self.clock.now)
        sink = SlackBotSink(SlackConfig(token=self.slack.token, api_url=self.slack.api_url))
        self.sender = Sender(
            store=self.store, sinks={"slack": sink}, metrics=Metrics(sinks=["slack"]), config=SenderConfig(), monotonic=self.clock.monotonic,
            plain_body=plain_body,
        )  # fmt: skip

    def say(self, *, replies: int = 0) -> None:
        self.n += 1
        with self.store.write() as tx:
            place = conversations.open_new(
                tx, kind="incident", incident_id=None, sink="slack", channel="C1", mention="", now=self.clock.now()
            )
            for i in range(replies + 1):
                message = Message(slot=f"reply:{i}" if i else "root", text=f"message {self.n}.{i}", is_reply=i > 0)
                outbox.desire(tx, place.id, message, now=self.clock.now())

    def run(self, seconds: float) -> None:
        end = self.clock.ticks + seconds
        while (wait_s := self.sender.step()) + self.clock.ticks <= end:
            self.clock.advance(max(wait_s, 0.01))
        self.clock.advance(max(end - self.clock.ticks, 0.0))

    def texts(self) -> list[str]:
        return sorted(m.text for m in self.slack.channel("C1").messages)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.mark.parametrize("ahead_s", SKEWS)
def test_lost_answers_are_found_whatever_our_clock_says(tmp_path: Path, slack: FakeSlack, ahead_s: float) -> None:
    world = World(tmp_path, slack, ahead_s=ahead_s)
    for _ in range(6):
        slack.fail(Fault(kind="lost", method="chat.postMessage", times=2))
        world.say(replies=1)
        world.run(60)
    world.store.close()

    assert world.texts() == sorted(f"message {n}.{i}" for n in range(1, 7) for i in (0, 1))


@pytest.mark.parametrize("jump_s", SKEWS)
def test_a_clock_that_jumps_between_post_and_search_makes_no_second_message(tmp_path: Path, slack: FakeSlack, jump_s: float) -> None:
    """And others have been posted meanwhile."""
    world = World(tmp_path, slack, ahead_s=0.0)
    world.say()
    world.run(20)
    slack.fail(Fault(kind="lost", method="chat.postMessage"))
    world.say()
    world.run(3)
    world.clock.wall += jump_s
    world.say()
    world.run(3)
    world.clock.wall -= min(jump_s, 0.0)  # what is due moves with a clock that is set back: the dispatcher sees to it
    world.run(60)
    world.store.close()

    assert world.texts() == ["message 1.0", "message 2.0", "message 3.0"]


def test_what_was_never_posted_is_not_searched_from_the_beginning_of_the_channel(tmp_path: Path, slack: FakeSlack) -> None:
    """A post of ours that is known to stand there bounds the search, by Slack's own time."""
    world = World(tmp_path, slack, ahead_s=6 * HOUR)
    world.say()
    world.run(20)
    slack.fail(Fault(kind="status", method="chat.postMessage", status=500))
    world.say()
    world.run(60)
    with world.store.read() as tx:
        rows = tx.run("SELECT ts, intent_after FROM message ORDER BY created_at")
    world.store.close()

    assert world.texts() == ["message 1.0", "message 2.0"]
    assert slack.calls["conversations.history"] == 1
    assert rows[1]["intent_after"] == rows[0]["ts"]


def test_a_clock_that_is_set_ahead_gives_no_message_up(tmp_path: Path, slack: FakeSlack) -> None:
    """By more than RETRY_MAX_AGE, while Slack is away: it is no day that the message has waited."""
    world = World(tmp_path, slack, ahead_s=0.0)
    slack.outage = 503
    world.say()
    world.run(60)
    world.clock.wall += 30 * HOUR
    world.run(60)
    slack.heal()
    world.run(600)
    with world.store.read() as tx:
        dead = outbox.dead(tx)
    world.store.close()

    assert dead == []
    assert world.texts() == ["message 1.0"]
