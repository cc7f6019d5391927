"""One server for all tests of a process, and databases of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.postgres.server import Postgres
from tests.postgres.stores import Databases, Stores


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostgreSQL server for all tests of this process that need no server of their own."""
    with Postgres() as server:
        yield Databases(server)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """An empty database with our tables, as a STORE_URL."""
    with databases.borrow() as url:
        yield url


@pytest.fixture
def postgres_stores(databases: Databases) -> Iterator[Stores]:
    """Stores in PostgreSQL, by paths."""
    with ExitStack() as borrowed:
        stores = Stores(lambda: borrowed.enter_context(databases.borrow()))
        yield stores
        stores.close()
