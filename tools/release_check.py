"""What a release must pass, and everything that is uploaded: `make release`. No token and no registry is needed, only a package index.

    python tools/release_check.py [--versions]

Builds the wheel and the source archive into dist/, builds a wheel from the archive again, looks at what is in them, installs the first
one into a fresh environment with the pinned requirements, and runs it there, far from this clone. Beside them in dist/: the Helm chart,
the release's text and SHA256SUMS. The image is built where a builder answers. `--versions`: compares versions only.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from commands import ToolError, run
from release_parts import ReleaseError, build_image, check_sdist, check_wheel, package_charts, release_notes, write_sums

REPO = Path(__file__).resolve().parents[1]
DIST = REPO / "dist"
VERSION = str(tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"])
RELEASED = re.compile(r"oomtriage:(\d+\.\d+\.\d+)|oomtriage@v(\d+\.\d+\.\d+)|\bnewTag: (\d+\.\d+\.\d+)|\brev: v(\d+\.\d+\.\d+)")
NAMES_A_VERSION = ("README.md", "deploy/**/*.y*ml", "deploy/Dockerfile")


def check_versions() -> str:
    """Every file that names a version of ours names this one, and the changelog has a section for it."""
    paths = [path for pattern in NAMES_A_VERSION for path in sorted(REPO.glob(pattern))]
    other = sorted({f"{path.relative_to(REPO)} says {found}" for path in paths for found in _named(path) if found != VERSION})
    if other:
        raise ReleaseError(f"pyproject.toml says {VERSION}, but {'; '.join(other)}")
    title = next((line for line in (REPO / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")), "")
    if not re.fullmatch(rf"## {re.escape(VERSION)} \((unreleased|\d{{4}}-\d\d-\d\d)\)", title):
        raise ReleaseError(f"CHANGELOG.md begins with {title!r}: expected '## {VERSION} (YYYY-MM-DD)', or (unreleased) until the day")
    return f"{VERSION} everywhere; changelog: {title[3:]}"


def _named(path: Path) -> Iterator[str]:
    for found in RELEASED.finditer(path.read_text()):
        yield next(group for group in found.groups() if group)


def build() -> str:
    """Wheel and source archive in dist/, the archive holding all that the wheel was made of."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "-d", str(DIST), cwd=REPO)
    names = check_wheel(_wheel(), VERSION)
    check_sdist(next(DIST.glob("*.tar.gz")))
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(next(DIST.glob("*.tar.gz"))) as archive:
            archive.extractall(temporary, filter="data")
        (unpacked,) = Path(temporary).iterdir()
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(Path(temporary) / "again"), cwd=unpacked)
        again = _files(next((Path(temporary) / "again").glob("*.whl")))
    if again != names:
        raise ReleaseError(f"the source archive makes another wheel: {', '.join(sorted(again ^ names)[:5])}")
    return ", ".join(f"{path.name} ({path.stat().st_size // 1024} KiB)" for path in sorted(DIST.iterdir()))


def _wheel() -> Path:
    return next(DIST.glob("*.whl"))


def _files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def install_and_run() -> str:
    """The wheel in an environment of its own, run from an empty folder: what a user gets from `pip install`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run(sys.executable, str(REPO / "tools" / "make_venv.py"), str(folder / "venv"), cwd=REPO)
        pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check"]
        run(*pip, "--require-hashes", "-r", str(REPO / "requirements" / "runtime.txt"), cwd=folder)
        run(*pip, "--no-deps", "--no-index", str(_wheel()), cwd=folder)
        command = str(folder / "venv" / "bin" / "oomtriage")
        (folder / "empty").mkdir()
        said = run(command, "--version", cwd=folder / "empty").strip()
        if said != f"oomtriage {VERSION}":
            raise ReleaseError(f"the installed command says {said!r}")
        demo = run(command, "demo", "--once", cwd=folder / "empty")
        rules = run(command, "rules", "render", cwd=folder / "empty")
    incidents, alerts = demo.count("Decision tree"), rules.count("- alert:")
    if not incidents or not alerts:
        raise ReleaseError(f"the installed demo shows {incidents} incidents, and the installed rules hold {alerts} alerts")
    return f"{said}; demo: {incidents} incidents; rules: {alerts} alerts"


def chart() -> str:
    """The Helm chart, as an archive in dist/."""
    return package_charts(REPO / "deploy", DIST, VERSION)


def image() -> str:
    """The image, where one can be built."""
    return build_image(REPO, VERSION)


def texts() -> str:
    """The release's text and the sums, over all that lies in dist/."""
    (DIST / "changes.txt").write_text(release_notes((REPO / "CHANGELOG.md").read_text(), VERSION))
    return write_sums(DIST)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when it may be released."""
    parser = argparse.ArgumentParser(description="Checks that this clone can be released.")
    parser.add_argument("--versions", action="store_true", help="compare the versions that the files name, and nothing else")
    steps: tuple[Callable[[], str], ...] = (check_versions, build, install_and_run, chart, image, texts)
    try:
        for step in steps[:1] if parser.parse_args(arguments).versions else steps:
            print(f"{step.__name__}: {step()}", flush=True)
    except ToolError as error:
        print(f"release_check: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
