"""Chunked bodies as gunicorn reads them: bounded, and answered with the right status."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.receiver import Receiver
from tests.support import alert, payload


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A real `oomtriage serve`: gunicorn is what reads chunks."""
    with Receiver(tmp_path_factory.mktemp("receiver"), MAX_BODY="100000") as running:
        yield running


def chunked(receiver: Receiver, *chunks: bytes) -> tuple[int, str]:
    """Post raw chunks, framed by the caller; status and body of the answer."""
    head = b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as connection:
        connection.sendall(head + b"".join(chunks))
        answer = b""
        while block := connection.recv(65536):
            answer += block
    first, _, rest = answer.decode().partition("\r\n")
    return int(first.split()[1]), rest.partition("\r\n\r\n")[2]


def framed(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def test_a_chunked_body_is_taken(receiver: Receiver) -> None:
    """A proxy in between may chunk what Alertmanager sends, whether of exactly the permitted size or less."""
    body = json.dumps(payload(alert(pod="chunked-1"))).encode()

    assert chunked(receiver, framed(body))[0] == 202
    assert chunked(receiver, framed(body.ljust(100_000)))[0] == 202


def test_a_chunked_body_over_the_limit_is_413(receiver: Receiver) -> None:
    """Not cut and then called "not JSON": the sender hears which limit it met."""
    status, text = chunked(receiver, framed(json.dumps(payload(alert())).encode().ljust(100_001)))

    assert status == 413
    assert "MAX_BODY" in text


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n"], ids=["size", "terminator"])
def test_a_malformed_chunk_is_400(receiver: Receiver, chunks: bytes) -> None:
    """The sender's fault, said as such; no traceback in our log."""
    assert chunked(receiver, chunks)[0] == 400
    assert "Traceback" not in receiver.log()
