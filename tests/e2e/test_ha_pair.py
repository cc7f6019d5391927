"""A pair of real Alertmanagers in front of one receiver, or of two replicas: whatever they send twice is one thread."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.pair import Pair
from tests.e2e.receiver import Receiver
from tests.e2e.servers import Alertmanager
from tests.fakes.slack import FakeSlack
from tests.support import wait_until

LOST, SLOW, PROMPT = "lost", "slow", "prompt"
SLOW_S = 3.0  # longer than a peer waits for the other before it sends as well
WORKLOADS = ("orders-api", "cart", "search")


class Between:
    """What lies between Alertmanager and the receivers: passes each body on to the next of them, and then loses the answer, or takes its time
    with it.
    """

    def __init__(self, receivers: Sequence[Receiver], *manners: str) -> None:
        self._receivers = receivers
        self._manners = list(manners)
        self._lock = threading.Lock()
        self.posts = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    def pass_on(self, body: bytes) -> tuple[str, int]:
        """What happens to the answer, and its status."""
        with self._lock:
            receiver = self._receivers[self.posts % len(self._receivers)]
            self.posts += 1
            manner = self._manners.pop(0) if self._manners else PROMPT
        status = receiver.post(json.loads(body))
        if manner == SLOW:
            time.sleep(SLOW_S)
        return manner, status

    def __enter__(self) -> Between:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(between: Between) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            manner, status = between.pass_on(self.rfile.read(int(self.headers["Content-Length"])))
            if manner == LOST:
                self.close_connection = True
                return
            self.send_response(status or 502)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            return

    return Handler


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def tell(*alertmanagers: Alertmanager, ended: bool = False) -> None:
    """Every Alertmanager gets every alert, as from Prometheus."""
    now = datetime.now(UTC)
    body = [
        {
            "labels": {
                "alertname": "OOMKilled", "severity": "warning", "incident": "memory", "namespace": "shop", "container": name,
                "pod": f"{name}-655779759d-jst99",
            },
            "annotations": {"summary": "A container was killed for memory."},
            "startsAt": (now - timedelta(minutes=1)).isoformat(),
            "endsAt": (now if ended else now + timedelta(minutes=5)).isoformat(),
        }
        for name in WORKLOADS
    ]  # fmt: skip
    for one in alertmanagers:
        request = urllib.request.Request(
            f"{one.url}/api/v2/alerts", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


@pytest.mark.parametrize("is_parted", [False, True], ids=["together", "cut from each other"])
def test_what_a_pair_sends_twice_is_one_thread(tmp_path: Path, slack: FakeSlack, is_parted: bool) -> None:
    """Lost and slow answers, retries, both peers sending: one root a workload, no reply twice, and all of them resolved."""
    receiver = Receiver(
        tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="1s"
    )
    with receiver:
        in_front_of([receiver], tmp_path, slack, is_parted=is_parted)


def test_nor_does_a_pair_of_replicas_tell_it_twice(tmp_path: Path, slack: FakeSlack, database_url: str) -> None:
    """The worst of both: Alertmanagers that do not see each other, and each body at another replica than the one before."""
    pair = Pair(tmp_path, database_url, slack)
    try:
        pair.start()
        in_front_of(pair.replicas, tmp_path, slack, is_parted=True)
    finally:
        pair.end()


def in_front_of(receivers: Sequence[Receiver], folder: Path, slack: FakeSlack, *, is_parted: bool) -> None:
    """Three workloads die and recover, and two Alertmanagers tell it."""
    with ExitStack() as stack:
        between = stack.enter_context(Between(receivers, LOST, SLOW, LOST, SLOW))
        first = stack.enter_context(Alertmanager(folder / "first", webhook_url=between.url, peers=()))
        others = () if is_parted else (first.cluster_address,)
        second = stack.enter_context(Alertmanager(folder / "second", webhook_url=between.url, peers=others))
        tell(first, second)
        wait_until(lambda: len(slack.channel("C1").roots) == len(WORKLOADS), what="each workload has its root")
        wait_until(lambda: between.posts >= 3, what="answers were lost or slow, and it was sent again")
        tell(first, second, ended=True)
        wait_until(
            lambda: sum("resolved" in root.message.shown().lower() for root in slack.channel("C1").roots) == len(WORKLOADS),
            what="all are told as resolved",
        )
        roots = slack.channel("C1").roots

    assert sorted(name for name in WORKLOADS for root in roots if name in root.message.shown().splitlines()[0]) == sorted(WORKLOADS)
    assert [text for root in roots for text, times in Counter(reply.shown() for reply in root.replies).items() if times > 1] == []
