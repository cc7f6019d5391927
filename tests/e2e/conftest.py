"""A PostgreSQL server where a test asks for one."""

from tests.postgres.fixtures import database_url, databases

__all__ = ["database_url", "databases"]
