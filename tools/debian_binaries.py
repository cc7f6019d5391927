"""Fetch Debian's binaries that tests need into a cache folder, as an ordinary user.

    python3 tools/debian_binaries.py [--cache DIR] GROUP...

Nothing is installed and no service is started: the packages are downloaded with apt's own signature and hash checks
into the cache (its lists too), unpacked there with dpkg-deb, and each command gets a small launcher in DIR/debian/bin
that knows where the unpacked libraries are. A group that is complete costs one look at the disk.

To add a binary, add a line to GROUPS; name the package that holds it (postgresql-15, not postgresql). Compiled packages it
depends on come along when this machine lacks them. A group of another suite of Debian's lands in a folder of its own,
DIR/debian-SUITE: newer versions beside the machine's own. Runs before any virtual environment exists, so it uses the standard
library only.
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
    `_with_own_data`. `suite`: of Debian's, "" for the machine's own sources; nothing a package depends on comes along from there,
    so it must be linked to nothing but an older libc. `version` of a package: wanted, while the mirror still has it.
    """

    packages: tuple[str, ...]
    suite: str = ""
    version: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)


# Below the root. libpulse, which the browser wants, has a part of itself in a folder of its own.
LIBRARIES = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio")

PROMETHEUS: Mapping[str, str] = {
    "prometheus": "usr/bin/prometheus",
    "promtool": "usr/bin/promtool",
    "alertmanager": "usr/bin/prometheus-alertmanager",
    "amtool": "usr/bin/amtool",
}
VICTORIA: Mapping[str, str] = {"victoria-metrics": "usr/bin/victoria-metrics", "vmalert": "usr/bin/vmalert"}
PROMETHEUS_DATA: Mapping[str, str] = {"alertmanager": "usr/share/prometheus/alertmanager"}  # it reads default.tmpl there, or does not start

GROUPS: Mapping[str, Group] = {
    "prometheus": Group(packages=("prometheus", "prometheus-alertmanager"), commands=PROMETHEUS, data=PROMETHEUS_DATA),
    # The oldest of Prometheus 2 that is still widely run is the machine's own (2.42, bookworm's); these are what came after it.
    "prometheus-2.53": Group(
        packages=("prometheus", "promtool", "prometheus-alertmanager"),
        commands=PROMETHEUS,
        data=PROMETHEUS_DATA,
        suite="trixie",
    ),
    "prometheus-3.5": Group(
        packages=("prometheus", "promtool", "prometheus-alertmanager"),
        commands=PROMETHEUS,
        data=PROMETHEUS_DATA,
        suite="sid",
        version={"prometheus": "3.5.3+ds1-6", "promtool": "3.5.3+ds1-6", "prometheus-alertmanager": "0.33.1-5"},
    ),
    "victoria-1.112": Group(packages=("victoria-metrics",), commands=VICTORIA, suite="trixie"),
    "victoria-1.145": Group(packages=("victoria-metrics",), commands=VICTORIA, suite="sid", version={"victoria-metrics": "1.145.0+ds1-2"}),
    # A server and its tools, of which tests start private ones: about 18 MB to download.
    "postgresql": Group(
        packages=("postgresql-15", "postgresql-client-15"),
        commands={name: f"usr/lib/postgresql/15/bin/{name}" for name in ("initdb", "pg_ctl", "postgres", "pg_dump", "pg_restore", "psql")},
    ),
    # A pooler, as managed databases often stand behind one.
    "pgbouncer": Group(packages=("pgbouncer",), commands={"pgbouncer": "usr/sbin/pgbouncer"}),
    # What people apply the manifests with (`kubectl kustomize` is the same code).
    "kustomize": Group(packages=("kustomize",), commands={"kustomize": "usr/bin/kustomize"}, suite="trixie"),
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
# For a suite of Debian's that is not among the machine's sources.
APT_SUITE_CONF = """\
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "-";
"""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian/"

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
    for suite in dict.fromkeys(GROUPS[name].suite for name in names):
        _fetch_suite(suite, [name for name in names if GROUPS[name].suite == suite], cache / folder_of(suite))


def folder_of(suite: str) -> str:
    """Name of the folder below the cache for what comes of a suite."""
    return f"debian-{suite}" if suite else "debian"


def _fetch_suite(suite: str, names: Sequence[str], base: Path) -> None:
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
        _download_and_unpack([GROUPS[name] for name in wanted], base, suite)
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


def _download_and_unpack(groups: Sequence[Group], base: Path, suite: str) -> None:
    state = base / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "debs"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "apt.conf").write_text(APT_CONF.format(state=state))
    packages = [package for group in groups for package in group.packages]
    try:
        if suite:
            _look_only_at(suite, state)
        trouble = [line for line in _apt(state, "update").splitlines() if line.startswith(("W:", "E:"))]
        try:
            if suite:
                _download_of_suite(groups, state)
            else:
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


def _look_only_at(suite: str, state: Path) -> None:
    """From now on apt sees that suite alone, at the mirror that the machine uses for Debian."""
    if not KEYRING.exists():
        raise FetchError(f"no {KEYRING}, by which Debian's packages are checked: install debian-archive-keyring, then run again.")
    uris = _apt(state, "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    mirror = next((uri for uri in uris if uri.rstrip("/").endswith("/debian")), MIRROR)
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    with (state / "apt.conf").open("a") as conf:
        conf.write(APT_SUITE_CONF.format(state=state))


def _download_of_suite(groups: Sequence[Group], state: Path) -> None:
    """The wanted versions; where the mirror has moved on, what it has now, and a line that says so."""
    for group in groups:
        for package in group.packages:
            version = group.version.get(package)
            try:
                _apt(state, "download", f"{package}={version}" if version else package)
            except FetchError as error:
                if version is None or "was not found" not in str(error):
                    raise
                _apt(state, "download", package)
                print(f"debian_binaries: the mirror has no {package} {version} any more; taking what it has now", file=sys.stderr)


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
    libraries = [path for pattern in LIBRARIES for path in sorted(root.glob(pattern))]
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
