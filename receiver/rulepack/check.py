"""What is wrong with a rule pack, or with anybody's rule files, as far as the files tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from receiver.errors import ConfigError
from receiver.rulepack.checks.configured import check_marks, check_values
from receiver.rulepack.checks.conventions import check_conventions
from receiver.rulepack.checks.joins import check_joins
from receiver.rulepack.checks.order import check_order
from receiver.rulepack.checks.promtool import check_with_promtool
from receiver.rulepack.checks.sources import check_sources
from receiver.rulepack.files import VALUES_FILE, read_yaml, rule_paths
from receiver.rulepack.pack import Pack, read_pack
from receiver.rulepack.places import rules_dir
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.values import own_values, values_path


def check_rules(path: Path, *, promtool: str | None = None) -> list[Problem]:
    """All problems of the rule files in a folder, or of one file; errors first. ConfigError only when there are none there.

    `promtool` is its path; by default the one on the PATH.
    """
    if not rule_paths(path):
        raise ConfigError(f"{path}: no rule files there")
    try:
        pack = read_pack(path)
        problems = [*_problems(pack), *check_with_promtool(pack, promtool or shutil.which("promtool"))]
    except ConfigError as exc:
        problems = [Problem(where=str(path), text=str(exc))]
    return sorted(problems, key=lambda problem: problem.level is Level.WARNING)


def _problems(pack: Pack) -> Iterator[Problem]:
    is_own = values_path(pack) is not None
    yield from check_conventions(pack, _runbook_base(pack), is_own=is_own)
    yield from check_joins(pack)
    yield from check_order(pack, is_own=is_own)
    yield from check_sources(pack)
    yield from check_marks(pack)
    yield from check_values(pack)


def _runbook_base(pack: Pack) -> str:
    """Where the pack's own runbooks are; the shipped one's for rules without values."""
    content = own_values(pack) or read_yaml(rules_dir() / VALUES_FILE)
    return str(content.get("runbook_base") or "")
