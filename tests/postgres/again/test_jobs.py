"""tests/unit/store/test_store.py, as far as it is about work, in PostgreSQL."""

from tests.unit.store.test_store import TestJobs, path

__all__ = ["TestJobs", "path"]
