"""Fetch Debian's binaries that tests need into a cache folder, as an ordinary user.

    python3 tools/debian_binaries.py [--cache DIR] GROUP...

Nothing is installed and no service is started: the packages are downloaded with apt's own signature and hash checks
into the cache (its lists too), unpacked there with dpkg-deb, and each command gets a small launcher in DIR/debian/bin
that knows where the unpacked libraries are. A group that is complete costs one look at the disk.

To add a binary, add a line to GROUPS; name the package that holds it (postgresql-15, not postgresql). Compiled packages it
depends on come along when this machine lacks them. Runs before any virtual environment exists, so it uses the standard library only.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Group:
    """What is fetched together. `commands` maps the launcher's name to the binary's path below the root; `*` is allowed.

    `data` maps a launcher's name to a folder the binary wants at its absolute path, which is not there without root: see
    `_with_own_data`.
    """

    packages: tuple[str, ...]
    commands: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)


GROUPS: Mapping[str, Group] = {
    "prometheus": Group(
        packages=("prometheus", "prometheus-alertmanager"),
        commands={
            "prometheus": "usr/bin/prometheus",
            "promtool": "usr/bin/promtool",
            "alertmanager": "usr/bin/prometheus-alertmanager",
            "amtool": "usr/bin/amtool",
        },
        data={"alertmanager": "usr/share/prometheus/alertmanager"},  # it reads default.tmpl there, or does not start
    ),
    # A browser without windows and its fonts, for `make pictures` only: about 110 MB to download.
    "pictures": Group(
        packages=("chromium-headless-shell", "chromium-common", "fonts-lato", "fonts-dejavu-core", "fonts-noto-color-emoji"),
        commands={"chromium-headless-shell": "usr/lib/chromium/chromium-headless-shell"},
    ),
    # pip as a wheel, for a Python whose venv module cannot bring its own (Debian without python3-venv).
    "pip": Group(packages=("python3-pip-whl",)),
}

# apt without anything of the system's but its sources and keys. `#clear` drops hooks that images put there
# (they delete files below /var after every update).
APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State::lists "{state}/lists";
Dir::Cache "{state}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
"""

# Paths are relative to the launcher, so that a moved or copied clone still works.
LAUNCHER = """\
#!/bin/sh
root=$(CDPATH="" cd -- "$(dirname -- "$0")/../root" && pwd) || exit 127
{preparation}exec "$root/{binary}" "$@"
"""
DATA_FD = b"9"


class FetchError(Exception):
    """A group could not be fetched. Its text says what was tried and what to do."""


def default_cache() -> Path:
    """`OOMTRIAGE_CACHE`, or `.cache` in the clone."""
    configured = os.environ.get("OOMTRIAGE_CACHE")
    return Path(configured) if configured else Path(__file__).resolve().parent.parent / ".cache"


def fetch(names: Sequence[str], cache: Path) -> None:
    """Make every group of `names` complete below `cache`. Raises FetchError."""
    base = cache / "debian"
    wanted = [name for name in names if not _is_complete(name, base)]
    if not wanted:
        return
    base.mkdir(parents=True, exist_ok=True)
    with _only_one(base / "lock"):
        wanted = [name for name in wanted if not _is_complete(name, base)]
        if not wanted:
            return
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            _use_path_instead(wanted)
            return
        print(f"fetching Debian binaries: {', '.join(wanted)}", file=sys.stderr)
        packages = [package for name in wanted for package in GROUPS[name].packages]
        _download_and_unpack(packages, base)
        for name in wanted:
            _write_launchers(GROUPS[name], base)
            (base / f"{name}.complete").touch()


def _is_complete(name: str, base: Path) -> bool:
    return (base / f"{name}.complete").exists()


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Two builds of one clone wait for each other instead of unpacking over each other."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _use_path_instead(names: Sequence[str]) -> None:
    missing = [command for name in names for command in GROUPS[name].commands if shutil.which(command) is None]
    if missing:
        raise FetchError(
            f"no apt-get and dpkg-deb here, and not on the PATH: {', '.join(missing)}. "
            "Run this on Debian or Ubuntu, or install Prometheus and Alertmanager so that these commands are found."
        )


