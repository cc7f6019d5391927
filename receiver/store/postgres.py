"""PostgreSQL behind the store: for several receivers on one state, of which one dispatches (receiver/store/lease.py).

What it relies on holds behind a pooler in transaction mode, too: nothing outlives a transaction, neither a prepared statement nor a
setting nor a lock. Each transaction brings its own time limits, so that a receiver which freezes in the middle of one is ended by the
server and blocks nobody for long; and what the server does not end (it hangs itself), a watchdog here does.

A connection that broke is made anew by the next transaction, with the STORE_URL as it stands in its file then: passwords rotate, and
after a failover another host answers to the same name.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from receiver.errors import ConfigError, StoreAway, StoreBusy, StoreError
from receiver.store.database import POSTGRES, Lane, Room, Row, Tx
from receiver.store.turns import FairLock

log = logging.getLogger(__name__)

CONNECT_S = 5
HANGS_S = 12.0  # longer than any statement may take at the server
AWAY_S = 0.5
_WATCH_EVERY_S = 1.0
_LIMITS: Mapping[Lane, str] = {
    lane: f"BEGIN; SET LOCAL statement_timeout = '{statement}'; SET LOCAL lock_timeout = '{lock}';"
    " SET LOCAL idle_in_transaction_session_timeout = '5s'"
    for lane, statement, lock in (
        # An accept gives way to the dispatcher before the server looks for a deadlock (after 1 s), and is tried again.
        (Lane.ACCEPT, "5s", "500ms"),
        (Lane.WRITE, "5s", "2s"),
        (Lane.READ, "5s", "2s"),
        (Lane.LEAD, "3s", "2s"),
        (Lane.MIGRATE, "0", "60s"),
    )
}
_NOT_AT_ONCE = "; SET LOCAL synchronous_commit = off"
_ALIVE: Mapping[str, Any] = {  # a server that vanished without a word is noticed within about ten seconds
    "connect_timeout": CONNECT_S, "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000, "application_name": "oomtriage",
}  # fmt: skip
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_BUSY = frozenset(("55P03", "40P01", "40001", "57014"))  # lock timeout, deadlock, serialization, statement timeout
_READ_ONLY = "25006"
# Connection, authorization, resources, an operator's intervention: nothing that is wrong with the statement.
_AWAY = ("08", "28", "3D", "53", "57P", _READ_ONLY, "25P03", "XX")
_CLOCK = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION) AS at"


class PostgresDatabase:
    """A few connections to one database, each for one thing at a time. Thread-safe.

    Every error that is not a bug comes out as a StoreError: StoreAway while the server cannot be reached or takes no writes, StoreBusy
    when somebody else's lock was in the way.
    """

    dialect = POSTGRES
    broken = None
    is_refusing = False

    def __init__(self, url: Callable[[], str], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`url`: of the database, asked for whenever a connection is made."""
        self._url = url
        self._monotonic = monotonic
        self._clock_offset = 0.0
        self._away, self._away_until = "", 0.0
        self._lanes = {lane: _Connection(lane, self._connect, monotonic) for lane in Lane}
        self._ending = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="database-watchdog", daemon=True)
        self._watchdog.start()

    @contextmanager
    def transaction(self, *, lane: Lane = Lane.WRITE, is_urgent: bool = False, may_be_redone: bool = False) -> Iterator[Tx]:
        """BEGIN ... COMMIT, one at a time in each lane. Nothing that waits on a network belongs inside."""
        with self._lanes[lane].transaction(is_urgent=is_urgent, may_be_redone=may_be_redone) as tx:
            yield tx

    def now(self) -> float:
        """Seconds since 1970 by the database's clock, which all replicas share; no clock of this machine can move it."""
        return self._monotonic() + self._clock_offset

    def read_clock(self, tx: Tx) -> float:
        """Ask the database what time it is. What `now` says is made to agree."""
        before = self._monotonic()
        at = float(tx.run(_CLOCK)[0]["at"])
        self._clock_offset = at - (before + self._monotonic()) / 2
        return at

    def admit(self) -> None:
        """Alerts are taken as long as they can be written."""

    def check_content(self, max_s: float) -> None:
        """The server's own affair."""

    def room(self) -> Room:
        """How much our tables take. What is left to the server it does not tell."""
        with self.transaction(lane=Lane.READ) as tx:
            rows = tx.run(
                "SELECT CAST(COALESCE(SUM(pg_total_relation_size(oid)), 0) AS BIGINT) AS n FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)"
            )
        return Room(used_bytes=0, store_bytes=int(rows[0]["n"]), free_bytes=None)

    def reclaim(self, pages: int = 500) -> None:
        """Autovacuum does."""

    def close(self) -> None:
        """Let go of every connection."""
        self._ending.set()
        for connection in self._lanes.values():
            connection.close()

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        url = self._url()
        if self._monotonic() < self._away_until:  # who waits for its turn behind a failed try does not wait as long again
            raise StoreAway(self._away)
        try:
            parameters = {**_ALIVE, **conninfo_to_dict(url)}
            connection = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None, row_factory=dict_row)
        except (psycopg.Error, UnicodeDecodeError) as exc:
            self._away, self._away_until = f"the database {place_of(url)} cannot be used: {_said(exc)}", self._monotonic() + AWAY_S
            raise StoreAway(self._away) from None
        if self._clock_offset == 0.0:
            with _as_store_errors():
                self.read_clock(_PostgresTx(connection))
        return connection

    def _watch(self) -> None:
        while not self._ending.wait(_WATCH_EVERY_S):
            for connection in self._lanes.values():
                connection.end_what_hangs()


