"""A message that cannot be edited does not fill the channel: posted anew once at most, and only when it is gone."""

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

REPLIES = ("evidence", "checklist", "patch")
FOR_EVER = 100_000
REFUSED = ("edit_window_closed", "cant_update_message")  # it stands there, as it is


class Incident:
    """One incident's conversation, a sender and a Slack that behaves, on a clock that tests turn."""

    def __init__(self, path: Path, slack: FakeSlack) -> None:
        self.path, self.slack, self.clock = path, slack, Clock()
        slack.clock = self.clock.now
        self.open()
        with self.store.write() as tx:
            self.id = conversations.open_new(
                tx, kind="incident", incident_id=None, sink="slack", channel="C1", mention="", now=self.clock.now()
            ).id

    def open(self) -> None:
        self.store = Store.open_sqlite(self.path, clock=self.clock.now)
        sink = SlackBotSink(SlackConfig(token=self.slack.token, api_url=self.slack.api_url, timeout_s=5.0))
        self.sender = Sender(
            store=self.store, sinks={"slack": sink}, metrics=Metrics(sinks=["slack"]), config=SenderConfig(), monotonic=self.clock.monotonic,
            plain_body=plain_body,
        )  # fmt: skip

    def restart(self) -> None:
        self.store.close()
        self.open()

    def say(self, slot: str, text: str, *, is_broadcast: bool = False) -> None:
        blocks = ({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}},)
        with self.store.write() as tx:
            message = Message(slot=slot, text=text, blocks=blocks, full_text=text, is_reply=slot != "root", is_broadcast=is_broadcast)
            outbox.desire(tx, self.id, message, now=self.clock.now())

    def look(self, n: int) -> None:
        """What a look writes: the root and its replies, all of them changed."""
        for slot in ("root", *REPLIES):
            self.say(slot, f"{slot} {n}")

    def run(self, seconds: float) -> None:
        end = self.clock.ticks + seconds
        while (wait_s := self.sender.step()) + self.clock.ticks <= end:
            self.clock.advance(max(wait_s, 0.001))
        self.clock.advance(max(end - self.clock.ticks, 0.0))

    def shown(self) -> list[tuple[str, list[str]]]:
        """Each root with its replies."""
        return [(root.message.shown(), [r.shown() for r in root.replies]) for root in self.slack.channel("C1").roots]

    def posts(self) -> int:
        return sum(1 for h in self.slack.happened if h.kind != "edit")

    def waiting(self) -> tuple[bool, int]:
        """Whether nothing is left to send, and how many dead letters there are."""
        with self.store.read() as tx:
            return outbox.is_quiet(tx), len(outbox.dead(tx))


@pytest.fixture
def incident(tmp_path: Path) -> Iterator[Incident]:
    with FakeSlack() as slack:
        incident = Incident(tmp_path / "state.db", slack)
        incident.look(1)
        incident.run(60)
        yield incident
        incident.store.close()


FIRST = [("root 1", ["evidence 1", "checklist 1", "patch 1"])]


@pytest.mark.parametrize("word", REFUSED)
def test_a_message_that_stands_and_cannot_be_edited_stays_as_it_is(incident: Incident, word: str) -> None:
    """An hour of changes: one root, no second copy of anything, each message tried once; /readyz says where and why."""
    incident.slack.fail(Fault(kind="error", word=word, method="chat.update", times=FOR_EVER))
    for n in range(2, 62):
        incident.look(n)
        incident.run(60)

    assert incident.shown() == FIRST
    assert incident.slack.calls["chat.update"] == 4
    assert list(incident.sender.channel_problems) == ["C1"]
    assert word in incident.sender.channel_problems["C1"]
    assert incident.waiting() == (True, 0)


@pytest.mark.parametrize("word", REFUSED)
def test_what_must_be_noticed_is_still_said(incident: Incident, word: str) -> None:
    """The conversation goes on without edits: news come as replies, aloud where they should, in the thread there is."""
    incident.slack.fail(Fault(kind="error", word=word, method="chat.update", times=FOR_EVER))
    incident.look(2)
    incident.run(60)
    incident.say("escalation:still-dying", "still dying", is_broadcast=True)
    incident.say("fix:limit", "limit raised")
    incident.run(60)
    (root,) = incident.slack.channel("C1").roots

    assert [(r.shown(), r.is_broadcast) for r in root.replies[3:]] == [("still dying", True), ("limit raised", False)]


def test_it_stays_so_across_a_restart(incident: Incident) -> None:
    """What cannot be edited is written down: the next receiver neither tries nor posts again, and still says why."""
    incident.slack.fail(Fault(kind="error", word="edit_window_closed", method="chat.update", times=FOR_EVER))
    incident.look(2)
    incident.run(60)
    incident.restart()
    n_calls = incident.slack.calls["chat.update"]
    incident.look(3)
    incident.run(60)

    assert incident.slack.calls["chat.update"] == n_calls
    assert incident.shown() == FIRST
    assert "edit_window_closed" in incident.sender.channel_problems["C1"]


