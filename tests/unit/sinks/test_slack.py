"""The Slack bot sink against a Slack that behaves: posts, edits, lost answers, refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, NotEditable, RetryLater, SinkMisconfigured
from receiver.render import plain_body
from receiver.sinks.base import CannotReconcile, Sink
from receiver.sinks.slack import SlackBotSink, SlackConfig
from tests.fakes.slack import TOKEN, FakeSlack, Fault, RemoteFakeSlack
from tests.places import REPO
from tests.unit.render import cases
from tests.unit.render.test_renderer import renderer
from tests.unit.sinks.kit import Answer, SinkCase

FAULTS: tuple[tuple[Fault, type[DeliveryError], type[DeliveryError]], ...] = (
    (Fault(kind="status", status=500), Ambiguous, RetryLater),
    (Fault(kind="status", status=503), Ambiguous, RetryLater),
    (Fault(kind="status", status=404), SinkMisconfigured, SinkMisconfigured),
    (Fault(kind="status", status=302), SinkMisconfigured, SinkMisconfigured),
    (Fault(kind="status", status=413), BadMessage, BadMessage),
    (Fault(kind="garbage"), Ambiguous, RetryLater),
    (Fault(kind="close"), Ambiguous, RetryLater),
    (Fault(kind="ratelimited", retry_after_s=7), RetryLater, RetryLater),
    *((Fault(kind="error", word=w), RetryLater, RetryLater) for w in ("ratelimited", "service_unavailable")),
    *((Fault(kind="error", word=w), Ambiguous, RetryLater) for w in ("internal_error", "fatal_error")),
    *(
        (Fault(kind="error", word=w), SinkMisconfigured, SinkMisconfigured)
        for w in ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "channel_not_found",
                  "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel", "ekm_access_denied")
    ),
    *(
        (Fault(kind="error", word=w), BadMessage, BadMessage)
        for w in ("invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "too_many_attachments",
                  "invalid_attachments", "no_text", "metadata_too_large", "a_word_of_tomorrow", "Bad <!channel> Word")
    ),
    *((Fault(kind="error", word=w), Gone, Gone) for w in ("message_not_found", "thread_not_found", "restricted_action_thread_locked")),
    *((Fault(kind="error", word=w), NotEditable, NotEditable) for w in ("cant_update_message", "edit_window_closed")),
)  # fmt: skip
CASE = SinkCase(
    server=FakeSlack, make=lambda slack, timeout_s: sink_of(slack, timeout_s=timeout_s), channel="C1",
    nobody=lambda: SlackBotSink(SlackConfig(token=TOKEN, api_url="http://127.0.0.1:9/api")),
    answers=tuple(
        Answer(name=f"{f.kind}-{f.status}-{f.word}", prepare=lambda slack, f=f: slack.fail(f), error=error) for f, error, _ in FAULTS  # type: ignore[misc]
    ),
    hang=lambda slack: slack.fail(Fault(kind="lost_hang", method="chat.postMessage")), no_answer=Ambiguous, secrets=(TOKEN,),
)  # fmt: skip


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake
        assert fake.complaints == []


@pytest.fixture
def sink(slack: FakeSlack) -> SlackBotSink:
    return sink_of(slack)


def sink_of(slack: FakeSlack | RemoteFakeSlack, **more: Any) -> SlackBotSink:
    return SlackBotSink(SlackConfig(**{"token": slack.token, "api_url": slack.api_url, "timeout_s": 5.0, **more}))


def body(text: str = "hello") -> dict[str, Any]:
    return {"text": text, "blocks": [], "full_text": text}


def test_a_whole_incident_stands_in_one_thread(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Root and replies arrive as rendered, in order, marked so that they can be found again, with nothing unfurled."""
    root, *replies = renderer().incident(*cases.leak())
    ts = sink.post("C1", root.body(), delivery_id="d-0")
    for i, reply in enumerate(replies, start=1):
        sink.post("C1", reply.body(), thread_ts=ts, delivery_id=f"d-{i}")

    (seen,) = slack.channel("C1").roots
    assert seen.message.shown() == root.full_text
    assert [r.shown() for r in seen.replies] == [r.full_text for r in replies]
    assert [m.delivery_id for m in slack.channel("C1").messages] == ["d-0", "d-1", "d-2", "d-3"]


