"""What becomes of a message for every error word of Slack: sender, sink and a Slack that answers with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from receiver.domain.incident import Message
from receiver.errors import Ambiguous, BadMessage, Gone, NotEditable, RetryLater, SinkMisconfigured
from receiver.render import plain_body
from receiver.sinks.slack import SlackBotSink, SlackConfig
from receiver.sinks.slack_errors import classified
from receiver.store import conversations, outbox
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker.sender import Sender, SenderConfig
from tests.fakes.slack import FakeSlack, Fault
from tests.support import Clock

RETRY = ("ratelimited", "service_unavailable", "external_channel_migrating")
DOUBT = ("internal_error", "fatal_error")
WHOLE_SINK = ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope")
ONE_CHANNEL = (
    "channel_not_found", "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "ekm_access_denied",
)  # fmt: skip
MESSAGE = (
    "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "too_many_attachments", "invalid_attachments", "no_text",
    "metadata_too_large", "metadata_must_be_sent_from_app", "invalid_metadata_format", "invalid_metadata_schema",
)  # fmt: skip
GONE = ("message_not_found",)
NOT_EDITABLE = ("cant_update_message", "edit_window_closed")
THREAD = ("thread_not_found", "restricted_action_thread_locked")
WEBHOOK = {
    "invalid_payload": BadMessage, "no_service": SinkMisconfigured, "channel_is_archived": SinkMisconfigured,
    "action_prohibited": SinkMisconfigured,
}  # fmt: skip


@dataclass
class Office:
    """A store, a sender and Slack."""

    slack: FakeSlack
    store: Store
    clock: Clock
    metrics: Metrics
    sender: Sender
    conversation_id: str

    def say(self, slot: str, text: str) -> None:
        blocks = ({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}},)
        with self.store.write() as tx:
            message = Message(slot=slot, text=text, blocks=blocks, full_text=text, is_reply=slot != "root")
            outbox.desire(tx, self.conversation_id, message, now=self.clock.now())

    def run(self, seconds: float) -> None:
        end = self.clock.ticks + seconds
        while (wait_s := self.sender.step()) + self.clock.ticks <= end:
            self.clock.advance(max(wait_s, 0.001))
        self.clock.advance(end - self.clock.ticks)

    def shown(self) -> list[tuple[str, list[str]]]:
        """Each root with its replies."""
        return [(root.message.shown(), [r.shown() for r in root.replies]) for root in self.slack.channel("C1").roots]

    def counted(self, result: str) -> float:
        return self.metrics.registry.get_sample_value("oomtriage_deliveries_total", {"sink": "slack", "result": result}) or 0.0

    def dead(self) -> int:
        with self.store.read() as tx:
            return len(outbox.dead(tx))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    with FakeSlack() as slack:
        store = Store.open_sqlite(tmp_path / "state.db", clock=clock.now)
        with store.write() as tx:
            opened = conversations.open_new(tx, kind="incident", incident_id=None, sink="slack", channel="C1", mention="", now=clock.now())
        metrics = Metrics(sinks=["slack"])
        sink = SlackBotSink(SlackConfig(token=slack.token, api_url=slack.api_url, timeout_s=5.0))
        sender = Sender(
            store=store, sinks={"slack": sink}, metrics=metrics, config=SenderConfig(), monotonic=clock.monotonic, plain_body=plain_body,
        )  # fmt: skip
        yield Office(slack, store, clock, metrics, sender, opened.id)
        store.close()


@pytest.mark.parametrize("word", [*RETRY, *DOUBT])
def test_a_passing_fault_delays_the_message(office: Office, word: str) -> None:
    """It is there once, with its blocks; after a fault that may have stored it, only when it is not found."""
    office.slack.fail(Fault(kind="error", word=word, method="chat.postMessage"))
    office.say("root", "killed")
    office.run(60)

    assert office.shown() == [("killed", [])]
    assert office.slack.channel("C1").roots[0].message.blocks
    assert office.counted("ambiguous" if word in DOUBT else "retry") == 1
    assert office.dead() == 0


@pytest.mark.parametrize("word", WHOLE_SINK)
def test_a_wrong_token_pauses_and_is_named(office: Office, word: str) -> None:
    """Nothing is lost: the message goes out once the token works again; the problem stands in /readyz until then."""
    office.slack.fail(Fault(kind="error", word=word, method="chat.postMessage"))
    office.say("root", "killed")
    office.run(10)
    problems = dict(office.sender.problems)
    office.run(60)

    assert word in problems["slack"]
    assert office.shown() == [("killed", [])]
    assert office.sender.problems == {}
    assert (office.counted("misconfigured"), office.counted("ok"), office.dead()) == (1, 1, 0)


@pytest.mark.parametrize("word", ONE_CHANNEL)
def test_a_wrong_channel_is_a_dead_letter_and_is_named(office: Office, word: str) -> None:
    """Others go on; it can be replayed when the channel works, and then the problem is gone."""
    office.slack.fail(Fault(kind="error", word=word, method="chat.postMessage"))
    office.say("root", "killed")
    office.run(10)
    problems, n_dead = dict(office.sender.channel_problems), office.dead()
    with office.store.write() as tx:
        outbox.replay(tx, None)
    office.run(10)

    assert word in problems["C1"]
    assert n_dead == 1
    assert office.sender.problems == {}
    assert office.shown() == [("killed", [])]
    assert office.sender.channel_problems == {}
    assert office.counted("misconfigured") == office.counted("dead") == 1


@pytest.mark.parametrize("word", [*MESSAGE, "a_word_of_tomorrow"])
def test_a_refused_message_goes_out_plainer(office: Office, word: str) -> None:
    """The alert is never dropped: its text is sent without blocks."""
    office.slack.fail(Fault(kind="error", word=word, method="chat.postMessage"))
    office.say("root", "killed")
    office.run(10)

    assert office.shown() == [("killed", [])]
    assert office.slack.channel("C1").roots[0].message.blocks == []
    assert (office.counted("refused"), office.counted("ok"), office.dead()) == (1, 1, 0)


@pytest.mark.parametrize("word", GONE)
def test_a_message_that_is_gone_is_posted_anew(office: Office, word: str) -> None:
    """The newest state stands in the channel."""
    office.say("root", "1 kill")
    office.run(20)
    office.slack.fail(Fault(kind="error", word=word, method="chat.update"))
    office.say("root", "2 kills")
    office.run(20)

    assert office.shown() == [("1 kill", []), ("2 kills", [])]
    assert office.dead() == 0


@pytest.mark.parametrize("word", NOT_EDITABLE)
def test_a_message_that_stands_and_cannot_be_edited_stays_so(office: Office, word: str) -> None:
    """A second copy beside it would be no better, and the next edit would be refused too."""
    office.say("root", "1 kill")
    office.run(20)
    office.slack.fail(Fault(kind="error", word=word, method="chat.update"))
    office.say("root", "2 kills")
    office.run(20)

    assert office.shown() == [("1 kill", [])]
    assert word in office.sender.channel_problems["C1"]
    assert office.dead() == 0


@pytest.mark.parametrize("word", THREAD)
def test_a_thread_that_takes_nothing_more_is_begun_anew(office: Office, word: str) -> None:
    """Root and reply stand in a new thread."""
    office.say("root", "killed")
    office.run(20)
    office.slack.fail(Fault(kind="error", word=word, method="chat.postMessage"))
    office.say("patch", "raise it")
    office.run(20)

    assert office.shown() == [("killed", []), ("killed", ["raise it"])]
    assert office.dead() == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (RETRY, RetryLater),
        (DOUBT, Ambiguous),
        ((*WHOLE_SINK, *ONE_CHANNEL), SinkMisconfigured),
        (MESSAGE, BadMessage),
        ((*GONE, *THREAD), Gone),
        (NOT_EDITABLE, NotEditable),
    ],
    ids=["retry", "doubt", "settings", "message", "gone", "not editable"],
)
def test_the_class_of_every_word(words: tuple[str, ...], error: type) -> None:
    """The table, in one place."""
    assert {word: type(classified(word, word, is_repeatable=False)) for word in words} == dict.fromkeys(words, error)
    assert [type(classified(w, w, is_repeatable=False)) for w in WEBHOOK] == list(WEBHOOK.values())
