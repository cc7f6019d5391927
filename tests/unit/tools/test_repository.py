"""The repository's own promises: pinned and hashed requirements, no index addresses, a licence, one CI script."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.places import REPO

PYPROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())
REQUIREMENTS = sorted((REPO / "requirements").glob("*.txt"))


def names(path: Path) -> set[str]:
    return {normal(line.split("==")[0]) for line in path.read_text().splitlines() if "==" in line}


def normal(requirement: str) -> str:
    return re.split(r"[\[<>=~!; ]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    """A build today and in a year installs the same bytes, from whatever index the machine uses."""
    entries = [entry for entry in path.read_text().replace("\\\n", " ").splitlines() if entry.strip() and not entry.startswith("#")]

    assert entries
    for entry in entries:
        assert re.match(r"^[a-z0-9._-]+==[^ ]+ +--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry


def test_requirements_cover_what_pyproject_asks_for() -> None:
    """A dependency that is added without pinning it is noticed here, not on a fresh machine."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    asked = {normal(requirement) for requirement in PYPROJECT["project"]["dependencies"]}

    assert asked <= names(REPO / "requirements" / "runtime.txt")
    assert asked | {normal(each) for extra in extras.values() for each in extra} <= names(REPO / "requirements" / "dev.txt")


def test_the_runtime_set_is_the_small_one() -> None:
    """Eight direct dependencies, eighteen distributions: a new one is a decision, not an accident."""
    assert {normal(requirement) for requirement in PYPROJECT["project"]["dependencies"]} == {
        "flask", "waitress", "requests", "jinja2", "pyyaml", "prometheus-client", "markdown-it-py", "websockets",
    }  # fmt: skip
    assert len(names(REPO / "requirements" / "runtime.txt")) == 18


WORKFLOWS = sorted((REPO / ".github" / "workflows").glob("*.yaml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_do_no_more_than_they_need(path: Path) -> None:
    """Nothing by default, reading in each job, no credentials left in the work tree, and an end; they run what `make` has."""
    workflow = yaml.safe_load(path.read_text())
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"] <= 120
        assert [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")] == [
            {"persist-credentials": False}
        ]
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert runs
        assert all(run.split()[0] == ".ci/run" or (run.split()[0] == "make" and run.split()[1] in targets) for run in runs)


def test_ci_audits_dependencies_and_fuzzes_at_night() -> None:
    """What SECURITY.md promises."""
    runs = {path.stem: path.read_text() for path in WORKFLOWS}

    assert "make audit" in runs["ci"]
    assert {"make audit", "make fuzz"} <= {f"make {word}" for word in re.findall(r"make (\w+)", runs["nightly"])}


def test_tests_import_no_benchmark() -> None:
    """What tests and benchmarks share lives in tests/lab, so that a benchmark may change without a test noticing."""
    assert importers("tests", of="bench") == []


@pytest.mark.parametrize("folder", ["tests/unit", "tests/fakes", "tests/checks"])
def test_unit_tests_start_no_downloaded_binary(folder: str) -> None:
    """Prometheus and its tools come from the network, and only tests/e2e/binaries.py finds them: tests/unit runs without."""
    assert importers(folder, of="tests.e2e") == []


UNIT = REPO / "tests" / "unit"
PACKAGES = {path.parent.relative_to(REPO / "receiver") for path in (REPO / "receiver").rglob("__init__.py")}
MODULES = {(path.stem, path.parent.relative_to(REPO / "receiver")) for path in (REPO / "receiver").rglob("*.py")}


def test_test_folders_mirror_the_package() -> None:
    """The tests of receiver/a/b lie in tests/unit/a/b. Beside them: those of the repository's own folders."""
    folders = {path.parent.relative_to(UNIT) for path in UNIT.rglob("test_*.py")}

    assert sorted(map(str, folders - PACKAGES)) == ["deploy", "docs", "tools"]


def test_a_test_with_a_modules_name_lies_beside_it() -> None:
    """Whoever looks for the test of a module finds it by its name, and finds no other."""
    homes: dict[str, set[Path]] = {}
    for name, folder in MODULES | {(package.name, package.parent) for package in PACKAGES}:
        homes.setdefault(name, set()).add(folder)
    strays = [
        path.relative_to(UNIT).as_posix()
        for path in UNIT.rglob("test_*.py")
        if (folder := path.parent.relative_to(UNIT)) in PACKAGES
        and (name := path.stem.removeprefix("test_")) != folder.name
        and folder not in homes.get(name, {folder})
    ]

    assert strays == []


def importers(folder: str, *, of: str) -> list[str]:
    """The files of a folder that import anything of that package."""
    return [
        path.relative_to(REPO).as_posix()
        for path in sorted((REPO / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if any(f"{name}.".startswith(f"{of}.") for name in imported(node))
    ]


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_what_lint_lets_pass_as_used_says_by_whom() -> None:
    """tools/unused_code.yaml excuses a name only with a reason."""
    excused = yaml.safe_load((REPO / "tools" / "unused_code.yaml").read_text())

    assert [name for name, reason in excused.items() if len(str(reason or "").split()) < 3] == []


def test_one_version_everywhere(tmp_path: Path) -> None:
    """What people copy from README and deploy/ names the version that pyproject.toml and the changelog have."""
    command = [sys.executable, str(REPO / "tools" / "release_check.py"), "--versions"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert PYPROJECT["project"]["version"] in done.stdout


def test_ci_runs_what_developers_run() -> None:
    """One script, executable, that calls `make test`."""
    script = REPO / ".ci" / "run"

    assert "make test" in script.read_text()
    assert script.stat().st_mode & 0o100
