"""Where the rule pack, its runbooks and the pages about causes are: inside an installed package, or in the repository."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def rules_dir() -> Path:
    """The folder with `*.rules.yaml`, `config/` and `tests/`.

    A wheel carries a copy (`receiver/_rules`); an editable install and a clone have none and use the repository's own.
    """
    return _place("_rules", "rules")


def runbooks_dir() -> Path:
    """The folder with one NAME.md for each alert: `receiver/_runbooks` in a wheel, else docs/runbooks of the repository."""
    return _place("_runbooks", "docs/runbooks")


def causes_dir() -> Path:
    """The folder with one NAME.md for each cause, and `habits/`: `receiver/_causes` in a wheel, else docs/causes of the repository."""
    return _place("_causes", "docs/causes")


def _place(packaged: str, in_repository: str) -> Path:
    package = Path(str(resources.files("receiver")))
    return package / packaged if (package / packaged).is_dir() else package.parent / in_repository
