"""Raw requests to a server on this machine."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`status` is 0 when nothing came back."""

    status: int
    body: bytes


def sent(port: int, header: bytes, body: bytes = b"") -> Answer:
    """The answer to these bytes on a connection of their own, also one that comes before everything was sent."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(header)
        with suppress(ConnectionError):
            connection.sendall(body)
        while block := connection.recv(65536):
            received += block
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    return Answer(status=int(head.split()[1]) if head else 0, body=rest)
