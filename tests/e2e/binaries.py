"""Where the real Prometheus and Alertmanager are that tests start. A test that needs one fails without it, it never skips."""

from __future__ import annotations

import shutil

from tests.places import cache


def binary(name: str) -> str:
    """Path of prometheus, promtool, alertmanager or amtool: from the cache that `make` fills, else from the PATH."""
    cached = cache() / "debian" / "bin" / name
    found = str(cached) if cached.exists() else shutil.which(name)
    assert found, f"{name} is neither in {cached.parent} nor on the PATH: run `make binaries`"
    return found
