"""Where the state is: a file that one receiver holds, or a database that several share."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from receiver.errors import ConfigError, StoreUnwritable
from receiver.settings import Settings
from receiver.store.database import Database
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store

if TYPE_CHECKING:
    from receiver.store.lease import Lease

POSTGRES = ("postgresql://", "postgres://")
EXPECTED = "sqlite:////abs/path.db, sqlite:///relative.db or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


def is_shared(settings: Settings) -> bool:
    """Whether the state is in PostgreSQL, where several receivers may use it."""
    return settings.store_url.reveal().startswith(POSTGRES)


def store_path(settings: Settings) -> Path:
    """The state file: `sqlite:////abs/path.db` or `sqlite:///relative.db`. ConfigError where the state is in none."""
    if is_shared(settings):
        raise ConfigError("STORE_URL names a PostgreSQL database and no state file: pg_dump and pg_restore are for its backups")
    return Path(settings.store_url.reveal().removeprefix("sqlite:///"))


def open_file(
    settings: Settings, *, wait_s: float, keeps_reserve: bool, clock: Callable[[], float], unwritable: StoreUnwritable | None
) -> Store:
    """The state file's store; a copy's when the file itself cannot be written, for the reason `unwritable`. StoreError."""
    if unwritable is not None:
        return Store.open_elsewhere(store_path(settings), unwritable, clock=clock)
    return Store.open_sqlite(store_path(settings), wait_s=wait_s, keeps_reserve=keeps_reserve, clock=clock)


def open_database(settings: Settings, *, monotonic: Callable[[], float]) -> tuple[Store, Lease]:
    """The database's store, and the lease on dispatching that may be had there. StoreError."""
    from receiver.store.lease import Lease  # they need the extra `postgres`
    from receiver.store.postgres import PostgresDatabase

    database = PostgresDatabase(lambda: url_now(settings), monotonic=monotonic)
    lease = Lease(database, ttl_s=settings.leader_ttl, monotonic=monotonic)
    try:
        return Store.open_shared(database, lease, clock=database.now), lease
    except BaseException:
        database.close()
        raise


def url_now(settings: Settings) -> str:
    """The database's address as it stands in its file now: passwords change while the receiver runs."""
    path = settings.secret_paths.get("store_url")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip() or settings.store_url.reveal()
        except (OSError, UnicodeDecodeError):  # it is just being replaced
            pass
    return settings.store_url.reveal()


def check_database(settings: Settings) -> None:
    """What can be told of the database's address without asking it. ConfigError."""
    check_driver()
    from receiver.store.postgres import check_url

    check_url(url_now(settings))


def check_driver() -> None:
    """Whether there is one for PostgreSQL. ConfigError."""
    try:
        importlib.import_module("psycopg")
    except ImportError:
        raise ConfigError(
            "STORE_URL names PostgreSQL, for which this installation lacks a driver: pip install 'oomtriage[postgres]'"
        ) from None


@contextmanager
def open_for_a_move(url: str, *, must_exist: bool = False) -> Iterator[Database]:
    """The database at an address, or at the one that a file (`@FILE`) holds, as nobody uses it. ConfigError, StoreLocked, StoreError."""
    if url.startswith("@"):
        try:
            url = Path(url[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"{url[1:]}: cannot be read: {exc}") from exc
    database = _database_at(url, must_exist=must_exist)
    try:
        yield database
    finally:
        database.close()


def _database_at(url: str, *, must_exist: bool) -> Database:
    if url.startswith(POSTGRES):
        check_driver()
        from receiver.store.postgres import PostgresDatabase, check_url

        check_url(url)
        return PostgresDatabase(lambda: url)
    if not url.startswith("sqlite:///") or url == "sqlite:///":
        raise ConfigError(f"expected {EXPECTED}")
    path = Path(url.removeprefix("sqlite:///"))
    if must_exist and not path.is_file():
        raise ConfigError(f"there is no state file {path}")
    return SqliteDatabase.open(path)
