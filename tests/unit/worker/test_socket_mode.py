"""Socket Mode against a Slack that behaves: over real sockets, and over everything that goes wrong between us."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.errors import StoreError
from receiver.pipeline.actions import Act, Actions, Outcome
from receiver.pipeline.fold import FoldConfig, fold
from receiver.pipeline.presses import Presses
from receiver.pipeline.storm_acts import StormActions
from receiver.store import incident_lists, incidents
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.transport.websocket import WebSocketConfig
from receiver.worker.socket_mode import DISABLED, NAME, SocketMode, SocketModeConfig
from tests.fakes.slack import FakeSlack, Fault
from tests.support import alert, wait_until

QUICK = WebSocketConfig(name=NAME, open_s=10.0, ping_s=0.05, pong_s=10.0)
OPEN = "apps.connections.open"


class Site:
    """A store with one incident, and what takes presses for it over Socket Mode."""

    def __init__(self, path: Path, slack: FakeSlack) -> None:
        self.slack = slack
        self.sockets = slack.socket_mode
        self.metrics = Metrics()
        self.store = Store.open_sqlite(path)
        self.store.accept([alert()])
        fold(self.store, FoldConfig())
        with self.store.write() as tx:
            self.id = incident_lists.newest(tx, 1)[0].id
        self.actions = Actions(self.store)
        self.wakes = 0
        self.mode = self.make()

    def make(self, **overrides: Any) -> SocketMode:
        values: dict[str, Any] = {
            "token": self.slack.app_token, "api_url": self.slack.api_url, "first_wait_s": 0.01, "longest_wait_s": 0.05, "refused_s": 60.0,
            "hello_s": 10.0, "drain_s": 0.05, "connection": QUICK, **overrides,
        }  # fmt: skip
        presses = Presses(self.actions, StormActions(self.store), wake=self.wake)
        return SocketMode(SocketModeConfig(**values), presses, metrics=self.metrics)

    def wake(self) -> None:
        self.wakes += 1

    def started(self, **overrides: Any) -> SocketMode:
        self.mode = self.make(**overrides)
        self.mode.start()
        return self.mode

    def connected(self, **overrides: Any) -> SocketMode:
        mode = self.started(**overrides)
        self.until(lambda: mode.state != "connecting", "Slack has said hello")
        return mode

    def until(self, predicate: Callable[[], object], what: str) -> None:
        wait_until(lambda: bool(predicate()), what=what, timeout_s=20)

    def press(self, action: str = "ack", *, ts: str = "1.1", **user: str) -> str:
        return self.sockets.press(payload(self.id, action, ts=ts, **user))

    def is_acked(self, *envelopes: str) -> None:
        self.slack.wait_for(lambda: all(self.sockets.acked[e] for e in envelopes))

    @property
    def log(self) -> list[str]:
        with self.store.read() as tx:
            found = incidents.load(tx, self.id)
        assert found is not None
        return [entry.what.code for entry in found.memory.log]

    def metric(self, name: str, result: str = "") -> float:
        labels = {"result": result} if result else {}
        return self.metrics.registry.get_sample_value(f"oomtriage_slack_socket_{name}", labels) or 0.0


def payload(target: str, action: str, *, ts: str = "1.1", **user: str) -> dict[str, Any]:
    """What Slack puts into an envelope for a button: the same document that it posts to a request URL."""
    person = {"id": "U1", "name": "ines", "team_id": "T1", **user}
    one = {"action_ts": ts, "type": "button", "action_id": action, "value": target}
    return {"type": "block_actions", "api_app_id": "A0FAKE", "team": {"id": "T1"}, "user": person, "actions": [one]}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with FakeSlack() as slack:
        site = Site(tmp_path / "state.db", slack)
        yield site
        site.mode.stop()
        site.store.close()


def test_a_press_is_written_down_and_acknowledged(site: Site) -> None:
    """One connection, one press, one act; who works on it is woken."""
    mode = site.connected()
    site.is_acked(site.press())

    assert site.log == ["incident.log.acknowledged"]
    assert site.wakes == 1
    assert mode.state == "ok"
    assert len(site.sockets.opened) == 1
    assert (site.metric("connected"), site.metric("connects_total", "ok"), site.metric("envelopes_total", "done")) == (1.0, 1.0, 1.0)


def test_a_press_is_durable_before_slack_may_forget_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The acknowledgement waits for the disk, not for the work."""
    may_write, take = threading.Event(), site.actions.take

    def slow(target: str, act: Act) -> Outcome:
        assert may_write.wait(20)
        return take(target, act)

    monkeypatch.setattr(site.actions, "take", slow)
    site.connected()
    envelope = site.press()
    site.slack.wait_for(lambda: site.sockets.deliveries[envelope] == 1)
    before = site.sockets.acked[envelope]
    may_write.set()
    site.is_acked(envelope)

    assert before == 0


