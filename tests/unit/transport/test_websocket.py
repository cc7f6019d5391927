"""A WebSocket of ours: every wait has an end, TLS is checked as everywhere, and its address is a secret."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from receiver.transport import ConnectionFailed, TlsProblem, Unreached
from receiver.transport.websocket import WebSocket, WebSocketConfig
from tests.fakes.raw import drips, floods, raw_server, silent
from tests.fakes.slack import FakeSlack
from tests.fakes.tls import OTHER_CA, PLAIN_CA, TLS

NAME = "the other side"
LIMIT_S = 0.2
LATE_S = 5.0  # far from LIMIT_S for slow machines, and far from never
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def config(**overrides: float | str) -> WebSocketConfig:
    return WebSocketConfig(name=NAME, **{"open_s": LIMIT_S, "ping_s": 0.05, "pong_s": LIMIT_S, **overrides})  # type: ignore[arg-type]


def refused(url: str, **overrides: float | str) -> ConnectionFailed:
    """What opening it raises; the ticket in the address is in no text of it."""
    began = time.monotonic()
    with pytest.raises(ConnectionFailed) as caught:
        WebSocket.open(url, config(**overrides))
    assert time.monotonic() - began < LATE_S
    assert "t0psecret" not in str(caught.value)
    return caught.value


@contextmanager
def upgraded(write: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that opens each connection, writes, and answers nothing: by the RFC, not by our library."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            key = next(line.split(b": ")[1] for line in asked.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
            proof = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
            connection.sendall(UPGRADED + b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n")
            try:
                write(connection)
            except OSError:
                return
            while connection.recv(65536):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/link/?ticket=t0psecret"
    finally:
        listener.close()


@pytest.mark.parametrize(
    "writes",
    [
        silent,
        drips(b"HTTP/1.1 1"),
        drips(UPGRADED, b"X-A: b\r\n"),
        floods(UPGRADED, b"X-Long: " + b"x" * 8000 + b"\r\n"),
        lambda connection, ending: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        lambda connection, ending: connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
        lambda connection, ending: connection.sendall(UPGRADED + b"Sec-WebSocket-Accept: wrong\r\n\r\n"),
        lambda connection, ending: connection.sendall(b"\x00\xff garbage"),
        lambda connection, ending: None,
    ],
    ids=["silent", "drips", "drips-headers", "floods", "200", "408", "wrong-proof", "garbage", "ends"],
)
def test_what_does_not_open_is_given_up(writes) -> None:
    """In time, whatever comes instead of the handshake's answer."""
    with raw_server(writes) as address:
        assert not refused(f"ws://{address}/link/?ticket=t0psecret").maybe_received


def test_a_status_is_told() -> None:
    """It is what whoever asks Slack's support needs."""
    with raw_server(lambda connection, ending: connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")) as address:
        assert str(refused(f"ws://{address}/")) == f"{NAME} answered 408 instead of opening the connection"


@pytest.mark.parametrize(
    ("url", "at"),
    [
        ("ws://127.0.0.1:9/?ticket=t0psecret", Unreached.CONNECTION),
        ("ws://no-such-host.invalid/?ticket=t0psecret", Unreached.NAME),
        ("http://127.0.0.1/?ticket=t0psecret", Unreached.BROKEN),
        ("ws://[/?ticket=t0psecret", Unreached.BROKEN),
    ],
)
def test_where_there_is_no_way(url: str, at: Unreached) -> None:
    """As `Http` tells it."""
    assert refused(url, open_s=3.0).at is at


@pytest.mark.parametrize(
    ("ca_path", "certificate", "problem"),
    [(PLAIN_CA, "plain", None), (OTHER_CA, "plain", TlsProblem.UNKNOWN_CA), (PLAIN_CA, "elsewhere", TlsProblem.NAME)],
    ids=["trusted", "unknown-ca", "another-host"],
)
def test_tls_is_checked_as_everywhere(ca_path: str, certificate: str, problem: TlsProblem | None) -> None:
    """Chain and name, against the authorities of the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{certificate}.crt", TLS / "server.key")
    with FakeSlack() as slack:
        assert slack._server is not None
        slack._server.socket = context.wrap_socket(slack._server.socket, server_side=True)
        url = f"wss://127.0.0.1:{slack.port}{slack.socket_mode.ticket()}"
        if problem is not None:
            fault = refused(url, ca_path=ca_path, open_s=5.0).tls
            assert fault is not None
            assert fault.problem is problem
            return
        connection = WebSocket.open(url, config(ca_path=ca_path, open_s=5.0))
        hello = next(text for text in iter(connection.receive, "") if text is not None)
        slack.socket_mode.connections[0].say("another")
        said = next(text for text in iter(connection.receive, "") if text is not None)
        threading.Timer(0.05, connection.interrupt).start()
        with pytest.raises(ConnectionFailed):
            list(iter(connection.receive, ""))
        connection.close()
        slack.wait_for(lambda: not slack.socket_mode.connections)

    assert '"hello"' in hello
    assert said == "another"
    assert slack.socket_mode.opened[0].close_code == 1001


def test_the_address_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Not at DEBUG either, where the library writes what it sends."""
    caplog.set_level(logging.DEBUG)
    with FakeSlack() as slack:
        path = slack.socket_mode.ticket()
        connection = WebSocket.open(f"ws://127.0.0.1:{slack.port}{path}", config(open_s=5.0))
        connection.close()
        ticket = slack.socket_mode.tickets_given[0]

    assert not any(ticket in str(record.msg) + str(record.args) for record in caplog.records if record.name != "websockets.server")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", f"{NAME} is silent: a ping was not answered"),
        (b"\x81\x7f\x00\x00\x00\x00\x00\x00\x10\x00" + b"x" * 10, f"{NAME} is silent: a ping was not answered"),
        (b"\x81\x7f\x00\x00\x00\x00\x7f\xff\xff\xff", f"{NAME} sent what is no WebSocket message (PayloadTooBig)"),
        (b"\xf1\x00", f"{NAME} sent what is no WebSocket message (ProtocolError)"),
        (b"\x88\x02\x03\xe8", f"{NAME} closed the connection (1000)"),
    ],
    ids=["nothing", "a-frame-without-its-end", "too-big", "reserved-bits", "goodbye"],
)
def test_what_ends_an_open_connection_is_told(data: bytes, said: str) -> None:
    """A ping tells who is there; bytes that never become a message do not."""
    with upgraded(lambda connection: connection.sendall(data)) as url:
        opened = WebSocket.open(url, config(open_s=5.0))
        with pytest.raises(ConnectionFailed) as caught:
            list(iter(opened.receive, ""))
        opened.close()

    assert str(caught.value) == said


def test_a_frame_that_drips_is_given_up() -> None:
    """Byte after byte, each of them in time."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x81\x7e\x10\x00")
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    with upgraded(drip) as url:
        opened, began = WebSocket.open(url, config(open_s=5.0)), time.monotonic()
        with pytest.raises(ConnectionFailed) as caught:
            list(iter(opened.receive, ""))
        opened.close()

    assert caught.value.at is Unreached.TIME
    assert time.monotonic() - began < LATE_S


def test_messages_in_pieces_and_at_once() -> None:
    """Fragments become one message; two that come with the handshake's answer are both there."""
    with upgraded(lambda connection: connection.sendall(b"\x81\x02hi\x01\x03one\x00\x01 \x80\x03two")) as url:
        opened = WebSocket.open(url, config(open_s=5.0))
        texts = [text for text in (opened.receive() for _ in range(2)) if text is not None]
        opened.close()

    assert texts == ["hi", "one two"]
