"""tests/unit/store/test_retention.py in PostgreSQL."""

from tests.unit.store.test_retention import *