def test_what_is_sent_again_counts_once(site: Site) -> None:
    """The acknowledgement was lost, so Slack repeats the envelope; a second press of the same person is another one."""
    site.sockets.ack_s = 0.05
    site.sockets.keeps_acks = True
    site.connected()
    first = site.press("silence_1h", ts="7.7")
    site.slack.wait_for(lambda: site.sockets.opened[0].acks.count(first) >= 3)
    site.sockets.keeps_acks = False
    site.is_acked(first, site.press("unsilence", ts="7.8"))
    with site.store.read() as tx:
        found = incidents.load(tx, site.id)

    assert found.memory.silence.wanted_until is None
    assert len(found.memory.clicks) == 2


def test_what_cannot_be_stored_is_not_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack sends it again, and once the disk has room it is done."""
    site.sockets.ack_s = 0.05
    take, full = site.actions.take, threading.Event()

    def refuse(target: str, act: Act) -> Outcome:
        if not full.is_set():
            raise StoreError("disk full")
        return take(target, act)

    monkeypatch.setattr(site.actions, "take", refuse)
    site.connected()
    envelope = site.press()
    site.slack.wait_for(lambda: site.sockets.deliveries[envelope] >= 2)
    refused = site.sockets.acked[envelope]
    full.set()
    site.is_acked(envelope)

    assert refused == 0
    assert site.log == ["incident.log.acknowledged"]
    assert site.metric("envelopes_total", "not_stored") >= 1


def test_what_is_not_for_us_is_acknowledged_and_left(site: Site) -> None:
    """Or Slack would send it again, and show the person a warning."""
    site.connected()
    site.is_acked(
        site.sockets.send({"type": "events_api", "payload": {"event": {"type": "app_mention"}}}),
        site.sockets.send({"type": "slash_commands", "payload": {"command": "/oom"}}),
        site.sockets.send({"type": "interactive", "payload": {"type": "view_submission", "user": {"id": "U1"}}}),
        site.sockets.send({"type": "interactive", "payload": "nonsense"}),
        site.sockets.press(payload("inc_NOTHERE", "ack")),
        site.sockets.press(payload(site.id, "nonsense")),
    )

    assert site.log == []
    assert site.metric("envelopes_total", "unreadable") == 1


def test_somebody_of_another_workspace_is_refused_here_too(site: Site) -> None:
    """It is the same path behind both ways in."""
    site.connected()
    site.is_acked(site.press(team_id="T2"))

    assert site.log == ["incident.log.refused"]


def test_garbage_does_not_cost_the_connection(site: Site) -> None:
    """Text that is no message is counted; the next press is done."""
    site.connected()
    for text in ("", "{", "[]", "null", '{"type": 3}', "[" * 50_000, '{"envelope_id": 7}', '"\\ud800"'):
        site.sockets.connections[0].say(text)
    site.is_acked(site.press())

    assert len(site.sockets.opened) == 1
    assert site.metric("envelopes_total", "unreadable") == 8


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled", "what Slack thinks of next"])
def test_the_next_connection_is_open_before_the_old_one_is_let_go(site: Site, reason: str) -> None:
    """Slack says that it will close; presses that come over the old one meanwhile are taken."""
    site.connected(drain_s=0.2, steady_s=0.0)
    old = site.sockets.disconnect(reason)
    site.slack.wait_for(lambda: len(site.sockets.opened) == 2)
    both = len(site.sockets.connections)
    presses = [site.press(ts=str(i)) for i in range(4)]  # to the one and the other
    site.is_acked(*presses)
    site.slack.wait_for(lambda: len(site.sockets.connections) == 1)

    assert both == 2
    assert old.acks
    assert site.sockets.connections[0].acks
    assert old.close_code == 1001
    assert site.mode.state == "ok"


def test_no_press_is_lost_in_ten_refreshes(site: Site) -> None:
    """People press while Slack replaces connection after connection, closing the old ones at once."""
    site.sockets.ack_s = 0.1
    site.connected(first_wait_s=0.001, longest_wait_s=0.002)
    presses = []
    for i in range(10):
        presses += [site.press("tick:root_cause", ts=f"{i}.{n}") for n in range(3)]
        site.sockets.disconnect("refresh_requested", closes_in_s=0.0)
        presses += [site.press("untick:root_cause", ts=f"{i}.{n}") for n in range(3, 5)]
        site.slack.wait_for(lambda: len(site.sockets.opened) == i + 2)  # noqa: B023  waited for here
    site.is_acked(*presses)

    assert len(presses) == 50


@pytest.mark.parametrize(
    "fault",
    [
        lambda connection: connection.drop(),
        lambda connection: connection.shut(),
        lambda connection: connection.raw(b"\xff\xff garbage \x00"),
        lambda connection: connection.say("x" * (5 * 1024**2)),
    ],
    ids=["dropped", "closed", "no-frame", "too-long"],
)
def test_a_lost_connection_is_replaced(site: Site, fault: Callable[[Any], None]) -> None:
    """At once, whatever ended it; a press after it is done."""
    site.connected()
    fault(site.sockets.connections[0])
    site.slack.wait_for(lambda: len(site.sockets.opened) >= 2)
    site.is_acked(site.press())

    assert site.log == ["incident.log.acknowledged"]
    site.until(lambda: site.mode.state == "ok", "it says that it works again")


def test_a_silent_connection_is_noticed(site: Site) -> None:
    """The other side is there for TCP and answers nothing: a ping tells."""
    site.connected(connection=WebSocketConfig(name=NAME, open_s=10.0, ping_s=0.05, pong_s=0.3))
    site.sockets.hangs = True
    site.until(lambda: site.mode.state == f"{NAME} is silent: a ping was not answered", "the silence is noticed")
    lost = site.metric("connected")
    site.sockets.hangs = False
    site.until(lambda: site.metric("connected") == 1.0 and site.mode.state == "ok", "it is connected again")
    site.is_acked(site.press())

    assert lost == 0.0


def test_a_connection_without_a_hello_is_none(site: Site) -> None:
    """Nothing would come over it."""
    site.sockets.greets = False
    mode = site.started(hello_s=0.05)
    site.until(lambda: mode.state == f"{NAME}: no hello came", "it is given up")

    assert site.metric("connected") == 0.0


@pytest.mark.parametrize(
    ("token", "word"), [("xapp-wrong", "invalid_auth"), ("xoxb-fake-0123456789", "not_allowed_token_type")], ids=["wrong", "bot-token"]
)
def test_a_refused_token_is_said_once(site: Site, caplog: pytest.LogCaptureFixture, token: str, word: str) -> None:
    """In the log, in /readyz, in a counter: what to set; and Slack is left alone for a while."""
    caplog.set_level(logging.INFO)
    mode = site.started(token=token, refused_s=0.02)
    site.slack.wait_for(lambda: site.slack.calls[OPEN] >= 3)

    assert word in mode.state
    assert "SLACK_APP_TOKEN" in mode.state
    assert "connections:write" in mode.state
    assert site.metric("connects_total", "refused") >= 2
    assert len([r for r in caplog.records if r.name.startswith("receiver.worker.socket_mode")]) == 1
    assert token not in caplog.text


def test_slack_is_asked_again_when_it_says_so(site: Site) -> None:
    """429 with Retry-After: a second without a question, then it works."""
    site.slack.fail(Fault("ratelimited", OPEN, retry_after_s=1.0))
    mode = site.started()
    site.slack.wait_for(lambda: site.slack.calls[OPEN] == 1)
    site.until(lambda: "too many requests" in mode.state, "the limit is told")
    asked = site.slack.calls[OPEN]
    site.until(lambda: mode.state == "ok", "it is asked again")

    assert asked == 1
    assert site.slack.calls[OPEN] == 2


@pytest.mark.parametrize("kind", ["status", "garbage", "close", "error"])
def test_slack_in_trouble_is_asked_again(site: Site, kind: str) -> None:
    """A passing fault costs some tries."""
    site.slack.fail(Fault(kind, OPEN, times=3))
    mode = site.started()
    site.until(lambda: mode.state == "ok", "it is connected")

    assert site.slack.calls[OPEN] == 4
    assert site.metric("connects_total", "failed") == 3


def test_a_fast_loop_is_slowed_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is taken away again and again is not asked for hundreds of times."""
    mode = site.make(first_wait_s=1.0, longest_wait_s=60.0)
    waits = [mode._backoff_s(n) for n in range(12)]

    assert waits[:2] == [0.0, 0.0]
    assert all(0.5 * 2**i <= waits[i + 2] <= 2**i for i in range(6))
    assert all(30.0 <= w <= 60.0 for w in waits[8:])


