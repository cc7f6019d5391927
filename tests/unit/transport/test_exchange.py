"""No exchange lasts longer or brings more than it may, whatever comes from the other side and however slowly."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from receiver.errors import Rejected, SourceError, TooLarge
from receiver.transport import ConnectionFailed, Deadline, Http, HttpConfig
from tests.fakes.raw import drips, floods, raw_server, silent

OK = b"HTTP/1.1 200 OK\r\n"
LIMIT_S = 0.2
LATE_S = 5.0  # far from LIMIT_S for slow machines, and far from never


def client(address: str, *, scheme: str = "http", **config: float) -> Http:
    return Http(HttpConfig(base_url=f"{scheme}://{address}", name="Slack", token="t", tries=1, read_timeout_s=LIMIT_S, **config))  # type: ignore[arg-type]


DRIPS = {
    "nothing": silent,
    "status line": drips(b"HTTP/1.1 2"),
    "headers": drips(OK, b"X-A: b\r\n"),
    "header line": drips(OK + b"X-Slow: "),
    "body": drips(OK + b"Content-Length: 100000\r\n\r\n"),
    "body without length": drips(OK + b"Connection: close\r\n\r\n"),
    "chunk size": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "error body": drips(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n"),
    "100 Continue": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("writes", DRIPS.values(), ids=DRIPS)
@pytest.mark.parametrize("method", ["post", "get_json"])
def test_an_answer_that_drips_is_given_up_at_the_deadline(writes, method):
    with raw_server(writes) as address:
        began = time.monotonic()
        with pytest.raises(SourceError) as caught:
            getattr(client(address), method)("/x")

        assert time.monotonic() - began < LATE_S
        assert getattr(caught.value, "maybe_received", True)


def test_a_shared_deadline_ends_a_dripping_answer_too():
    with raw_server(DRIPS["headers"]) as address:
        patient = Http(HttpConfig(base_url=f"http://{address}", name="Prometheus", read_timeout_s=60.0))
        began = time.monotonic()
        with pytest.raises(ConnectionFailed):
            patient.get_json("/x", deadline=Deadline(LIMIT_S))

        assert time.monotonic() - began < LATE_S


def test_a_handshake_that_drips_is_given_up_and_nothing_was_sent():
    """Not sent means: it may be sent again without a doubt."""
    with raw_server(drips(b"\x16\x03\x03\x40\x00", b"\x02"), reads=False) as address:
        began = time.monotonic()
        with pytest.raises(ConnectionFailed) as caught:
            client(address, scheme="https").post("/x", json_body={})

        assert time.monotonic() - began < LATE_S
        assert not caught.value.maybe_received


def test_a_body_that_is_not_taken_is_given_up():
    """The other side reads the header and then no more; what is large does not fit into the buffers between."""
    with raw_server(silent) as address:
        began = time.monotonic()
        with pytest.raises(ConnectionFailed):
            client(address).post("/x", data=b"x" * 32 * 1024**2)

        assert time.monotonic() - began < LATE_S


def test_a_resolver_that_does_not_answer_costs_the_deadline_and_one_thread(monkeypatch):
    asked, answer = [], threading.Event()

    def lost(host, port, *, type, flags=0):
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        asked.append(host)
        answer.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", lost)
    slack = client("slack.invalid")
    try:
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(ConnectionFailed, match="does not resolve") as caught:
                slack.post("/x")
            assert time.monotonic() - began < LATE_S
            assert not caught.value.maybe_received
        assert len(asked) == 1
    finally:
        answer.set()


FLOODS = {
    "chunk size": floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "100 Continue": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "body": floods(OK + b"Connection: close\r\n\r\n", b"x" * 65536),
}


@pytest.mark.parametrize("writes", FLOODS.values(), ids=FLOODS)
def test_an_answer_without_an_end_is_cut_off_by_its_size(writes):
    with raw_server(writes) as address:
        roomy = Http(HttpConfig(base_url=f"http://{address}", name="Slack", tries=1, read_timeout_s=60.0))
        with pytest.raises((TooLarge, ConnectionFailed)):  # urllib3 ends endless lines itself
            roomy.post("/x", max_bytes=128 * 1024)


def test_the_connection_serves_the_next_exchange_with_its_own_deadline():
    def answers(connection: socket.socket, ending: threading.Event) -> None:
        while not ending.is_set():
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
            if not connection.recv(65536):
                return

    with raw_server(answers) as address:
        slack = client(address)
        assert slack.post("/x").status == 200
        time.sleep(LIMIT_S)
        assert slack.post("/x").status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_never_follow_a_redirect(server, status):
    """Not to another host, not to another path: whoever answers so learns nothing but the request it got."""
    place = f"HTTP/1.1 {status} Moved\r\nLocation: {server.url}/stolen\r\nContent-Length: 0\r\n\r\n".encode()
    with raw_server(lambda connection, ending: connection.sendall(place)) as address:
        assert client(address).post("/x", json_body={"secret": 1}).status == status
        with pytest.raises(Rejected, match="redirects"):
            client(address).get_json("/x")

    assert server.asked == []