def test_an_edit_changes_the_message_in_place_and_calls_nobody(slack: FakeSlack, sink: SlackBotSink) -> None:
    """An edit keeps ts and thread; a mention that pinged with the first post is not repeated."""
    slack.allowed_mention = "<!subteam^S0123ABCD>"
    view, report = cases.leak()
    called = renderer().incident(cases.view_of(report, mention="<!subteam^S0123ABCD>", kill_count=4), report)[0].body()
    ts = sink.post("C1", called, delivery_id="d")
    sink.update("C1", str(ts), called | {"text": called["text"] + " "})

    assert len(slack.channel("C1").roots) == 1
    assert slack.channel("C1").roots[0].message.edits == 1
    assert slack.pings == ["<!subteam^S0123ABCD>", "S0123ABCD"]
    assert slack.silent_mentions == []
    assert view.mention == ""


def test_an_edit_to_plain_text_takes_the_blocks_away(slack: FakeSlack, sink: SlackBotSink) -> None:
    """When blocks were refused, the plain message does not keep the old ones."""
    root = renderer().incident(*cases.leak())[0].body()
    ts = sink.post("C1", root, delivery_id="d")
    sink.update("C1", str(ts), plain_body(root))

    message = slack.channel("C1").roots[0].message
    assert message.blocks == []
    assert "Grew 20-21 MiB/h" in message.shown()


def test_text_only_posts_and_edits_have_no_blocks(slack: FakeSlack) -> None:
    """For receivers that drop blocks: root, reply and edit are whole texts, and the mention is in the post alone."""
    slack.allowed_mention = "<!subteam^S0123ABCD>"
    sink = sink_of(slack, is_text_only=True)
    _, report = cases.leak()
    root, *replies = renderer().incident(cases.view_of(report, mention="<!subteam^S0123ABCD>"), report)
    ts = sink.post("C1", root.body(), delivery_id="d")
    sink.post("C1", replies[0].body(), thread_ts=ts, delivery_id="d-1")
    sink.update("C1", str(ts), root.body())
    (seen,) = slack.channel("C1").roots

    assert [m.blocks for m in slack.channel("C1").messages] == [[], []]
    assert "\nDo     Fix the code" in seen.message.text
    assert "Last log before the kill" in seen.replies[0].text
    assert slack.pings == ["<!subteam^S0123ABCD>"]
    assert slack.silent_mentions == []


@pytest.mark.parametrize("kind", ["lost", "lost_status"])
def test_a_lost_answer_is_doubt_and_the_message_can_be_found(slack: FakeSlack, sink: SlackBotSink, kind: str) -> None:
    """Slack stored the post but the answer did not arrive: Ambiguous, and `find` tells its ts, in channel and thread."""
    slack.fail(Fault(kind=kind, method="chat.postMessage", status=502))
    with pytest.raises(Ambiguous):
        sink.post("C1", body(), delivery_id="d-1")
    root = slack.channel("C1").roots[0].message
    slack.fail(Fault(kind=kind, method="chat.postMessage", status=502))
    with pytest.raises(Ambiguous):
        sink.post("C1", body(), thread_ts=root.ts, delivery_id="d-2")
    oldest = float(root.ts) - 60

    assert sink.find("C1", "d-1", oldest=oldest) == root.ts
    assert sink.find("C1", "d-2", thread_ts=root.ts, oldest=oldest) == slack.channel("C1").roots[0].replies[0].ts
    assert sink.find("C1", "d-3", oldest=oldest) is None
    assert sink.find("C1", "d-1", oldest=float(root.ts) + 60) is None


def test_a_timeout_is_doubt_for_a_post_and_only_a_retry_for_an_edit(slack: FakeSlack) -> None:
    """A second chat.postMessage may double the message, a second chat.update cannot."""
    hasty = sink_of(slack, timeout_s=0.2)
    ts = hasty.post("C1", body(), delivery_id="d-0")
    slack.fail(Fault(kind="lost_hang", method="chat.postMessage"))
    with pytest.raises(Ambiguous):
        hasty.post("C1", body(), delivery_id="d-1")
    slack.fail(Fault(kind="hang", method="chat.update"))
    with pytest.raises(RetryLater):
        hasty.update("C1", str(ts), body())

    assert len(slack.channel("C1").roots) == 2


