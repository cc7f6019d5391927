"""What users rely on, on a real receiver process and a Slack that behaves: nothing lost, nothing twice, whatever happens."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from receiver.demo.standins import KubeStandin, Recordings
from tests.e2e.receiver import Receiver
from tests.fakes.slack import FakeSlack, Fault
from tests.places import REPO
from tests.support import alert, payload, wait_until


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def receiver(tmp_path: Path, slack: FakeSlack) -> Iterator[Receiver]:
    receiver = Receiver(
        tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="2s"
    )
    yield receiver
    receiver.kill()


def body_of(number: int) -> dict[str, Any]:
    """An alert of a workload of its own; the names are shaped so that none is part of another."""
    return payload(alert(pod=f"svc{number:03d}x-655779759d-jst99", container="app", started=1_700_000_000.0 + number))


def named(slack: FakeSlack) -> Counter[str]:
    """How often each workload has a place: a root of its own, or a line in a storm's pages."""
    found: Counter[str] = Counter()
    for root in slack.channel("C1").roots:
        headline = root.message.shown().splitlines()[0]
        own = re.findall(r"svc\d{3}x", headline)
        if own:
            found[own[0]] += 1
            continue
        lines = [line for r in root.replies for line in r.shown().splitlines() if "(own message)" not in line]
        found.update(set(re.findall(r"svc\d{3}x", "\n".join(lines))))
    return found


def everyone(n: int) -> dict[str, int]:
    """Each workload in exactly one place."""
    return {f"svc{i:03d}x": 1 for i in range(n)}


@pytest.mark.parametrize("seed", [1, 2])
def test_300_alerts_and_a_kill_at_a_random_moment(receiver: Receiver, slack: FakeSlack, seed: int) -> None:
    """SIGKILL while alerts come in and messages go out, then a restart: all 300 are told, none twice."""
    chance = random.Random(seed)
    receiver.start()
    killed_after = chance.randrange(20, 300)
    accepted = 0
    for n in range(300):
        if receiver.post(body_of(n)) == 202:
            accepted += 1
        if n == killed_after:
            threading.Event().wait(chance.random())  # a random moment of the work, not an event to wait for
            receiver.kill()
            receiver.start()
    slack.wait_for(lambda: named(slack) == everyone(300), timeout_s=90)
    roots = [r.message.delivery_id for r in slack.channel("C1").roots]

    assert accepted == 300
    assert len(roots) == len(set(roots))
    assert slack.complaints == []


def test_an_answer_that_is_lost_is_not_posted_twice(receiver: Receiver, slack: FakeSlack) -> None:
    """Slack stores the message and the answer never comes; the receiver is killed meanwhile and looks before it re-posts."""
    slack.fail(Fault(method="chat.postMessage", kind="lost_hang"))
    receiver.start()
    receiver.post(body_of(7))
    slack.wait_for(lambda: len(slack.channel("C1").roots) == 1)
    receiver.kill()
    receiver.start()
    slack.wait_for(lambda: len(slack.channel("C1").roots[0].replies) >= 2, timeout_s=60)

    assert named(slack) == {"svc007x": 1}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="*", kind="status", status=500, times=2),
        Fault(method="*", kind="ratelimited", retry_after_s=1, times=5),
        Fault(method="*", kind="garbage", times=1),
        Fault(method="chat.postMessage", kind="error", word="internal_error", times=1),
        Fault(method="chat.postMessage", kind="error", word="msg_blocks_too_long", times=1),
    ],
    ids=lambda f: f"{f.kind} {f.word or ''}".strip(),
)
def test_what_slack_answers_wrong_is_made_good(receiver: Receiver, slack: FakeSlack, fault: Fault) -> None:
    """500, 429, nonsense, its own errors, a refusal of the blocks: the message stands there once in the end."""
    slack.fail(fault)
    receiver.start()
    receiver.post(body_of(1))
    slack.wait_for(lambda: bool(slack.channel("C1").roots) and len(slack.channel("C1").roots[0].replies) >= 2, timeout_s=100)

    assert named(slack) == {"svc001x": 1}


def test_slack_is_away_and_comes_back(receiver: Receiver, slack: FakeSlack) -> None:
    """Refused connections while alerts come in, also across a restart of the receiver; all arrive afterwards."""
    slack.stop()
    receiver.start()
    codes = [receiver.post(body_of(n)) for n in range(30)]
    receiver.stop()
    receiver.start()
    slack.start()
    slack.wait_for(lambda: named(slack) == everyone(30), timeout_s=90)

    assert codes == [202] * 30


