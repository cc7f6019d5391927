"""A deadline bounds whatever the other side does."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from receiver.errors import Throttled, Unavailable
from receiver.transport import ConnectionFailed, Deadline, Http, HttpConfig
from tests.fakes.kube import HANG, Fault, refuse
from tests.unit.transport.kit import http


def test_a_wait_longer_than_the_deadline_is_not_begun(server):
    """With one second left, a Retry-After of two ends the question at once."""
    waits: list[float] = []
    server.fault("/x", refuse(429, retry_after="2"))

    with pytest.raises(Throttled) as caught:
        Http(HttpConfig(base_url=server.url, name="the service"), sleep=waits.append).get_json("/x", deadline=Deadline(1.0))

    assert caught.value.retry_after_s == 2.0
    assert waits == []


def test_a_server_that_never_answers_costs_the_deadline_and_no_more(server):
    """A hung API server cannot hold a thread beyond the incident's deadline."""
    server.fault("/x", HANG)
    began = time.monotonic()

    with pytest.raises(ConnectionFailed, match="in time") as caught:
        http(server).get_json("/x", deadline=Deadline(0.3))

    assert time.monotonic() - began < 2
    assert caught.value.maybe_received


def test_a_body_that_trickles_ends_at_the_deadline(server):
    """Bytes that keep coming do not prolong the deadline."""
    stop = threading.Event()

    def trickle(connection: BaseHTTPRequestHandler) -> None:
        connection.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.05):
            connection.wfile.write(b"1\r\nx\r\n")
            connection.wfile.flush()

    server.fault("/x", Fault(write=trickle))
    began = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            http(server).get_json("/x", deadline=Deadline(0.4))
    finally:
        stop.set()

    assert time.monotonic() - began < 3
