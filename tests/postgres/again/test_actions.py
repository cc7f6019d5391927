"""tests/unit/pipeline/test_actions.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_actions import *
