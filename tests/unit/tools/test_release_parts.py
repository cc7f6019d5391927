"""What is handed out with a release: nothing missing, nothing foreign, the same bytes every time."""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.places import REPO

sys.path.insert(0, str(REPO / "tools"))
import release_parts as parts

sys.path.pop(0)

ENTRY_POINTS = "[console_scripts]\n" + "".join(f"{name} = receiver.cli:main\n" for name in parts.COMMANDS)


def wheel(folder: Path, *more: str, without: str = "") -> Path:
    """A wheel that has what is needed, and these files as well."""
    path = folder / "oomtriage-1.2.3-py3-none-any.whl"
    about = "oomtriage-1.2.3.dist-info"
    files = {f"{name}x" if name.endswith("/") else name: "" for name in parts.CARRIED}
    files |= {
        f"{about}/METADATA": "",
        f"{about}/licenses/LICENSE": "",
        f"{about}/entry_points.txt": ENTRY_POINTS,
        **dict.fromkeys(more, ""),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            if not (without and name.startswith(without)):
                archive.writestr(name, text)
    return path


def chart(folder: Path, version: str = "1.2.3") -> Path:
    """deploy/ with a small chart."""
    root = folder / "deploy" / "chart"
    (root / "templates").mkdir(parents=True)
    (root / "Chart.yaml").write_text(f"apiVersion: v2\nname: oomtriage\nversion: {version}\nappVersion: '{version}'\n")
    (root / "templates" / "deployment.yaml").write_text("kind: Deployment\n")
    (root / ".helmignore").write_text("# of the workshop\n*.md\n")
    (root / "notes.md").write_text("not for users")
    return root.parent


def test_a_whole_wheel_passes(tmp_path: Path) -> None:
    assert "receiver/_rules/tests/oom.test.yaml" in parts.check_wheel(wheel(tmp_path, "receiver/_rules/tests/oom.test.yaml"), "1.2.3")


@pytest.mark.parametrize(
    "name",
    ["tests/test_x.py", "receiver/__pycache__/x.cpython-311.pyc", ".env", "receiver/prod.env", "receiver/tls.key", "receiver/state.db"],
)
def test_what_does_not_belong_is_found(tmp_path: Path, name: str) -> None:
    """Tests, caches and secrets never leave the workshop."""
    with pytest.raises(parts.ReleaseError, match="nobody's business"):
        parts.check_wheel(wheel(tmp_path, name), "1.2.3")


@pytest.mark.parametrize("name", ["receiver/_rules/", "receiver/_templates/", "oomtriage-1.2.3.dist-info/entry_points.txt"])
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    """An installed package without its templates starts, and fails at the first incident."""
    with pytest.raises(parts.ReleaseError, match="lacks"):
        parts.check_wheel(wheel(tmp_path, without=name), "1.2.3")


def test_the_chart_is_packaged_the_same_every_time(tmp_path: Path) -> None:
    """Below its own name, without what .helmignore names and without a trace of the machine."""
    deploy = chart(tmp_path)
    said = parts.package_charts(deploy, tmp_path, "1.2.3")
    archive = tmp_path / "oomtriage-1.2.3.tgz"
    first = archive.read_bytes()
    parts.package_charts(deploy, tmp_path, "1.2.3")

    assert archive.read_bytes() == first
    with tarfile.open(archive) as opened:
        assert opened.getnames() == ["oomtriage/Chart.yaml", "oomtriage/templates/deployment.yaml"]
        assert {member.uid for member in opened} == {0}
    assert said.startswith("oomtriage-1.2.3.tgz")


def test_a_chart_of_another_version_is_refused(tmp_path: Path) -> None:
    """Its image would be another."""
    with pytest.raises(parts.ReleaseError, match=r"but this is 1\.2\.3"):
        parts.package_charts(chart(tmp_path, "1.2.2"), tmp_path, "1.2.3")


def test_without_a_chart_that_is_said(tmp_path: Path) -> None:
    assert parts.package_charts(tmp_path, tmp_path, "1.2.3") == "none under deploy/"


def test_the_text_is_the_changelogs_section() -> None:
    """Without its title and without the next one's."""
    changelog = "# Changelog\n\n## 1.2.3 (2026-12-01)\n\n### Added\n- this\n\n## 1.2.2 (2026-11-01)\n- that\n"

    assert parts.release_notes(changelog, "1.2.3") == "### Added\n- this\n"
    with pytest.raises(parts.ReleaseError):
        parts.release_notes(changelog, "1.2.4")


def test_the_sums_can_be_checked(tmp_path: Path) -> None:
    """As `sha256sum -c` reads them; written twice they do not sum themselves."""
    (tmp_path / "a.whl").write_bytes(b"a")
    parts.write_sums(tmp_path)
    parts.write_sums(tmp_path)

    assert (tmp_path / "SHA256SUMS").read_text() == f"{hashlib.sha256(b'a').hexdigest()}  a.whl\n"


def test_without_a_builder_the_image_is_left_to_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, and no failure: everything else is worth having."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert parts.build_image(tmp_path, "1.2.3").startswith("not built")
