"""Two replicas on one PostgreSQL database: both take alerts, one dispatches, and another goes on when it ends, however it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, everyone, named
from tests.fakes.slack import FakeSlack
from tests.support import wait_until

TTL_S = 2.0


class Pair:
    """Two replicas, a database and a Slack."""

    def __init__(self, folder: Path, url: str, slack: FakeSlack) -> None:
        self.slack = slack
        self.replicas = [
            Receiver(
                folder / name, STORE_URL=url, LEADER_TTL=f"{TTL_S:.0f}s", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1",
                SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="2s", CONFIG_NAME=name,
            )
            for name in ("a", "b")
        ]  # fmt: skip

    def start(self) -> None:
        for replica in self.replicas:
            replica.launch()
        for replica in self.replicas:
            replica.wait_ready()
        wait_until(lambda: self.roles() == ["dispatcher", "standby"], what="one of them dispatches")

    def role(self, replica: Receiver) -> str:
        status, text = replica.get("/readyz")
        return str(json.loads(text)["role"]) if status == 200 else "away"

    def roles(self) -> list[str]:
        return sorted(map(self.role, self.replicas))

    @property
    def leader(self) -> Receiver:
        return next(r for r in self.replicas if self.role(r) == "dispatcher")

    def other(self, replica: Receiver) -> Receiver:
        return next(r for r in self.replicas if r is not replica)

    def end(self) -> None:
        for replica in self.replicas:
            replica.kill()


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def pair(tmp_path: Path, database_url: str, slack: FakeSlack) -> Iterator[Pair]:
    pair = Pair(tmp_path, database_url, slack)
    yield pair
    pair.end()


def test_a_standby_takes_alerts_and_takes_over(pair: Pair) -> None:
    """What a standby accepts the dispatcher tells; killed, the standby goes on; told to end, it hands over at once."""
    pair.start()
    leader = pair.leader
    standby = pair.other(leader)
    for n in range(4):
        assert standby.post(body_of(n)) == 202
    wait_until(lambda: named(pair.slack) == everyone(4), what="the dispatcher told what the standby took")
    leader.kill()
    assert standby.post(body_of(4)) == 202
    wait_until(lambda: named(pair.slack) == everyone(5), what="the standby took over")
    leader.start()
    assert pair.roles() == ["dispatcher", "standby"]
    assert standby.stop() < 10
    assert leader.post(body_of(5)) == 202
    wait_until(lambda: named(pair.slack) == everyone(6), what="the other one took over again")
