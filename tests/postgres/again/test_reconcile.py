"""tests/unit/pipeline/test_reconcile.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_reconcile import *
