"""Where the rule pack is: inside an installed package, or at the top of the repository."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def rules_dir() -> Path:
    """The folder with `*.rules.yaml`, `config/` and `tests/`.

    A wheel carries a copy (`receiver/_rules`); an editable install and a clone have none and use the repository's own.
    """
    package = Path(str(resources.files("receiver")))
    packaged = package / "_rules"
    return packaged if packaged.is_dir() else package.parent / "rules"
