"""The values people change without touching the rule files. `schema` says what there is; here it becomes data."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receiver.errors import ConfigError
from receiver.promql.selectors import Matcher, parse_matchers
from receiver.rulepack.files import VALUES_FILE, read_yaml
from receiver.rulepack.marks import Value
from receiver.rulepack.pack import Pack
from receiver.rulepack.schema import RESERVED, values_schema
from receiver.rulepack.validate import validate

# Python reads these and RE2, which Prometheus uses, does not (or otherwise): look-around, flags, possessive and back references,
# and more than 1,000 repetitions.
_NOT_RE2 = re.compile(r"\(\?(?!:)|[*+?}]\+|\\[0-9A-CE-RT-VX-Zac-ce-rt-vx-z]|\{[0-9]*,?[0-9]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertValues:
    """One alert's values. None leaves what the rule file says. `parameters`: the marked numbers by their word."""

    enabled: bool = True
    for_: str | None = None
    keep_firing_for: str | None = None
    severity: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """HighMemoryUsage's threshold (share of the limit) for the containers that `patterns` (by label) name."""

    patterns: Mapping[str, str]
    workload: str
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Everything that can be changed; `values_schema` explains each."""

    runbook_base: str | None
    interval: str | None
    group_intervals: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    label_names: Mapping[str, str]
    selectors: Mapping[str, tuple[Matcher, ...]]
    exclude_namespaces: tuple[str, ...]
    parameters: Mapping[str, Value]
    alerts: Mapping[str, AlertValues]
    overrides: tuple[Override, ...]
    resource_name: str
    resource_namespace: str | None
    resource_labels: Mapping[str, str]


def read_values(pack: Pack, changes: Mapping[str, Any] | None = None) -> Values:
    """The pack's own values (config/values.yaml, where there is one) with `changes` over them. ConfigError names a bad key."""
    schema = values_schema(pack)
    validate(changes or {}, schema)  # first alone, so that the message does not speak of what the pack holds
    merged = _merged(own_values(pack), changes or {})
    validate(merged, schema)
    values = _values(merged)
    _check_renames(values.label_names, pack.labels)
    return values


def own_values(pack: Pack) -> Mapping[str, Any]:
    """config/values.yaml beside the rules, as it stands; empty when there is none."""
    path = values_path(pack)
    return read_yaml(path) if path is not None else {}


def values_path(pack: Pack) -> Path | None:
    """Where the pack's own values are; None when it has none. Those beside a single file speak of its neighbours too."""
    path = pack.path / VALUES_FILE
    return path if pack.path.is_dir() and path.exists() else None


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _values(content: Mapping[str, Any]) -> Values:
    resource = _given(content, "prometheusrule")
    return Values(
        runbook_base=content.get("runbook_base"),
        interval=content.get("interval"),
        group_intervals=_given(content, "group_intervals"),
        labels=_given(content, "labels"),
        annotations=_given(content, "annotations"),
        label_names={name: new for name, new in _given(content, "label_names").items() if new != name},
        selectors={name: _matchers(f"selectors.{name}", text) for name, text in _given(content, "selectors").items()},
        exclude_namespaces=_namespaces(content.get("exclude_namespaces") or []),
        parameters=_given(content, "parameters"),
        alerts={name: _alert(body or {}) for name, body in (content.get("alerts") or {}).items()},
        overrides=tuple(_override(f"overrides[{index}]", body) for index, body in enumerate(content.get("overrides") or [])),
        resource_name=resource.get("name", "oomtriage"),
        resource_namespace=resource.get("namespace"),
        resource_labels=_given(resource, "labels"),
    )


def _given(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The mapping without what is null: null leaves things as they are."""
    return {name: value for name, value in (content.get(key) or {}).items() if value is not None}


def _alert(content: Mapping[str, Any]) -> AlertValues:
    return AlertValues(
        enabled=content.get("enabled") is not False,
        for_=content.get("for"),
        keep_firing_for=content.get("keep_firing_for"),
        severity=content.get("severity"),
        labels=_given(content, "labels"),
        annotations=_given(content, "annotations"),
        parameters={word: value for word, value in content.items() if word not in RESERVED and value is not None},
    )


def _override(key: str, content: Mapping[str, Any]) -> Override:
    patterns = {name: content[name] for name in ("cluster", "namespace", "pod", "container") if content.get(name) is not None}
    workload = content.get("workload") or ""
    if workload and "pod" in patterns:
        raise ConfigError(f"{key}: expected workload or pod, found both")
    if not workload and not patterns:
        raise ConfigError(f"{key}: names no container; give namespace, workload, pod or container")
    for name, pattern in patterns.items():
        _check_regex(f"{key}.{name}", pattern)
    return Override(patterns=patterns, workload=workload, threshold=content["threshold"])


def _namespaces(patterns: list[str | None]) -> tuple[str, ...]:
    given = tuple(pattern for pattern in patterns if pattern is not None)
    for index, pattern in enumerate(given):
        _check_regex(f"exclude_namespaces[{index}]", pattern)
        if re.fullmatch(pattern, "") or re.fullmatch(pattern, "a-name-that-nobody-chose"):
            raise ConfigError(f"exclude_namespaces[{index}]: {pattern!r} is every namespace, so no alert would be left")
    return given


def _check_regex(key: str, pattern: str) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):  # of sets that a later Python may read otherwise
            re.compile(pattern)
    except re.error as exc:
        raise ConfigError(f"{key}: {pattern!r} is no regular expression: {exc}") from exc
    if _NOT_RE2.search(pattern):
        raise ConfigError(f"{key}: {pattern!r} is more than RE2, which Prometheus uses, can do")


def _matchers(key: str, text: str) -> tuple[Matcher, ...]:
    try:
        return parse_matchers(text)
    except ConfigError as exc:
        raise ConfigError(f"{key}: {exc}") from exc


def _check_renames(names: Mapping[str, str], labels: tuple[str, ...]) -> None:
    """Two of the pack's labels under one name would be one label."""
    called: dict[str, str] = {}
    for label in labels:
        name = names.get(label, label)
        if name in called:
            raise ConfigError(f"label_names: {called[name]} and {label} would both be called {name}")
        called[name] = label
