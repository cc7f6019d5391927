"""A TCP server that writes what no HTTP server would: a byte now and then, lines without an end, nothing at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Writes = Callable[[socket.socket, threading.Event], None]


@contextmanager
def raw_server(writes: Writes, *, reads: bool = True) -> Iterator[str]:
    """`host:port` of a server that calls `writes(connection, ending)` once a request's header is there (`reads` False: at once)."""
    ending = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = b""
            while reads and b"\r\n\r\n" not in asked:
                asked += (more := connection.recv(65536))
                if not more:
                    return
            writes(connection, ending)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ending.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def drips(start: bytes, byte: bytes = b"x", *, every_s: float = 0.02) -> Writes:
    """Writes `start` at once, then one byte at a time for ever: no single wait is ever long."""

    def write(connection: socket.socket, ending: threading.Event) -> None:
        connection.sendall(start)
        while not ending.wait(every_s):
            connection.sendall(byte)

    return write


def floods(start: bytes, block: bytes) -> Writes:
    """Writes `start`, then `block` again and again as fast as it is taken."""

    def write(connection: socket.socket, ending: threading.Event) -> None:
        connection.sendall(start)
        while not ending.is_set():
            connection.sendall(block)

    return write


def silent(connection: socket.socket, ending: threading.Event) -> None:
    """Takes the connection and says nothing."""
    ending.wait(60)
