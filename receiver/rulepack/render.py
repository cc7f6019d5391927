"""The rule files with values applied, as one plain rule file or as one PrometheusRule for the Prometheus operator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from receiver.errors import ConfigError
from receiver.promql.edits import edited, matcher_edits, rename_edits
from receiver.promql.quoting import quoted
from receiver.promql.selectors import Matcher, Selector
from receiver.promql.tree import parse
from receiver.rulepack.annotations import renamed
from receiver.rulepack.files import Rule, RuleFile
from receiver.rulepack.marks import duration_ms, mark_edits
from receiver.rulepack.metrics import Metrics
from receiver.rulepack.namespaces import NAMESPACE, sources
from receiver.rulepack.overrides import check_overrides, with_overrides
from receiver.rulepack.pack import Pack, read_pack
from receiver.rulepack.shapes import Shape, record_shapes
from receiver.rulepack.values import AlertValues, Values, read_values

FORMATS = ("plain", "prometheusrule")
HEADER = "# Rendered by `oomtriage rules render` from rules/*.rules.yaml: change the values there, not this file.\n"
KUBERNETES_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def render_rules(path: Path, *, output_format: str, values: Mapping[str, Any] | None = None, is_helm: bool = False) -> str:
    """The rules at `path` as YAML text. `values` is laid over the pack's config/values.yaml. ConfigError when they do not fit.

    `is_helm`: the text may lie in a chart's templates/; Helm makes of it what it would be without.
    """
    if output_format not in FORMATS:
        raise ConfigError(f"format: expected {' or '.join(FORMATS)}, found {output_format!r}")
    pack = read_pack(path)
    settings = read_values(pack, values)
    groups = [dict(group) for file in with_values(pack, settings).files for group in file.groups]
    document = {"groups": groups} if output_format == "plain" else _resource(groups, settings)
    text = HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
    return text.replace("{{", '{{ "{{" }}') if is_helm else text


def with_values(pack: Pack, values: Values) -> Pack:
    """The pack with the values applied; what is disabled is left out."""
    check_overrides(pack, values.overrides)
    renderer = _Renderer(pack.metrics, values, record_shapes(pack.rules))
    return replace(pack, files=tuple(RuleFile(name=file.name, groups=tuple(renderer.groups(file))) for file in pack.files))


class _Renderer:
    """The values, and what is known of the pack whose rules they go into."""

    def __init__(self, metrics: Metrics, values: Values, records: Mapping[str, Shape]) -> None:
        self._metrics = metrics
        self._values = values
        self._records = records

    def groups(self, file: RuleFile) -> Iterator[dict[str, Any]]:
        for group in file.groups:
            rules = [Rule(file=file.name, group=group["name"], body=body) for body in group["rules"]]
            bodies = [self._rule(rule) for rule in rules if self._is_enabled(rule)]
            bodies = with_overrides(bodies, self._values.overrides)
            if bodies:
                yield {**self._head(group), "rules": [self._with_labels(body) for body in bodies]}

    def _head(self, group: Mapping[str, Any]) -> dict[str, Any]:
        head = {key: value for key, value in group.items() if key != "rules"}
        interval = self._values.group_intervals.get(group["name"], self._values.interval)
        if interval is not None:
            head["interval"] = interval
        return head

    def _is_enabled(self, rule: Rule) -> bool:
        return self._values.alerts.get(rule.alert, AlertValues()).enabled

    def _rule(self, rule: Rule) -> dict[str, Any]:
        """Numbers and texts. Labels and matchers follow in `_with_labels`, for the overrides' rule too."""
        if not rule.alert:
            return {**rule.body, "expr": edited(rule.expr, mark_edits(rule.expr, self._values.parameters, "parameters."))}
        changes = self._values.alerts.get(rule.alert, AlertValues())
        body = dict(rule.body)
        body["expr"] = edited(rule.expr, mark_edits(rule.expr, changes.parameters, f"alerts.{rule.alert}."))
        for key, duration in (("for", changes.for_), ("keep_firing_for", changes.keep_firing_for)):
            if duration is not None:
                body[key] = duration
            if key in body and duration_ms(str(body[key])) == 0:
                del body[key]  # the operator's CRD knows no keep_firing_for of nothing
        severity = {"severity": changes.severity} if changes.severity is not None else {}
        labels = {**(body.get("labels") or {}), **self._values.labels, **severity, **changes.labels}
        annotations = {**(body.get("annotations") or {}), **self._values.annotations}
        if self._values.runbook_base is not None:
            annotations["runbook_url"] = f"{self._values.runbook_base.rstrip('/')}/{rule.alert}"
        ordered: dict[str, Any] = {key: body[key] for key in ("alert", "expr", "for", "keep_firing_for") if key in body}
        return {**ordered, **body, "labels": labels, "annotations": {**annotations, **changes.annotations}}

    def _with_labels(self, body: dict[str, Any]) -> dict[str, Any]:
        """Matchers of the sources, namespaces left out, labels renamed."""
        expr = str(body["expr"])
        excluded = self._excluded(expr) if "alert" in body else frozenset[int]()

        def more(selector: Selector) -> Iterator[Matcher]:
            yield from self._of_source(selector)
            if selector.start in excluded:
                pattern = "|".join(self._values.exclude_namespaces)
                yield Matcher(label=self._named(NAMESPACE), operator="!~", value=quoted(pattern))

        names = self._values.label_names
        changed = {**body, "expr": edited(expr, [*rename_edits(expr, names), *matcher_edits(expr, more)])}
        if names and "annotations" in body:
            changed["annotations"] = {key: renamed(str(text), names) for key, text in body["annotations"].items()}
        return changed

    def _of_source(self, selector: Selector) -> tuple[Matcher, ...]:
        found = {self._values.selectors.get(self._metrics.exporter(name), ()) for name in selector.names}
        if len(found) > 1:
            raise ConfigError(f"selectors: {', '.join(selector.names)} stand in one selector, and come from differently selected sources")
        return found.pop() if found else ()

    def _excluded(self, expr: str) -> frozenset[int]:
        """Where the selectors begin that namespaces are left out of."""
        if not self._values.exclude_namespaces:
            return frozenset()
        return frozenset(selector.start for selector in sources(parse(expr), self._records))

    def _named(self, label: str) -> str:
        return self._values.label_names.get(label, label)


def _resource(groups: list[dict[str, Any]], values: Values) -> dict[str, Any]:
    names = [str(group["name"]) for group in groups]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"group {twice} is there {names.count(twice)} times; a PrometheusRule may hold each name once")
    for name, value in values.resource_labels.items():
        if not KUBERNETES_LABEL.fullmatch(value):
            raise ConfigError(f"prometheusrule.labels.{name}: {value!r} is no value that Kubernetes takes for a label")
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
