"""Clients that are slow, silent or strangers cost a connection and nothing else: an honest one is answered meanwhile."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e.receiver import Receiver
from tests.support import alert, payload, wait_until

TOKEN = "correct-horse"
HEADER = b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with Receiver(tmp_path_factory.mktemp("receiver"), WEBHOOK_TOKEN=TOKEN) as running:
        yield running


def honest(receiver: Receiver, pod: str) -> float:
    """Post an alert as Alertmanager does; returns how long the answer took."""
    started = time.monotonic()
    assert receiver.post(payload(alert(pod=pod)), Authorization=f"Bearer {TOKEN}") == 202
    return time.monotonic() - started


@contextmanager
def connections(receiver: Receiver, count: int, first: bytes, drip: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections that have sent `first`, and send `drip` byte by byte, one each half second, until the block ends."""
    ended = threading.Event()
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=10)) for _ in range(count)]
        for connection in opened:
            connection.sendall(first)

        def trickle() -> None:
            for i in range(len(drip)):
                if ended.wait(0.5):
                    return
                for connection in opened:
                    try:
                        connection.sendall(drip[i : i + 1])
                    except OSError:
                        continue  # closed by the receiver, as it should be

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        yield opened
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"GET /healthz HTTP/1.1\r\n", b"X-A: bbbbbbbbbbbbbbbb"),
        (HEADER + b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n", b'{"version": "4", "alerts"'),
        (b"POST /slack/actions HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n", b"payload=%7B%22type%22"),
    ],
    ids=["silent", "header", "body", "slack"],
)
def test_five_hundred_of_them_hold_nobody_up(receiver: Receiver, first: bytes, drip: bytes) -> None:
    quiet_s = max(honest(receiver, f"before-{i}") for i in range(5))
    with connections(receiver, 500, first, drip):
        slowest_s = max(honest(receiver, f"beside-{i}") for i in range(10))

        assert receiver.get("/healthz")[0] == 200
    assert slowest_s < max(10 * quiet_s, 2.0)  # of the machine's own slowness; what it was before is a time-out


def test_a_strangers_body_is_not_read(receiver: Receiver) -> None:
    """The answer comes on the header alone."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as connection:
        connection.sendall(HEADER + b"Authorization: Bearer wrong\r\n\r\n{")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    assert answer.startswith("HTTP/1.1 401 ")
    assert "www-authenticate" in answer.lower()
    assert "WEBHOOK_TOKEN" in json.loads(answer.partition("\r\n\r\n")[2])["error"]


def test_what_is_under_way_at_sigterm_is_answered(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A body that was half sent when Kubernetes ended the pod still gets its 202, or Alertmanager would send it again."""
    body = json.dumps(payload(alert(pod="last"))).encode()
    with (
        Receiver(tmp_path_factory.mktemp("ending")) as running,
        socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection,
    ):
        connection.sendall(b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:10])
        assert running.get("/healthz")[0] == 200  # who came later is answered: ours was read
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        wait_until(lambda: running.get("/healthz")[0] == 0, what="it takes no new connections")
        connection.sendall(body[10:])
        answer = connection.recv(65536).decode()
        stopping.join()

    assert answer.startswith("HTTP/1.1 202 ")
