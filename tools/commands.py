"""How the checks of a release run a command, mostly with no setting of this shell and no path of this clone, and what is said when it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

KEPT = ("PIP_", "LANG", "LC_", "HOME", "PATH", "TMP", "SSL_", "http")
TIMEOUT_S = 600
LAST_LINES = 15


class ToolError(Exception):
    """Why a check failed. The text goes to the terminal."""


def run(*command: str, cwd: Path, timeout_s: float = TIMEOUT_S, is_alone: bool = True) -> str:
    """Its output. ToolError holds the last lines of what went wrong. Not `is_alone`: with this shell's settings, as a builder of images needs."""
    environ = {name: value for name, value in os.environ.items() if not is_alone or name.startswith(KEPT)}
    done = subprocess.run(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=timeout_s
    )
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
        raise ToolError(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{last}")
    return done.stdout
