"""Two replicas on one PostgreSQL database: both take alerts, one dispatches, and another goes on when it ends, however it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.pair import DISPATCHER, STANDBY, Pair
from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, everyone, named
from tests.fakes.slack import FakeSlack
from tests.places import REPO
from tests.postgres.server import PASSWORD, Postgres
from tests.support import wait_until

TTL_S = 2.0


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def pair(tmp_path: Path, database_url: str, slack: FakeSlack) -> Iterator[Pair]:
    pair = Pair(tmp_path, database_url, slack, ttl_s=TTL_S)
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
    assert pair.roles() == [DISPATCHER, STANDBY]
    assert standby.stop() < 10
    assert leader.post(body_of(5)) == 202
    wait_until(lambda: named(pair.slack) == everyone(6), what="the other one took over again")


def test_who_was_frozen_posts_nothing_and_stands_by(pair: Pair) -> None:
    """SIGSTOP in the middle of the work, for longer than its lease: what it had begun is told once, by the other one."""
    pair.start()
    frozen = pair.leader
    awake = pair.other(frozen)
    for n in range(6):
        assert frozen.post(body_of(n)) == 202
    frozen.pause()
    wait_until(lambda: pair.role(awake) == DISPATCHER, what="the other one took over")
    for n in range(6, 9):
        assert awake.post(body_of(n)) == 202
    frozen.go_on()
    wait_until(lambda: pair.role(frozen) == STANDBY, what="it stands by")
    assert frozen.post(body_of(9)) == 202
    pair.slack.wait_for(lambda: named(pair.slack) == everyone(10), timeout_s=60)
    ids = [root.message.delivery_id for root in pair.slack.channel("C1").roots]

    assert len(ids) == len(set(ids))


def test_a_receiver_may_start_before_its_database(tmp_path: Path, slack: FakeSlack) -> None:
    """It says so in one line without the password, refuses with 503, and goes on by itself; also when the database is restarted."""
    with Postgres() as server:
        url = server.database()
        server.stop()
        receiver = Receiver(
            tmp_path / "r", STORE_URL=url, LEADER_TTL="2s", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url
        )
        receiver.launch()
        try:
            wait_until(lambda: receiver.get("/readyz")[0] == 503, what="it answers")
            refused = receiver.post(body_of(0)), receiver.get("/healthz")[0]
            said = json.loads(receiver.get("/readyz")[1])["store"]
            server.start()
            receiver.wait_ready()
            server.restart()
            wait_until(lambda: receiver.post(body_of(0)) == 202, what="it takes alerts again")
            slack.wait_for(lambda: named(slack) == everyone(1))
        finally:
            receiver.kill()

    assert refused == (503, 200)
    assert said.startswith(f"the database 127.0.0.1:{server.port}/")
    assert PASSWORD not in said + receiver.log()
    assert receiver.log().count("no alerts are taken") == 1


def test_what_people_do_at_a_standby_is_done(pair: Pair) -> None:
    """Pages, actions, dead letters and metrics are the same at every replica."""
    pair.start()
    standby = pair.other(pair.leader)
    standby.post(body_of(1))
    pair.slack.wait_for(lambda: named(pair.slack) == {"svc001x": 1})
    incident = re.findall(r"inc_[0-9A-Z]{15}", standby.get("/")[1])[0]
    answer = standby.send(f"/admin/incidents/{incident}/ack", {"by": "Ines"})
    pair.slack.wait_for(lambda: "Ines" in pair.slack.text("C1"))

    assert answer == 200
    assert "svc001x" in standby.get("/")[1]
    assert standby.get("/metrics")[0] == 200
    assert json.loads(standby.get("/admin/dead")[1]) == {"dead": []}
    assert standby.send("/admin/backup", {}) == 503


def test_a_state_file_moves_into_a_database_while_alerts_come(tmp_path: Path, database_url: str, slack: FakeSlack) -> None:
    """Stopped, moved, started as a pair: what was open goes on in its thread, what came meanwhile was refused and is sent again."""
    settings = {"SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.api_url, "ENRICH_DEADLINE": "2s"}
    single = Receiver(tmp_path / "single", **settings)
    pair = Pair(tmp_path, database_url, slack)
    refused: list[int] = []
    with single:
        for n in range(3):
            assert single.post(body_of(n)) == 202
        single.stop()
        refused.append(single.post(body_of(3)))
        done = subprocess.run(
            [sys.executable, "-m", "receiver", "migrate-store", single.environ()["STORE_URL"], database_url],
            cwd=REPO, env=single.environ(), capture_output=True, text=True, check=False,
        )  # fmt: skip
    try:
        pair.start()
        for n in range(6):
            assert pair.replicas[n % 2].post(body_of(n)) == 202
        slack.wait_for(lambda: named(slack) == everyone(6), timeout_s=60)
    finally:
        pair.end()

    assert refused == [0]
    assert (done.returncode, done.stderr) == (0, "")
    assert "moved: 3 incidents" in done.stdout
    assert PASSWORD not in done.stdout
