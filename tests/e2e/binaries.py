"""Where the real Prometheus and Alertmanager are that tests start. A test that needs one fails without it, it never skips."""

from __future__ import annotations

import os
import shutil

from tests.places import cache

SUITE_VARIABLE = "OOMTRIAGE_BINARIES"  # `make compat` runs the tests again with what another of Debian's suites has
OLD, NEW = "", "sid"  # the machine's own, and the newest: what `make test` runs the rules on


def binary(name: str, suite: str | None = None) -> str:
    """Path of prometheus, promtool, alertmanager or amtool: from the cache that `make` fills, else from the PATH.

    `suite`: of Debian's; the one that OOMTRIAGE_BINARIES names when None, else the machine's own.
    """
    wanted = os.environ.get(SUITE_VARIABLE, OLD) if suite is None else suite
    cached = cache() / (f"debian-{wanted}" if wanted else "debian") / "bin" / name
    found = str(cached) if cached.exists() else None if wanted else shutil.which(name)
    assert found, f"{name} is neither in {cached.parent} nor on the PATH: run `make binaries`"
    return found
