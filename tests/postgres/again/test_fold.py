"""tests/unit/pipeline/test_fold.py in PostgreSQL."""

from tests.unit.pipeline.conftest import *
from tests.unit.pipeline.test_fold import *
