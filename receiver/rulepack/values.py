"""The values people change without touching the rule files: thresholds, durations, severities, links, labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.errors import ConfigError
from receiver.rulepack.files import VALUES_FILE, read_yaml

DURATION = re.compile(r"^(0|([0-9]+(ms|[smhdwy]))+)$")
SEVERITIES = ("critical", "warning", "info", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertValues:
    """One alert's values. None leaves what the rule file says. `for_` and `keep_firing_for` are Prometheus durations."""

    enabled: bool = True
    threshold: float | None = None
    for_: str | None = None
    keep_firing_for: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Everything that can be changed; rules/config/values.yaml explains each."""

    runbook_base: str | None
    interval: str | None
    labels: Mapping[str, str]
    alerts: Mapping[str, AlertValues]
    resource_name: str
    resource_namespace: str | None
    resource_labels: Mapping[str, str]


def read_values(directory: Path, changes: Mapping[str, Any] | None = None) -> Values:
    """The pack's own values (config/values.yaml, where there is one) with `changes` over them. ConfigError names a bad key."""
    path = directory / VALUES_FILE
    defaults = read_yaml(path) if path.exists() else {}
    return _parse(_merged(defaults, changes or {}))


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _parse(content: Mapping[str, Any]) -> Values:
    _only(content, "", ("runbook_base", "interval", "labels", "alerts", "prometheusrule"))
    alerts = _mapping(content, "alerts")
    resource = _mapping(content, "prometheusrule")
    _only(resource, "prometheusrule.", ("name", "namespace", "labels"))
    return Values(
        runbook_base=_text(content, "runbook_base"),
        interval=_duration(content, "interval"),
        labels=_labels(content, "labels"),
        alerts={str(name): _alert(f"alerts.{name}.", _mapping(alerts, name, "alerts.")) for name in alerts},
        resource_name=_text(resource, "name", "prometheusrule.") or "oomtriage",
        resource_namespace=_text(resource, "namespace", "prometheusrule."),
        resource_labels=_labels(resource, "labels", "prometheusrule."),
    )


def _alert(above: str, content: Mapping[str, Any]) -> AlertValues:
    _only(content, above, ("enabled", "threshold", "for", "keep_firing_for", "severity"))
    enabled = content.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ConfigError(f"{above}enabled: expected true or false, found {enabled!r}")
    threshold = content.get("threshold")
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
        raise ConfigError(f"{above}threshold: expected a number, found {threshold!r}")
    severity = _text(content, "severity", above)
    if severity is not None and severity not in SEVERITIES:
        raise ConfigError(f"{above}severity: expected one of {', '.join(SEVERITIES)}, found {severity!r}")
    return AlertValues(
        enabled=enabled,
        threshold=threshold,
        for_=_duration(content, "for", above),
        keep_firing_for=_duration(content, "keep_firing_for", above),
        severity=severity,
    )


def _only(content: Mapping[str, Any], above: str, known: tuple[str, ...]) -> None:
    for key in content:
        if key not in known:
            raise ConfigError(f"{above}{key}: no such value; known are {', '.join(known)}")


def _mapping(content: Mapping[str, Any], key: str, above: str = "") -> Mapping[str, Any]:
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{above}{key}: expected keys and values, found {value!r}")
    return value


def _labels(content: Mapping[str, Any], key: str, above: str = "") -> Mapping[str, str]:
    labels = _mapping(content, key, above)
    for name, value in labels.items():
        if not isinstance(value, str):
            raise ConfigError(f"{above}{key}.{name}: expected text (put it in quotes), found {value!r}")
    return labels


def _text(content: Mapping[str, Any], key: str, above: str = "") -> str | None:
    value = content.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{above}{key}: expected text, found {value!r}")
    return value


def _duration(content: Mapping[str, Any], key: str, above: str = "") -> str | None:
    value = _text(content, key, above)
    if value is not None and not DURATION.match(value):
        raise ConfigError(f"{above}{key}: expected a duration such as 30s, 5m or 1h, found {value!r}")
    return value
