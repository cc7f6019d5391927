"""tests/unit/store/test_listing.py in PostgreSQL."""

from tests.unit.store.test_listing import *