def test_a_wrong_token_loses_nothing_and_is_named(receiver: Receiver, slack: FakeSlack) -> None:
    """The receiver stays ready and takes alerts; /readyz says what is wrong; with the right token all is told."""
    right = receiver.settings["SLACK_BOT_TOKEN"]
    receiver.settings["SLACK_BOT_TOKEN"] = "xoxb-wrong-0000"
    receiver.start()
    receiver.post(body_of(1))
    wait_until(lambda: "invalid_auth" in receiver.get("/readyz")[1], what="/readyz names the token")
    code, detail = receiver.get("/readyz")
    receiver.stop()
    receiver.settings["SLACK_BOT_TOKEN"] = right
    receiver.start()
    slack.wait_for(lambda: named(slack) == {"svc001x": 1}, timeout_s=60)

    assert code == 200
    assert "xoxb-wrong" not in detail
    assert "xoxb-wrong-0000" not in receiver.log()
    assert right not in receiver.log()


def test_two_hundred_workloads_at_one_message_a_second(receiver: Receiver, slack: FakeSlack) -> None:
    """A storm into a channel that takes one message a second: every workload is told, soon."""
    slack.min_interval_s = 0.2  # the same at five times the speed
    receiver.settings["SLACK_MIN_INTERVAL"] = "0.22s"
    receiver.start()
    for n in range(200):
        assert receiver.post(body_of(n)) == 202
    slack.wait_for(lambda: named(slack) == everyone(200), timeout_s=90)

    assert len(slack.channel("C1").roots) < 30
    assert slack.complaints == []


