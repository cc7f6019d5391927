"""The parts of a release besides building and trying the wheel: what is in the archives, the chart, the image, the text, the sums.

For release_check.py. Nothing here needs a token; what a machine cannot do is said and left to another.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Collection, Iterable
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import yaml
from commands import ToolError, run


class ReleaseError(ToolError):
    """Why this is not ready for release. The text goes to the terminal."""


# What an installed package cannot do without, beside its modules.
CARRIED = (
    "receiver/_templates/slack/root/leak.j2", "receiver/_rules/oom.rules.yaml", "receiver/_runbooks/", "receiver/_causes/", "receiver/render/fonts/",
)  # fmt: skip
COMMANDS = ("oomtriage", "kubectl-oomtriage", "kubectl_complete-oomtriage")
# Nothing of the workshop, of a machine, or secret is handed out.
FORBIDDEN = (
    "*__pycache__*",
    "*.pyc",
    "tests/*",
    "*/tests/test_*",
    "bench/*",
    "tools/*",
    "*.env",
    "*.pem",
    "*.key",
    "*.db",
    "*.sqlite*",
    "*~",
    "*.orig",
    ".*",
)
MOST_BYTES = 3_000_000  # of the wheel; it is 1.1 MB, and the image carries it
SUMS = "SHA256SUMS"
IGNORED_IN_CHART = ("*.tgz", "*.swp", "*~", ".*", "ci/*", "tests/*")
IMAGE_TIMEOUT_S = 1200
PROBE_TIMEOUT_S = 20


def check_wheel(wheel: Path, version: str) -> set[str]:
    """The names in the wheel, when nothing is missing and nothing is there that does not belong."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        folder = f"oomtriage-{version}.dist-info"
        commands = archive.read(f"{folder}/entry_points.txt").decode() if f"{folder}/entry_points.txt" in names else ""
    missing = [wanted for wanted in CARRIED if not any(name.startswith(wanted) for name in names)]
    missing += [f"the command {name}" for name in COMMANDS if f"{name} = " not in commands]
    missing += [f"{folder}/{name}" for name in ("METADATA", "licenses/LICENSE") if f"{folder}/{name}" not in names]
    _check(wheel, names, missing)
    if wheel.stat().st_size > MOST_BYTES:
        raise ReleaseError(f"{wheel.name} has {wheel.stat().st_size:,} bytes, more than {MOST_BYTES:,}: what came in?")
    return names


def check_sdist(sdist: Path) -> None:
    """The same for the source archive; every name stands below one folder."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()} - {"", ".gitignore"}  # hatchling adds that one
    wanted = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "receiver/", "rules/", "templates/")
    _check(sdist, names, [one for one in wanted if not any(name.startswith(one) for name in names)])


def _check(archive: Path, names: Collection[str], missing: Collection[str]) -> None:
    foreign = sorted(name for name in names if any(fnmatch(name, pattern) for pattern in FORBIDDEN) and not name.startswith("rules/tests/"))
    foreign = [name for name in foreign if "/_rules/tests/" not in name]
    if missing:
        raise ReleaseError(f"{archive.name} lacks {', '.join(missing)}")
    if foreign:
        raise ReleaseError(f"{archive.name} holds what is nobody's business: {', '.join(foreign[:5])}")


def package_charts(deploy: Path, dist: Path, version: str) -> str:
    """Each Helm chart under deploy/ as the archive that `helm package` would make: NAME-VERSION.tgz, the same bytes every time."""
    charts = sorted(path.parent for path in deploy.glob("**/Chart.yaml") if "charts" not in path.parent.parts[len(deploy.parts) + 1 :])
    return ", ".join(_packaged(chart, dist, version) for chart in charts) or "none under deploy/"


def _packaged(chart: Path, dist: Path, version: str) -> str:
    about = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    stated = {key: str(about.get(key, "")) for key in ("version", "appVersion")}
    if other := {key: value for key, value in stated.items() if value != version}:
        raise ReleaseError(f"{chart.name}/Chart.yaml says {other}, but this is {version}")
    ignore = chart / ".helmignore"
    own = [line.strip() for line in ignore.read_text().splitlines() if line.strip() and line[0] != "#"] if ignore.exists() else []
    patterns = (*IGNORED_IN_CHART, *(f"{line}*" if line.endswith("/") else line for line in own))
    files = [path for path in sorted(chart.rglob("*")) if path.is_file() and not _is_ignored(path.relative_to(chart), patterns)]
    target = dist / f"{about['name']}-{version}.tgz"
    target.write_bytes(_tar(files, chart, str(about["name"])))
    return f"{target.name} ({target.stat().st_size // 1024} KiB, {len(files)} files)"


def _is_ignored(path: Path, patterns: Iterable[str]) -> bool:
    """By its own name or by its path in the chart."""
    return any(fnmatch(str(path), pattern) or fnmatch(path.name, pattern) for pattern in patterns)


def _tar(files: Iterable[Path], root: Path, name: str) -> bytes:
    """No times, owners or modes of this machine."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in files:
            entry = tarfile.TarInfo(f"{name}/{path.relative_to(root)}")
            content = path.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def release_notes(changelog: str, version: str) -> str:
    """The version's section of the changelog, without its title: the text of the release."""
    found = re.search(rf"^## {re.escape(version)} [^\n]*\n(?P<text>.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    text = found["text"].strip() if found else ""
    if not text:
        raise ReleaseError(f"CHANGELOG.md tells nothing of {version}")
    return text + "\n"


def write_sums(dist: Path) -> str:
    """SHA256SUMS beside what is uploaded, for `sha256sum -c`."""
    files = [path for path in sorted(dist.iterdir()) if path.is_file() and path.name != SUMS]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (dist / SUMS).write_text("".join(lines))
    return f"{len(files)} files"


def build_image(repo: Path, version: str) -> str:
    """The image as deploy/Dockerfile says, tried as far as a container runs here. Says so where no builder answers."""
    builder = next((name for name in ("docker", "podman") if shutil.which(name) and _answers(name)), "")
    if not builder:
        return "not built: no docker or podman answers here; docs/releasing.md, step 5, on a machine that has one"
    tag = f"oomtriage:{version}"
    ask = partial(run, builder, cwd=repo, timeout_s=IMAGE_TIMEOUT_S, is_alone=False)
    ask("build", "-f", str(repo / "deploy" / "Dockerfile"), "-t", tag, str(repo))
    said = ask("run", "--rm", "--read-only", "--tmpfs", "/tmp", tag, "--version").strip()  # noqa: S108  # in the container
    if said != f"oomtriage {version}":
        raise ReleaseError(f"the image says {said!r}")
    size = int(ask("image", "inspect", "--format", "{{.Size}}", tag).strip())
    return f"{tag}, {size / 1e6:.0f} MB; {said}"


def _answers(builder: str) -> bool:
    try:
        done = subprocess.run([builder, "info"], capture_output=True, check=False, timeout=PROBE_TIMEOUT_S, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
