"""Connections whose every wait is bounded by the exchange it belongs to: from the look-up of the name to the last byte of the body."""

from __future__ import annotations

import socket
import ssl
import threading
from concurrent.futures import Future
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from receiver.transport.deadline import Deadline
from receiver.transport.exchange import Exchange, Exchanges

Address = tuple[Any, ...]
UNBOUNDED_S = 60.0  # outside of an exchange; nothing in the program asks so


class _Bounded(socket.socket):
    """A socket that waits as long as its exchange may still take. Outside of one it is like any other."""

    exchanges: Exchanges | None = None

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        exchange = self._bounded()
        n = super().recv_into(buffer, nbytes, flags)
        if exchange is not None:
            exchange.received(n)
        return n

    def send(self, data: Any, flags: int = 0) -> int:
        self._sends()
        return super().send(data, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._sends()
        super().sendall(data, flags)

    def _sends(self) -> None:
        exchange = self._bounded()
        if exchange is not None:
            exchange.has_sent = True

    def _bounded(self) -> Exchange | None:
        exchange = self.exchanges.current if self.exchanges is not None else None
        if exchange is not None:
            self.settimeout(exchange.left_s())
        return exchange


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):  # type: ignore[misc]  # the parameters of `recv_into` have other names there
    """The same over TLS. Its handshake is one call with one timeout, which `dial` leaves behind."""


class Resolver:
    """Looks up names, and does not wait for ever: the system's own look-up knows no deadline and cannot be ended.

    It runs on a thread of its own; whoever asks for the same name meanwhile waits for the same one, so that a lost DNS costs one thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[list[Address]]] = {}

    def addresses(self, host: str, port: int, *, timeout_s: float) -> list[Address]:
        """What `getaddrinfo` says. socket.gaierror when it says nothing, or not in time."""
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            pass  # a name, then
        with self._lock:
            future = self._under_way.get((host, port))
            if future is None:
                future = self._under_way[(host, port)] = Future()
                threading.Thread(target=self._ask, args=(host, port, future), name="resolve", daemon=True).start()
        try:
            return future.result(timeout_s)
        except TimeoutError as exc:
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver did not answer in time") from exc
        except UnicodeError as exc:
            raise socket.gaierror(socket.EAI_NONAME, "no such name can be") from exc

    def _ask(self, host: str, port: int, future: Future[list[Address]]) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            self._forget(host, port)
            future.set_exception(exc)
        else:
            self._forget(host, port)
            future.set_result(found)

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            self._under_way.pop((host, port), None)


class _Dials:
    """What both kinds of connection do otherwise than urllib3: how they are made."""

    exchanges: Exchanges
    resolver: Resolver

    def _new_conn(self: Any) -> socket.socket:
        try:
            return dial(self)
        except socket.gaierror as exc:
            raise NameResolutionError(self.host, self, exc) from exc
        except TimeoutError as exc:
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out") from exc
        except OSError as exc:
            raise NewConnectionError(self, f"Failed to establish a new connection: {exc}") from exc


def dial(connection: Any) -> socket.socket:
    """Connect to the first address of the host that answers. `connection.timeout` bounds the try of one address."""
    exchange = connection.exchanges.current or Exchange(Deadline(connection.timeout or UNBOUNDED_S), most_bytes=0)
    error: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in connection.resolver.addresses(
        connection._dns_host, connection.port, timeout_s=exchange.left_s()
    ):
        sock = _Bounded(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(min(connection.timeout or UNBOUNDED_S, exchange.left_s()))
            sock.connect(address)
            sock.settimeout(exchange.left_s())
        except OSError as exc:
            sock.close()
            error = exc
        else:
            sock.exchanges = connection.exchanges
            return sock
    raise error


def pool_classes(exchanges: Exchanges) -> dict[str, type[HTTPConnectionPool]]:
    """The pools by scheme, for `PoolManager.pool_classes_by_scheme`."""
    names = Resolver()

    class Plain(_Dials, HTTPConnection):
        pass

    class Tls(_Dials, HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, BoundedTlsSocket):
                self.sock.exchanges = exchanges

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    for made in (Plain, Tls):
        made.exchanges, made.resolver = exchanges, names
    return {"http": PlainPool, "https": TlsPool}


class BoundedAdapter(HTTPAdapter):
    """Makes its connections here. `pool`: as HTTPAdapter takes it."""

    def __init__(self, exchanges: Exchanges, **pool: Any) -> None:
        self._exchanges = exchanges
        super().__init__(**pool)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does it, with our kinds of pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = pool_classes(self._exchanges)
