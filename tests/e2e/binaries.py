"""Where the real Prometheus and Alertmanager are that tests start. A test that needs one fails without it, it never skips."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.places import REPO


def binary(name: str) -> str:
    """Path of prometheus, promtool, alertmanager or amtool: from the cache that `make` fills, else from the PATH."""
    cache = Path(os.environ.get("OOMTRIAGE_CACHE") or REPO / ".cache")
    cached = cache / "debian" / "bin" / name
    found = str(cached) if cached.exists() else shutil.which(name)
    assert found, f"{name} is neither in {cached.parent} nor on the PATH: run `make binaries`"
    return found
