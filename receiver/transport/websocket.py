"""One WebSocket connection as a client, over the sockets and with the TLS of `Http`.

The protocol itself (frames, masks, the handshake's proof) is `websockets`' Sans-I/O part; what waits is here, so that every wait has
an end. One thread opens it, reads and sends; `interrupt` may come from any.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from receiver.domain.units import KIB, MIB
from receiver.transport.deadline import Deadline
from receiver.transport.exchange import Exchange, Exchanges
from receiver.transport.failures import ConnectionFailed, Unreached, at_connecting
from receiver.transport.sockets import Resolver, dial
from receiver.transport.tls import client_context

READ_BYTES = 64 * KIB
SEND_S = 5.0  # a few bytes that are not taken for so long: nobody is there
GOODBYE_S = 0.5
GOING_AWAY = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketConfig:
    """`name`: what errors call the other side. `open_s`: from the look-up of the name to the end of the handshake, of which
    `connect_s` for one address. A ping goes out every `ping_s`; the connection is dead when one is not answered within `pong_s`.
    """

    name: str
    ca_path: str = ""
    open_s: float = 10.0
    connect_s: float = 3.05
    ping_s: float = 10.0
    pong_s: float = 10.0
    max_message_bytes: int = 4 * MIB


@dataclass(slots=True)
class _Dialled:
    """What `dial` wants to know."""

    host: str
    port: int
    timeout: float
    exchanges: Exchanges
    resolver: Resolver = field(default_factory=Resolver)
    socket_options: tuple[tuple[int, int, int], ...] = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

    @property
    def _dns_host(self) -> str:
        return self.host


class WebSocket:
    """An open connection. ConnectionFailed is what ends it, whatever it was."""

    def __init__(self, sock: socket.socket, protocol: ClientProtocol, config: WebSocketConfig, *, clock: Callable[[], float]) -> None:
        """As `open` makes it."""
        self._sock = sock
        self._protocol = protocol
        self._config = config
        self._clock = clock
        self._messages: deque[str] = deque()
        self._parts: list[bytes] = []
        self._pinged_at = clock()
        self._is_answered = True
        self._end = ""
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    @classmethod
    def open(cls, url: str, config: WebSocketConfig, *, clock: Callable[[], float] = time.monotonic) -> WebSocket:
        """Connect to a ws:// or wss:// address, which may hold a secret and stands in no error and no log. ConnectionFailed."""
        try:
            uri = parse_uri(url)
            origin = f"{'wss' if uri.secure else 'ws'}://{urlsplit(url).netloc.rpartition('@')[2]}"
        except (InvalidURI, ValueError):
            raise ConnectionFailed(f"the address of {config.name} is none of a WebSocket", maybe_received=False) from None
        exchange, exchanges = Exchange(Deadline(config.open_s), most_bytes=MIB), Exchanges()
        with exchanges.bounded_by(exchange):
            sock = _connected(uri, origin, config, exchanges, exchange)
            try:
                protocol = _handshake(sock, uri, config, exchange)
            except OSError as exc:
                sock.close()
                raise at_connecting(config.name, origin, exc) from None
            except ConnectionFailed:
                sock.close()
                raise
        found = cls(sock, protocol, config, clock=clock)
        found._take_in()  # frames that came with the handshake's answer
        return found

    def receive(self) -> str | None:
        """The next text; None when none came until a ping was due, which was sent then."""
        while not self._messages:
            if self._end:
                raise ConnectionFailed(self._end, maybe_received=True)
            if not self._read():
                return None
        return self._messages.popleft()

    def send(self, text: str) -> None:
        """Send a text."""
        if self._protocol.state is not State.OPEN:
            raise ConnectionFailed(self._end or f"{self._config.name}: the connection is closed", maybe_received=False)
        self._protocol.send_text(text.encode())
        self._flush()

    def interrupt(self) -> None:
        """End `receive`, in whatever thread it waits, with ConnectionFailed; what is sent still arrives."""
        with suppress(OSError):  # it is closed already
            self._waker.send(b"!")

    def close(self) -> None:
        """Say goodbye and let go. Its answer is waited for a moment, the end of the connection is not: Slack leaves it open."""
        with suppress(ConnectionFailed, OSError):  # nobody hears it
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(GOING_AWAY)
                self._flush()
                self._await_goodbye()
        self._selector.close()
        for sock in (self._sock, self._waker, self._woken):
            sock.close()

    def _await_goodbye(self) -> None:
        """Closing over what is still coming would take ours back (RST)."""
        deadline = Deadline(GOODBYE_S)
        while self._protocol.close_rcvd is None and not deadline.is_over:
            self._sock.settimeout(max(0.001, deadline.left_s()))
            data = self._sock.recv(READ_BYTES)
            if not data:
                return
            self._protocol.receive_data(data)

    def _read(self) -> bool:
        """Wait for what comes next, until a ping is due or its answer late. False: nothing came, and a ping is on its way."""
        due_at = self._pinged_at + (self._config.ping_s if self._is_answered else self._config.pong_s)
        if not self._is_buffered():
            ready = self._selector.select(max(0.0, due_at - self._clock()))
            if any(key.fileobj is self._woken for key, _ in ready):
                self._end = f"{self._config.name} was told to end"
                return True
        data = self._received()
        if data is not None:
            self._feed(data)
        if self._clock() < due_at:
            return True
        if not self._is_answered:  # what drips, and never becomes a message, does not count
            raise ConnectionFailed(f"{self._config.name} is silent: a ping was not answered", maybe_received=True, at=Unreached.TIME)
        if self._protocol.state is State.OPEN:
            self._pinged_at, self._is_answered = self._clock(), False
            self._protocol.send_ping(b"oomtriage")
            self._flush()
        return data is not None

    def _is_buffered(self) -> bool:
        """Whether TLS holds something that the system does not know of."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _received(self) -> bytes | None:
        """What is there without waiting; empty at the end, None when there is nothing yet."""
        try:
            self._sock.settimeout(0)
            return self._sock.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError as exc:
            raise ConnectionFailed(f"{self._config.name} broke the connection ({type(exc).__name__})", maybe_received=True) from None

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            self._end = self._end or f"{self._config.name} ended the connection"
        self._take_in()
        self._flush()  # pongs, and the answer to a goodbye

    def _take_in(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
        if self._protocol.parser_exc is not None and not self._end:
            self._end = f"{self._config.name} sent what is no WebSocket message ({type(self._protocol.parser_exc).__name__})"

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._is_answered = True
        elif frame.opcode is Opcode.CLOSE:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd is not None else 0
            self._end = f"{self._config.name} closed the connection ({code:d})"
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self._messages.append(b"".join(self._parts).decode("utf-8", "replace"))
                self._parts.clear()

    def _flush(self) -> None:
        try:
            _send(self._sock, self._protocol, SEND_S)
        except OSError as exc:
            raise ConnectionFailed(f"{self._config.name} takes nothing any more ({type(exc).__name__})", maybe_received=True) from None


def _connected(uri: WebSocketURI, origin: str, config: WebSocketConfig, exchanges: Exchanges, exchange: Exchange) -> socket.socket:
    try:
        sock = dial(_Dialled(host=uri.host, port=uri.port, timeout=config.connect_s, exchanges=exchanges))
    except OSError as exc:
        raise at_connecting(config.name, origin, exc) from None
    if not uri.secure:
        return sock
    try:
        sock.settimeout(exchange.left_s())
        return client_context(config.ca_path).wrap_socket(sock, server_hostname=uri.host)
    except OSError as exc:
        sock.close()
        raise at_connecting(config.name, origin, exc) from None


def _handshake(sock: socket.socket, uri: WebSocketURI, config: WebSocketConfig, exchange: Exchange) -> ClientProtocol:
    quiet = logging.Logger("websockets", logging.CRITICAL + 1)  # the library's own would write the whole address at DEBUG
    protocol = ClientProtocol(uri, max_size=config.max_message_bytes, logger=quiet)
    request = protocol.connect()
    request.headers["User-Agent"] = "oomtriage"
    protocol.send_request(request)
    _send(sock, protocol, exchange.left_s())
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        sock.settimeout(exchange.left_s())
        data = sock.recv(READ_BYTES)
        exchange.received(len(data))
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
    if isinstance(protocol.handshake_exc, InvalidStatus):
        status = protocol.handshake_exc.response.status_code
        raise ConnectionFailed(f"{config.name} answered {status} instead of opening the connection", maybe_received=False)
    if protocol.handshake_exc is not None:
        why = type(protocol.handshake_exc).__name__
        raise ConnectionFailed(f"{config.name} did not open the connection as a WebSocket ({why})", maybe_received=False)
    return protocol


def _send(sock: socket.socket, protocol: ClientProtocol, limit_s: float) -> None:
    for data in protocol.data_to_send():
        if data:  # the empty one means: nothing more will come; closing says that, too
            sock.settimeout(limit_s)
            sock.sendall(data)
