"""Where the tests find the repository and what was recorded, however deep a test file lies."""

from __future__ import annotations

from pathlib import Path

REPO = Path(__file__).parents[1]
FIXTURES = REPO / "tests" / "fixtures"
