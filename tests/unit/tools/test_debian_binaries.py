"""Fetching Debian's binaries: what it says when it cannot."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

from tests.places import REPO

TOOL = REPO / "tools" / "debian_binaries.py"


def run(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def test_a_complete_cache_asks_nobody(tmp_path: Path) -> None:
    """The second run needs neither apt nor a network."""
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "prometheus.complete").touch()

    assert run("prometheus", "--cache", str(tmp_path), path="/nonexistent").returncode == 0


def test_without_apt_it_fails_and_says_what_to_do(tmp_path: Path) -> None:
    """Tests that need the binaries must fail with a reason, so `make test` stops here."""
    done = run("prometheus", "--cache", str(tmp_path), path="/nonexistent")

    assert done.returncode == 1
    assert "prometheus, promtool, alertmanager, amtool" in done.stderr
    assert "Debian" in done.stderr


def test_apts_own_words_are_passed_on(tmp_path: Path) -> None:
    """When a mirror cannot be reached, the line that says which is shown before apt's later complaint."""
    fake = tmp_path / "bin"
    fake.mkdir()
    for name, body in (
        ("apt-get", 'case "$*" in *update*) echo "W: Failed to fetch the mirror";; *) echo "E: Unable to locate package"; exit 100;; esac'),
        ("dpkg-deb", "exit 0"),
    ):
        (fake / name).write_text(f"#!/bin/sh\n{body}\n")
        (fake / name).chmod(0o755)

    done = run("prometheus", "--cache", str(tmp_path / "cache"), path=f"{fake}:/usr/bin:/bin")

    assert done.returncode == 1
    assert done.stderr.index("W: Failed to fetch the mirror") < done.stderr.index("E: Unable to locate package")
    assert not (tmp_path / "cache" / "debian" / "prometheus.complete").exists()


def test_a_launcher_finds_libraries_in_folders_of_their_own(tmp_path: Path) -> None:
    """Debian's libpulse, which Chromium wants, looks for a part of itself below an absolute path."""
    root = tmp_path / "root"
    private = root / "usr" / "lib" / "x86_64-linux-gnu" / "pulseaudio"
    private.mkdir(parents=True)
    (private / "libpulsecommon-16.1.so").touch()
    binary = root / "usr" / "bin" / "browser"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\necho $LD_LIBRARY_PATH\n")
    binary.chmod(0o755)
    tool = runpy.run_path(str(TOOL))
    tool["_write_launchers"](tool["Group"](packages=(), commands={"browser": "usr/bin/browser"}), tmp_path)

    said = subprocess.run([str(tmp_path / "bin" / "browser")], capture_output=True, text=True, check=True).stdout

    assert [Path(p) for p in said.strip().split(":")] == [private.parent, private]
