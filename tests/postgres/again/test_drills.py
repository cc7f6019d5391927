"""tests/unit/pipeline/test_drills.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_drills import *
