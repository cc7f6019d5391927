"""The rule files with values applied, as one plain rule file or as one PrometheusRule for the Prometheus operator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from receiver.errors import ConfigError
from receiver.rulepack.files import Rule, RuleFile, read_rule_files
from receiver.rulepack.values import AlertValues, Values, read_values

FORMATS = ("plain", "prometheusrule")
# The number that ends an expression after a comparison: `... > 0.80`.
THRESHOLD = re.compile(r"(?P<before>[<>]=?\s*)(?P<number>[0-9.]+)(?P<after>\s*)\Z")
NO_DURATION = re.compile(r"^0[a-z]*$")
HEADER = "# Rendered by `oomtriage rules render` from rules/*.rules.yaml: change the values there, not this file.\n"


def render_rules(directory: Path, *, output_format: str, values: Mapping[str, Any] | None = None) -> str:
    """The rules of `directory` as YAML text. `values` is laid over the pack's config/values.yaml. ConfigError when they do not fit."""
    if output_format not in FORMATS:
        raise ConfigError(f"format: expected {' or '.join(FORMATS)}, found {output_format!r}")
    files = read_rule_files(directory)
    settings = read_values(directory, values)
    known = {rule.alert for file in files for rule in file.rules()}
    for name in settings.alerts:
        if name not in known:
            raise ConfigError(f"alerts.{name}: no such alert in {directory}")
    groups = [group for file in files for group in _groups(file, settings)]
    document = {"groups": groups} if output_format == "plain" else _resource(groups, settings)
    return HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def _groups(file: RuleFile, values: Values) -> list[dict[str, Any]]:
    groups = []
    for group in file.groups:
        rules = (Rule(file=file.name, group=group["name"], body=body) for body in group["rules"])
        kept = [_applied(rule, values) for rule in rules if _is_enabled(rule, values)]
        head = {key: value for key, value in group.items() if key != "rules"}
        if values.interval is not None:
            head["interval"] = values.interval
        if kept:
            groups.append({**head, "rules": kept})
    return groups


def _is_enabled(rule: Rule, values: Values) -> bool:
    changes = values.alerts.get(rule.alert)
    return changes is None or changes.enabled


def _applied(rule: Rule, values: Values) -> dict[str, Any]:
    if not rule.alert:
        return dict(rule.body)
    changes = values.alerts.get(rule.alert, AlertValues())
    body = dict(rule.body)
    if changes.threshold is not None:
        body["expr"] = _with_threshold(rule, changes.threshold)
    for key, duration in (("for", changes.for_), ("keep_firing_for", changes.keep_firing_for)):
        if duration is not None and NO_DURATION.match(duration):
            body.pop(key, None)
        elif duration is not None:
            body[key] = duration
    labels = {**body.get("labels", {}), **values.labels}
    if changes.severity is not None:
        labels["severity"] = changes.severity
    annotations = dict(body.get("annotations", {}))
    if values.runbook_base is not None:
        annotations["runbook_url"] = f"{values.runbook_base.rstrip('/')}/{rule.alert}"
    return {key: body[key] for key in ("alert", "expr", "for", "keep_firing_for") if key in body} | {
        "labels": labels,
        "annotations": annotations,
    }


def threshold_of(rule: Rule) -> float | None:
    """The number that ends the rule's expression after a comparison, or None."""
    found = THRESHOLD.search(rule.expr)
    return float(found["number"]) if found else None


def _with_threshold(rule: Rule, threshold: float) -> str:
    now = threshold_of(rule)
    if now is None:
        raise ConfigError(f"alerts.{rule.alert}.threshold: its expression does not end in a comparison with a number")
    if now == threshold:
        return rule.expr
    return THRESHOLD.sub(lambda found: f"{found['before']}{threshold:g}{found['after']}", rule.expr)


def _resource(groups: list[dict[str, Any]], values: Values) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": values.resource_name}
    if values.resource_namespace is not None:
        metadata["namespace"] = values.resource_namespace
    metadata["labels"] = {"app.kubernetes.io/name": "oomtriage", **values.resource_labels}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": groups},
    }


class _Dumper(yaml.SafeDumper):
    """Indents lists and writes texts of several lines as blocks, as people write rule files."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
