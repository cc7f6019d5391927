"""`oomtriage fix CASE.json --repo PATH`: one value in a checkout, shown or written; in doubt nothing and exit 1."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.cli import main
from tests.places import FIXTURES

CASE = str(FIXTURES / "cases" / "exporter.json")
LIMIT_BEFORE = next(
    c["resources"]["limits"]["memory"]
    for c in json.loads(Path(CASE).read_text())["answers"]["pod"]["spec"]["containers"]
    if c["name"] == "exporter"
)
MANIFEST = f"""# kept
apiVersion: apps/v1
kind: Deployment
metadata: {{name: exporter, namespace: shop}}
spec:
  template:
    spec:
      containers:
        - name: exporter
          resources:
            limits: {{memory: {LIMIT_BEFORE}}} # kept too
"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command: its exit code and what it prints."""

    def call(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["fix", *words])
        return int(ended.value.code or 0), capsys.readouterr().out

    return call


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the workload's manifest and things that are nobody's business."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "exporter.yaml").write_text(MANIFEST)
    (tmp_path / "shop" / "other.yaml").write_text("kind: Service\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "exporter.yaml").write_text(MANIFEST)
    return tmp_path


def test_the_change_is_shown_and_nothing_written(run: Run, checkout: Path) -> None:
    """A diff that Git applies, and why this place."""
    code, out = run(CASE, "--repo", str(checkout))
    patch = out[: out.rindex("\n\n") + 1]

    assert code == 0
    assert "shop/exporter.yaml" in out.splitlines()[-1]
    assert (checkout / "shop" / "exporter.yaml").read_text() == MANIFEST
    subprocess.run(["git", "apply", "--check", "-"], input=patch, text=True, cwd=checkout, check=True, env={"PATH": "/usr/bin:/bin"})


def test_it_is_written(run: Run, checkout: Path) -> None:
    """The one value; every other byte stays."""
    code, _ = run(CASE, "--repo", str(checkout), "--write")

    assert code == 0
    assert (checkout / "shop" / "exporter.yaml").read_text() == MANIFEST.replace(LIMIT_BEFORE, "200Mi")
    assert (checkout / ".git" / "exporter.yaml").read_text() == MANIFEST


def test_as_json(run: Run, checkout: Path) -> None:
    """For programs."""
    code, out = run(CASE, "--repo", str(checkout), "-o", "json")
    answer = json.loads(out)

    assert code == 0
    assert [f["path"] for f in answer["files"]] == ["shop/exporter.yaml"]
    assert set(answer) >= {"files", "verified_by", "candidates"}


@pytest.mark.parametrize("case", [CASE, str(FIXTURES / "cases" / "java-cache.json")])
def test_nothing_to_write_is_exit_1_with_the_reason(run: Run, checkout: Path, case: str) -> None:
    """Two places, or nothing proposed."""
    (checkout / "copy.yaml").write_text(MANIFEST)
    code, out = run(case, "--repo", str(checkout), "--write")

    assert code == 1
    assert out.strip()
    assert (checkout / "copy.yaml").read_text() == MANIFEST


def test_a_link_out_of_the_checkout_is_not_followed(run: Run, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is written lies in it."""
    outside = tmp_path_factory.mktemp("outside") / "exporter.yaml"
    outside.write_text(MANIFEST)
    (checkout / "shop" / "exporter.yaml").unlink()
    (checkout / "shop" / "exporter.yaml").symlink_to(outside)
    code, _ = run(CASE, "--repo", str(checkout), "--write")

    assert code == 1
    assert outside.read_text() == MANIFEST
