"""The folder for temporary files that belongs to this user alone. Only the standard library: a command that looks into it needs little else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def own_folder() -> Path:
    """Where it is: in everybody's folder for temporary files. It need not be there."""
    return Path(tempfile.gettempdir()) / f"oomtriage-{os.getuid()}"


def is_private(folder: Path) -> bool:
    """A folder of ours, no link, that nobody else can enter: the place above it is everybody's."""
    try:
        state = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o077


def make_private(folder: Path) -> Path:
    """Make it where it is not there yet. OSError when it cannot be made, or what stands there is not ours alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if not is_private(folder):
        raise PermissionError(1, f"{folder} is not this user's alone")
    return folder
