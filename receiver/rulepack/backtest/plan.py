"""What a rule directory asks to be backtested: its alerts and records, with a user's values applied as `rules render` applies them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from receiver.domain.units import parse_duration_s
from receiver.errors import ConfigError
from receiver.rulepack.backtest.expand import Record
from receiver.rulepack.metrics import read_metrics
from receiver.rulepack.render import render_rules
from receiver.rulepack.schema import SEVERITIES

PAGES_OR_POSTS = ("critical", "warning")  # severities that reach a person; info is a web page, none a heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert as it would be loaded. `interval_s`: how often its group is evaluated. `names_pods`: its text names a pod."""

    name: str
    severity: str
    expr: str
    interval_s: int
    for_s: float
    keep_s: float
    labels: Mapping[str, str]
    names_pods: bool = True

    @property
    def rank(self) -> int:
        """Severest first; one of a severity nobody knows comes last."""
        return SEVERITIES.index(self.severity) if self.severity in SEVERITIES else len(SEVERITIES)

    @property
    def is_told(self) -> bool:
        """Whether a person hears of it."""
        return self.severity in PAGES_OR_POSTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A version of the rules. `without`: what is lost without a metric that should always be there (config/metrics.yaml)."""

    alerts: tuple[AlertRule, ...]
    records: tuple[Record, ...]
    without: Mapping[str, str] = field(default_factory=dict)
    events: frozenset[str] = frozenset()  # metrics that exist only after something happened


def read_rule_set(directory: Path, *, values: Mapping[str, Any] | None = None, step_s: int) -> RuleSet:
    """The enabled rules of `directory`; `step_s` is the interval of groups that name none. ConfigError names what is wrong."""
    document = yaml.safe_load(render_rules(directory, output_format="plain", values=values))
    alerts: list[AlertRule] = []
    records: list[Record] = []
    for body, interval_s in _rules(document, step_s):
        labels = {str(k): str(v) for k, v in (body.get("labels") or {}).items()}
        expr = str(body.get("expr", ""))
        if "record" in body:
            records.append(Record(name=str(body["record"]), expr=expr, interval_s=interval_s, labels=labels))
        elif "alert" in body:
            name = str(body["alert"])
            alerts.append(
                AlertRule(
                    name=name, severity=labels.get("severity", ""), expr=expr, interval_s=interval_s, labels=labels,
                    for_s=_duration_s(f"{name}: for", body.get("for", 0)),
                    keep_s=_duration_s(f"{name}: keep_firing_for", body.get("keep_firing_for", 0)),
                    names_pods="$labels.pod" in str((body.get("annotations") or {}).get("description", "")),
                )
            )  # fmt: skip
    metrics = read_metrics(directory).listed
    return RuleSet(
        alerts=tuple(_told_apart(alerts)), records=tuple(records), without={metric.name: metric.without for metric in metrics},
        events=frozenset(metric.name for metric in metrics if metric.need == "event"),
    )  # fmt: skip


def _rules(document: Mapping[str, Any], step_s: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    for group in document["groups"]:
        interval_s = _duration_s(f"group {group['name']}: interval", group.get("interval") or step_s)
        if interval_s < 1 or interval_s != int(interval_s):
            raise ConfigError(f"group {group['name']}: interval: expected whole seconds, found {group['interval']!r}")
        for body in group["rules"]:
            yield body, int(interval_s)


def _told_apart(alerts: list[AlertRule]) -> Iterator[AlertRule]:
    """Alerts of one name (a warning and a critical step, say) get their severity, then a number, behind it."""
    times = Counter(alert.name for alert in alerts)
    seen: Counter[str] = Counter()
    for alert in alerts:
        name = alert.name if times[alert.name] == 1 else f"{alert.name} ({alert.severity or 'no severity'})"
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name} #{seen[name]}"
        yield replace(alert, name=name)


def _duration_s(where: str, value: object) -> float:
    try:
        seconds = parse_duration_s(value if isinstance(value, int | float) else str(value))
    except ValueError as exc:
        raise ConfigError(f"{where}: {exc}") from None
    if not 0 <= seconds < float("inf"):
        raise ConfigError(f"{where}: expected a duration such as 5m, found {value!r}")
    return seconds
