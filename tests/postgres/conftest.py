"""The server, and the stores in it, for the tests of this folder."""

from tests.postgres.fixtures import database_url, databases, postgres_stores

__all__ = ["database_url", "databases", "postgres_stores"]
