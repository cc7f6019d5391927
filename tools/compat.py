"""Run the tests again on the versions that people have: `make compat`.

    python3 tools/compat.py [NAME...]

Without names everything that this machine can: each suite of Debian's (the rules and the end-to-end tests on its Prometheus and
Alertmanager), its VictoriaMetrics, and each other Python on the PATH (the unit tests). Ends with a line each; 1 when one failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES: Mapping[str, tuple[str, ...]] = {
    "trixie": ("prometheus-2.53", "victoria-1.112"),
    "sid": ("prometheus-3.5", "victoria-1.145"),
}
PYTHONS = ("3.12", "3.13", "3.14")  # beside the oldest, which `make test` takes
ON_SUITES = ("tests/rules", "tests/e2e", "tests/compat")


def names() -> list[str]:
    """What can be asked for here: the suites, and the Pythons that are on the PATH."""
    return [*SUITES, *(f"python{version}" for version in PYTHONS if _python(version))]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Run the tests again on the versions that people have.")
    parser.add_argument("names", nargs="*", help=f"any of: {', '.join(names())} (default: all)")
    wanted = parser.parse_args(arguments).names or names()
    if unknown := [name for name in wanted if name not in names()]:
        parser.error(f"not here: {', '.join(unknown)}; there are {', '.join(names())}")
    told: list[tuple[str, bool]] = []
    for name in wanted:
        run: Callable[[str], bool] = _on_suite if name in SUITES else _on_python
        print(f"== {name}", flush=True)
        told.append((name, run(name)))
    for name, is_right in told:
        print(f"{name}: {'passed' if is_right else 'FAILED'}")
    return 0 if all(is_right for _, is_right in told) else 1


def _on_suite(suite: str) -> bool:
    fetch = [sys.executable, str(ROOT / "tools" / "debian_binaries.py"), "prometheus", *SUITES[suite]]
    test = [str(ROOT / ".venv" / "bin" / "python"), "-m", "pytest", "-n", "auto", *ON_SUITES]
    return _succeeds(fetch) and _succeeds(test, OOMTRIAGE_BINARIES=suite)


def _on_python(name: str) -> bool:
    """The unit tests, in an environment of its own beside the usual one."""
    python = _python(name.removeprefix("python"))
    assert python is not None, name
    venv = ROOT / f".venv-{name.removeprefix('python')}"
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--no-input"]
    locks = [argument for lock in ("build", "runtime", "dev") for argument in ("-r", str(ROOT / "requirements" / f"{lock}.txt"))]
    return all(
        _succeeds(command)
        for command in (
            [python, str(ROOT / "tools" / "make_venv.py"), str(venv)],
            [*pip, "--require-hashes", *locks],
            [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
            [str(venv / "bin" / "python"), "-m", "pytest", "-n", "auto", "tests/unit"],
        )
    )


def _python(version: str) -> str | None:
    """Path of a Python that works; a version manager's stand-in for one that is not installed does not."""
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode != 0:
        return None
    return found


def _succeeds(command: Sequence[str], **environment: str) -> bool:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
