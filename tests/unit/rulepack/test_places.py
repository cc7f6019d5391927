"""Templates, rules and runbooks reach whoever installs the package, not only whoever has the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from receiver.rulepack import rules_dir
from tests.places import REPO


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=REPO, check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize(
    ("folder", "packaged"), [("templates", "_templates"), ("rules", "_rules"), ("docs/runbooks", "_runbooks"), ("docs/causes", "_causes")]
)
def test_the_wheel_carries_the_folder(wheel: Path, folder: str, packaged: str) -> None:
    """Every file of the top-level folder is in the wheel, below the package."""
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"receiver/{packaged}/{path.relative_to(REPO / folder)}" for path in (REPO / folder).rglob("*") if path.is_file()}

    assert expected
    assert expected <= names


def test_an_installed_package_finds_its_own_rules(wheel: Path, tmp_path: Path) -> None:
    """Away from the repository, rules_dir() is inside the installed package and holds the rule files."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from receiver.rulepack import rules_dir; print(rules_dir())"

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert Path(done.stdout.strip()) == tmp_path / "receiver" / "_rules"
    found = sorted(path.name for path in Path(done.stdout.strip()).glob("*.rules.yaml"))
    assert found == sorted(path.name for path in (REPO / "rules").glob("*.rules.yaml"))
    assert (Path(done.stdout.strip()) / "config" / "values.schema.json").is_file()


def test_an_installed_package_finds_its_own_runbooks(wheel: Path, tmp_path: Path) -> None:
    """The receiver serves them wherever it is installed."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from receiver.rulepack.places import runbooks_dir; print(runbooks_dir())"

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)

    assert Path(done.stdout.strip()) == tmp_path / "receiver" / "_runbooks"
    assert (Path(done.stdout.strip()) / "OOMKilled.md").is_file()


def test_a_clone_uses_the_folder_people_edit() -> None:
    """In an editable install and in a clone the rules are the repository's own."""
    assert rules_dir() == REPO / "rules"
