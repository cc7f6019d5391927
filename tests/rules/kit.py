"""Breaking a rule in a copy of its pack, and asking its promtool tests whether they notice."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.e2e.binaries import binary

TIMEOUT_S = 60


def what_promtool_says_of(pack: Path, rules: str, tests: str, old: str, new: str, folder: Path) -> str:
    """What promtool writes about `tests` of a copy of `pack` in which every `old` of `rules` is `new`; "" when all pass."""
    directory = folder / "rules"
    shutil.copytree(pack, directory)
    path = directory / f"{rules}.rules.yaml"
    text = path.read_text()
    assert old in text, "the mutation no longer applies"
    path.write_text(text.replace(old, new))
    done = subprocess.run(
        [binary("promtool"), "test", "rules", str(directory / "tests" / f"{tests}.test.yaml")],
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr
