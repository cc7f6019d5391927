"""SIGKILL at random moments, under load: every accepted alert is told, and nothing is told twice.

Alerts come in one by one, each sent again until it is accepted, as Alertmanager does. Meanwhile the receiver is killed at moments
that have nothing to do with them: while it starts, takes alerts, looks, posts, or waits for Slack, which loses every third
answer or so. Counted at the end: places that name an alert's workload, and messages that carry the same delivery id.

`--kills N` in all (200), `--rounds N` (10), `--seed N` of the first round.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, everyone, named
from tests.fakes.slack import FakeSlack, Fault

BETWEEN_ALERTS_S = 0.15
LONGEST_LIFE_S = 3.0  # of a process, from when it is ready
LONGEST_START_S = 1.0
SHARE_OF_STARTS = 0.2  # of the kills that come while it starts
MOST_ALERTS = 1000  # the names have three digits
SETTLE_S = 300.0
FAULTS = ("lost", "lost_hang", "lost_status", "close", "ratelimited", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """`accepted`: alerts that were answered 202. `told`: of them, in the channel. `doubled`: told in two places. `repeated`:
    delivery ids on more than one message. `settled_s`: from the last kill until all was told.
    """

    accepted: int
    told: int
    doubled: int
    repeated: int
    settled_s: float


class _Load(threading.Thread):
    """Posts alert after alert until it is told to end."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(daemon=True)
        self.receiver = receiver
        self.accepted = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(BETWEEN_ALERTS_S) and self.accepted < MOST_ALERTS:
            while self.receiver.post(body_of(self.accepted)) != 202:
                time.sleep(0.05)
            self.accepted += 1


def one_round(seed: int, kills: int) -> Counted:
    """`kills` processes one after the other over one state file, then one that is left alone."""
    chance = random.Random(seed)
    with FakeSlack() as slack, tempfile.TemporaryDirectory() as folder:
        receiver = Receiver(Path(folder), SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url)
        receiver.launch()
        load = _Load(receiver)
        load.start()
        for _ in range(kills):
            if chance.random() < 0.5:
                slack.fail(Fault(kind=chance.choice(FAULTS), method=chance.choice(("chat.postMessage", "chat.update"))))
            if chance.random() < SHARE_OF_STARTS:
                time.sleep(chance.uniform(0.0, LONGEST_START_S))
            else:
                receiver.wait_ready()
                time.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
            receiver.kill()
            receiver.launch()
        load.ended.set()
        load.join()
        slack.heal()
        began = time.monotonic()
        while named(slack) != everyone(load.accepted) and time.monotonic() - began < SETTLE_S:
            time.sleep(0.5)
        settled_s = time.monotonic() - began
        receiver.stop()  # what was under way is finished: a second copy would show now
        places = named(slack)
        ids = Counter(m.delivery_id for m in slack.channel("C1").messages)
    wanted = everyone(load.accepted)
    return Counted(
        accepted=load.accepted, told=sum(1 for name in wanted if places[name]), doubled=sum(1 for n in places.values() if n > 1),
        repeated=sum(1 for n in ids.values() if n > 1), settled_s=settled_s,
    )  # fmt: skip


def main(options: Sequence[str] = ()) -> None:
    """All rounds, and their sum."""
    parser = argparse.ArgumentParser(prog="python -m bench kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args(options)
    found = []
    for n in range(wanted.rounds):
        kills = wanted.kills // wanted.rounds + (n < wanted.kills % wanted.rounds)
        counted = one_round(wanted.seed + n, kills)
        found.append(counted)
        print(
            f"seed {wanted.seed + n}: {kills} kills, {counted.told} of {counted.accepted} accepted told, {counted.doubled} told twice,"
            f" {counted.repeated} messages repeated, {counted.settled_s:.0f} s after the last kill", flush=True,
        )  # fmt: skip
    print(
        f"{wanted.kills} kills: {sum(c.told for c in found)} of {sum(c.accepted for c in found)} accepted alerts told,"
        f" {sum(c.doubled for c in found)} told twice, {sum(c.repeated for c in found)} messages repeated"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
