"""Reading rule files and their configuration as plain data. Knows where things stand, not what they should say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from receiver.errors import ConfigError

RULE_FILES = "*.rules.yaml"
TEST_FILES = "tests/*.test.yaml"
VALUES_FILE = "config/values.yaml"
METRICS_FILE = "config/metrics.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as its file has it. `body` is the YAML mapping."""

    file: str
    group: str
    body: Mapping[str, Any]

    @property
    def alert(self) -> str:
        """The alert's name; empty for a recording rule."""
        return str(self.body.get("alert", ""))

    @property
    def name(self) -> str:
        """The alert's or record's name, or `?` when it has none."""
        return self.alert or str(self.body.get("record", "?"))

    @property
    def expr(self) -> str:
        """The PromQL expression."""
        return str(self.body.get("expr", ""))

    @property
    def where(self) -> str:
        """How a person finds it: file, group, name."""
        return f"{self.file}: {self.group}: {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """One rule file. `groups` are the YAML mappings in their order."""

    name: str
    groups: tuple[Mapping[str, Any], ...]

    def rules(self) -> Iterator[Rule]:
        """Every rule of every group, in order."""
        for group in self.groups:
            for body in group["rules"]:
                yield Rule(file=self.name, group=group["name"], body=body)


def read_rule_files(directory: Path) -> tuple[RuleFile, ...]:
    """All rule files of `directory`, by name. ConfigError when there is none or one is not made of groups of rules."""
    paths = sorted(directory.glob(RULE_FILES))
    if not paths:
        raise ConfigError(f"{directory}: no {RULE_FILES} there")
    return tuple(_rule_file(path) for path in paths)


def _rule_file(path: Path) -> RuleFile:
    content = read_yaml(path)
    groups = content.get("groups")
    if not isinstance(groups, list) or not all(_is_group(group) for group in groups):
        raise ConfigError(f"{path}: expected `groups:`, a list of {{name: ..., rules: [...]}}")
    return RuleFile(name=path.name, groups=tuple(groups))


def _is_group(group: object) -> bool:
    if not isinstance(group, dict) or not isinstance(group.get("name"), str):
        return False
    rules = group.get("rules")
    return isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules)


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file. ConfigError names the file and what is wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(exc).split())}") from exc
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content
