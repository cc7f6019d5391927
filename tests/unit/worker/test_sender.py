"""The sender makes a channel agree with the store, whatever the sink does in between."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.incident import PICTURE, Message
from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, RetryLater, SinkMisconfigured
from receiver.sinks.base import CannotReconcile
from receiver.store import conversations, outbox
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker.sender import Sender, SenderConfig
from tests.support import Clock


class Channel:
    """A sink that holds what it was sent. `faults` are raised by the next calls; `stores_anyway`: after storing."""

    name, has_threads, can_edit = "fake", True, True

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.faults: list[DeliveryError | None] = []
        self.stores_anyway = False
        self.can_find = True
        self._ts = itertools.count(1)

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not self.stores_anyway:
            raise fault
        ts = str(next(self._ts))
        self.messages[ts] = {
            "text": body["text"],
            "thread": thread_ts,
            "delivery_id": delivery_id,
            "channel": channel,
            "blocks": len(body["blocks"]),
        }
        if fault is not None:
            raise fault
        return ts

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.messages[ts]["text"] = body["text"]

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        if not self.can_find:
            raise CannotReconcile("no history scope")
        return next((ts for ts, m in self.messages.items() if m["delivery_id"] == delivery_id and m["thread"] == thread_ts), None)

    @property
    def texts(self) -> list[str]:
        return [m["text"] for m in self.messages.values()]


class World:
    """A store, a channel and a sender over a clock that tests turn."""

    def __init__(self, path: Path, **config: Any) -> None:
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.channel = Channel()
        self.metrics = Metrics(sinks=["fake"])
        self.sender = Sender(
            store=self.store, sinks={"fake": self.channel}, metrics=self.metrics, config=SenderConfig(**config), monotonic=self.clock.monotonic,
            plain_body=lambda body: {"text": f"plain {body['text']}", "blocks": []},
        )  # fmt: skip
        self.rooms: dict[str, str] = {}

    def say(self, slot: str, text: str, *, room: str = "a", is_prompt: bool = False, is_broadcast: bool = False) -> None:
        with self.store.write() as tx:
            if room not in self.rooms:
                opened = conversations.open_new(
                    tx, kind="incident", incident_id=None, sink="fake", channel="C1", mention="", now=self.clock.now()
                )
                self.rooms[room] = opened.id
            message = Message(slot=slot, text=text, blocks=({"type": "x"},), is_reply=slot != "root", is_broadcast=is_broadcast)
            outbox.desire(tx, self.rooms[room], message, now=self.clock.now(), is_prompt=is_prompt)
        self.clock.advance(0.001)

    def run(self, seconds: float) -> None:
        """Let the sender work for that long, waking when it asked to be woken."""
        end = self.clock.ticks + seconds
        while True:
            wait_s = self.sender.step()
            if self.clock.ticks + wait_s > end:
                self.clock.advance(end - self.clock.ticks)
                return
            self.clock.advance(max(wait_s, 0.001))

    def dead(self) -> list[str]:
        with self.store.read() as tx:
            return [row["last_error"] for row in outbox.dead(tx)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state.db")
    yield world
    world.store.close()


def test_a_root_goes_first_and_its_replies_into_its_thread(world: World) -> None:
    """Replies wait until the root has a place, whatever order they were written in."""
    world.say("evidence", "proof")
    world.say("root", "killed")
    world.run(10)

    assert [(m["text"], m["thread"]) for m in world.channel.messages.values()] == [("killed", None), ("proof", "1")]


def test_a_root_that_moved_into_a_digest_meanwhile_is_not_posted(world: World) -> None:
    """Between picking a message and posting it a storm may have begun: its workload must not be named twice."""
    world.say("root", "svc1")
    pick = outbox.next_outgoing

    def pick_and_drop(tx: Any, **where: Any) -> Any:
        picked = pick(tx, **where)
        tx.run("DELETE FROM conversation")
        return picked

    outbox.next_outgoing = pick_and_drop
    try:
        world.sender.step()
    finally:
        outbox.next_outgoing = pick

    assert world.channel.texts == []


def test_replies_keep_the_order_they_were_written_in(world: World) -> None:
    """Evidence, checklist, patch: the thread reads the same in every incident."""
    slots = ["root", *(f"reply-{n}" for n in range(12))]
    with world.store.write() as tx:
        opened = conversations.open_new(tx, kind="incident", incident_id=None, sink="fake", channel="C1", mention="", now=world.clock.now())
        for slot in slots:
            outbox.desire(tx, opened.id, Message(slot=slot, text=slot, is_reply=slot != "root"), now=world.clock.now())
    world.run(60)

    assert world.channel.texts == slots


def test_new_roots_go_before_replies_and_kill_updates_before_other_edits(world: World) -> None:
    """In a storm people first see what died, then how often, then the proof."""
    world.say("root", "a1", room="a")
    world.run(20)
    world.say("evidence", "a-proof", room="a")
    world.say("root", "a2", room="a", is_prompt=True)
    world.say("root", "b1", room="b")
    order: list[str] = []
    original_post, original_update = world.channel.post, world.channel.update

    def post(channel: str, body: Mapping[str, Any], **more: Any) -> Any:
        order.append(body["text"])
        return original_post(channel, body, **more)

    def update(channel: str, ts: str, body: Mapping[str, Any]) -> Any:
        order.append(body["text"])
        return original_update(channel, ts, body)

    world.channel.post, world.channel.update = post, update  # type: ignore[method-assign]
    world.run(20)

    assert order == ["b1", "a2", "a-proof"]


def test_only_the_newest_revision_is_sent_after_an_outage(world: World) -> None:
    """A message is a desired state: what changed ten times while Slack was away is edited once."""
    world.say("root", "1 kill")
    world.run(15)
    for n in range(2, 12):
        world.say("root", f"{n} kills")
    edits = []
    original = world.channel.update
    world.channel.update = lambda *a: (edits.append(a[2]["text"]), original(*a))[1]  # type: ignore[method-assign,func-returns-value]
    world.run(60)

    assert edits == ["11 kills"]


def test_a_message_is_edited_at_most_every_ten_seconds(world: World) -> None:
    """An incident that changes every second does not flicker."""
    world.say("root", "0")
    edits = []
    original = world.channel.update
    world.channel.update = lambda *a: (edits.append(world.clock.ticks), original(*a))[1]  # type: ignore[method-assign,func-returns-value]
    for n in range(1, 41):
        world.run(1)
        world.say("root", str(n))
    world.run(15)

    assert world.channel.texts == ["40"]
    assert min(later - earlier for earlier, later in itertools.pairwise(edits)) >= 10
    assert len(edits) <= 6


def test_the_same_content_again_is_not_sent_again(world: World) -> None:
    """Looking at an incident again without news costs no request."""
    world.say("root", "same")
    world.run(20)
    world.say("root", "same")
    world.channel.faults = [RetryLater("must not be called")]
    world.run(20)

    assert world.channel.faults


def test_a_rate_limit_delays_the_channel_and_keeps_the_order(world: World) -> None:
    """429 with Retry-After: nothing is lost, nothing overtakes, and it does not count as an attempt."""
    for i in range(5):
        world.say("root", f"r{i}", room=str(i))
    world.channel.faults = [None, RetryLater("429", code="ratelimited", retry_after_s=30.0)]
    world.run(25)
    before = list(world.channel.texts)
    world.run(30)

    assert before == ["r0"]
    assert world.channel.texts == ["r0", "r1", "r2", "r3", "r4"]


@pytest.mark.parametrize("asked_s", [86_000.0, 1e9, float("inf")])
def test_a_pause_of_a_day_is_not_believed(world: World, asked_s: float, caplog: pytest.LogCaptureFixture) -> None:
    """One answer does not park a channel: it is asked again after five minutes, and the log says once what was asked for."""
    world.say("root", "killed")
    world.channel.faults = [RetryLater("429", code="ratelimited", retry_after_s=asked_s) for _ in range(3)]
    world.run(895)
    before = list(world.channel.texts)
    world.run(10)
    capped = [r for r in caplog.records if hasattr(r, "asked_s")]

    assert before == []
    assert world.channel.texts == ["killed"]
    assert [(vars(r)["asked_s"], vars(r)["pause_s"]) for r in capped] == [(asked_s, 300.0)]
    assert world.dead() == []


def test_a_message_that_cannot_be_sent_as_it_is_stored_stops_no_other(world: World) -> None:
    """Something in it that neither we nor the sink can take: it is put aside, and what waits behind it goes out."""
    world.say("root", "poison", room="a")
    world.say("root", "next", room="b")
    original = world.channel.post

    def post(channel: str, body: Mapping[str, Any], **more: Any) -> str:
        if body["text"] == "poison":
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        return original(channel, body, **more)

    world.channel.post = post  # type: ignore[method-assign]
    world.run(30)

    assert world.channel.texts == ["next"]
    assert len(world.dead()) == 1
    assert world.store.quarantined() == {"message": 1}


def test_an_hour_of_refusals_loses_nothing(world: World) -> None:
    """Slack answers 503 for an hour; then everything arrives, once."""
    for i in range(10):
        world.say("root", f"r{i}", room=str(i))
    world.channel.faults = [RetryLater("503") for _ in range(100_000)]
    world.run(3600)
    world.channel.faults = []
    world.run(700)

    assert sorted(world.channel.texts) == [f"r{i}" for i in range(10)]
    assert world.dead() == []


@pytest.mark.parametrize("stored", [True, False], ids=["it had been stored", "it had not"])
def test_a_lost_answer_is_looked_up_before_posting_again(world: World, stored: bool) -> None:
    """After a timeout the message stands in the channel exactly once, whether or not the first try had arrived."""
    world.say("root", "killed")
    world.channel.stores_anyway = stored
    world.channel.faults = [Ambiguous("timed out")]
    world.run(1)
    world.channel.stores_anyway = False
    world.run(60)

    assert world.channel.texts == ["killed"]
    assert world.dead() == []


def test_a_doubtful_message_does_not_block_its_channel(world: World) -> None:
    """While one message waits out its grace, the next ones go out."""
    world.say("root", "doubtful", room="a")
    world.say("root", "next", room="b")
    world.channel.faults = [Ambiguous("timed out")]
    world.run(5)

    assert world.channel.texts == ["next"]


def test_a_crash_between_post_and_commit_posts_nothing_twice(tmp_path: Path) -> None:
    """The process dies after Slack stored the message and before we wrote that down; the next one finds it."""
    world = World(tmp_path / "state.db")
    world.say("root", "killed")
    world.sender._arrived = lambda *a, **k: (_ for _ in ()).throw(SystemExit)  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.sender.step()
    world.store.close()
    again = World(tmp_path / "state.db")
    again.channel = world.channel
    again.sender._sinks = {"fake": world.channel}
    again.run(60)
    with again.store.read() as tx:
        roots = [c["root_ts"] for c in tx.run("SELECT root_ts FROM conversation")]
    again.store.close()

    assert world.channel.texts == ["killed"]
    assert roots == ["1"]


@pytest.mark.parametrize(("on_ambiguous", "texts", "n_dead"), [("resend", ["killed"], 0), ("hold", [], 1)])
def test_where_the_channel_cannot_be_read_back_the_setting_decides(
    tmp_path: Path, on_ambiguous: str, texts: list[str], n_dead: int
) -> None:
    """Without a history scope: resend may repeat, hold keeps it as a dead letter."""
    world = World(tmp_path / "state.db", on_ambiguous=on_ambiguous)
    world.channel.can_find = False
    world.say("root", "killed")
    world.channel.faults = [Ambiguous("timed out")]
    world.run(60)
    n_dead_seen = len(world.dead())
    world.store.close()

    assert world.channel.texts == texts
    assert n_dead_seen == n_dead


def test_refused_blocks_are_sent_as_plain_text(world: World) -> None:
    """A message that Slack refuses becomes plainer, never absent."""
    world.say("root", "killed")
    world.channel.faults = [BadMessage("invalid_blocks", code="invalid_blocks")]
    world.run(20)

    assert [(m["text"], m["blocks"]) for m in world.channel.messages.values()] == [("plain killed", 0)]


def test_a_deleted_message_is_posted_anew(world: World) -> None:
    """Somebody deleted the root: the next state of the incident is a new root."""
    world.say("root", "1 kill")
    world.run(15)
    world.say("root", "2 kills")
    world.channel.faults = [Gone("message_not_found", code="message_not_found")]
    world.run(30)

    assert world.channel.texts == ["1 kill", "2 kills"]


def test_a_lost_thread_gets_a_new_root_before_its_reply(world: World) -> None:
    """The thread is gone: root and reply are posted anew, in this order."""
    world.say("root", "killed")
    world.run(15)
    world.say("patch", "raise it")
    world.channel.faults = [Gone("thread_not_found", code="thread_not_found")]
    world.run(30)

    assert [(m["text"], m["thread"]) for m in world.channel.messages.values()] == [("killed", None), ("killed", None), ("raise it", "2")]


def test_a_wrong_token_pauses_the_sink_and_loses_nothing(world: World) -> None:
    """With a revoked token every message would die; they wait, and the problem is named for /readyz."""
    for i in range(3):
        world.say("root", f"r{i}", room=str(i))
    world.channel.faults = [SinkMisconfigured("token_revoked", code="token_revoked")]
    world.run(10)
    problem = dict(world.sender.problems)
    world.run(120)

    assert problem == {"fake": "token_revoked"}
    assert sorted(world.channel.texts) == ["r0", "r1", "r2"]
    assert world.sender.problems == {}


def test_an_unknown_channel_is_a_dead_letter_that_can_be_replayed(world: World) -> None:
    """One wrong channel does not stop the others; after it was mended the letter is sent."""
    world.say("root", "killed")
    world.channel.faults = [SinkMisconfigured("channel_not_found", code="channel_not_found", is_whole_sink=False)]
    world.run(30)
    dead = world.dead()
    with world.store.write() as tx:
        replayed = outbox.replay(tx, None)
    world.run(30)

    assert dead == ["channel_not_found"]
    assert replayed == 1
    assert world.channel.texts == ["killed"]


def test_a_doubtful_message_is_given_up_after_the_retry_age(tmp_path: Path) -> None:
    """Slack answers 500 to everything for longer than RETRY_MAX_AGE: a dead letter, not a try for ever."""
    world = World(tmp_path / "state.db", retry_max_age_s=600.0)
    world.say("root", "killed")
    world.channel.faults = [Ambiguous("500") for _ in range(1000)]
    world.run(1200)
    dead = world.dead()
    world.store.close()

    assert len(dead) == 1


def test_a_message_older_than_the_retry_age_is_given_up(world: World) -> None:
    """After RETRY_MAX_AGE of failures a message is a dead letter, not tried for ever."""
    world.say("root", "killed")
    world.channel.faults = [RetryLater("503") for _ in range(100_000)]
    world.run(86_400 + 600)

    assert len(world.dead()) == 1


def test_where_there_are_no_threads_the_messages_of_an_incident_keep_their_order(world: World) -> None:
    """`resolved` never overtakes `opened` that has to be tried again; other incidents do not wait; a dead one blocks nothing."""
    for room in ("a", "b"):
        world.say("root", f"{room} opened", room=room)
    with world.store.write() as tx:
        for room in ("a", "b"):
            outbox.desire(tx, world.rooms[room], Message(slot="event:1", text=f"{room} resolved"), now=world.clock.now())
    world.channel.faults = [RetryLater("503"), None, None, RetryLater("503"), RetryLater("503")]
    world.run(60)
    world.say("root", "c opened", room="c")
    with world.store.write() as tx:
        outbox.desire(tx, world.rooms["c"], Message(slot="event:1", text="c resolved"), now=world.clock.now())
    world.channel.faults = [SinkMisconfigured("gone", code="gone", is_whole_sink=False)]
    world.run(60)

    assert world.channel.texts[0] == "b opened"
    assert [t for t in world.channel.texts if t.startswith("a")] == ["a opened", "a resolved"]
    assert [t for t in world.channel.texts if t.startswith("b")] == ["b opened", "b resolved"]
    assert [t for t in world.channel.texts if t.startswith("c")] == ["c resolved"]
    assert world.sender.channel_problems == {}  # the channel took the next message


def test_an_outage_does_not_cost_a_root_its_chart(world: World) -> None:
    """Only a refused message is tried without its picture in the end; Slack being away says nothing about the picture."""
    image = {"type": "image", "slack_file": {"id": PICTURE}, "alt_text": "memory"}
    sender = Sender(
        store=world.store, sinks={"fake": Gallery(world.channel)}, metrics=world.metrics, config=SenderConfig(),
        plain_body=lambda body: body, monotonic=world.clock.monotonic, png_of=lambda svg: b"png",
    )  # fmt: skip
    world.sender = sender
    with world.store.write() as tx:
        opened = conversations.open_new(tx, kind="incident", incident_id=None, sink="fake", channel="C1", mention="", now=world.clock.now())
        message = Message(slot="root", text="killed", blocks=({"type": "x"}, image), chart_svg="<svg/>")
        outbox.desire(tx, opened.id, message, now=world.clock.now())
    world.channel.faults = [RetryLater("503")] * 6
    world.run(3600)

    assert [m["blocks"] for m in world.channel.messages.values()] == [2]


class Gallery:
    """A channel that takes pictures too."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def upload(self, content: bytes, name: str, title: str) -> str:
        return "F1"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)