@pytest.mark.parametrize(
    "url",
    [
        "wss://evil.example/link/?ticket=t0psecret",
        "ws://wss.slack.com/link/?ticket=t0psecret",
        "https://x.slack.com/",
        "wss://[",
        "",
        "ws://10.0.0.1/",
    ],
)
def test_only_slack_is_connected_to(site: Site, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The address comes from outside: an answer cannot send us, or a ticket, to another host."""
    site.slack.socket_url = url or "nothing"
    mode = site.started()
    site.until(lambda: mode.state != "connecting", "it is refused")

    assert mode.state == f"{NAME}: the address that {OPEN} answered is none of Slack's"
    assert "t0psecret" not in caplog.text
    assert site.sockets.opened == []


def test_an_app_that_another_receiver_uses_too(site: Site) -> None:
    """Slack would give each press to one of the two at random."""
    first = site.connected()
    second = site.make()
    second.start()
    site.until(lambda: second.state != "connecting", "the second is connected")
    said = second.state
    second.stop()

    assert first.state == "ok"
    assert "1 more connection" in said


def test_starting_twice_opens_one_connection(site: Site) -> None:
    """Whoever leads may say so more than once; who stops and starts again has one again."""
    mode = site.connected()
    mode.start()
    site.is_acked(site.press())
    mode.stop()
    site.slack.wait_for(lambda: not site.sockets.connections)
    stopped = (mode.state, site.metric("connected"), site.sockets.opened[0].close_code)
    mode.start()
    site.slack.wait_for(lambda: len(site.sockets.connections) == 1)
    site.is_acked(site.press(ts="2"))

    assert stopped == ("connecting", 0.0, 1001)
    assert len(site.sockets.opened) == 2


def test_the_end_waits_for_a_press_that_is_being_written_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM between the press and its acknowledgement: Slack hears of it, and then the goodbye."""
    begun, may_write, take = threading.Event(), threading.Event(), site.actions.take

    def slow(target: str, act: Act) -> Outcome:
        begun.set()
        assert may_write.wait(20)
        return take(target, act)

    monkeypatch.setattr(site.actions, "take", slow)
    mode = site.connected()
    envelope = site.press()
    assert begun.wait(20)
    stopping = threading.Thread(target=mode.stop)
    stopping.start()
    may_write.set()
    stopping.join(20)
    site.slack.wait_for(lambda: not site.sockets.connections)

    assert site.sockets.acked[envelope] == 1
    assert site.sockets.opened[0].close_code == 1001


def test_an_app_without_socket_mode_is_told_and_left_alone(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody switched it off: the connection that is left works until Slack closes it."""
    mode = site.connected(steady_s=1000.0)
    site.sockets.disconnect("link_disabled")
    site.until(lambda: mode.state == DISABLED, "it is told")
    site.is_acked(site.press())

    assert len(site.sockets.opened) == 1
    assert [vars(r)["error"] for r in caplog.records if r.levelno == logging.WARNING] == [DISABLED]
