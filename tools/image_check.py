"""The image without a builder: `make image-check`. Runs the Dockerfile's build stage in a folder and looks at what would be shipped.

    python tools/image_check.py

Each COPY and RUN of the stage `build` is carried out as it stands there, with the image's absolute paths below a temporary folder and this
Python and a pip of its own in place of the image's. Then: which distributions there are and how large, that neither pip nor a build backend is among them, that
its SBOM names each, and that it starts. What only a builder can try (the base image, the user, the labels) is said in docs/limits.md.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import ToolError, run

REPO = Path(__file__).resolve().parents[1]
DOCKERFILE = REPO / "deploy" / "Dockerfile"
SHIPPED = "/opt/oomtriage"
FOREIGN = ("pip", "setuptools", "wheel", "hatchling", "editables", "pathspec", "pluggy", "trove-classifiers", "tomlkit")


class ImageError(ToolError):
    """Why the image would not be what it should. The text goes to the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction: `name` in capitals, and the rest of it with its continued lines joined."""

    name: str
    rest: str


def stages(text: str) -> list[list[Step]]:
    """The instructions of each stage, FROM first."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    found: list[list[Step]] = []
    for line in filter(None, (re.sub(r" +", " ", each).strip() for each in lines.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            found.append([])
        if found:  # before the first stage there are arguments only
            found[-1].append(Step(name=name, rest=rest))
    return found


def build(root: Path) -> Path:
    """Carry out the first stage below `root`; the folder that the last stage takes over from it."""
    source = root / "src"
    source.mkdir()
    (root / "opt").mkdir()
    run(sys.executable, str(REPO / "tools" / "make_venv.py"), str(root / "base"), cwd=REPO)
    for step in stages(DOCKERFILE.read_text())[0]:
        if step.name == "COPY":
            _copy(step.rest.split(), source)
        elif step.name == "RUN":
            command = step.rest.replace("/opt/", f"{root}/opt/")
            run("sh", "-euc", re.sub(r"(^|&& )(python|pip) ", rf"\1{root}/base/bin/\2 ", command), cwd=source)
    return root / SHIPPED.lstrip("/")


def _copy(names: Sequence[str], source: Path) -> None:
    *given, target = names
    for name in given:
        into = source / target / Path(name).name if target.endswith("/") else source / target
        into.parent.mkdir(parents=True, exist_ok=True)
        if (REPO / name).is_dir():
            shutil.copytree(REPO / name, into, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPO / name, into)


def distributions(shipped: Path) -> list[str]:
    """What is installed, as its own Python sees it, without what the base image has."""
    code = "from importlib.metadata import distributions as d; print(*sorted(x.metadata['Name'].lower() for x in d()), sep='\\n')"
    return run(str(shipped / "bin" / "python"), "-c", code, cwd=shipped).split()


def size_bytes(shipped: Path) -> int:
    """Of its files, links not followed."""
    return sum(path.lstat().st_size for path in shipped.rglob("*") if path.is_file() and not path.is_symlink())


def check(shipped: Path) -> Iterator[str]:
    """A line each; raises ImageError for what is not as it should be."""
    names = distributions(shipped)
    if foreign := set(names) & set(FOREIGN):
        raise ImageError(f"it carries what only a build needs: {', '.join(sorted(foreign))}")
    yield f"{len(names)} distributions, {size_bytes(shipped) / 1e6:.1f} MB with byte code: {', '.join(names)}"
    bom = json.loads((shipped / "sbom.cdx.json").read_text())
    told = sorted(one["name"] for one in (bom["metadata"]["component"], *bom["components"]))
    if told != sorted(re.sub(r"[-_.]+", "-", name) for name in names):
        raise ImageError(f"the SBOM names {told}, but {names} are installed")
    yield f"SBOM: CycloneDX {bom['specVersion']}, {len(bom['components'])} components"
    yield run(str(shipped / "bin" / "oomtriage"), "--version", cwd=shipped).strip()


def main() -> int:
    """The exit status: 0 when the image would be as it should."""
    with tempfile.TemporaryDirectory() as temporary:
        try:
            for line in check(build(Path(temporary))):
                print(line, flush=True)
        except ToolError as error:
            print(f"image_check: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
