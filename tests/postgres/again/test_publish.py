"""tests/unit/pipeline/test_publish.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_publish import *
