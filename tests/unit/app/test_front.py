"""What is refused before a body is read: by its route, as soon as its header says so or its bytes do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, request

from receiver.app.front import MOST_SMALL_BODY_BYTES, Front, FrontConfig
from receiver.web.slack_actions import MAX_BODY_BYTES
from tests.unit.app.kit import sent

MIB = 1 << 20
REFUSED: list[tuple[int, str]] = []


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Flask("echo")
    app.add_url_rule("/<path:path>", view_func=lambda path: str(len(request.get_data())), methods=["POST"])
    front = Front(
        app, FrontConfig(listen="127.0.0.1:0", max_body_bytes=4 * MIB, refused=lambda status, path: REFUSED.append((status, path)))
    )
    thread = threading.Thread(target=front.run)
    thread.start()
    yield front.port
    front.end()
    thread.join()


def chunked(n_bytes: int) -> bytes:
    return b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(n_bytes // 65536)) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "n_bytes", "status"),
    [("/alerts", 3 * MIB, 200), ("/alerts", 5 * MIB, 413), ("/slack/actions", 2 * MIB, 413), ("/admin/replay", MIB // 2, 200)],
)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_only_the_webhook_takes_large_bodies(port: int, path: str, n_bytes: int, status: int, framing: str) -> None:
    """A stranger cannot fill the disk through a route that takes a click, or nothing."""
    REFUSED.clear()
    header = f"Content-Length: {n_bytes}" if framing == "length" else "Transfer-Encoding: chunked"
    body = b"x" * n_bytes if framing == "length" else chunked(n_bytes)
    answer = sent(port, f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n".encode(), body)

    assert answer.status == status
    assert ([(413, path)] if status == 413 else []) == REFUSED
    if status == 413:
        assert ("MAX_BODY" in json.loads(answer.body)["error"]) is (path == "/alerts")


@pytest.mark.parametrize(
    "line", ["POST http://[/alerts HTTP/1.1", "GET  /  HTTP/1.1 x", "POST /alerts HTTP/1.1\r\nContent-Length: " + "9" * 5000]
)
def test_what_cannot_be_read_is_a_400(port: int, line: str) -> None:
    """With a sentence, and not a connection that closes without a word."""
    answer = sent(port, f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert answer.status == 400
    assert json.loads(answer.body)["error"]


def test_a_request_of_two_lengths_ends_the_connection(port: int) -> None:
    """A proxy that goes by the other one would take the rest of the body for another request (RFC 9112, 6.1)."""
    first = b"POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = sent(port, first + b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert answer.status == 400
    assert b"HTTP/1.1" not in answer.body


def test_the_bound_of_small_bodies_is_that_of_a_click() -> None:
    assert MOST_SMALL_BODY_BYTES == MAX_BODY_BYTES
