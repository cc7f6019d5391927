"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version() -> str:
    """As installed; `(not installed)` where the source tree runs by itself."""
    try:
        return version_of("oomtriage")
    except PackageNotFoundError:
        return "(not installed)"
