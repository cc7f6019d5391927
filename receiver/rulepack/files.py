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
    def labels(self) -> dict[str, str]:
        """The labels that the rule adds."""
        labels = self.body.get("labels")
        return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}

    @property
    def texts(self) -> tuple[str, ...]:
        """The annotations' texts, which may be templates."""
        annotations = self.body.get("annotations")
        return tuple(str(text) for text in annotations.values()) if isinstance(annotations, dict) else ()

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


def read_rule_files(path: Path) -> tuple[RuleFile, ...]:
    """The rule file at `path`, or all of the folder, by name: *.rules.yaml, and where there is none, every YAML file with rules.

    ConfigError when there is none, or one is not made of groups of rules. A PrometheusRule is a rule file too.
    """
    files = tuple(_rule_file(one) for one in rule_paths(path))
    if not files:
        raise ConfigError(f"{path}: no {RULE_FILES} there, nor another YAML file with rules")
    return files


def rule_paths(path: Path) -> tuple[Path, ...]:
    """The rule files that `read_rule_files` reads. ConfigError when there is no such file or folder."""
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise ConfigError(f"{path}: no such file or folder")
    named = tuple(sorted(path.glob(RULE_FILES)))
    return named or tuple(one for one in sorted(path.iterdir()) if one.suffix in (".yaml", ".yml") and _holds_rules(one))


def _holds_rules(path: Path) -> bool:
    """A folder of other people's may hold other YAML beside the rules."""
    return any(_rules_of(document) is not None for document in _documents(path))


def is_plain(path: Path) -> bool:
    """Whether Prometheus itself takes the file; not a PrometheusRule, and not several documents in one."""
    documents = _documents(path)
    return len(documents) == 1 and "groups" in documents[0]


def _rule_file(path: Path) -> RuleFile:
    found = [rules for document in _documents(path) if (rules := _rules_of(document)) is not None]
    groups = [group for rules in found if isinstance(rules, list) for group in rules]
    if not found or not all(isinstance(rules, list) for rules in found) or not all(_is_group(group) for group in groups):
        raise ConfigError(f"{path}: expected `groups:`, a list of {{name: ..., rules: [...]}}")
    return RuleFile(name=path.name, groups=tuple(groups))


def _rules_of(document: Mapping[str, Any]) -> Any:
    """What stands below `groups:` in a rule file or a PrometheusRule; None when the document is neither."""
    if document.get("kind") == "PrometheusRule":
        spec = document.get("spec")
        return spec.get("groups", []) if isinstance(spec, dict) else []
    return document.get("groups")


def _is_group(group: object) -> bool:
    if not isinstance(group, dict) or not isinstance(group.get("name"), str):
        return False
    rules = group.get("rules")
    return isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules)


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file. ConfigError names the file and what is wrong."""
    documents = _loaded(path)
    content = documents[0] if len(documents) == 1 else documents
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(content).__name__}")
    return content


def _documents(path: Path) -> list[Mapping[str, Any]]:
    """The mappings in a YAML file, which may hold several documents."""
    return [document for document in _loaded(path) if isinstance(document, dict)]


def _loaded(path: Path) -> list[Any]:
    try:
        return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None]
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(exc).split())}") from exc
