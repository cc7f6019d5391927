"""What is promised about delivery, counted: kill -9 at random moments, a Slack that refuses for a minute, a slow channel."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, everyone, named
from tests.fakes.slack import FakeSlack

ROUNDS = 10
ALERTS = 300
TIMEOUT_S = 120.0


def _receiver(slack: FakeSlack, folder: str, **settings: str) -> Receiver:
    return Receiver(Path(folder), SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, **settings)


def kill_rounds() -> None:
    """300 accepted alerts, SIGKILL at a random moment, restart."""
    arrived = doubled = 0
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        with FakeSlack() as slack, tempfile.TemporaryDirectory() as folder:
            receiver = _receiver(slack, folder).start()
            kill_at = chance.randrange(ALERTS)
            for n in range(ALERTS):
                while receiver.post(body_of(n)) != 202:
                    time.sleep(0.05)
                if n == kill_at:
                    time.sleep(chance.random() * 2)
                    receiver.kill()
                    receiver.start()
            started = time.monotonic()
            while named(slack) != everyone(ALERTS) and time.monotonic() - started < TIMEOUT_S:
                time.sleep(0.5)
            counted = named(slack)
            receiver.kill()
        arrived += sum(1 for n in counted.values() if n)
        doubled += sum(1 for n in counted.values() if n > 1)
        print(
            f"round {seed}: killed after alert {kill_at}, {len(counted)} of {ALERTS} told, {sum(1 for n in counted.values() if n > 1)} twice",
            flush=True,
        )
    print(f"kill -9: {arrived} of {ROUNDS * ALERTS} told, {doubled} twice")


def outage() -> None:
    """Slack refuses connections for 60 s, then is healthy."""
    with FakeSlack() as slack, tempfile.TemporaryDirectory() as folder:
        receiver = _receiver(slack, folder).start()
        slack.stop()
        for n in range(50):
            receiver.post(body_of(n))
        time.sleep(60)
        slack.start()
        started = time.monotonic()
        while named(slack) != everyone(50) and time.monotonic() - started < TIMEOUT_S:
            time.sleep(0.2)
        print(
            f"Slack away for 60 s: {len(named(slack))} of 50 told {time.monotonic() - started:.0f} s after it was back, {_twice(slack)} twice"
        )
        receiver.kill()


def slow_channel() -> None:
    """200 alerts of distinct workloads into a channel that takes one message a second."""
    with FakeSlack(min_interval_s=1.0) as slack, tempfile.TemporaryDirectory() as folder:
        receiver = _receiver(slack, folder, SLACK_MIN_INTERVAL="1.1s").start()
        started = time.monotonic()
        for n in range(200):
            receiver.post(body_of(n))
        while named(slack) != everyone(200) and time.monotonic() - started < TIMEOUT_S:
            time.sleep(0.2)
        channel = slack.channel("C1")
        print(
            f"one message a second: {len(named(slack))} of 200 told in {time.monotonic() - started:.0f} s, {_twice(slack)} twice,"
            f" {len(channel.messages)} messages, {len(channel.roots)} roots"
        )
        receiver.kill()


def _twice(slack: FakeSlack) -> int:
    return sum(1 for n in named(slack).values() if n > 1)


def main() -> None:
    """All three."""
    slow_channel()
    outage()
    kill_rounds()
