"""What is known of the metrics that rules read: who exports them, what depends on them, which installations drop them.

config/metrics.yaml holds it. A rule over a metric that nobody exports never fires and never complains.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.errors import ConfigError
from receiver.promql.selectors import Selector, selectors
from receiver.rulepack.files import METRICS_FILE, read_yaml
from receiver.rulepack.places import rules_dir

# Whose metrics begin how; the first that fits. What fits none has no exporter of ours.
PREFIXES = {
    "container_": "cadvisor", "kube_": "kube_state_metrics", "kubelet_": "kubelet", "node_": "node_exporter",
    "oomtriage_": "oomtriage", "alertmanager_": "alertmanager",
}  # fmt: skip
EXPORTERS = tuple(dict.fromkeys(PREFIXES.values()))
# Metrics whose `namespace`, if they have one, is that of the exporter's own pod: Prometheus adds it to every target.
ABOUT_NODES = re.compile(r"(?:node|kube_node|kubelet|alertmanager|oomtriage|prometheus)_.*|up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric the rules read. `need` is required, optional, event, or `GROUP:plural` for alternatives."""

    name: str
    where: str
    source: str
    need: str
    without: str
    exporter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Metrics that a common installation throws away. `metric`: anchored pattern of names; `when`: only series with these labels."""

    by: str
    metric: re.Pattern[str]
    when: Mapping[str, str]
    instead: str

    def hits(self, selector: Selector) -> bool:
        """Whether every series that the selector can name is dropped."""
        if not selector.names or not all(self.metric.fullmatch(name) for name in selector.names):
            return False
        wanted = {m.label: m.wanted for m in selector.matchers if m.operator == "="}
        return all(wanted.get(label) == value for label, value in self.when.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """A pack's list. `is_own`: the pack has one, so that a metric which is not on it is an omission."""

    listed: tuple[Metric, ...]
    drops: tuple[Drop, ...]
    is_own: bool = True

    def find(self, name: str) -> Metric | None:
        """What the list says of a metric."""
        return next((metric for metric in self.listed if metric.name == name), None)

    def exporter(self, name: str) -> str:
        """Who exports the metric; empty when that is not known."""
        found = self.find(name)
        return found.exporter if found else exporter_of(name)


def read_metrics(path: Path) -> Metrics:
    """The list beside the rules at `path`, else the shipped one. ConfigError for an incomplete entry."""
    own = (path if path.is_dir() else path.parent) / METRICS_FILE
    source = own if own.exists() else rules_dir() / METRICS_FILE
    content = read_yaml(source)
    try:
        return Metrics(
            listed=tuple(_metric(entry) for entry in content.get("metrics") or ()),
            drops=tuple(_drop(entry) for entry in content.get("dropped_by") or ()),
            is_own=own.exists(),
        )
    except (KeyError, TypeError, AttributeError, re.error) as exc:
        raise ConfigError(
            f"{source}: expected metric, source, need and without (and by, metric, instead below dropped_by): {exc!r}"
        ) from exc


def exporter_of(name: str) -> str:
    """Who exports a metric of this name, by its prefix; empty for other people's metrics and for records."""
    return "" if ":" in name else next((exporter for prefix, exporter in PREFIXES.items() if name.startswith(prefix)), "")


def metric_names(expr: str) -> frozenset[str]:
    """Metrics that the expression reads from exporters: every name without a colon."""
    return frozenset(name for selector in selectors(expr) for name in selector.names if ":" not in name)


def _metric(entry: Mapping[str, Any]) -> Metric:
    return Metric(
        name=entry["metric"], where=entry.get("where", ""), source=entry["source"], need=entry["need"], without=entry["without"],
        exporter=entry.get("exporter") or exporter_of(entry["metric"]),
    )  # fmt: skip


def _drop(entry: Mapping[str, Any]) -> Drop:
    return Drop(by=entry["by"], metric=re.compile(entry["metric"]), when=entry.get("when") or {}, instead=entry.get("instead", ""))