def test_other_incidents_of_the_channel_are_edited_as_ever(incident: Incident) -> None:
    """The refusal is about a message, so only that one is left alone."""
    incident.slack.fail(Fault(kind="error", word="edit_window_closed", method="chat.update", times=1))
    incident.look(2)
    incident.run(60)

    assert incident.shown() == [("root 1", ["evidence 2", "checklist 2", "patch 2"])]


def test_a_deleted_thread_is_begun_anew_once(incident: Incident) -> None:
    """Somebody deletes it: root and replies stand there again, each once, and are edited there. Deleted again, it stays away."""
    incident.slack.delete("C1", incident.slack.channel("C1").roots[0].message.ts)
    incident.look(2)
    incident.run(120)
    second = incident.shown()
    incident.restart()
    incident.look(3)
    incident.run(120)
    edited = incident.shown()
    incident.slack.delete("C1", incident.slack.channel("C1").roots[0].message.ts)
    for n in range(4, 20):
        incident.look(n)
        incident.run(60)

    assert second == [("root 2", ["evidence 2", "checklist 2", "patch 2"])]
    assert edited == [("root 3", ["evidence 3", "checklist 3", "patch 3"])]
    assert incident.shown() == []
    assert incident.posts() == 8
    assert "message_not_found" in incident.sender.channel_problems["C1"]
    assert incident.waiting() == (True, 0)


def test_of_a_root_that_is_gone_the_thread_moves_with_it(incident: Incident) -> None:
    """Slack keeps the replies under a deleted root; in the new thread each stands once, changed or not."""
    incident.slack.delete("C1", incident.slack.channel("C1").roots[0].message.ts, keeps_thread=True)
    incident.say("root", "root 2")
    incident.run(120)

    assert incident.shown() == [("root 2", ["evidence 1", "checklist 1", "patch 1"])]
    assert incident.posts() == 8


def test_a_slack_that_finds_no_message_ever_is_told_everything_twice_at_most(incident: Incident) -> None:
    """The fault that once gave eight roots in 89 seconds, for an hour."""
    incident.slack.fail(Fault(kind="error", word="message_not_found", method="chat.update", times=FOR_EVER))
    for n in range(2, 62):
        incident.look(n)
        incident.run(60)

    assert len(incident.slack.channel("C1").roots) == 2
    assert incident.posts() == 8
    assert incident.slack.calls["chat.update"] <= 8
    assert incident.waiting() == (True, 0)


def test_a_deleted_reply_is_posted_anew_once(incident: Incident) -> None:
    """In the thread where it stood; the others stay."""
    for n in (2, 3):
        (root,) = incident.slack.channel("C1").roots
        incident.slack.delete("C1", next(r.ts for r in root.replies if r.shown().startswith("patch")))
        incident.look(n)
        incident.run(120)

    assert incident.shown() == [("root 3", ["evidence 3", "checklist 3"])]
    assert incident.posts() == 5


@pytest.mark.parametrize("word", ["thread_not_found", "restricted_action_thread_locked"])
def test_in_a_thread_that_takes_nothing_there_is_one_other_thread(incident: Incident, word: str) -> None:
    """The root once more, with its replies under it. When that is closed too, what must be heard goes on beside it, the rest rests."""
    for n in range(8):
        incident.slack.fail(Fault(kind="error", word=word, method="chat.postMessage", times=1))
        incident.say(f"fix:{n}", f"fix {n}")
        incident.run(30)
    incident.slack.fail(Fault(kind="error", word=word, method="chat.postMessage", times=1))
    incident.say("escalation:still-dying", "still dying", is_broadcast=True)
    incident.run(60)

    assert incident.shown() == [*FIRST, ("root 1", ["evidence 1", "checklist 1", "patch 1", "fix 0"]), ("still dying", [])]
    assert incident.waiting() == (True, 0)


def test_a_lost_answer_to_the_second_post_is_not_taken_for_the_first(incident: Incident) -> None:
    """The old root still stands in a locked thread: what is looked for after a timeout is the new one."""
    incident.slack.fail(Fault(kind="error", word="restricted_action_thread_locked", method="chat.postMessage", times=1))
    incident.say("fix:0", "fix 0")
    incident.run(1.2)
    incident.slack.fail(Fault(kind="lost", method="chat.postMessage", times=1))
    incident.run(120)

    assert incident.shown() == [*FIRST, ("root 1", ["evidence 1", "checklist 1", "patch 1", "fix 0"])]
