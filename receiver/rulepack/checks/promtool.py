"""What promtool says: syntax, lint and the unit tests beside the rules."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from receiver.rulepack.files import TEST_FILES, RuleFile, is_plain, rule_paths
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem

TIMEOUT_S = 120


def check_with_promtool(pack: Pack, promtool: str | None) -> Iterator[Problem]:
    """Its own words as problems. That it is not there is a warning."""
    if promtool is None:
        yield Problem(
            where="promtool",
            text="not installed, so no expression was parsed and no unit test run",
            hint="it comes with Prometheus",
            level=Level.WARNING,
        )
        return
    with TemporaryDirectory() as folder:
        paths = [
            path if is_plain(path) else _as_plain(file, Path(folder)) for path, file in zip(rule_paths(pack.path), pack.files, strict=True)
        ]
        yield from _run(promtool, ["check", "rules", "--lint=all", "--lint-fatal"], paths)
    yield from _test(promtool, sorted(pack.path.glob(TEST_FILES)) if pack.path.is_dir() else [])


def _test(promtool: str, files: list[Path]) -> Iterator[Problem]:
    """The unit tests, as many at a time as there are cores: promtool itself uses one. What it says is in the order of the files."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = [problem for found in pool.map(lambda file: list(_run(promtool, ["test", "rules"], [file])), files) for problem in found]
    by_text = dict.fromkeys((problem.where, problem.text) for problem in said)
    for where in dict.fromkeys(where for where, _ in by_text):
        yield Problem(where=where, text="\n".join(text for of, text in by_text if of == where))


def _as_plain(file: RuleFile, folder: Path) -> Path:
    """A PrometheusRule's groups as the rule file that promtool takes."""
    path = folder / file.name
    path.write_text(yaml.safe_dump({"groups": list(file.groups)}, sort_keys=False), encoding="utf-8")
    return path


def _run(promtool: str, command: list[str], files: list[Path]) -> Iterator[Problem]:
    if not files:
        return
    try:
        done = subprocess.run(
            [promtool, *command, *map(str, files)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        yield Problem(where="promtool", text=f"could not be run: {exc}")
        return
    if done.returncode != 0:
        yield Problem(where=f"promtool {' '.join(command[:2])}", text=(done.stdout + done.stderr).strip())