class _Connection:
    """One connection: made when it is needed, and anew after it broke."""

    def __init__(self, lane: Lane, connect: Callable[[], psycopg.Connection[dict[str, Any]]], monotonic: Callable[[], float]) -> None:
        self._begin = _LIMITS[lane]
        self._may_last = lane is Lane.MIGRATE
        self._connect = connect
        self._monotonic = monotonic
        self._lock = FairLock()
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._busy_since: float | None = None

    @contextmanager
    def transaction(self, *, is_urgent: bool, may_be_redone: bool) -> Iterator[Tx]:
        begin = self._begin + (_NOT_AT_ONCE if may_be_redone else "")
        with self._lock.turn(is_urgent=is_urgent), self._let_go_when_it_breaks():
            tx = _PostgresTx(self._begun(begin), self._note)
            try:
                yield tx
                tx.run("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def end_what_hangs(self) -> None:
        """Cut the connection when an answer has been out for too long: whoever waits for it goes on with an error."""
        since, connection = self._busy_since, self._connection
        if since is None or connection is None or self._may_last or self._monotonic() - since < HANGS_S:
            return
        self._busy_since = None
        log.warning("the database does not answer; its connection is cut", extra={"seconds": round(self._monotonic() - since)})
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.pgconn.socket)) as cut:
            cut.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _begun(self, begin: str) -> psycopg.Connection[dict[str, Any]]:
        """A connection with an open transaction. One that broke while nobody used it is made anew at once."""
        if self._connection is not None:
            with suppress(StoreError):
                return self._begin_on(self._connection, begin)
            self._drop()
        self._connection = self._connect()
        return self._begin_on(self._connection, begin)

    def _begin_on(self, connection: psycopg.Connection[dict[str, Any]], begin: str) -> psycopg.Connection[dict[str, Any]]:
        _PostgresTx(connection, self._note).run(begin)
        return connection

    @contextmanager
    def _let_go_when_it_breaks(self) -> Iterator[None]:
        try:
            yield
        except StoreAway:  # also of a server that was demoted: the same name leads to another one by now
            self._drop()
            raise

    def _roll_back(self) -> None:
        connection = self._connection
        if connection is None or connection.closed or connection.broken:
            self._drop()
            return
        try:
            _PostgresTx(connection, self._note).run("ROLLBACK")
        except StoreError:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _note(self, is_asking: bool) -> None:
        self._busy_since = self._monotonic() if is_asking else None


class _PostgresTx:
    def __init__(self, connection: psycopg.Connection[dict[str, Any]], note: Callable[[bool], None] = lambda is_asking: None) -> None:
        self._connection = connection
        self._note = note

    def run(self, sql: str, /, **params: Any) -> list[Row]:
        self._note(True)
        try:
            with _as_store_errors():
                if not params:
                    cursor = self._connection.execute(sql.encode())
                else:
                    cursor = self._connection.execute(_translated(sql), {name: _storable(value) for name, value in params.items()})
                return list(cursor.fetchall()) if cursor.description is not None else []
        finally:
            self._note(False)


def check_url(url: str) -> None:
    """ConfigError when that is no address of a database, without a word of it: there is a password in it."""
    try:
        conninfo_to_dict(url)
    except (psycopg.Error, UnicodeDecodeError):
        raise ConfigError(
            "STORE_URL: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..., with what is special in a password as %XX"
        ) from None


def place_of(url: str) -> str:
    """Where a database is, without user and password: what may be shown."""
    try:
        parts = conninfo_to_dict(url)
    except (psycopg.Error, UnicodeDecodeError):
        return "of STORE_URL"
    hosts = str(parts.get("host") or parts.get("hostaddr") or "localhost").split(",")
    ports = str(parts.get("port") or "5432").split(",")
    places = [f"{host}:{ports[min(i, len(ports) - 1)]}" for i, host in enumerate(hosts)]
    return f"{','.join(places)}/{parts.get('dbname') or ''}"


@lru_cache(maxsize=1024)
def _translated(sql: str) -> bytes:
    """The statement as psycopg takes it."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%")).encode()


def _storable(value: Any) -> Any:
    """PostgreSQL's texts have no NUL: what hostile labels bring of it is replaced, where it is stored and where it is looked for."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction) as exc:
        code = exc.sqlstate or ""
        if code in _BUSY:
            raise StoreBusy(f"the database is busy: {_said(exc)}") from exc
        if not code or code.startswith(_AWAY):
            raise StoreAway(f"the database cannot be used: {_said(exc)}") from exc
        raise StoreError(f"the store refused: {_said(exc)}") from exc
    except psycopg.Error as exc:
        raise StoreError(f"the store refused: {_said(exc)}") from exc


def _said(exc: psycopg.Error | UnicodeDecodeError) -> str:
    """The server's own words in one line, without the row that it is about."""
    if isinstance(exc, UnicodeDecodeError):
        return "its address has a %XX in it that is no text"
    said = exc.diag.message_primary or str(exc)
    return " ".join(said.split())[:300] or type(exc).__name__
