"""Make a virtual environment with pip, on a Debian that has Python but perhaps not python3-venv.

    python3 tools/make_venv.py FOLDER

Does nothing when FOLDER already has a working Python and pip. Standard library only.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import debian_binaries

OLDEST = (3, 11)


def main(folder: Path) -> int:
    """0 when FOLDER is a usable environment, 1 with the reason when it cannot be made."""
    if sys.version_info < OLDEST:
        print(
            f"make_venv: Python {'.'.join(map(str, OLDEST))} or newer is needed, {sys.executable} is {sys.version.split()[0]}. "
            "Name another one: make PYTHON=python3.12 ...",
            file=sys.stderr,
        )
        return 1
    python = folder / "bin" / "python"
    if _works(python):
        return 0
    if importlib.util.find_spec("ensurepip") and _succeeds([sys.executable, "-m", "venv", "--clear", str(folder)]):
        return 0
    # Debian splits ensurepip off into python3-venv. Its pip is one wheel in a package anybody may download.
    try:
        debian_binaries.fetch(["pip"], debian_binaries.default_cache().resolve())
    except debian_binaries.FetchError as error:
        print(f"make_venv: this Python has no ensurepip (apt install python3-venv), and pip could not be fetched: {error}", file=sys.stderr)
        return 1
    wheels = debian_binaries.default_cache().resolve().glob("debian/root/usr/share/python-wheels/pip-*.whl")
    wheel = max(wheels, default=None)
    if wheel is None:
        print("make_venv: no pip wheel in python3-pip-whl; install python3-venv", file=sys.stderr)
        return 1
    made = _succeeds([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
    offline_pip = [str(python), "-m", "pip", "install", "-q", "--no-index", "--no-cache-dir", str(wheel)]
    if made and _succeeds(offline_pip, PYTHONPATH=str(wheel)) and _works(python):
        return 0
    print(f"make_venv: could not make {folder}; install python3-venv", file=sys.stderr)
    return 1


def _works(python: Path) -> bool:
    return python.exists() and _succeeds([str(python), "-m", "pip", "--version"], quiet=True)


def _succeeds(command: list[str], *, quiet: bool = False, **environment: str) -> bool:
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_venv.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
