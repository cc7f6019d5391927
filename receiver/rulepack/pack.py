"""A rule pack as a whole: its rules, what they leave to values, and what is known of their metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from receiver.promql.edits import used_labels
from receiver.rulepack.annotations import labels_in
from receiver.rulepack.files import Rule, RuleFile, read_rule_files
from receiver.rulepack.marks import Parameter, parameters
from receiver.rulepack.metrics import Metrics, read_metrics


@dataclass(frozen=True)
class Pack:
    """What the files of one folder (or one file) hold."""

    path: Path
    files: tuple[RuleFile, ...]
    metrics: Metrics

    @property
    def directory(self) -> Path:
        """Where config/ would be."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, file by file, in order."""
        return tuple(rule for file in self.files for rule in file.rules())

    @cached_property
    def alerts(self) -> dict[str, Rule]:
        """The alerts by name."""
        return {rule.alert: rule for rule in self.rules if rule.alert}

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """What is marked in the expressions, by its key in values.yaml."""
        return parameters(self.rules)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Names of all groups, in order."""
        return tuple(dict.fromkeys(str(group["name"]) for file in self.files for group in file.groups))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels that the rules read, in matchers, clauses and annotations."""
        found = (used_labels(rule.expr) | labels_in(rule.texts) for rule in self.rules)
        return tuple(sorted(frozenset().union(*found)))


def read_pack(path: Path) -> Pack:
    """The rule files of a folder, or one rule file. ConfigError when there are none or one cannot be read."""
    return Pack(path=path, files=read_rule_files(path), metrics=read_metrics(path))
