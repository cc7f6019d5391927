"""Slack's side of Socket Mode: connections opened with a ticket, envelopes that are sent again until they are acknowledged.

Each press goes to one of the open connections, the next to another one; without an acknowledgement in `ack_s` it goes out again, to
whoever is connected then, as Slack does it within three seconds. `FakeSlack` answers apps.connections.open and hands the upgraded
request here. The protocol is the library's server side, the waiting and the faults are ours.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

LINK_PATH = "/link/"
APP_TOKEN = "xapp-1-A0FAKE-0123456789-abcdef"
TRIES = 20


class Connection:
    """One open connection. `acks`: of which envelopes, in order."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.protocol = ServerProtocol()
        self.acks: list[str] = []
        self.close_code = 0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self.protocol.state is State.OPEN

    def say(self, text: str) -> None:
        """Send a text, whatever it is."""
        with self._lock, suppress(OSError):
            if self.is_open:
                self.protocol.send_text(text.encode())
                self.flush()

    def shut(self, code: int = 1000) -> None:
        """Close in order."""
        with self._lock, suppress(OSError):
            if self.is_open:
                self.protocol.send_close(code)
                self.flush()

    def drop(self) -> None:
        """The way between breaks."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def raw(self, data: bytes) -> None:
        """Bytes that are no frame."""
        with suppress(OSError):
            self.sock.sendall(data)

    def feed(self, data: bytes) -> list[Frame]:
        """What came in, after pings and goodbyes were answered."""
        with self._lock:
            if data:
                self.protocol.receive_data(data)
            else:
                self.protocol.receive_eof()
            frames = [e for e in self.protocol.events_received() if isinstance(e, Frame)]
            with suppress(OSError):
                self.flush()
        return frames

    def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.sock.sendall(data)


class SocketModeServer:
    """All connections of one app. `hangs`: nothing is read or answered any more; `greets`: a hello comes."""

    def __init__(self, changed: threading.Condition, *, ack_s: float = 3.0) -> None:
        self.ack_s = ack_s
        self.hangs = False
        self.greets = True
        self.connections: list[Connection] = []
        self.opened: list[Connection] = []  # every one there ever was
        self.acked: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.keeps_acks = False  # acknowledgements get lost on the way
        self.tickets_given: list[str] = []
        self._tickets: set[str] = set()
        self._changed = changed
        self._turn = 0
        self._timers: list[threading.Timer] = []
        self._ending = threading.Event()

    def ticket(self) -> str:
        """A new address, good for one connection."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        self.tickets_given.append(ticket)
        return f"{LINK_PATH}?ticket={ticket}&app_id=A0FAKE"

    def press(self, payload: Mapping[str, Any]) -> str:
        """Somebody pressed something; the id of its envelope."""
        return self.send({"type": "interactive", "payload": payload, "accepts_response_payload": False})

    def send(self, envelope: Mapping[str, Any]) -> str:
        """An envelope of any kind."""
        envelope_id = str(uuid.uuid4())
        self._deliver({**envelope, "envelope_id": envelope_id}, 0)
        return envelope_id

    def disconnect(self, reason: str, *, closes_in_s: float | None = None) -> Connection:
        """Ask the newest connection to be replaced, and close it after that time."""
        connection = self.connections[-1]
        connection.say(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}}))
        if closes_in_s is not None:
            self._later(closes_in_s, connection.shut)
        return connection

    def end(self) -> None:
        """Drop everything."""
        self._ending.set()
        for timer in self._timers:
            timer.cancel()
        for connection in list(self.connections):
            connection.drop()

    def serve(self, handler: Any) -> None:
        """One connection, until it ends; `handler` has read the request's headers."""
        connection = Connection(handler.connection)
        ticket = handler.path.partition("ticket=")[2].partition("&")[0]
        head = f"GET {handler.path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in handler.headers.items()) + "\r\n"
        connection.protocol.receive_data(head.encode())
        (request,) = connection.protocol.events_received()
        assert isinstance(request, Request)
        response = connection.protocol.accept(request) if ticket in self._tickets else connection.protocol.reject(408, "no such ticket")
        self._tickets.discard(ticket)
        connection.protocol.send_response(response)
        connection.flush()
        if not connection.is_open:
            return
        connection.sock.settimeout(None)
        with self._changed:
            self.connections.append(connection)
            self.opened.append(connection)
            count = len(self.connections)
            self._changed.notify_all()
        if self.greets:
            hello = {
                "type": "hello",
                "num_connections": count,
                "debug_info": {"host": "applink-fake"},
                "connection_info": {"app_id": "A0FAKE"},
            }
            connection.say(json.dumps(hello))
        try:
            self._read(connection)
        finally:
            with self._changed:
                self.connections.remove(connection)
                if connection.protocol.close_rcvd is not None:
                    connection.close_code = connection.protocol.close_rcvd.code
                self._changed.notify_all()

    def _read(self, connection: Connection) -> None:
        while connection.protocol.state is not State.CLOSED:
            try:
                data = connection.sock.recv(65536)
            except OSError:
                return
            if self.hangs:
                if not data:
                    return
                continue
            for frame in connection.feed(data):
                if frame.opcode is Opcode.TEXT:
                    self._acknowledged(connection, str(json.loads(bytes(frame.data))["envelope_id"]))
            if not data:
                return

    def _acknowledged(self, connection: Connection, envelope_id: str) -> None:
        with self._changed:
            connection.acks.append(envelope_id)
            if not self.keeps_acks:
                self.acked[envelope_id] += 1
            self._changed.notify_all()

    def _deliver(self, envelope: dict[str, Any], tried: int) -> None:
        envelope_id = str(envelope["envelope_id"])
        with self._changed:
            if self.acked[envelope_id] or tried >= TRIES or self._ending.is_set():
                return
            there = [c for c in self.connections if c.is_open]
            self._turn += 1
            connection = there[self._turn % len(there)] if there else None
            if connection is not None:
                self.deliveries[envelope_id] += 1
                self._changed.notify_all()
        if connection is not None:
            connection.say(json.dumps({**envelope, "retry_attempt": tried}))
        self._later(self.ack_s, self._deliver, envelope, tried + 1)

    def _later(self, seconds: float, what: Any, *arguments: Any) -> None:
        timer = threading.Timer(seconds, what, arguments)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()
