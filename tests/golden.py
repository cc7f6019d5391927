"""Golden files: what people read, kept beside the tests and reviewed in diffs.

`golden(path, text)` compares; `pytest --update-golden` writes instead, and then a person looks at the diff.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

GOLDEN_DIR = Path(__file__).parent / "golden"

Golden = Callable[[str, str], None]


def compare(path: str, text: str, *, update: bool) -> None:
    """Compare `text` with tests/golden/PATH. AssertionError shows the difference and how to accept it."""
    file = GOLDEN_DIR / path
    text = text if text.endswith("\n") else text + "\n"
    if update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return
    expected = file.read_text(encoding="utf-8") if file.exists() else ""
    if text != expected:
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), f"golden/{path}", "now", lineterm="", n=2)
        raise AssertionError("\n".join([f"{path} has changed; look at it, then run pytest --update-golden", *lines]))
