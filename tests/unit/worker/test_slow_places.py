"""A place that is slow, silent or lost holds up itself and nobody else, and is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.incident import Message
from receiver.errors import Ambiguous, RetryLater
from receiver.store import conversations, outbox
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker.delivery_watch import TELL_AFTER_S
from receiver.worker.sender import HANGS_S, Sender, SenderConfig
from tests.support import Clock, wait_until


class Rooms:
    """A sink in which the posts of some channels do not come back, and those of others are refused."""

    name, has_threads, can_edit = "fake", True, True

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.hang, self.refuse = {"slow"}, set[str]()
        self.released = threading.Event()

    def post(self, channel: str, body: Mapping[str, Any], *, delivery_id: str, **_: Any) -> str:
        if channel in self.hang:
            self.released.wait(60)
            raise Ambiguous("Slack was still sending at the deadline")
        if channel in self.refuse:
            raise RetryLater("Slack answered 503")
        self.arrived.append(channel)
        return str(len(self.arrived))

    def find(self, channel: str, delivery_id: str, **_: Any) -> None:
        raise RetryLater("Slack answered 503")


class World:
    def __init__(self, path: Path) -> None:
        self.clock, self.rooms = Clock(), Rooms()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.sender = Sender(
            store=self.store, sinks={"fake": self.rooms}, metrics=Metrics(sinks=["fake"]), config=SenderConfig(),  # type: ignore[dict-item]
            monotonic=self.clock.monotonic, plain_body=lambda body: body, is_threaded=True,
        )  # fmt: skip

    def say(self, channel: str) -> None:
        with self.store.write() as tx:
            opened = conversations.open_new(
                tx, kind="incident", incident_id=None, sink="fake", channel=channel, mention="", now=self.clock.now()
            )
            outbox.desire(tx, opened.id, Message(slot="root", text="killed"), now=self.clock.now())

    def run_until(self, channel: str) -> None:
        def is_there() -> bool:
            self.sender.step()
            return channel in self.rooms.arrived

        wait_until(is_there, what=f"a message arrived in {channel}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state.db")
    yield world
    world.rooms.released.set()
    world.sender.close()
    world.store.close()


def test_a_channel_whose_answer_does_not_come_holds_up_no_other(world: World) -> None:
    world.say("slow")
    world.sender.step()
    world.say("quick")
    world.run_until("quick")

    assert world.rooms.arrived == ["quick"]


def test_a_place_in_which_nothing_arrives_is_named_after_a_while(world: World) -> None:
    world.say("slow")
    world.sender.step()
    assert world.sender.stalled == {}
    world.clock.advance(TELL_AFTER_S + 1)
    world.sender.step()

    assert world.sender.stalls["fake"] == pytest.approx(TELL_AFTER_S + 1)
    assert "nothing has arrived in slow for 61 s" in world.sender.stalled["fake"]
    assert not world.sender.is_stuck()


def test_what_is_refused_again_and_again_is_no_progress_either(world: World) -> None:
    """The sender is busy, and nobody is told anything: its reason is the sink's last word."""
    world.rooms.hang, world.rooms.refuse = set(), {"slow"}
    world.say("slow")
    for _ in range(40):
        world.sender.step()
        world.sender.close()
        world.clock.advance(5)
    assert "Slack answered 503" in world.sender.stalled["fake"]
    world.rooms.refuse = set()
    world.clock.advance(600)
    world.run_until("slow")
    world.sender.close()

    assert world.sender.stalled == {}
    assert world.sender.stalls["fake"] == 0.0


def test_a_sender_that_hangs_beyond_every_deadline_is_stuck(world: World) -> None:
    """Then only a new start helps: the kubelet gives it one."""
    world.say("slow")
    world.sender.step()
    world.clock.advance(HANGS_S + 1)
    world.sender.step()

    assert world.sender.is_stuck()
