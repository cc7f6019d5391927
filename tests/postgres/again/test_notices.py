"""tests/unit/pipeline/test_notices.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_notices import *