def test_a_second_receiver_is_refused_in_plain_words(receiver: Receiver) -> None:
    """One line on stderr, no traceback, and the first one goes on."""
    receiver.start()
    second = subprocess.run(
        [sys.executable, "-m", "receiver", "serve"], env={**receiver.environ(), "LISTEN": "127.0.0.1:0"}, cwd=REPO, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert second.returncode == 1
    assert second.stdout == ""
    (line,) = second.stderr.splitlines()
    assert line.startswith("oomtriage: the state file ")
    assert "held by another receiver" in line
    assert receiver.post(body_of(1)) == 202


def test_dead_letters_are_listed_replayed_and_dropped(receiver: Receiver, slack: FakeSlack) -> None:
    """The channel is archived: the letter is dead; `oomtriage dead` finds it, and after the channel is back it is sent."""
    slack.add_channel("C9", "gone", is_archived=True)
    receiver.settings["SLACK_CHANNEL"] = "C9"
    receiver.start()
    receiver.post(body_of(1))
    wait_until(lambda: "is_archived" in _dead(receiver, "list"), what="the letter is dead")
    metric = next(line for line in receiver.get("/metrics")[1].splitlines() if line.startswith("oomtriage_dead_letters "))
    slack.add_channel("C9", "back")
    replayed = _dead(receiver, "replay")
    slack.wait_for(lambda: bool(slack.channel("C9").roots))
    wait_until(lambda: "no dead letters" in _dead(receiver, "list"), what="nothing is dead any more")

    assert float(metric.split()[1]) >= 1
    assert "replayed" in replayed
    assert '"dropped":0' in _dead(receiver, "drop").replace(" ", "")


def _dead(receiver: Receiver, action: str) -> str:
    command = [sys.executable, "-m", "receiver", "dead", action, "--url", receiver.url]
    return subprocess.run(command, cwd=REPO, env=receiver.environ(), capture_output=True, text=True, timeout=30, check=True).stdout


def test_what_cannot_be_read_stops_nothing(receiver: Receiver, slack: FakeSlack) -> None:
    """A state file with a broken row of every kind: new alerts are told, the pages open, one notice, also after another start."""
    receiver.start()
    receiver.post(body_of(1))
    slack.wait_for(lambda: named(slack) == {"svc001x": 1} and len(slack.channel("C1").roots[0].replies) >= 2)
    receiver.stop()
    with closing(sqlite3.connect(receiver.folder / "state.db", isolation_level=None)) as store:
        store.execute("UPDATE message SET desired_body = '{', desired_rev = desired_rev + 1, due_at = 0 WHERE slot <> 'root'")
        store.execute("UPDATE conversation SET data = '['")
        store.execute("UPDATE incident SET evidence = x'00'")
        store.execute(
            """INSERT INTO incident (id, key, state, severity, subject, opened_at, first_seen, last_seen)
               VALUES ('inc_broken', 'workload//shop/Deployment/svc002x/app', 'firing', 'warning', '{', :now, :now, :now)""",
            {"now": time.time()},
        )
        for kind, subject in (("enrich", "inc_broken"), ("digest", "x")):
            store.execute("INSERT INTO job (kind, subject_id, payload, created_at) VALUES (?, ?, '{', 1)", (kind, subject))
        for key, text in (("year 1", json.dumps(alert().to_json() | {"startsAt": "0001-12-31T10:00:00Z"})), ("torn", "{")):
            store.execute(
                """INSERT INTO alert (dedup_key, fingerprint, status, starts_at, payload, first_seen, last_seen)
                   VALUES (?, ?, 'firing', 0, ?, ?, ?)""",
                (key, key, text, time.time(), time.time()),
            )
    receiver.start()
    receiver.post(body_of(2))
    slack.wait_for(lambda: named(slack)["svc002x"] == 1, timeout_s=60)
    slack.wait_for(lambda: len(notices(slack)) == 1, timeout_s=60)
    ready = json.loads(receiver.get("/readyz")[1])
    pages = [receiver.get(path)[0] for path in ("/", "/incidents/inc_broken", "/metrics", "/healthz")]
    receiver.stop()
    receiver.start()
    receiver.post(body_of(3))
    slack.wait_for(lambda: named(slack) == {"svc001x": 1, "svc002x": 1, "svc003x": 1}, timeout_s=60)

    assert ready["status"] == "ready"
    assert {"alert", "incident", "job", "message"} <= set(ready["quarantined"])
    assert pages == [200, 404, 200, 200]
    assert len(notices(slack)) == 1
    assert "Traceback" not in receiver.log()


def notices(slack: FakeSlack) -> list[str]:
    """What the receiver says of itself."""
    return [r.message.shown() for r in slack.channel("C1").roots if "The receiver needs a look" in r.message.shown()]


def test_a_slack_that_refuses_every_edit_is_not_flooded(receiver: Receiver, slack: FakeSlack) -> None:
    """The messages stay as they are, a reply says that it is over; /readyz says which channel and why, after a restart too."""
    slack.fail(Fault(method="chat.update", kind="error", word="edit_window_closed", times=100_000))
    receiver.start()
    receiver.post(body_of(1))
    slack.wait_for(lambda: named(slack) == {"svc001x": 1} and len(slack.channel("C1").roots[0].replies) == 3)
    n_posts = slack.calls["chat.postMessage"]
    resolved = payload(alert(pod="svc001x-655779759d-jst99", container="app", started=1_700_000_001.0, status="resolved"))
    receiver.post(resolved)
    slack.wait_for(lambda: len(slack.channel("C1").roots[0].replies) == 4, timeout_s=60)
    wait_until(lambda: "edit_window_closed" in receiver.get("/readyz")[1], what="/readyz names the reason")
    receiver.stop()
    receiver.start()
    channels = json.loads(receiver.get("/readyz")[1])["channel"]

    assert "edit_window_closed" in channels["C1"]
    assert len(slack.channel("C1").roots) == 1
    assert slack.calls["chat.postMessage"] == n_posts + 1
    assert "resolved" in slack.channel("C1").roots[0].replies[3].shown()


def test_sigterm_ends_in_order_and_quickly(receiver: Receiver, slack: FakeSlack) -> None:
    """As Kubernetes ends a pod: no error in the log, well within the grace period, and what was accepted is told afterwards."""
    receiver.start()
    receiver.post(body_of(1))
    took_s = receiver.stop()
    receiver.start()
    slack.wait_for(lambda: named(slack) == {"svc001x": 1})

    assert took_s < 20
    assert "Traceback" not in receiver.log()
    assert not (receiver.folder / "state.db-wal").exists() or (receiver.folder / "state.db-wal").stat().st_size >= 0


def test_hanging_sources_hold_nothing_back(receiver: Receiver, slack: FakeSlack) -> None:
    """Kubernetes accepts the connection and never answers: the message goes out at the deadline and names the gap."""

    class Silent(KubeStandin):
        def handle(self, asked: Any, http: Any) -> None:
            ended.wait(30)

    ended = threading.Event()
    with Silent(Recordings()) as kube:
        receiver.settings["KUBE_API_URL"] = kube.url
        receiver.start()
        receiver.post(body_of(1))
        slack.wait_for(lambda: named(slack) == {"svc001x": 1}, timeout_s=20)
        text = slack.text("C1")
        ended.set()

    assert "could not be" in text.lower()