def test_refused_connections_surely_stored_nothing(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Slack away: RetryLater, not doubt."""
    slack.stop()
    with pytest.raises(RetryLater) as caught:
        sink.post("C1", body(), delivery_id="d")

    assert caught.value.code == "unreachable"


def test_a_rate_limit_says_how_long_to_wait(slack: FakeSlack, sink: SlackBotSink) -> None:
    """The second message within the interval is refused with Retry-After; other channels are free."""
    slack.min_interval_s = 30.0
    slack.add_channel("C2", "other")
    sink.post("C1", body(), delivery_id="d-1")
    with pytest.raises(RetryLater) as caught:
        sink.post("C1", body(), delivery_id="d-2")
    sink.post("C2", body(), delivery_id="d-3")

    assert caught.value.retry_after_s is not None
    assert 29 <= caught.value.retry_after_s <= 31
    assert caught.value.code == "ratelimited"
    assert len(slack.channel("C1").roots) == 1


@pytest.mark.parametrize(
    ("fault", "error", "for_edit"),
    FAULTS,
    ids=lambda p: (p.word if p.kind == "error" else f"{p.kind}{p.status}") if isinstance(p, Fault) else None,
)  # fmt: skip
def test_every_refusal_has_its_class(slack: FakeSlack, sink: SlackBotSink, fault: Fault, error: type, for_edit: type) -> None:
    """What the sender does next depends on the class alone; codes are bounded words, and no text gives the token away."""
    ts = str(sink.post("C1", body(), delivery_id="d-0"))
    slack.fail(Fault(**(vars(fault) | {"times": 2})))
    with pytest.raises(DeliveryError) as posted:
        sink.post("C1", body(), delivery_id="d-1")
    with pytest.raises(DeliveryError) as edited:
        sink.update("C1", ts, body())

    assert type(posted.value) is error
    assert type(edited.value) is for_edit
    for caught in (posted.value, edited.value):
        assert slack.token not in str(caught)
        assert slack.token not in repr(caught)
        assert len(caught.code) <= 60
        assert caught.code.replace("_", "").isalnum()


def test_one_bad_channel_is_not_the_whole_sink(slack: FakeSlack, sink: SlackBotSink) -> None:
    """A wrong channel puts one conversation aside, a wrong token pauses everything."""
    with pytest.raises(SinkMisconfigured) as channel:
        sink.post("C404", body(), delivery_id="d")
    with pytest.raises(SinkMisconfigured) as token:
        sink_of(slack, token="xoxb-wrong").post("C1", body(), delivery_id="d")

    assert not channel.value.is_whole_sink
    assert token.value.is_whole_sink
    assert "invite the bot" in str(channel.value)
    assert "xoxb-wrong" not in str(token.value)


def test_what_slack_would_refuse_is_refused_with_its_reasons(slack: FakeSlack, sink: SlackBotSink) -> None:
    """The checker inside the fake answers invalid_blocks and msg_blocks_too_long; both mean: send a plainer one."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x" * 700}]}
    too_long = body() | {"blocks": [{"type": "rich_text", "elements": [section]}] * 20}
    for refused, word in (
        (too_long, "msg_blocks_too_long"),
        (body() | {"blocks": [{"type": "rich_text", "elements": []}]}, "invalid_blocks"),
    ):
        with pytest.raises(BadMessage) as caught:
            sink.post("C1", refused, delivery_id="d")
        assert caught.value.code == word
    assert slack.complaints
    slack.complaints.clear()


@pytest.mark.parametrize(("whose", "fits"), [("storm", True), ("inventory", True), ("day", False)])
def test_a_page_of_a_digest_may_be_longer_than_another_reply(slack: FakeSlack, sink: SlackBotSink, whose: str, *, fits: bool) -> None:
    """117 workloads in one page are 5,900 characters, well below what Slack refuses."""
    root = sink.post("C1", body(), delivery_id="root")
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x" * 65}]}
    page = {"text": f"All 80 workloads of this {whose}, by cause", "blocks": [{"type": "rich_text", "elements": [line] * 80}]}
    sink.post("C1", page, delivery_id="page", thread_ts=root)

    assert bool(slack.complaints) != fits
    slack.complaints.clear()


