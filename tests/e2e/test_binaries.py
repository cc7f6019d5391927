"""The unpacked binaries run where they lie, without root."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.binaries import binary


def test_alertmanager_checks_a_configuration(tmp_path: Path) -> None:
    """The unpacked binaries run from any folder, Alertmanager's with its own default template."""
    config = tmp_path / "am.yaml"
    config.write_text("{route: {receiver: a}, receivers: [{name: a}]}")

    assert subprocess.run([binary("amtool"), "check-config", str(config)], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert subprocess.run([binary("alertmanager"), "--version"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
