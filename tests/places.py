"""Where the tests find the repository and what was recorded, however deep a test file lies."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).parents[1]
FIXTURES = REPO / "tests" / "fixtures"


def cache() -> Path:
    """Where `make` keeps what it fetches: OOMTRIAGE_CACHE, or .cache in the clone."""
    return Path(os.environ.get("OOMTRIAGE_CACHE") or REPO / ".cache")
