"""Stores in PostgreSQL for tests that were written for a state file: one database a path, made from a template, used again by the next test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from receiver.store.lease import Lease
from receiver.store.postgres import PostgresDatabase
from receiver.store.schema import INSTALLED_AT, get_meta, migrate, set_meta
from receiver.store.store import Store
from tests.postgres.server import Postgres, name_of

TTL_S = 600.0  # no test's clock runs so long by itself
TEMPLATE = "migrated"


class Databases:
    """Databases of one server, with our tables in them and nothing else."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._free: list[str] = []
        server.ask(f"CREATE DATABASE {TEMPLATE} OWNER oomtriage")
        database = PostgresDatabase(lambda: server.url(TEMPLATE))
        migrate(database, now=0.0)
        database.close()
        self._tables = [str(row[0]) for row in server.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", TEMPLATE)]

    @contextmanager
    def borrow(self) -> Iterator[str]:
        """The STORE_URL of a database that is yours for the time of the block."""
        url = self._free.pop() if self._free else self.server.database(template=TEMPLATE)
        try:
            yield url
        finally:
            kept = [table for table in self._tables if table != "meta"]
            name = name_of(url)
            self.server.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()")
            self.server.ask(f"TRUNCATE {', '.join(kept)} RESTART IDENTITY; DELETE FROM meta WHERE k <> 'schema'", name)
            self._free.append(url)


class Stores:
    """`open` in place of `Store.open_sqlite`: the same path leads to the same database, and whoever opens it takes it over."""

    def __init__(self, borrow: Callable[[], str]) -> None:
        self._borrow = borrow
        self._urls: dict[Path, str] = {}
        self._opened: list[Store] = []

    def open(self, path: Path, *, wait_s: float = 0.0, keeps_reserve: bool = False, clock: Callable[[], float] = time.time) -> Store:
        """A store that leads."""
        if path not in self._urls:
            self._urls[path] = self._borrow()
        store = open_leading(self._urls[path], clock=clock)
        with store.record() as tx:
            if get_meta(tx, INSTALLED_AT) is None:
                set_meta(tx, INSTALLED_AT, str(clock()))
        self._opened.append(store)
        return store

    def close(self) -> None:
        """What a test left open."""
        for store in self._opened:
            store.close()


def open_leading(url: str, *, clock: Callable[[], float] | None = None, ttl_s: float = TTL_S) -> Store:
    """A store in PostgreSQL that leads, whoever did before."""
    database = PostgresDatabase(lambda: url)
    lease = Lease(database, ttl_s=ttl_s)
    store = Store(database, clock=clock or database.now, leadership=lease)
    with database.transaction() as tx:
        Lease.make_row(tx)
        tx.run("UPDATE leader SET expires_at = 0")
    lease.step()
    assert lease.may_act()
    return store