def _download_and_unpack(packages: Sequence[str], base: Path) -> None:
    state = base / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "debs"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "apt.conf").write_text(APT_CONF.format(state=state))
    try:
        trouble = [line for line in _apt(state, "update").splitlines() if line.startswith(("W:", "E:"))]
        try:
            _apt(state, "download", *packages, *_missing_libraries(state, packages))
        except FetchError as error:
            # apt counts an unreachable mirror as a warning and fails later, about a package it never heard of.
            raise FetchError("\n".join([*trouble[:4], str(error)])) from error
        root = base / "root"
        root.mkdir(exist_ok=True)
        for archive in sorted((state / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(root)], cwd=base, said=f"dpkg-deb -x {archive.name}")
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _missing_libraries(state: Path, packages: Sequence[str]) -> list[str]:
    """Compiled packages that `packages` depend on and this machine lacks. Data, fonts and scripts (arch all) are left out."""
    plan = _apt(state, "install", "--simulate", "--no-install-recommends", *packages)
    planned = re.findall(r"^Inst (\S+) .*\[(\S+)\]\)", plan, flags=re.MULTILINE)
    return [name for name, architecture in planned if architecture != "all" and name not in packages]


def _apt(state: Path, action: str, *arguments: str) -> str:
    options = ["-q", "-y", "-c", str(state / "apt.conf")]
    return _run(["apt-get", *options, action, *arguments], cwd=state / "debs", said=f"apt-get {action} {' '.join(arguments)}".rstrip())


def _run(command: Sequence[str], *, cwd: Path, said: str) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-4:])
        raise FetchError(
            f"`{said}` failed:\n{tail}\n"
            "The tests need these binaries. Check that this machine reaches its Debian mirror (its apt sources), then run again."
        )
    return done.stdout


def _write_launchers(group: Group, base: Path) -> None:
    root = base / "root"
    libraries = [path for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*") for path in sorted(root.glob(pattern))]
    folder = base / "bin"
    folder.mkdir(exist_ok=True)
    for command, pattern in group.commands.items():
        found = sorted(root.glob(pattern))
        if not found:
            raise FetchError(f"{command}: no {pattern} in {', '.join(group.packages)}; has Debian moved it?")
        preparation = ""
        if libraries:
            paths = ":".join(f"$root/{path.relative_to(root)}" for path in libraries)
            preparation += f'export LD_LIBRARY_PATH="{paths}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        if command in group.data:
            _with_own_data(found[-1], group.data[command])
            preparation += f'exec {DATA_FD.decode()}<"$root/{group.data[command]}"\n'
        launcher = folder / command
        launcher.write_text(LAUNCHER.format(preparation=preparation, binary=found[-1].relative_to(root)))
        launcher.chmod(0o755)


def _with_own_data(binary: Path, folder: str) -> None:
    """Let our copy of a binary find its data folder in the cache.

    The absolute path compiled into it is replaced by one of the same length that leads through an open file descriptor
    (/proc/self/fd////9); the launcher opens the folder as that descriptor.
    """
    wanted = b"/" + folder.encode()
    through = b"/proc/self/fd"
    replacement = through + b"/" * (len(wanted) - len(through) - len(DATA_FD)) + DATA_FD
    content = binary.read_bytes()
    if wanted in content:
        mode = binary.stat().st_mode
        binary.write_bytes(content.replace(wanted, replacement))
        binary.chmod(mode)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. 0 when every group is there, 1 with the reason when not."""
    parser = argparse.ArgumentParser(description="Fetch Debian's binaries that tests need into a cache folder.")
    parser.add_argument("groups", nargs="+", choices=sorted(GROUPS), metavar="GROUP", help=f"one of: {', '.join(sorted(GROUPS))}")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="default: OOMTRIAGE_CACHE, or .cache in the clone")
    options = parser.parse_args(arguments)
    try:
        fetch(options.groups, options.cache.resolve())
    except FetchError as error:
        print(f"debian_binaries: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