def test_a_deleted_root_is_gone(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Editing a deleted message, or replying to it, says Gone: post anew."""
    ts = str(sink.post("C1", body(), delivery_id="d"))
    slack.delete("C1", ts)
    with pytest.raises(Gone):
        sink.update("C1", ts, body())
    with pytest.raises(Gone):
        sink.post("C1", body(), thread_ts=ts, delivery_id="d-2")

    assert sink.find("C1", "d-2", thread_ts=ts, oldest=0) is None


def test_without_the_history_scope_nothing_can_be_reconciled(slack: FakeSlack, sink: SlackBotSink) -> None:
    """A missing scope is a distinct answer that names the scope, not "it is not there"."""
    slack.scopes.discard("channels:history")
    with pytest.raises(CannotReconcile, match="channels:history"):
        sink.find("C1", "d", oldest=0)


def test_a_message_is_found_behind_several_pages(slack: FakeSlack, sink: SlackBotSink) -> None:
    """History is read page by page, newest first."""
    sink.post("C1", body(), delivery_id="first")
    for i in range(450):
        with slack._changed:
            slack._store("C1", {"text": str(i)})

    assert sink.find("C1", "first", oldest=0) == slack.channel("C1").roots[0].message.ts
    assert slack.calls["conversations.history"] == 3


def test_the_check_names_the_workspace_and_the_missing_scopes(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Readiness detail and `doctor` learn who the token is and what it lacks."""
    slack.scopes.discard("channels:history")
    identity = sink.check()

    assert (identity.team, identity.user, identity.lacks) == ("Fake", "oomtriage", ("channels:history",))
    with pytest.raises(SinkMisconfigured, match="the token is wrong"):
        sink_of(slack, token="xoxb-wrong").check()


def test_a_message_has_a_link_once_the_workspace_is_known(slack: FakeSlack, sink: SlackBotSink) -> None:
    """In the form of Slack's own `Copy link`, a reply with its thread; before that there is none."""
    assert sink.link_to("C1", "1731229200.000100") == ""

    sink.check()

    assert sink.link_to("C1", "1731229200.000100") == "https://fake.slack.com/archives/C1/p1731229200000100"
    assert sink.link_to("C1", "1731229200.000100", "1731229200.000100") == "https://fake.slack.com/archives/C1/p1731229200000100"
    reply = sink.link_to("C1", "1731229201.000200", "1731229200.000100")
    assert reply == "https://fake.slack.com/archives/C1/p1731229201000200?thread_ts=1731229200.000100&cid=C1"


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "javascript:alert(1)", "http://fake.slack.com/", "https://fake.slack.com.evil.example/", ""]
)
def test_only_an_address_of_slacks_is_linked(slack: FakeSlack, sink: SlackBotSink, url: str) -> None:
    """Whatever the answer names; nor is a ts that is none put into an address."""
    slack.workspace_url = url
    sink.check()
    assert sink.link_to("C1", "1731229200.000100") == ""

    slack.workspace_url = 'https://fake.slack.com/"><script>'
    sink.check()
    assert sink.link_to("C1", "1731229200.000100") == "https://fake.slack.com/archives/C1/p1731229200000100"
    assert sink.link_to("C1", "../../x") == ""


def test_a_channel_name_becomes_its_id_or_a_hint(slack: FakeSlack, sink: SlackBotSink) -> None:
    """Names are looked up; one that cannot be found says what to set instead."""
    for i in range(300):
        slack.add_channel(f"C9{i}", f"c{i}")
    slack.add_channel("C7", "last-one")

    assert sink.resolve_channel("#last-one") == "C7"
    with pytest.raises(SinkMisconfigured, match="set the channel's ID"):
        sink.resolve_channel("nowhere")


def test_secrets_are_not_in_what_is_printed() -> None:
    """Neither the sink nor its configuration shows the token."""
    config = SlackConfig(token="xoxb-secret")

    assert "xoxb-secret" not in f"{config!r} {config} {SlackBotSink(config)!r}"


def test_the_fake_runs_as_a_process_of_its_own() -> None:
    """Tests that kill the receiver keep Slack alive beside it."""
    root = REPO
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.slack", "--port", "0"], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            remote = RemoteFakeSlack(int(process.stdout.readline()))
            sink: Sink = sink_of(remote)
            remote.fail(Fault(kind="lost", method="chat.postMessage"))
            with pytest.raises(Ambiguous):
                sink.post("C1", body("one"), delivery_id="d-1")
            remote.set(outage=503)
            with pytest.raises(Ambiguous):
                sink.post("C1", body("two"), delivery_id="d-2")
            remote.heal()

            assert [m.delivery_id for m in remote.messages()] == ["d-1"]
            assert remote.state()["complaints"] == []
        finally:
            process.kill()
